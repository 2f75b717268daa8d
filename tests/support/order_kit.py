"""A mailbox whose archive is served, and a worker that does the backfills that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from api_kit import Office, office
from archive_kit import ACTOR
from holdfast.ingest.jobs.kinds import BACKFILL
from holdfast.ingest.jobs.task import Workshop
from holdfast.ingest.work import Runner
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.schema import jobs
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from imap_kit import SOURCE

if TYPE_CHECKING:
    from holdfast.settings import Settings


@dataclass(frozen=True, slots=True)
class Yard:
    """The service of an archive that has the source already, with people of some roles."""

    settings: Settings
    office: Office

    def order(self, what: str, status: int = 202, *, name: str = SOURCE, **body: Any) -> Any:
        """Ask for a run, as who looks after sources."""
        said = {"json": body} if what == "backfill" else {}
        return self.office.post("it", f"/sources/{name}/{what}", status, **said)

    def job(self, asked: Any) -> Any:
        """Read the job that an order gave."""
        return self.office.get("it", f"/jobs/{asked['id']}")

    def done(self, asked: Any) -> Any:
        """Let a worker do it; return the job, which has to be done."""
        self.work()
        found = self.job(asked)
        assert found["state"] == "done", found
        return found

    def work(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Do what is due, as a worker beside the service does."""
        with parser_pool(self.settings) as pool, open_archive(self.settings, ACTOR) as services:
            shop = Workshop(services.desk, pool, services.spool)
            Runner(shop, {BACKFILL.name: BACKFILL}, "w", is_stopping=is_stopping).run_due()

    def hurry(self) -> None:
        """Let all jobs be due, as time would."""
        with writing(self.office.services.store.engine) as connection:
            connection.execute(update(jobs).values(due_ms=0))


@contextmanager
def yard_of(settings: Settings) -> Iterator[Yard]:
    """Serve an archive."""
    with office(settings) as opened:
        for role in ("it", "admin", "legal"):
            opened.hire(role, role)
        yield Yard(settings, opened)

"""A clock that tests move, for one archive behind the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.testclient import TestClient

from api_kit import PEER, Office
from holdfast.api.app import create_app
from holdfast.ingest.viewing import Viewer
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.disposing import execute
from holdfast.wiring.serving import served_by

if TYPE_CHECKING:
    from holdfast.retention.disposal import Asked
    from holdfast.settings import Settings


@dataclass(slots=True)
class MovedClock:
    """The present, so much later."""

    later: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def wait(self, **more: float) -> None:
        """Let time pass."""
        self.later += timedelta(**more)


@contextmanager
def office_in_time(settings: Settings) -> Iterator[tuple[Office, MovedClock]]:
    """Serve an archive whose time can be moved; disposals end before they are answered."""
    clock = MovedClock()
    with Viewer() as viewer, open_archive(settings, "tester") as opened:
        services = _with_clock(opened, clock)
        served = served_by(services, viewer)

        def dispose(_login: str, number: int, asked: Asked) -> None:
            execute(services, number, asked, lambda _state: None)

        served.dispose = dispose
        with TestClient(create_app(served), client=(PEER, 50000)) as client:
            yield Office(services, client), clock


def _with_clock(services: Services, clock: MovedClock) -> Services:
    store = replace(services.store, clock=clock)
    services.desk.feed.store = store
    return replace(services, store=store, desk=replace(services.desk, store=store))

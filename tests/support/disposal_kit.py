"""Keeps policies and disposes of things in archives of tests, under a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select

from holdfast.core.matching import matches
from holdfast.core.query import EVERYTHING, Node
from holdfast.retention.changes import Draft, approve, propose
from holdfast.retention.disposal import Asked, Execution, Judge, judge_now, plan, review
from holdfast.retention.disposal import approve as approve_disposal
from holdfast.retention.judging import Search
from holdfast.retention.policies import DELAY_MS
from holdfast.storage.audit import Sequencer
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import clock_marks
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.rights_tables import persons
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.disposals import KeptDisposal
from holdfast.storage.governance.policies import Version, Wording
from holdfast.storage.store import Store
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.verify import Tally, Verification

COOLING_OFF_HOURS = 24
ORIGIN = "disposal.example/log"


def verified(store: Store, folder: Path) -> list[str]:
    """Number what waits, and return all that a full verification finds."""
    place, key = folder / "log", store.keyring.signing_key()
    if not place.exists():
        TileLog.create(place, key, ORIGIN)
    log = TileLog(place, key, ORIGIN)
    Sequencer(store.engine, log, folder / "log.lock", lambda _note: None).run()
    log.refresh()
    found = Verification(store, log).run(Tally())
    return [f"{one.part} {one.name}: {one.cause}" for one in found]


@dataclass(slots=True)
class Hands:
    """A clock that stands still until a test moves it."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def forward(self, **time: float) -> None:
        """Let time pass."""
        self.instant += timedelta(**time)


def under(store: Store, hands: Hands) -> Store:
    """Return the archive under a clock of the test's own, which it believes."""
    with writing(store.engine) as connection:
        connection.execute(delete(clock_marks))
    return replace(store, clock=hands)


def person(store: Store, name: str) -> int:
    """Write a person and return the id."""
    row = {"id": store.ids.take(), "name": name, "created_ms": store.now_ms()}
    with writing(store.engine) as connection:
        connection.execute(insert(persons), row)
    return row["id"]


def searching(store: Store) -> Search:
    """Return a search that asks every record: what an index must agree with."""

    def search(node: Node) -> Iterable[Sequence[int]]:
        with reading(store.engine) as connection:
            ids = connection.scalars(select(interactions.c.id).order_by(interactions.c.id)).all()
        for start in range(0, len(ids), 200):
            found = records(store, ids[start : start + 200])
            yield [one.id for one in found if matches(node, one)]

    return search


@dataclass(slots=True)
class Office:
    """Two persons who keep policies and dispose of things in one archive."""

    store: Store
    hands: Hands
    ann: int
    ben: int

    @staticmethod
    def of(store: Store, hands: Hands) -> Office:
        """Make the two."""
        own = under(store, hands)
        return Office(own, hands, person(own, "Ann"), person(own, "Ben"))

    def rule(self, kind: str, days: int, node: Node = EVERYTHING, *, name: str = "") -> Version:
        """Bring a policy into force, whatever it takes; the clock goes on where it must."""
        wording = Wording("words", "canonical words")
        draft = Draft(name or f"{kind} {days}", kind, days, node, wording, "§ 1")
        made = propose(self.store, draft, self.ann)
        if made.in_force_ms is None:
            made = approve(self.store, draft.name, self.ben)
            self.pass_ms(DELAY_MS)
        return made

    def pass_ms(self, ms: int) -> None:
        """Let time pass, with somebody who looks at the clock every day."""
        self.hands.instant += timedelta(milliseconds=ms)
        with writing(self.store.engine) as connection:
            connection.execute(delete(clock_marks))

    def approved(self) -> KeptDisposal:
        """Plan, review and approve what is due, and let it cool off."""
        planned = plan(self.store, searching(self.store), Asked(self.ann))
        assert planned is not None
        review(self.store, planned.id, Asked(self.ann))
        digest = planned.manifest_digest.hex()
        done = approve_disposal(self.store, planned.id, Asked(self.ben), digest, COOLING_OFF_HOURS)
        self.pass_ms(COOLING_OFF_HOURS * 3_600_000)
        return done

    def execute(self, disposal_id: int, judge: Judge = judge_now) -> list[str]:
        """Settle all items and return what became of each."""
        execution = Execution(self.store, disposal_id, judge)
        execution.begin(Asked(self.ann))
        ends: list[str] = []
        execution.run(ends.append)
        return ends

    def dispose(self) -> list[str]:
        """Go the whole way with what is due."""
        return self.execute(self.approved().id)

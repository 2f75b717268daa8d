"""Files, holds, rules, clocks, disposals and crashes in any order, against a model of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import delete, select, update

from catalogue_kit import START, Filing, Mail, new_store
from disposal_kit import Hands, Office, searching
from hold_kit import hold_row, matter_row
from holdfast.core.errors import Conflict, Refused
from holdfast.core.query import EVERYTHING, Node, Part, Phrase
from holdfast.retention.changes import Draft, approve, propose, retire, withdraw
from holdfast.retention.disposal import (
    Asked,
    Execution,
    Judge,
    except_item,
    judge_now,
    plan,
    review,
)
from holdfast.retention.disposal import approve as approve_disposal
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.governance_tables import clock_marks, holds
from holdfast.storage.catalogue.reading import captures_of, original_bytes, records
from holdfast.storage.catalogue.schema import interactions
from holdfast.storage.governance.disposals import items_of
from holdfast.storage.governance.policies import Wording
from holdfast.storage.governance.tombstones import tombstone_of

DAY_MS = 86_400_000
TOPICS = ("alpha", "beta", "gamma")
ABOUT = st.sampled_from(("", *TOPICS))
"""Everything, or one topic."""
NAMES = ("one", "two", "three")
TOPIC_SETS = st.frozensets(st.sampled_from(TOPICS), max_size=2)


class Killed(BaseException):
    """The process ends here."""


@dataclass(slots=True)
class Item:
    """One message, as the model knows it."""

    topics: frozenset[str]
    clock_ms: int
    mail: Mail
    is_alive: bool = True


@dataclass(slots=True)
class Version:
    """One version of one policy, as the model knows it."""

    kind: str
    days: int
    about: str
    from_ms: int | None
    is_withdrawn: bool = False
    is_approved: bool = False


@dataclass(slots=True)
class Model:
    """What the contract says, without a database, a query or the product's own judgement."""

    now_ms: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    holds: dict[int, str] = field(default_factory=dict)
    held: set[tuple[int, int]] = field(default_factory=set)
    policies: dict[str, list[Version]] = field(default_factory=dict)

    def current(self, name: str) -> Version | None:
        begun = [
            one
            for one in self.policies.get(name, ())
            if one.from_ms is not None and one.from_ms <= self.now_ms and not one.is_withdrawn
        ]
        return begun[-1] if begun and begun[-1].kind != "retired" else None

    def waits(self, name: str) -> bool:
        return any(
            not one.is_withdrawn and (one.from_ms is None or one.from_ms > self.now_ms)
            for one in self.policies.get(name, ())
        )

    def is_due(self, item: Item) -> bool:
        rules = [one for name in self.policies if (one := self.current(name))]
        about = [one for one in rules if not one.about or one.about in item.topics]
        age = self.now_ms - item.clock_ms
        if any(one.kind == "floor" and age < one.days * DAY_MS for one in about):
            return False
        if any(not topic or topic in item.topics for topic in self.holds.values()):
            return False
        return any(one.kind == "ceiling" and age >= one.days * DAY_MS for one in about)


def node_of(about: str) -> Node:
    return Phrase(about, Part.SUBJECT) if about else EVERYTHING


@contextmanager
def crashing(engine: Any, at: int, *, keeps: bool) -> Iterator[None]:
    """End the process at the n-th commit: before it, or after it was kept."""
    commit, seen = engine.dialect.do_commit, [0]

    def counted(connection: Any) -> None:
        seen[0] += 1
        if seen[0] == at and not keeps:
            raise Killed
        commit(connection)
        if seen[0] == at:
            raise Killed

    engine.dialect.do_commit = counted
    try:
        yield
    finally:
        engine.dialect.do_commit = commit


class Governance(RuleBasedStateMachine):
    """One archive, from its first message to whatever is left."""

    judge: ClassVar[Judge] = staticmethod(judge_now)
    """Decides in the transaction that destroys; a seeded bug puts another one here."""
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        shm = Path("/dev/shm")  # noqa: S108 - the disk is not what is proved here
        self.folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
        self.hands = Hands(START)
        self.office = Office.of(new_store(self.folder), self.hands)
        self.matter = matter_row(self.office.store)
        self.filing = Filing(self.office.store)
        self.model = Model(self.office.store.now_ms())
        self.numbers = iter(range(1 << 30))
        self.disposal: int | None = None
        self.stage = ""

    @initialize()
    def begin(self) -> None:
        """Something is there, and a rule that lets it go one day."""
        for topics in (frozenset[str](), frozenset(("alpha",)), frozenset(("beta", "gamma"))):
            self.file(topics)
        self.propose("one", "ceiling", 1, "")
        assert approve(self.office.store, "one", self.office.ben).in_force_ms is not None
        waiting = self.model.policies["one"][-1]
        waiting.is_approved, waiting.from_ms = True, self.model.now_ms + 3 * DAY_MS
        self.let_time_pass(72)

    def teardown(self) -> None:
        self.office.store.engine.dispose()
        shutil.rmtree(self.folder, ignore_errors=True)

    @rule(topics=TOPIC_SETS)
    def file(self, topics: frozenset[str]) -> None:
        number = next(self.numbers)
        subject = " ".join((*sorted(topics), f"n{number}"))
        self._file(Mail(subject=subject, body=f"body {number}"), topics)

    def _file(self, mail: Mail, topics: frozenset[str]) -> None:
        (done,) = self.filing(mail)
        one = done.filed.interaction_id
        known = self.model.items.get(one)
        assert known is None or known.is_alive
        if known is None:
            self.model.items[one] = Item(topics, self.model.now_ms, mail)

    @precondition(lambda self: self.model.items)
    @rule(data=st.data())
    def file_a_copy(self, data: st.DataObject) -> None:
        item = data.draw(st.sampled_from(list(self.model.items.values())))
        self._file(item.mail, item.topics)

    @rule(about=ABOUT)
    def place_a_hold(self, about: str) -> None:
        name = f"hold {next(self.numbers)}"
        hold = hold_row(self.office.store, self.matter, node_of(about), name=name)
        self.model.holds[hold] = about

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def end_a_hold(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(list(self.model.holds)))
        now_ms = self.office.store.now_ms()
        values = {"ends_ms": now_ms, "release_approved_by": self.office.ben}
        with writing(self.office.store.engine) as connection:
            connection.execute(update(holds).where(holds.c.id == hold).values(**values))
        del self.model.holds[hold]

    @rule(
        name=st.sampled_from(NAMES),
        kind=st.sampled_from(("floor", "ceiling")),
        days=st.integers(1, 12),
        about=ABOUT,
    )
    def propose(self, name: str, kind: str, days: int, about: str) -> None:
        draft = Draft(name, kind, days, node_of(about), Wording("", ""))
        if self.model.waits(name):
            self._refused(Conflict, lambda: propose(self.office.store, draft, self.office.ann))
            return
        kept = propose(self.office.store, draft, self.office.ann)
        now, version = self.model.current(name), Version(kind, days, about, kept.in_force_ms)
        if kept.in_force_ms is not None:  # at once: then nothing may be due by it alone
            before = {one for one, item in self.model.items.items() if self.model.is_due(item)}
            self.model.policies.setdefault(name, []).append(version)
            after = {one for one, item in self.model.items.items() if self.model.is_due(item)}
            assert after <= before, (now, version)
        else:
            self.model.policies.setdefault(name, []).append(version)

    @rule(name=st.sampled_from(NAMES))
    def retire(self, name: str) -> None:
        if self.model.waits(name) or self.model.current(name) is None:
            return
        kept = retire(self.office.store, name, self.office.ann)
        self.model.policies[name].append(Version("retired", 0, "", kept.in_force_ms))

    @precondition(lambda self: any(map(self.model.waits, NAMES)))
    @rule(data=st.data(), does_own=st.booleans())
    def approve_a_policy(self, data: st.DataObject, does_own: bool) -> None:  # noqa: FBT001
        name = data.draw(st.sampled_from([one for one in NAMES if self.model.waits(one)]))
        waiting = self.model.policies[name][-1]
        person = self.office.ann if does_own else self.office.ben
        if does_own or waiting.is_approved:
            self._refused((Conflict, Refused), lambda: approve(self.office.store, name, person))
            return
        kept = approve(self.office.store, name, person)
        waiting.is_approved, waiting.from_ms = True, self.model.now_ms + 3 * DAY_MS
        assert kept.in_force_ms == waiting.from_ms

    @precondition(lambda self: any(map(self.model.waits, NAMES)))
    @rule(data=st.data())
    def withdraw_a_policy(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from([one for one in NAMES if self.model.waits(one)]))
        withdraw(self.office.store, name)
        self.model.policies[name][-1].is_withdrawn = True

    @rule(hours=st.sampled_from((1, 12, 24, 72, 240)))
    def let_time_pass(self, hours: int) -> None:
        self.hands.instant += timedelta(hours=hours)
        self.model.now_ms = self.office.store.now_ms()
        with writing(self.office.store.engine) as connection:
            connection.execute(delete(clock_marks))

    @precondition(lambda self: self.stage == "")
    @rule()
    def plan(self) -> None:
        found = plan(self.office.store, searching(self.office.store), Asked(self.office.ann))
        due = {one for one, item in self._alive().items() if self.model.is_due(item)}
        if found is None:
            assert due == set()
            return
        planned = items_of(self.office.store, found.id)
        assert {one.interaction_id for one in planned} == due
        self.disposal, self.stage = found.id, "planned"

    @precondition(lambda self: self.stage == "planned")
    @rule(does_own=st.booleans())
    def review_and_approve(self, does_own: bool) -> None:  # noqa: FBT001
        assert self.disposal is not None
        store, disposal = self.office.store, self.disposal
        kept = review(store, disposal, Asked(self.office.ann))
        digest = kept.manifest_digest.hex()
        if does_own:
            self._refused(
                Refused,
                lambda: approve_disposal(store, disposal, Asked(self.office.ann), digest, 24),
            )
        approve_disposal(store, disposal, Asked(self.office.ben), digest, 24)
        self.stage = "approved"
        self.executes_ms = self.model.now_ms + DAY_MS

    @precondition(lambda self: self.stage == "approved")
    @rule(data=st.data())
    def except_one(self, data: st.DataObject) -> None:
        assert self.disposal is not None
        pending = items_of(self.office.store, self.disposal, state="pending")
        if pending:
            chosen = data.draw(st.sampled_from(pending))
            except_item(self.office.store, self.disposal, chosen.interaction_id, "why")

    @precondition(lambda self: self.stage in ("approved", "executing"))
    @rule(crash=st.integers(0, 5), keeps=st.booleans())
    def execute(self, crash: int, keeps: bool) -> None:  # noqa: FBT001
        assert self.disposal is not None
        execution = Execution(self.office.store, self.disposal, type(self).judge)
        if self.model.now_ms < self.executes_ms:
            self._refused(Conflict, lambda: execution.begin(Asked(self.office.ann)))
            return
        pending = items_of(self.office.store, self.disposal, state="pending")
        may_go = {
            one.interaction_id
            for one in pending
            if self.model.is_due(self.model.items[one.interaction_id])
        }
        try:
            with crashing(self.office.store.engine, crash, keeps=keeps):
                execution.begin(Asked(self.office.ann))
                execution.run()
            self.stage = ""
        except Killed:
            self.stage = "executing"
        self._settle([one.interaction_id for one in pending], may_go)

    def _settle(self, pending: list[int], may_go: set[int]) -> None:
        """Compare what became of the items with what may have become of them."""
        assert self.disposal is not None
        states = {one.interaction_id: one.state for one in items_of(
            self.office.store, self.disposal)}  # fmt: skip
        for one in pending:
            if states[one] == "destroyed":
                assert one in may_go, "something went that a rule or a hold keeps"
                self.model.items[one].is_alive = False
            elif self.stage == "":
                assert states[one] == "blocked"
                assert one not in may_go, "something stayed that nothing keeps"
            else:
                assert states[one] in ("pending", "blocked")
        self._check_whole()

    def _alive(self) -> dict[int, Item]:
        return {one: item for one, item in self.model.items.items() if item.is_alive}

    def _refused(self, kinds: Any, act: Any) -> None:
        try:
            act()
        except kinds:
            return
        raise AssertionError(f"{act} was not refused")

    @invariant()
    def what_is_alive_is_there_and_nothing_else(self) -> None:
        type(self).steps += 1
        with reading(self.office.store.engine) as connection:
            ids = set(connection.scalars(select(interactions.c.id)))
        assert ids == set(self._alive())

    def _check_whole(self) -> None:
        """What is alive can be read to the last byte; of the rest there is a stone."""
        store = self.office.store
        found = {one.id: one for one in records(store, sorted(self._alive()))}
        for one, item in self.model.items.items():
            if item.is_alive:
                assert found[one].body == item.mail.body
                last = captures_of(store, one)[-1]
                assert b"".join(original_bytes(store, last.original_id))
            else:
                assert tombstone_of(store, one) is not None

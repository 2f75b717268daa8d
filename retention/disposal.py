"""The way of a disposal: plan, review, approval, cooling off, execution; decided anew at the end.

Nothing goes that a hold or a floor keeps when it would go, whatever was approved. Each item is one
transaction; an interruption anywhere leaves every item as it was or gone, and the rest pending.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict, Refused
from holdfast.core.identity import public_id
from holdfast.retention.clocks import judge_clock, trust_clock
from holdfast.retention.decisions import Decision, write_decision
from holdfast.retention.judging import candidates, facts_of, judged
from holdfast.retention.simulate import blockers
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.governance.clocks import Marks, marks
from holdfast.storage.governance.destroying import destroy, lock_interaction
from holdfast.storage.governance.disposals import (
    APPROVED,
    REVIEWED,
    WITHDRAWN,
    KeptDisposal,
    Plan,
    PlannedItem,
    begin,
    disposal_in,
    find_item,
    in_open_plans,
    is_planned,
    items_of,
    lock_disposal,
    lock_item,
    note_destroyed,
    spare,
    write_plan,
    write_stage,
)
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.governance.policies import lock_policies, rules_in_force
from holdfast.storage.governance.tombstones import Grounds, written

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.core.rules import Rule
    from holdfast.retention.judging import Search
    from holdfast.storage.governance.disposals import KeptItem
    from holdfast.storage.store import Store

HOUR_MS = 3_600_000
PAGE = 500
GONE = "gone"
"""Reason of an item that is not in sight any more when its turn comes."""
NOT_DUE = "not due"
"""Reason of an item that no ceiling makes due any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """On whose behalf a stage is taken."""

    person_id: int
    note: str = ""
    is_clock_checked: bool = False


def due(store: Store, search: Search, at_ms: int) -> Iterator[PlannedItem]:
    """Yield everything that may be disposed of at an instant and is in no open disposal."""
    with reading(store.engine) as connection:
        rules = rules_in_force(connection, at_ms)
    for page in candidates(store, search, rules, at_ms):
        with reading(store.engine) as connection:
            facts = facts_of(connection, store, page)
            decisions = judged(connection, store, page, rules, at_ms)
            planned = in_open_plans(connection, page)
        for one, decision in decisions.items():
            if decision.is_due and one not in planned:
                size_bytes = facts[one].record.size_bytes
                yield PlannedItem(one, write_decision(decision), size_bytes)


def plan(store: Store, search: Search, asked: Asked) -> KeptDisposal | None:
    """Freeze a manifest of all that is due, oldest first; None when nothing is.

    Raises:
        Conflict: The clock cannot be believed.
    """
    now_ms = _believed_now(store, asked)
    items = sorted(due(store, search, now_ms), key=lambda item: item.interaction_id)
    return freeze(store, items, asked, now_ms) if items else None


def freeze(store: Store, items: Sequence[PlannedItem], asked: Asked, now_ms: int) -> KeptDisposal:
    """Freeze a manifest of these items, which are due now, in this order."""
    frozen = Plan(store.ids.take(), asked.note, asked.person_id, now_ms, now_ms, items)

    def act(connection: Connection) -> KeptDisposal:
        if not is_planned(connection, frozen.id):  # by a try that we were not told of
            write_plan(connection, store, frozen)
        return disposal_in(connection, frozen.id)

    return transact(store.engine, act)


def _believed_now(store: Store, asked: Asked) -> int:
    return transact(
        store.engine,
        lambda connection: trust_clock(
            connection, store, asked.person_id, is_checked=asked.is_clock_checked
        ),
    )


def except_item(store: Store, disposal_id: int, interaction_id: int, reason: str) -> None:
    """Leave one item out of a disposal, for good; the manifest stays as it is.

    Raises:
        NotFound: There is no such disposal, or it has no such item.
        Refused: No reason was given.
        Conflict: The disposal or the item has ended.
    """
    if not reason.strip():
        raise Refused("An exception needs a reason.")

    tries: list[KeptItem] = []

    def act(connection: Connection) -> None:
        _expect(lock_disposal(connection, disposal_id), "planned", "reviewed", "approved")
        item = find_item(connection, disposal_id, interaction_id)
        if item in tries:
            return
        if item.state != "pending":
            raise Conflict(f"The item is {item.state} already.", state=item.state)
        spare(connection, store, item, "excepted", reason.strip())
        tries.append(find_item(connection, disposal_id, interaction_id))

    transact(store.engine, act)


def staged(
    store: Store, disposal_id: int, change: Callable[[Connection, KeptDisposal], None]
) -> KeptDisposal:
    """Bring a disposal to another stage in one transaction, once; return it as it stands.

    Raises:
        NotFound: There is no such disposal.
    """
    tries: list[KeptDisposal] = []

    def act(connection: Connection) -> KeptDisposal:
        kept = lock_disposal(connection, disposal_id)
        if kept not in tries:  # else the try before was kept, and we were not told
            change(connection, kept)
            tries.append(disposal_in(connection, disposal_id))
        return tries[-1]

    return transact(store.engine, act)


def review(store: Store, disposal_id: int, asked: Asked) -> KeptDisposal:
    """Write that somebody has looked at what would go; without it nothing is approved.

    Raises:
        NotFound: There is no such disposal.
        Conflict: It was reviewed already, or has ended.
    """

    def change(connection: Connection, kept: KeptDisposal) -> None:
        _expect(kept, "planned")
        now_ms = store.now_ms()
        values = {"reviewed_by": asked.person_id, "reviewed_ms": now_ms, "at_ms": now_ms}
        write_stage(connection, store, REVIEWED, disposal_id, values)

    return staged(store, disposal_id, change)


def approve(
    store: Store, disposal_id: int, asked: Asked, manifest: str, cooling_off_hours: int
) -> KeptDisposal:
    """Approve, as a second person, the manifest whose digest is stated; it may go later only.

    Args:
        store: The archive.
        disposal_id: Which.
        asked: Who approves.
        manifest: The digest in hex, as the approver saw it.
        cooling_off_hours: How long it waits from now on.

    Raises:
        NotFound: There is no such disposal.
        Refused: The same person planned it, by whatever account (F60), or it is another manifest.
        Conflict: It was not reviewed, was approved already, or the clock cannot be believed.
    """

    def change(connection: Connection, kept: KeptDisposal) -> None:
        _expect(kept, "reviewed")
        if asked.person_id == kept.planned_by:
            raise Refused(
                "Who planned a disposal cannot approve it.", next_step="Ask a second person."
            )
        if manifest.strip().lower() != kept.manifest_digest.hex():
            raise Refused(
                "This is not the digest of the manifest.",
                next_step="Look at the disposal again, and state the digest that it shows.",
            )
        now_ms = trust_clock(connection, store, asked.person_id, is_checked=asked.is_clock_checked)
        values = {
            "approved_by": asked.person_id,
            "approved_ms": now_ms,
            "executes_ms": now_ms + cooling_off_hours * HOUR_MS,
            "at_ms": now_ms,
        }
        write_stage(connection, store, APPROVED, disposal_id, values)

    return staged(store, disposal_id, change)


def withdraw(store: Store, disposal_id: int) -> KeptDisposal:
    """Give a disposal up before anything of it was destroyed.

    Raises:
        NotFound: There is no such disposal.
        Conflict: It is being executed, or has ended.
    """

    def change(connection: Connection, kept: KeptDisposal) -> None:
        _expect(kept, "planned", "reviewed", "approved")
        write_stage(connection, store, WITHDRAWN, disposal_id, {"at_ms": store.now_ms()})

    return staged(store, disposal_id, change)


def _expect(kept: KeptDisposal, *states: str) -> None:
    if kept.state not in states:
        raise Conflict(
            f"The disposal is {kept.state}.",
            next_step="Show it to see what comes next.",
            state=kept.state,
        )


Judge = Callable[["Connection", "Store", int, int], "Decision | None"]
"""Decides on one interaction in the transaction that would destroy it; None: not in sight."""


def judge_now(
    connection: Connection, store: Store, interaction_id: int, at_ms: int
) -> Decision | None:
    """Decide by the rules, the holds and the record as they are in this transaction."""
    rules = rules_in_force(connection, at_ms)
    return judged(connection, store, [interaction_id], rules, at_ms).get(interaction_id)


@dataclass(frozen=True, slots=True)
class Execution:
    """The carrying out of one approved disposal; may be interrupted and begun again anywhere."""

    store: Store
    disposal_id: int
    judge: Judge = judge_now

    def begin(self, asked: Asked) -> KeptDisposal:
        """Begin, or go on with, the disposal.

        Raises:
            NotFound: There is no such disposal.
            Conflict: It is not approved, still cools off, or the clock cannot be believed.
        """

        def change(connection: Connection, kept: KeptDisposal) -> None:
            _expect(kept, "approved", "executing")
            now_ms = trust_clock(
                connection, self.store, asked.person_id, is_checked=asked.is_clock_checked
            )
            if kept.executes_ms is None or now_ms < kept.executes_ms:
                raise Conflict(
                    "The disposal cools off still.",
                    next_step="Execute it later; until then it may be withdrawn.",
                    executes_ms=kept.executes_ms,
                )
            begin(connection, self.disposal_id)

        return staged(self.store, self.disposal_id, change)

    def run(self, on_item: Callable[[str], None] = lambda state: None) -> None:
        """Settle every item that is pending; errors as `settle`.

        Args:
            on_item: Is told what became of each.
        """
        after = -1
        while items := items_of(
            self.store, self.disposal_id, state="pending", after=after, limit=PAGE
        ):
            for item in items:
                on_item(self.settle(item.ordinal))
            after = items[-1].ordinal

    def settle(self, ordinal: int) -> str:
        """Destroy one item, unless anything keeps it now, and return what became of it.

        Raises:
            Conflict: The clock moved back, or jumped, since it was last believed.
            Unavailable: Nothing was changed.
        """

        def act(connection: Connection) -> str:
            # In this order everywhere: nobody places a hold or changes a rule until we are done.
            lock_policies(connection, is_shared=True)
            lock_holds(connection, is_shared=True)
            item = lock_item(connection, self.disposal_id, ordinal)
            if item.state != "pending":
                return item.state
            return self._settled(connection, item)

        return transact(self.store.engine, act)

    def _settled(self, connection: Connection, item: KeptItem) -> str:
        store, one = self.store, item.interaction_id
        now_ms = store.now_ms()
        judge_clock(now_ms, Marks(marks(connection).highest_ms, None))
        in_sight = lock_interaction(connection, one)
        decision = self.judge(connection, store, one, now_ms) if in_sight else None
        if decision is None or not decision.is_due:
            spare(connection, store, item, "blocked", _why(decision))
            return "blocked"
        kept = disposal_in(connection, self.disposal_id)
        stone = destroy(connection, store, one, _grounds(connection, kept, decision))
        note_destroyed(connection, item, stone.destroyed_ms)
        return "destroyed"


def foreseen(store: Store, disposal_id: int) -> Counter[str]:
    """Count what would become of the items that are pending, if they were executed now."""
    found: Counter[str] = Counter()
    after, now_ms = -1, store.now_ms()
    while items := items_of(store, disposal_id, state="pending", after=after, limit=PAGE):
        with reading(store.engine) as connection:
            rules = rules_in_force(connection, now_ms)
            ids = [item.interaction_id for item in items]
            decisions = judged(connection, store, ids, rules, now_ms)
        going = sum(decision.is_due for decision in decisions.values())
        found.update(destroyed=going, blocked=len(items) - going)
        after = items[-1].ordinal
    return found


def _why(decision: Decision | None) -> str:
    if decision is None:
        return GONE
    return " ".join(blockers(decision)) or NOT_DUE


def _grounds(connection: Connection, kept: KeptDisposal, decision: Decision) -> Grounds:
    rules = rules_in_force(connection, decision.at_ms)
    return Grounds(
        kept.id,
        written({"decision": write_decision(decision), "rules": rules_told(rules, [decision])}),
        written(approvers_told(kept)),
    )


def rules_told(rules: Sequence[Rule], decisions: Sequence[Decision]) -> list[dict[str, object]]:
    """Return the rules that the decisions were made by, as certificates name them."""
    used = {(one.policy_id, one.version) for made in decisions for one in made.applied}
    return [
        {
            "policy": public_id("pol", rule.policy_id),
            "version": rule.version,
            "name": rule.name,
            "kind": rule.kind.value,
            "days": rule.days,
            "citation": rule.citation,
        }
        for rule in sorted(rules, key=lambda rule: rule.key)
        if rule.key in used
    ]


def approvers_told(kept: KeptDisposal) -> dict[str, str]:
    """Return who planned, reviewed and approved, by opaque ids."""
    by = {"planned": kept.planned_by, "reviewed": kept.reviewed_by, "approved": kept.approved_by}
    return {stage: public_id("per", one) for stage, one in by.items() if one is not None}

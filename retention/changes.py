"""Changes policies: what lengthens holds at once, what shortens waits for a second person and 72 h.

It must not dispose of anything. Who may propose and approve is for the caller to know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict, Refused
from holdfast.core.holds import is_exact
from holdfast.core.rules import Rule
from holdfast.retention.policies import DELAY_MS, check_rule, retired, shortens
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.governance.clocks import delay_begins
from holdfast.storage.governance.policies import (
    Version,
    Wording,
    add_version,
    approve_version,
    in_force,
    known,
    lock_policies,
    versions,
    withdraw_version,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from holdfast.core.query import Node
    from holdfast.storage.store import Store

    Agree = Callable[[Connection, Rule], None]
    """Called before a version is written that shortens; raises what speaks against it."""


def unopposed(_connection: Connection, _rule: Rule) -> None:
    """Let a change be proposed that shortens: the caller has asked what there is to ask."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants a policy to say from now on."""

    name: str
    kind: str
    days: int
    node: Node
    wording: Wording
    citation: str = ""


def drafted(found: list[Version], draft: Draft, fresh_id: int) -> Rule:
    """Return the rule that a draft would be, as the next version of its policy.

    Args:
        found: The versions that the policy has so far.
        draft: What is wanted.
        fresh_id: Of the policy, where there is none of that name.

    Raises:
        Refused: The name is empty, the kind unknown, the days are out of range, or the query is
            not exact.
    """
    kind = check_rule(draft.kind, draft.days)
    if not draft.name.strip():
        raise Refused("A policy needs a name.")
    if not is_exact(draft.node):
        raise Refused(
            "A policy is exact: it is about no word that is only spelt alike (~).",
            next_step="Write each spelling, or use *.",
        )
    policy_id = found[-1].rule.policy_id if found else fresh_id
    version = found[-1].rule.version + 1 if found else 1
    return Rule(
        policy_id, version, draft.name.strip(), kind, draft.days, draft.node, draft.citation
    )


def propose(store: Store, draft: Draft, person_id: int, agree: Agree = unopposed) -> Version:
    """Write a new policy, or the next version of one; return it as it stands.

    What only lengthens is in force at once. The rest waits for `approve`.

    Raises:
        Refused: As `drafted`.
        Conflict: Another version of the policy waits already.
    """
    fresh_id = store.ids.take()

    def change(connection: Connection, found: list[Version]) -> None:
        rule = drafted(found, draft, fresh_id)
        _Change(store, person_id, agree).write(connection, found, rule, draft.wording)

    return _changed(store, draft.name.strip(), versions, change)


def ending(found: list[Version], now_ms: int) -> Rule:
    """Return the version that would end a policy now.

    Raises:
        Conflict: It is not in force.
    """
    now = _current(found, now_ms)
    if now is None:
        raise Conflict("The policy is not in force.", next_step="Withdraw what waits.")
    return retired(now, found[-1].rule.version + 1)


def retire(
    store: Store, name: str, person_id: int, note: str = "", agree: Agree = unopposed
) -> Version:
    """Write the version that ends a policy: at once for a ceiling, a floor waits; else `propose`.

    Raises:
        NotFound: There is no such policy.
        Conflict: It is not in force, or another version of it waits already.
    """

    def change(connection: Connection, found: list[Version]) -> None:
        rule = ending(found, store.now_ms())
        _Change(store, person_id, agree).write(connection, found, rule, Wording("", "", note))

    return _changed(store, name, known, change)


def approve(store: Store, name: str, person_id: int) -> Version:
    """Approve, as another person, the version that waits; it is in force 72 h later.

    Raises:
        NotFound: There is no such policy.
        Conflict: Nothing waits for approval, or the clock moved back.
        Refused: The same person proposed it, by whatever account (F60).
    """

    def change(connection: Connection, found: list[Version]) -> None:
        now_ms, waiting = delay_begins(connection, store), found[-1]
        if not waiting.is_open(now_ms) or waiting.approved_by is not None:
            raise Conflict("No version of this policy waits for approval.")
        if waiting.proposed_by == person_id:
            raise Refused(
                "Who proposed a change cannot approve it.", next_step="Ask a second person."
            )
        done = replace(
            waiting, approved_by=person_id, approved_ms=now_ms, in_force_ms=now_ms + DELAY_MS
        )
        approve_version(connection, store, done)

    return _changed(store, name, known, change)


def withdraw(store: Store, name: str) -> Version:
    """Take back the version that waits; until its instant it may be approved already.

    Raises:
        NotFound: There is no such policy.
        Conflict: Nothing waits: what is in force is changed by a new version.
    """

    def change(connection: Connection, found: list[Version]) -> None:
        now_ms, waiting = store.now_ms(), found[-1]
        if not waiting.is_open(now_ms):
            raise Conflict(
                "No version of this policy waits.", next_step="Propose another version instead."
            )
        withdraw_version(connection, store, waiting.rule, now_ms)

    return _changed(store, name, known, change)


def _changed(
    store: Store,
    name: str,
    find: Callable[[Connection, str], list[Version]],
    change: Callable[[Connection, list[Version]], None],
) -> Version:
    """Change a policy in one transaction, once, and return its newest version."""
    tries: list[Version] = []

    def act(connection: Connection) -> Version:
        lock_policies(connection, is_shared=False)
        found = find(connection, name)
        if tries and tries[-1] in found[-1:]:
            return tries[-1]  # the try before was kept, and we were not told
        change(connection, found)
        tries.append(known(connection, name)[-1])
        return tries[-1]

    return transact(store.engine, act)


@dataclass(frozen=True, slots=True)
class _Change:
    """A new version that one person proposes."""

    store: Store
    person_id: int
    agree: Agree

    def write(
        self, connection: Connection, found: list[Version], rule: Rule, wording: Wording
    ) -> None:
        now_ms = self.store.now_ms()
        if any(one.is_open(now_ms) for one in found):
            raise Conflict(
                "Another version of this policy waits already.",
                next_step="Let it come into force, or withdraw it.",
            )
        is_shorter = shortens(_current(found, now_ms), rule)
        if is_shorter:
            self.agree(connection, rule)
        values = {
            "proposed_by": self.person_id,
            "proposed_ms": now_ms,
            "shortens": is_shorter,
            "in_force_ms": None if is_shorter else now_ms,
        }
        add_version(connection, self.store, rule, wording, values)


def _current(found: list[Version], at_ms: int) -> Rule | None:
    return next(iter(in_force(found, at_ms)), None)

"""Keeps retention policies and their versions, each committed to by an event; judges none of them.

A version is in force from its instant until a later one of the same policy is. Whoever relies on
the rules holds them steady with `lock_policies` in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.core.query_form import read_tree, write_tree
from holdfast.core.rules import Kind, Rule
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import policies, policy_versions
from holdfast.storage.catalogue.locks import lock_kind
from holdfast.storage.governance.joined_contacts import follow_merges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

PREFIX = "pol"
PROPOSED, APPROVED, WITHDRAWN = "policy_proposed", "policy_approved", "policy_withdrawn"
_LOCK = "policies"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a policy, with what became of it."""

    rule: Rule
    query: str
    """As it was written."""
    canonical: str
    """As it was understood."""
    note: str
    actor: str
    proposed_by: int
    """Person."""
    proposed_ms: int
    shortens: bool
    approved_by: int | None
    approved_ms: int | None
    in_force_ms: int | None
    """From when it is in force; None while it waits for a second person."""
    withdrawn_ms: int | None

    def is_open(self, at_ms: int) -> bool:
        """Tell whether it waits: for a second person, or for its time."""
        is_waiting = self.in_force_ms is None or self.in_force_ms > at_ms
        return is_waiting and self.withdrawn_ms is None


@dataclass(frozen=True, slots=True)
class Wording:
    """How a version is written down beside its rule."""

    query: str
    canonical: str
    note: str = ""


def lock_policies(connection: Connection, *, is_shared: bool) -> None:
    """Hold all policies steady for the transaction, or change them alone."""
    lock_kind(connection, _LOCK, is_shared=is_shared)


def versions(connection: Connection, name: str | None = None) -> list[Version]:
    """Return all versions by policy and number, or those of one policy."""
    query = (
        select(policy_versions, policies.c.name)
        .join(policies, policies.c.id == policy_versions.c.policy_id)
        .order_by(policy_versions.c.policy_id, policy_versions.c.version)
    )
    if name is not None:
        query = query.where(policies.c.name == name)
    return [_version(row) for row in connection.execute(query)]


def all_versions(store: Store) -> list[Version]:
    """Return all versions by policy and number."""
    with reading(store.engine) as connection:
        return versions(connection)


def versions_of(store: Store, name: str) -> list[Version]:
    """Return the versions of one policy, oldest first.

    Raises:
        NotFound: There is no such policy.
    """
    with reading(store.engine) as connection:
        return known(connection, name)


def known(connection: Connection, name: str) -> list[Version]:
    """Return what `versions_of` does, within a transaction."""
    found = versions(connection, name)
    if not found:
        raise NotFound(f"There is no policy {name!r}.", next_step="List the policies.")
    return found


def in_force(found: Iterable[Version], at_ms: int) -> tuple[Rule, ...]:
    """Return the rules in force at an instant: the newest of each policy, none that is retired."""
    newest: dict[int, Rule] = {}
    for one in found:
        begun = one.in_force_ms is not None and one.in_force_ms <= at_ms
        if begun and one.withdrawn_ms is None:
            newest[one.rule.policy_id] = one.rule
    return tuple(rule for rule in newest.values() if not rule.is_retired)


def rules_in_force(connection: Connection, at_ms: int) -> tuple[Rule, ...]:
    """Return the rules in force at an instant, as this transaction sees them.

    A floor on a contact follows it into the contact that it was merged into; a ceiling does not:
    merging may make things last longer, never shorter.
    """
    return tuple(
        replace(rule, node=follow_merges(connection, rule.node))
        if rule.kind is Kind.FLOOR
        else rule
        for rule in in_force(versions(connection), at_ms)
    )


def add_version(
    connection: Connection, store: Store, rule: Rule, wording: Wording, values: dict[str, Any]
) -> None:
    """Write a version, and the policy where it is the first.

    Args:
        connection: Of a transaction that holds the policies alone.
        store: The archive.
        rule: The version.
        wording: How it was written.
        values: `proposed_by`, `proposed_ms`, `shortens` and `in_force_ms`.
    """
    if rule.version == 1:
        made = {"id": rule.policy_id, "name": rule.name, "created_ms": values["proposed_ms"]}
        connection.execute(policies.insert(), made)
    row = {
        "policy_id": rule.policy_id,
        "version": rule.version,
        "kind": rule.kind.value,
        "days": rule.days,
        "query": wording.query,
        "canonical": wording.canonical,
        "tree": write_tree(rule.node),
        "citation": rule.citation,
        "note": wording.note,
        "actor": store.actor,
        **values,
    }
    connection.execute(policy_versions.insert(), row)
    _mark(connection, rule.policy_id)
    _note(connection, store, PROPOSED, rule)


def approve_version(
    connection: Connection, store: Store, rule: Rule, approval: dict[str, int]
) -> None:
    """Write the approval: `approved_by`, `approved_ms`, `in_force_ms`."""
    connection.execute(update(policy_versions).where(*_is(rule)).values(**approval))
    _mark(connection, rule.policy_id)
    _note(connection, store, APPROVED, rule)


def withdraw_version(connection: Connection, store: Store, rule: Rule, now_ms: int) -> None:
    """Write that a version that was not in force yet never will be."""
    connection.execute(update(policy_versions).where(*_is(rule)).values(withdrawn_ms=now_ms))
    _mark(connection, rule.policy_id)
    _note(connection, store, WITHDRAWN, rule)


def _mark(connection: Connection, policy_id: int) -> None:
    """Note beside the policy since when it is retired; for lists, since versions decide."""
    begun = [
        one
        for one in versions(connection)
        if one.rule.policy_id == policy_id and one.in_force_ms and one.withdrawn_ms is None
    ]
    retired_ms = begun[-1].in_force_ms if begun and begun[-1].rule.is_retired else None
    connection.execute(
        update(policies).where(policies.c.id == policy_id).values(retired_ms=retired_ms)
    )


def _is(rule: Rule) -> tuple[Any, ...]:
    return policy_versions.c.policy_id == rule.policy_id, policy_versions.c.version == rule.version


def _note(connection: Connection, store: Store, kind: str, rule: Rule) -> None:
    query = select(policy_versions, policies.c.name).join(policies).where(*_is(rule))
    row = connection.execute(query).one()
    subject = public_id(PREFIX, rule.policy_id), rule.policy_id
    at_ms = {
        PROPOSED: row.proposed_ms, APPROVED: row.approved_ms, WITHDRAWN: row.withdrawn_ms
    }[kind]  # fmt: skip
    event = told(kind, subject, (store.actor, at_ms), version_told(kind, row))
    record_events(connection, [event], store.ids)


_TOLD = {
    PROPOSED: ("name", "version", "kind", "days", "query", "canonical", "tree", "citation", "note",
               "actor", "proposed_by", "proposed_ms"),
    APPROVED: ("version", "approved_by", "approved_ms", "in_force_ms"),
    WITHDRAWN: ("version", "withdrawn_ms"),
}  # fmt: skip


def version_told(kind: str, row: Row[Any]) -> dict[str, Any]:
    """Return what the audit log commits to: columns of the row, by the kind of event."""
    values = {name: getattr(row, name) for name in _TOLD[kind]}
    if kind == PROPOSED:
        values["shortens"] = bool(row.shortens)
    return values


def _version(row: Row[Any]) -> Version:
    kind, node = Kind(row.kind), read_tree(row.tree)
    return Version(
        rule=Rule(row.policy_id, row.version, row.name, kind, row.days, node, row.citation),
        query=row.query,
        canonical=row.canonical,
        note=row.note,
        actor=row.actor,
        proposed_by=row.proposed_by,
        proposed_ms=row.proposed_ms,
        shortens=bool(row.shortens),
        approved_by=row.approved_by,
        approved_ms=row.approved_ms,
        in_force_ms=row.in_force_ms,
        withdrawn_ms=row.withdrawn_ms,
    )

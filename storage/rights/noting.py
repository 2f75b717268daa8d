"""Writes what was decided about rights to the audit log: each entry commits to the state after it.

`verify` computes the same digests again, so that a role or a grant that was edited past the program
is named. What changes with use (last sign-in, failures, sessions) is in no digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.rights_tables import (
    api_keys,
    grants,
    team_members,
    teams,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from holdfast.storage.store import Store

_USER = (
    "id", "person_id", "login", "name", "role", "addresses", "password_hash", "sealed_totp",
    "issuer", "subject", "created_ms", "password_ms", "disabled_ms", "version",
)  # fmt: skip
_USER_MARKS = ("is_password_own", "handled_ms", "is_unclaimed")
_KEY = (
    "id", "user_id", "name", "prefix", "digest", "actions", "networks", "created_ms", "until_ms",
    "revoked_ms",
)  # fmt: skip
_GRANT = (
    "id", "user_id", "kind", "value", "tree", "is_denied", "reason", "actor", "added_ms",
    "until_ms", "removed_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What an event says beside its time: kind, about whom, what, and on whose behalf."""

    kind: str
    subject: str
    subject_id: int | None
    what: object
    actor: str = ""
    """Opaque id; empty: the store's."""


def note(connection: Connection, store: Store, *said: Said) -> None:
    """Write the events in the caller's transaction."""
    now_ms = store.now_ms()
    events = [
        Event(
            one.kind,
            one.subject,
            one.subject_id,
            now_ms,
            one.actor or store.actor,
            canonical_digest(one.what),
        )
        for one in said
    ]
    record_events(connection, events, store.ids)


def note_users(connection: Connection, store: Store, user_ids: Iterable[int]) -> None:
    """Write how the users stand now."""
    states = user_states(connection, user_ids)
    note(connection, store, *(_said("user", "usr", *one) for one in states.items()))


def note_keys(connection: Connection, store: Store, key_ids: Iterable[int]) -> None:
    """Write how the keys stand now."""
    states = key_states(connection, key_ids)
    note(connection, store, *(_said("key", "key", *one) for one in states.items()))


def note_grant(connection: Connection, store: Store, grant_id: int) -> None:
    """Write how the grant stands now."""
    states = grant_states(connection, [grant_id])
    note(connection, store, *(_said("grant", "grt", *one) for one in states.items()))


def note_team(connection: Connection, store: Store, team_id: int) -> None:
    """Write how the team and its members stand now."""
    states = team_states(connection, [team_id])
    note(connection, store, *(_said("team", "tem", *one) for one in states.items()))


def _said(kind: str, prefix: str, row_id: int, state: list[Any]) -> Said:
    return Said(kind, public_id(prefix, row_id), row_id, state)


States = dict[int, list[Any]]
"""Row id → what an event commits to."""


def user_states(connection: Connection, ids: Iterable[int] | None = None) -> States:
    """Return the state of users, all of them or these."""
    rows = _rows(connection, select(users), users.c.id, ids)
    return {row.id: [*_values(row, _USER), *_marks(row, _USER_MARKS)] for row in rows}


def key_states(connection: Connection, ids: Iterable[int] | None = None) -> States:
    """Return the state of keys."""
    rows = _rows(connection, select(api_keys), api_keys.c.id, ids)
    return {row.id: [*_values(row, _KEY), *_marks(row, ("is_own",))] for row in rows}


def grant_states(connection: Connection, ids: Iterable[int] | None = None) -> States:
    """Return the state of grants."""
    rows = _rows(connection, select(grants), grants.c.id, ids)
    return {row.id: _values(row, _GRANT) for row in rows}


def team_states(connection: Connection, ids: Iterable[int] | None = None) -> States:
    """Return the state of teams: each itself, and who is in it since when."""
    rows = _rows(connection, select(teams), teams.c.id, ids)
    states: States = {row.id: [row.id, row.name, row.created_ms] for row in rows}
    members = select(team_members).order_by(team_members.c.user_id)
    for row in _rows(connection, members, team_members.c.team_id, states):
        states[row.team_id].append([row.user_id, row.added_ms])
    return states


def _rows(
    connection: Connection,
    query: Select[Any],
    column: ColumnElement[Any],
    ids: Iterable[int] | None,
) -> Sequence[Row[Any]]:
    return (
        connection.execute(query).all() if ids is None else by_value(connection, query, column, ids)
    )


def _values(row: Row[Any], names: Iterable[str]) -> list[Any]:
    values = (getattr(row, name) for name in names)
    return [value.hex() if isinstance(value, bytes) else value for value in values]


def _marks(row: Row[Any], names: Iterable[str]) -> list[list[Any]]:
    """Return what stands in columns that came later; of nothing nothing, as in older entries."""
    return [[name, getattr(row, name)] for name in names if getattr(row, name)]

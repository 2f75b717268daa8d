"""Users, keys, grants and teams: each as the last event about it left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.rights.noting import grant_states, key_states, team_states, user_states
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Finding,
    Scope,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from holdfast.storage.rights.noting import States

_PARTS: dict[str, tuple[str, Callable[[Connection], States]]] = {
    "user": ("usr", user_states),
    "key": ("key", key_states),
    "grant": ("grt", grant_states),
    "team": ("tem", team_states),
}


def check_rights(scope: Scope) -> Iterator[Finding]:
    """Compare what everybody may do with what the audit log says that they were given last."""
    with reading(scope.store.engine) as connection:
        events = events_of(connection, tuple(_PARTS))
        for kind, (prefix, states_of) in _PARTS.items():
            states, told = states_of(connection), events[kind]
            for row_id in sorted(states.keys() | told.keys()):
                if row_id not in states:
                    cause = GONE
                elif row_id not in told:
                    cause = UNKNOWN
                else:
                    is_so = told[row_id][-1].commits_to(canonical_digest(states[row_id]))
                    cause = "" if is_so else DIFFERENT
                if cause:
                    yield Finding(kind, public_id(prefix, row_id), cause)

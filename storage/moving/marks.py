"""Mark a catalogue as moved away or as not yet whole, and hold writers off; moves nothing.

A process that has the archive open does not look at marks again, so triggers of the database refuse
every write from the moment of the mark.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, text

from holdfast.core.errors import Conflict
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.facts import change_fact, fact
from holdfast.storage.catalogue.failures import MOVED
from holdfast.storage.catalogue.schema import archive_facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, Engine

LEAVING = "leaving"
"""Where the archive goes or went."""
ARRIVING = "arriving"
"""Where rows come from, and how far they are."""
ARRIVED = "arrived_from"
"""Where the rows came from, until the search index is there too."""
MARKS = (LEAVING, ARRIVING, ARRIVED)
_TRIGGER = "holdfast_moved"
_ACTS = ("INSERT", "UPDATE", "DELETE")


class Leaving(msgspec.Struct, frozen=True):
    """Stands in the catalogue that an archive leaves."""

    token: str
    """Of this one move, so that what an earlier one left is not taken for it."""
    option: str
    """Of the command line, which names the settings of where it goes."""
    place: str
    """Its catalogue there."""
    is_done: bool = False


class Arrival(msgspec.Struct, frozen=True):
    """Stands in the catalogue that an archive is brought into, until it is whole."""

    origin: str
    """Names what it comes from; only the same may go on with it."""
    command: str
    """What goes on with it, for people."""
    table: str = ""
    """Whose rows were written last."""
    after: str = ""
    """Base64 of the key of the last of them, as MessagePack."""

    def key(self) -> tuple[Any, ...]:
        """Return the key of the last row that was written; empty before the first."""
        return tuple(msgspec.msgpack.decode(base64.b64decode(self.after))) if self.after else ()

    def reached(self, table: str, key: Iterable[Any]) -> Arrival:
        """Return the arrival with this row as the last."""
        packed = base64.b64encode(msgspec.msgpack.encode(list(key))).decode()
        return Arrival(self.origin, self.command, str(table), packed)


def refuse_marked(engine: Engine) -> None:
    """Let nobody open an archive that is elsewhere, or not all there.

    Raises:
        Conflict: It has moved, is moving, or has not arrived; says where it is or what to run.
    """
    with reading(engine) as connection:
        left, arriving = leaving(connection), arrival(connection)
    if arriving is not None:
        raise Conflict(
            "The archive here is not whole: it is still being brought in.",
            next_step=f"Repeat the command, which goes on: {arriving.command}",
        )
    if left is not None and left.is_done:
        raise Conflict(
            f"This archive has moved to {left.place}.",
            next_step=f"Use it there, with {left.option}; 'holdfast migrate' brings it back.",
            to=left.option,
        )
    if left is not None:
        raise Conflict(
            f"This archive is being moved to {left.place}.",
            next_step="Repeat the same 'holdfast migrate', which goes on, or add --give-up to it.",
            to=left.option,
        )


def leaving(connection: Connection) -> Leaving | None:
    """Return the mark of an archive that goes or went elsewhere."""
    found = fact(connection, LEAVING)
    return None if found is None else msgspec.json.decode(found, type=Leaving)


def arrival(connection: Connection) -> Arrival | None:
    """Return the mark of an archive that is not whole yet."""
    found = fact(connection, ARRIVING)
    return None if found is None else msgspec.json.decode(found, type=Arrival)


def set_leaving(connection: Connection, mark: Leaving) -> None:
    """Write the mark."""
    change_fact(connection, LEAVING, msgspec.json.encode(mark).decode())


def set_arrival(connection: Connection, mark: Arrival) -> None:
    """Write the mark."""
    change_fact(connection, ARRIVING, msgspec.json.encode(mark).decode())


def clear(connection: Connection, name: str) -> None:
    """Remove a mark."""
    connection.execute(delete(archive_facts).where(archive_facts.c.name == name))


def hold_writers(connection: Connection, tables: Iterable[str]) -> None:
    """Refuse every write to these tables from now on, whoever writes; may be repeated."""
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                f"CREATE OR REPLACE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{MOVED}'; END $$"
            )
        )
        for name in tables:
            connection.execute(
                text(
                    f"CREATE OR REPLACE TRIGGER {_TRIGGER} BEFORE INSERT OR UPDATE OR DELETE "
                    f"ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {_TRIGGER}()"
                )
            )
        return
    for name in tables:
        for act in _ACTS:
            connection.execute(
                text(
                    f"CREATE TRIGGER IF NOT EXISTS {_TRIGGER}_{name}_{act.lower()} "
                    f"BEFORE {act} ON {name} "
                    f"BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
                )
            )


def release_writers(connection: Connection, tables: Iterable[str]) -> None:
    """Allow writes again; may be repeated."""
    for name in tables:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"DROP TRIGGER IF EXISTS {_TRIGGER} ON {name}"))
            continue
        for act in _ACTS:
            trigger = f"{_TRIGGER}_{name}_{act.lower()}"
            connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))

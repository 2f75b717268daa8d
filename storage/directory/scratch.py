"""Remembers beside the catalogue what earlier cards of one import came to; gone when it ends.

It lies in a temporary file of SQLite's, so that memory stays the same however many people there
are. A trial keeps in it all that an import would write.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pysqlite3.dbapi2 as sqlite

from holdfast.storage.directory.deciding import Said, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.core.persons import Person
    from holdfast.storage.directory.deciding import Decision

_SOME = 500
_TABLES = (
    "CREATE TABLE claimed (contact INTEGER PRIMARY KEY)",
    "CREATE TABLE owners (address TEXT PRIMARY KEY, contact INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE said (contact INTEGER PRIMARY KEY, body BLOB NOT NULL)",
)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Said).decode


class Scratch:
    """What earlier cards came to."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        for statement in _TABLES:
            connection.execute(statement)

    def claimed(self, contact_ids: Iterable[int]) -> list[int]:
        """Return those of these contacts that an earlier card is of."""
        return [row[0] for row in self._rows("contact FROM claimed WHERE contact", contact_ids)]

    def claim(self, decisions: Iterable[Decision | None]) -> None:
        """Remember whose cards these are."""
        rows = [(one.contact,) for one in decisions if one]
        self._connection.executemany("INSERT OR IGNORE INTO claimed VALUES (?)", rows)

    def lay_over(self, view: View, persons: Sequence[Person]) -> None:
        """Add to what the catalogue knows what an import would have written by now."""
        keys = {key for one in persons for address in one.addresses for key in address.keys}
        view.owners |= dict(self._rows("address, contact FROM owners WHERE address", keys))
        contacts = set(view.owners.values())
        for contact, body in self._rows("contact, body FROM said WHERE contact", contacts):
            view.said[contact] = _decode(body)
        view.claimed = set(self.claimed(contacts))
        lowest = self._connection.execute("SELECT min(contact) FROM said").fetchone()[0]
        view.next_new = min(lowest or 0, 0) - 1

    def keep(self, view: View, decisions: Sequence[Decision | None]) -> None:
        """Remember what a trial would have written."""
        made = [one for one in decisions if one]
        owners = [(key, one.contact) for one in made for key in one.new_keys]
        said = {one.contact: _encode(view.said[one.contact]) for one in made}
        self._connection.executemany("INSERT INTO owners VALUES (?, ?)", owners)
        self._connection.executemany("INSERT OR REPLACE INTO said VALUES (?, ?)", said.items())
        self.claim(made)

    def _rows(self, query: str, values: Iterable[object]) -> Iterator[Any]:
        wanted = list(values)
        for start in range(0, len(wanted), _SOME):
            some = wanted[start : start + _SOME]
            marks = ",".join("?" * len(some))
            yield from self._connection.execute(f"SELECT {query} IN ({marks})", some)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Open one for the length of the block."""
    with closing(sqlite.connect("")) as connection:  # no name: SQLite's own temporary file
        yield Scratch(connection)

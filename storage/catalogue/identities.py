"""Turns addresses seen in mail into identities with provisional contacts, many at a time.

It must not merge, rename by hand or delete: that is the business of `contacts`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    bindparam,
    select,
)

from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.chunks import by_value, insert_missing, insert_rows
from holdfast.storage.catalogue.companies import DomainNames, ensure_companies
from holdfast.storage.catalogue.counting import count_seen
from holdfast.storage.catalogue.facts import PEOPLE_FORGOTTEN, fact
from holdfast.storage.catalogue.homes import homes_of
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.resolving import by_keys
from holdfast.storage.catalogue.schema import contacts, identities
from holdfast.storage.catalogue.sightings import (
    BOT,
    MAIL,
    PERSON,
    nature_of,
    split_key,
    tallied,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Transaction

    from holdfast.core.identity import IdFactory
    from holdfast.storage.catalogue.sightings import Sighting, Tally

IDENTITIES_CACHED = 200_000
FORGOTTEN = "forgotten"
"""Kind of an identity whose messages were all disposed of: its row says nothing of it any more."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Whom one transaction saw; means nothing once it was rolled back."""

    ids: dict[str, int]
    """The identity of each address."""
    made: list[dict[str, Any]]
    """Rows of the identities that were made, with `company_id`, and with `is_met` where the contact
    was made too; sorted by id."""
    tallies: dict[str, Tally]


@dataclass(slots=True)
class Linker:
    """Gives addresses their identities; one for each writer, not to be shared between threads."""

    domains: DomainNames = field(default_factory=DomainNames)
    capacity: int = IDENTITIES_CACHED
    _known: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)
    _made: set[str] = field(default_factory=set, init=False)
    _made_in: Transaction | None = field(default=None, init=False)
    _forgotten: str | None = field(default=None, init=False)
    """`PEOPLE_FORGOTTEN` when what is known was learnt."""

    def link(
        self, connection: Connection, people: Sequence[Sighting], ids: IdFactory
    ) -> dict[str, int]:
        """Return the identity of each address, as `recognise` has it, and `count` at once."""
        recognised = self.recognise(connection, people, ids)
        count(connection, recognised)
        return recognised.ids

    def recognise(
        self,
        connection: Connection,
        people: Sequence[Sighting],
        ids: IdFactory,
        same: Mapping[str, str] | None = None,
    ) -> Recognised:
        """Find the identity of each address, or make it with a provisional contact.

        Texts that are no addresses are left out. Addresses of machines get an identity but no
        contact. Safe beside other writers.

        Args:
            connection: Of the transaction.
            people: Who was seen.
            ids: For what is made.
            same: Address → another one of the same person, as a directory says. One that is made
                now comes to the contact of the other; two that were known stay where they are.
        """
        tallies = tallied(people)
        same = same or {}
        forgotten = fact(connection, PEOPLE_FORGOTTEN)
        if forgotten != self._forgotten:
            self._known.clear()
            self._forgotten = forgotten
        found = self._recall(connection, tallies)
        missing = sorted(key for key in tallies if key not in found)
        made: list[dict[str, Any]] = []
        if missing:
            sides = {key: tallies[key].side for key in missing}
            selected, made = self._make(connection, missing, ids, _Known(sides, same, found))
            found |= selected
        return Recognised(found, made, tallies)

    def _recall(self, connection: Connection, keys: Collection[str]) -> dict[str, int]:
        known = self._known
        found: dict[str, int] = {}
        for key in keys:
            identity = known.get(key)
            if identity is not None:
                known.move_to_end(key)
                found[key] = identity
        unknown = [key for key in keys if key not in found]
        if unknown:
            selected = by_keys(connection, identities.c.id, unknown)
            self._remember(connection, selected)
            found |= selected
        return found

    def _remember(self, connection: Connection, selected: dict[str, int]) -> None:
        # What this transaction made may yet be rolled back: remembered when another one sees it.
        if connection.get_transaction() is not self._made_in:
            self._made.clear()
            self._made_in = None
        for key, identity in selected.items():
            if key not in self._made:
                self._known[key] = identity
        while len(self._known) > self.capacity:
            self._known.popitem(last=False)

    def _make(
        self, connection: Connection, missing: Sequence[str], ids: IdFactory, known: _Known
    ) -> tuple[dict[str, int], list[dict[str, Any]]]:
        domains = {key: key.rpartition("@")[2] if "@" in key else "" for key in missing}
        company = {
            key: self.domains.company(domains[key]) if domains[key] else "" for key in missing
        }
        natures = {key: _nature(key, known.sides[key]) for key in missing}
        named = ensure_companies(connection, company.values(), ids)
        homes = _homes(connection, known)
        people: dict[str, dict[str, Any]] = {}
        for key in sorted(missing, key=known.rank):
            if natures[key] != PERSON:
                continue
            other = known.same.get(key, "")
            shared = homes.get(other) or people.get(other)
            people[key] = shared or {"id": ids.take(), "company_id": named.get(company[key])}
        rows = [
            _identity_row(key, natures[key], people.get(key), ids.take())
            | {"side": known.sides[key]}
            for key in missing
        ]
        there = {home["id"] for home in homes.values()}
        fresh = {one["id"]: one for one in people.values() if one["id"] not in there}
        insert_rows(connection, contacts, list(fresh.values()))
        insert_missing(connection, identities, rows, "kind", "value")
        made = by_keys(connection, identities.c.id, missing)
        key_of = {row["id"]: key for key, row in zip(missing, rows, strict=True)}
        ours = [row for row in rows if made[key_of[row["id"]]] == row["id"]]
        lost = [row for row in rows if made[key_of[row["id"]]] != row["id"]]
        kept = {row["home_id"] for row in ours} | there
        _drop_orphans(connection, [row for row in lost if row["home_id"] not in kept])
        self._made.update(missing)
        self._made_in = connection.get_transaction()
        return made, [
            {
                **row,
                "company_id": people.get(key_of[row["id"]], _NOBODY)["company_id"],
                "is_met": row["contact_id"] in fresh,
            }
            for row in ours
        ]


def count(connection: Connection, recognised: Recognised) -> None:
    """Bring counts, names and times of contact up to date with what was recognised.

    Best near the end of a transaction: some identities are in nearly all mail, and from here to
    the commit other writers wait that saw them too.
    """
    count_seen(connection, recognised.tallies, recognised.ids)


_NOBODY: dict[str, Any] = {"company_id": None}


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of addresses for which identities are to be made."""

    sides: Mapping[str, str]
    same: Mapping[str, str]
    found: Mapping[str, int]
    """Identities of addresses that were known before."""

    def rank(self, key: str) -> tuple[bool, str]:
        """Order those that follow another one behind all that do not."""
        return key in self.same, key


def _nature(key: str, side: str) -> str:
    return BOT if side == BOT else nature_of(key)


def _homes(connection: Connection, known: _Known) -> dict[str, dict[str, Any]]:
    """Return the contact that each known address is at home with, which a new one is the same as.

    It stays there until the transaction ends: `root` is the contact that it was merged into.
    """
    wanted = {known.found[other]: other for other in known.same.values() if other in known.found}
    if not wanted:  # as with all mail
        return {}
    lock_rows(connection, identities.c.id, wanted, Hold.CHANGING)
    roots = {
        row.id: row.contact_id
        for row in by_value(
            connection,
            select(identities.c.id, identities.c.contact_id),
            identities.c.id,
            wanted,
        )
    }
    homes = {one: home for one, home in homes_of(connection, wanted).items() if home is not None}
    query = select(contacts.c.id, contacts.c.company_id)
    companies = {
        row.id: row.company_id for row in by_value(connection, query, contacts.c.id, homes.values())
    }
    return {
        wanted[one]: {"id": home, "company_id": companies[home], "root": roots[one]}
        for one, home in homes.items()
    }


def _identity_row(
    key: str, nature: str, contact: dict[str, Any] | None, row_id: int
) -> dict[str, Any]:
    kind, value = split_key(key)
    return {
        "id": row_id,
        "kind": kind,
        "value": value,
        "domain": key.rpartition("@")[2] if kind == MAIL else "",
        "nature": nature,
        "contact_id": None if contact is None else contact.get("root", contact["id"]),
        "home_id": None if contact is None else contact["id"],
    }


def made_digest(rows: Iterable[Sequence[object]]) -> bytes:
    """Digest what the audit log commits to when identities are made.

    Args:
        rows: Id, value, the contact that it was met in and that contact's company, sorted by id.
    """
    return canonical_digest([list(row) for row in rows])


def _drop_orphans(connection: Connection, lost: Sequence[dict[str, Any]]) -> None:
    """Remove the contacts of identities that another writer made at the same moment."""
    rows = [{"orphan": row["home_id"]} for row in lost if row["home_id"] is not None]
    if rows:
        connection.execute(contacts.delete().where(contacts.c.id == bindparam("orphan")), rows)

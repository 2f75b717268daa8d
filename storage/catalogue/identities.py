"""Turns addresses seen in mail into identities with provisional contacts, many at a time.

It must not merge, rename by hand or delete: that is the business of `contacts`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Table,
    Text,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    func,
    select,
)

from holdfast.core.records import Role
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.chunks import by_value, each_given, insert_missing, insert_rows
from holdfast.storage.catalogue.companies import DomainNames, ensure_companies
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import contacts, identities, interactions, participants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection, Select, Transaction

    from holdfast.core.custody import Draft
    from holdfast.core.identity import IdFactory

MAIL = "mail"
"""Kind of the identities that are mail addresses; their value is `Participant.key`."""

PERSON = "person"
NO_REPLY = "noreply"
BULK = "bulk"

HUMAN_KINDS = ("email", "calendar")

MAX_ADDRESS_CHARS = 320
"""RFC 3696 erratum 1690: 64 of local part, @, 255 of domain."""
MAX_NAME_CHARS = 200
IDENTITIES_CACHED = 200_000

_ADDRESS = re.compile(r"[^\s\x00-\x1f@][^\s\x00-\x1f]*@[^\s\x00-\x1f@]+")
_NO_REPLY = re.compile(
    r"(?:.*[._+-])?(?:(?:no|not|non|dont|do[._-]?not)[._-]?(?:reply|respond|answer|responder)"
    r"|unattended|mailer-daemon|postmaster|mail-daemon)(?:[._+-].*|\d*)"
)
_BULK = re.compile(
    r"(?:newsletters?|mailings?|bounces?|notifications?|notify|alerts?|unsubscribe)(?:[._+=-].*|\d*)"
    r"|.*[._+-](?:bounces?|newsletters?|request|unsubscribe|subscribe|owner|confirm)(?:[+=].*)?"
    r"|owner-.*|bounce.*[+=-].*"
)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One address seen in one message; once for each message, whatever number of its fields."""

    address_key: str
    """`Participant.key`: case folded, no surrounding space."""
    name: str
    at_ms: int
    is_sender: bool
    is_human_mail: bool
    """Written by a person to be read by a person: only this makes first and last contact."""


def sightings(draft: Draft, at_ms: int) -> list[Sighting]:
    """Return who is seen in the message, each address once, the sender first."""
    people = [(p.address.strip().casefold(), p) for p in draft.participants]
    senders = [key for key, p in people if p.role == Role.FROM and is_address(key)]
    is_human = draft.kind in HUMAN_KINDS and not draft.is_bulk
    is_human = is_human and any(nature_of(key) == PERSON for key in senders)
    names: dict[str, str] = {}
    for key in senders:
        names[key] = ""
    for key, person in people:
        if not names.get(key):
            names[key] = person.name
    own = set(senders)
    return [Sighting(key, name, at_ms, key in own, is_human) for key, name in names.items()]


def is_address(address_key: str) -> bool:
    """Tell whether the text names a mailbox, generously: something, @, something, no space."""
    return len(address_key) <= MAX_ADDRESS_CHARS and _ADDRESS.fullmatch(address_key) is not None


def nature_of(address_key: str) -> str:
    """Judge by the local part what stands behind an address: `person`, `noreply` or `bulk`."""
    local = address_key.rpartition("@")[0]
    if _NO_REPLY.fullmatch(local):
        return NO_REPLY
    return BULK if _BULK.fullmatch(local) else PERSON


def shown_name(name: str) -> str | None:
    """Return the name as contacts show it; None for an address repeated as its own name."""
    shown = name.replace("\0", "").strip()[:MAX_NAME_CHARS]
    return None if "@" in shown else shown


@dataclass(slots=True)
class _Tally:
    messages: int = 0
    human_messages: int = 0
    first_ms: int = 0
    last_ms: int = 0
    name: str = ""
    is_own_name: bool = False

    def add(self, seen: Sighting) -> None:
        self.messages += 1
        if seen.is_human_mail:
            at_ms = seen.at_ms
            if not self.human_messages or at_ms < self.first_ms:
                self.first_ms = at_ms
            if not self.human_messages or at_ms > self.last_ms:
                self.last_ms = at_ms
            self.human_messages += 1
        if seen.name and (not self.name or (seen.is_sender and not self.is_own_name)):
            name = shown_name(seen.name)
            if name is not None:
                self.name = name
                self.is_own_name = seen.is_sender


@dataclass(slots=True)
class Linker:
    """Gives addresses their identities; one for each writer, not to be shared between threads."""

    domains: DomainNames = field(default_factory=DomainNames)
    capacity: int = IDENTITIES_CACHED
    newest: list[dict[str, Any]] = field(default_factory=list, init=False)
    """Rows of the identities that `recognise` made last, with `company_id`; sorted by id."""
    _seen: tuple[dict[str, _Tally], dict[str, int]] | None = field(default=None, init=False)
    """What `recognise` has seen and `count` has not counted yet."""
    _known: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)
    _made: set[str] = field(default_factory=set, init=False)
    _made_in: Transaction | None = field(default=None, init=False)

    def link(
        self, connection: Connection, people: Sequence[Sighting], ids: IdFactory
    ) -> dict[str, int]:
        """Return what `recognise` returns, and `count` at once."""
        found = self.recognise(connection, people, ids)
        self.count(connection)
        return found

    def recognise(
        self, connection: Connection, people: Sequence[Sighting], ids: IdFactory
    ) -> dict[str, int]:
        """Return the identity of each address, made with a provisional contact where it is new.

        Texts that are no addresses are left out. Addresses of machines get an identity but no
        contact. Safe beside other writers.
        """
        self.newest = []
        tallies = _tallied(people)
        found = self._recall(connection, tallies)
        missing = sorted(key for key in tallies if key not in found)
        if missing:
            found |= self._make(connection, missing, ids)
        self._seen = (tallies, found)
        return found

    def count(self, connection: Connection) -> None:
        """Bring counts, names and times of contact up to date with what was recognised.

        Best near the end of a transaction: some identities are in nearly all mail, and from here to
        the commit other writers wait that saw them too.
        """
        if self._seen is None:
            return
        (tallies, found), self._seen = self._seen, None
        if connection.dialect.name == "postgresql":
            _count_and_name(connection, tallies, found)
        else:
            _count(connection, tallies, found)
            _name(connection, tallies, found)

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
            selected = _select_ids(connection, unknown)
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
        self, connection: Connection, missing: Sequence[str], ids: IdFactory
    ) -> dict[str, int]:
        company = {key: self.domains.company(key.rpartition("@")[2]) for key in missing}
        natures = {key: nature_of(key) for key in missing}
        named = ensure_companies(connection, company.values(), ids)
        people = {
            key: {"id": ids.take(), "company_id": named.get(company[key])}
            for key in missing
            if natures[key] == PERSON
        }
        rows = [_identity_row(key, natures[key], people.get(key), ids.take()) for key in missing]
        insert_rows(connection, contacts, list(people.values()))
        insert_missing(connection, identities, rows, "kind", "value")
        made = _select_ids(connection, missing)
        _drop_orphans(connection, [row for row in rows if made[row["value"]] != row["id"]])
        ours = [row for row in rows if made[row["value"]] == row["id"]]
        self.newest = [
            {**row, "company_id": people.get(row["value"], _NOBODY)["company_id"]} for row in ours
        ]
        self._made.update(missing)
        self._made_in = connection.get_transaction()
        return made


_NOBODY: dict[str, Any] = {"company_id": None}


def _tallied(people: Iterable[Sighting]) -> dict[str, _Tally]:
    tallies: dict[str, _Tally] = {}
    for seen in people:
        tally = tallies.get(seen.address_key)
        if tally is None:
            if not is_address(seen.address_key):
                continue
            tally = tallies[seen.address_key] = _Tally()
        tally.add(seen)
    return tallies


def _select_ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    query = select(identities.c.value, identities.c.id).where(identities.c.kind == MAIL)
    return {row.value: row.id for row in by_value(connection, query, identities.c.value, keys)}


def _identity_row(
    key: str, nature: str, contact: dict[str, Any] | None, row_id: int
) -> dict[str, Any]:
    return {
        "id": row_id,
        "kind": MAIL,
        "value": key,
        "domain": key.rpartition("@")[2],
        "nature": nature,
        "contact_id": None if contact is None else contact["id"],
    }


def made_digest(rows: Iterable[Sequence[object]]) -> bytes:
    """Digest what the audit log commits to when identities are made.

    Args:
        rows: Id, value, contact and the contact's company, sorted by id.
    """
    return canonical_digest([list(row) for row in rows])


def _drop_orphans(connection: Connection, lost: Sequence[dict[str, Any]]) -> None:
    """Remove the contacts of identities that another writer made at the same moment."""
    rows = [{"orphan": row["contact_id"]} for row in lost if row["contact_id"] is not None]
    if rows:
        connection.execute(contacts.delete().where(contacts.c.id == bindparam("orphan")), rows)


# Written out, because building parameters costs SQLAlchemy more than the update costs the database.
_ADD = "UPDATE identities SET messages = messages + ? WHERE id = ?"
_ADD_HUMAN = """
UPDATE identities SET
  first_ms = CASE WHEN first_ms <= ? THEN first_ms ELSE ? END,
  last_ms = CASE WHEN last_ms >= ? THEN last_ms ELSE ? END,
  human_messages = human_messages + ?,
  messages = messages + ?
WHERE id = ?"""
_NAME = "UPDATE identities SET name = ? WHERE id = ? AND name = ''"
_OWN_NAME = "UPDATE identities SET name = ? WHERE id = ? AND name <> ?"


_SEEN = Table(
    "identities",
    MetaData(),
    Column("id", BigInteger),
    Column("first_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("human_messages", BigInteger),
    Column("messages", BigInteger),
    Column("name", Text),
    Column("own_name", Text),
)
"""What `_COUNT_AND_NAME` is given for each identity."""
_COUNT_AND_NAME = """
UPDATE {table} SET
  first_ms = LEAST(identities.first_ms, given.first_ms),
  last_ms = GREATEST(identities.last_ms, given.last_ms),
  human_messages = identities.human_messages + given.human_messages,
  messages = identities.messages + given.messages,
  name = COALESCE(NULLIF(given.own_name, ''), NULLIF(identities.name, ''), given.name)
FROM {given} WHERE identities.id = given.id"""


def _count_and_name(
    connection: Connection, tallies: dict[str, _Tally], found: dict[str, int]
) -> None:
    """Do what `_count` and `_name` do, changing each row once."""
    rows = []
    for row_id, key in sorted((row_id, key) for key, row_id in found.items()):
        tally = tallies[key]
        row: dict[str, Any] = {"id": row_id, "first_ms": None, "last_ms": None}
        if tally.human_messages:
            row |= {"first_ms": tally.first_ms, "last_ms": tally.last_ms}
        row |= {"human_messages": tally.human_messages, "messages": tally.messages}
        own = tally.name if tally.is_own_name else ""
        rows.append(row | {"name": tally.name, "own_name": own})
    lock_rows(connection, identities.c.id, found.values(), Hold.CHANGING)
    if rows:
        each_given(connection, _COUNT_AND_NAME, _SEEN, rows)


def _count(connection: Connection, tallies: dict[str, _Tally], found: dict[str, int]) -> None:
    """Add the tallies; in order of id, so that two writers never wait for each other in a ring."""
    machine: list[tuple[object, ...]] = []
    human: list[tuple[object, ...]] = []
    for row_id, key in sorted((row_id, key) for key, row_id in found.items()):
        tally = tallies[key]
        if tally.human_messages:
            first, last = tally.first_ms, tally.last_ms
            human.append((first, first, last, last, tally.human_messages, tally.messages, row_id))
        else:
            machine.append((tally.messages, row_id))
    _run(connection, _ADD_HUMAN, human)
    _run(connection, _ADD, machine)


def _name(connection: Connection, tallies: dict[str, _Tally], found: dict[str, int]) -> None:
    """Fill empty names; a name that the owner of the address uses replaces any other."""
    named = [(tallies[key], row_id) for key, row_id in found.items() if tallies[key].name]
    named.sort(key=lambda pair: pair[1])
    own = [(tally.name, row_id, tally.name) for tally, row_id in named if tally.is_own_name]
    other = [(tally.name, row_id) for tally, row_id in named if not tally.is_own_name]
    _run(connection, _OWN_NAME, own)
    _run(connection, _NAME, other)


def _run(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        if connection.dialect.name == "postgresql":
            statement = statement.replace("?", "%s")
        connection.exec_driver_sql(statement, list(rows))


def recount(connection: Connection, interaction_ids: Iterable[int]) -> None:
    """Count again, from what is filed, everybody who takes part in these interactions.

    For interactions that were removed or came back; filing new ones counts by itself.
    """
    taking_part = by_value(
        connection,
        select(participants.c.identity_id.label("id"))
        .where(participants.c.identity_id.is_not(None))
        .distinct(),
        participants.c.interaction_id,
        interaction_ids,
    )
    wanted = sorted({row.id for row in taking_part})
    lock_rows(connection, identities.c.id, wanted, Hold.CHANGING)
    counted = {
        row.identity_id: row
        for row in by_value(connection, _filed_counts(), participants.c.identity_id, wanted)
    }
    rows: list[tuple[object, ...]] = []
    for row_id in wanted:
        row = counted.get(row_id)
        if row is None:
            rows.append((0, 0, None, None, row_id))
        else:
            rows.append((row.messages, row.human, row.first_ms, row.last_ms, row_id))
    _run(connection, _RECOUNT, rows)


_RECOUNT = """
UPDATE identities SET messages = ?, human_messages = ?, first_ms = ?, last_ms = ? WHERE id = ?"""


def _filed_counts() -> Select[Any]:
    """Return the sums that `sightings` and `Linker` keep up, as one query by identity."""
    writer, writing_identity = participants.alias("writer"), identities.alias("writing_identity")
    is_human = and_(
        interactions.c.is_bulk.is_(False),
        interactions.c.kind.in_(HUMAN_KINDS),
        exists().where(
            writer.c.interaction_id == interactions.c.id,
            writer.c.role == Role.FROM.value,
            writing_identity.c.id == writer.c.identity_id,
            writing_identity.c.nature == PERSON,
        ),
    )
    message = participants.c.interaction_id
    return (
        select(
            participants.c.identity_id,
            func.count(distinct(message)).label("messages"),
            func.count(distinct(case((is_human, message)))).label("human"),
            func.min(case((is_human, participants.c.at_ms))).label("first_ms"),
            func.max(case((is_human, participants.c.at_ms))).label("last_ms"),
        )
        .join(interactions, interactions.c.id == message)
        .where(interactions.c.removed_ms.is_(None))
        .group_by(participants.c.identity_id)
    )

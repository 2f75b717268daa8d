"""Files what journal reports and later copies say beside their message: who received it.

Several reports of one message are one interaction; each adds whom the others did not name. A later
copy adds whom its own Bcc field names. What is added is a version of the interaction with an audit
event of its own, so that what was filed before stays as the log committed to it. It must not parse,
and judges no address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import func, select

from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.storage.audit import Event, canonical_digest
from holdfast.storage.catalogue.blind_copies import blind_copied, copies_standing, copy_change
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import (
    captures,
    interaction_versions,
    interactions,
    participants,
)
from holdfast.storage.catalogue.sightings import Sighting, is_human_mail

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.core.custody import Draft, DraftParticipant
    from holdfast.storage.store import Store

ENVELOPE = "envelope"
"""Kind of the audit event of what one report or copy adds, or takes along when it is undone."""

PEOPLE_STEP = 1 << 15
"""Participants that version n added have the ordinals from n times this; what was filed, from 0."""

_json = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class _Known:
    """What is there of an interaction already."""

    at_ms: int
    is_human: bool
    version: int = 0
    """The newest."""
    places: set[tuple[str, str]] = field(default_factory=set)
    """Role and address key of everybody in it who stays whatever is undone."""
    seen: set[str] = field(default_factory=set)
    """Address keys of everybody in it."""
    copies: set[int] = field(default_factory=set)
    """Originals that say in a version whom they name as blind-copied."""
    identities: dict[str, int | None] = field(default_factory=dict)
    """Address key → identity, of those that are filed."""


class _Addition(NamedTuple):
    """What one report or copy adds to one interaction."""

    interaction_id: int
    version: int
    change: str
    people: list[DraftParticipant]


@dataclass(slots=True)
class Envelopes:
    """The journal reports and the blind copies of one filing transaction."""

    connection: Connection
    store: Store
    now_ms: int
    widened: set[int] = field(default_factory=set)
    """Interactions that gained people beside those of their draft."""
    _waiting: list[tuple[int, int, Draft]] = field(default_factory=list)
    _known: dict[int, _Known] = field(default_factory=dict)
    _additions: list[_Addition] = field(default_factory=list)

    def add(self, original_id: int, interaction_id: int, draft: Draft) -> None:
        """Take note of an original of the interaction, if it tells its envelope or has a Bcc."""
        if draft.inner_sha256 or draft.is_enveloped or blind_copied(draft):
            self._waiting.append((original_id, interaction_id, draft))

    def find(self, new: Mapping[int, tuple[Draft, int]]) -> list[Sighting]:
        """Decide what is to be added; return who is seen in an interaction for the first time.

        Args:
            new: Draft and time of the interactions that this transaction makes.
        """
        targets = {interaction_id for _, interaction_id, _ in self._waiting}
        self._load(targets - new.keys())
        for interaction_id in targets & new.keys():
            draft, at_ms = new[interaction_id]
            is_human = is_human_mail(draft.kind, draft.participants, is_bulk=draft.is_bulk)
            known = self._known[interaction_id] = _Known(at_ms, is_human)
            known.places = {(one.role, _key(one)) for one in draft.participants}
            known.seen = {key for _, key in known.places}
        return [seen for waiting in self._waiting for seen in self._decide(*waiting)]

    def _load(self, ids: Iterable[int]) -> None:
        """Read what is filed, which nobody else may add to meanwhile."""
        wanted = sorted(ids)
        lock_rows(self.connection, interactions.c.id, wanted, Hold.CHANGING)
        people = by_value(self.connection, _PEOPLE, participants.c.interaction_id, wanted)
        by_id: dict[int, list[Any]] = {row_id: [] for row_id in wanted}
        for person in people:
            by_id[person.interaction_id].append(person)
        standing = copies_standing(self.connection, wanted)
        for row in by_value(self.connection, _ROWS, interactions.c.id, wanted):
            own, copies = by_id[row.id], standing.get(row.id, {})
            is_human = is_human_mail(row.kind, own, is_bulk=row.is_bulk)
            known = self._known[row.id] = _Known(row.at_ms, is_human)
            staying = (one for one in own if one.ordinal // PEOPLE_STEP not in copies)
            known.places = {(one.role, _key(one)) for one in staying}
            known.seen = {_key(one) for one in own}
            known.copies = set(copies.values())
            known.identities = {_key(one): one.identity_id for one in own}
        newest = by_value(self.connection, _NEWEST, interaction_versions.c.interaction_id, wanted)
        for row in newest:
            self._known[row.interaction_id].version = row.version

    def _decide(self, original_id: int, interaction_id: int, draft: Draft) -> list[Sighting]:
        if draft.inner_sha256:
            return self._hear_report(original_id, interaction_id, draft)
        told = self._hear_report(original_id, interaction_id, draft) if draft.is_enveloped else []
        return [*told, *self._hear_copy(original_id, interaction_id, draft)]

    def _hear_report(self, original_id: int, interaction_id: int, draft: Draft) -> list[Sighting]:
        known = self._known[interaction_id]
        named = [one for one in draft.participants if draft.inner_sha256 or one.role in _OF_FIELDS]
        people = _missing(known, named)
        if not people and not draft.inner_sha256:
            return []
        known.places |= {(one.role, _key(one)) for one in people}
        change = {
            "original_id": original_id,
            "inner_sha256": draft.inner_sha256.hex(),
            "people": len(people),
        }
        return self._added(interaction_id, _json({ENVELOPE: change}).decode(), people)

    def _hear_copy(self, original_id: int, interaction_id: int, draft: Draft) -> list[Sighting]:
        """Add whom a copy names, also where another copy does that may be undone without it."""
        known = self._known[interaction_id]
        people = _missing(known, blind_copied(draft))
        if not people or original_id in known.copies:
            return []
        known.copies.add(original_id)
        return self._added(interaction_id, copy_change(original_id, len(people)), people)

    def _added(
        self, interaction_id: int, change: str, people: list[DraftParticipant]
    ) -> list[Sighting]:
        """Note a version with these people; return those who are seen for the first time."""
        known = self._known[interaction_id]
        known.version += 1
        if people:
            self.widened.add(interaction_id)
        self._additions.append(_Addition(interaction_id, known.version, change, people))
        fresh = {_key(one): one.name for one in reversed(people) if _key(one) not in known.seen}
        known.seen |= fresh.keys()
        return [
            Sighting(key, name, known.at_ms, False, known.is_human)
            for key, name in fresh.items()
            if "@" in key
        ]

    def write(self, identities: Mapping[str, int]) -> list[Event]:
        """Write the versions and their people; return the events that commit to them.

        Args:
            identities: By address key, of all whom `find` returned and of the new interactions.
        """
        versions = [
            {
                "interaction_id": one.interaction_id,
                "version": one.version,
                "actor": self.store.actor,
                "changed_ms": self.now_ms,
                "change": one.change,
            }
            for one in self._additions
        ]
        insert_rows(self.connection, interaction_versions, versions)
        rows = [row for one in self._additions for row in self._people_rows(one, identities)]
        insert_rows(self.connection, participants, rows)
        return [self._event(one) for one in self._additions]

    def _people_rows(
        self, addition: _Addition, identities: Mapping[str, int]
    ) -> list[dict[str, Any]]:
        known = self._known[addition.interaction_id]
        return [
            {
                "interaction_id": addition.interaction_id,
                "ordinal": addition.version * PEOPLE_STEP + place,
                "role": person.role,
                "name": person.name,
                "address": person.address,
                "identity_id": identities.get(_key(person), known.identities.get(_key(person))),
                "at_ms": known.at_ms,
            }
            for place, person in enumerate(addition.people)
        ]

    def _event(self, addition: _Addition) -> Event:
        people = [[one.role, one.name, one.address] for one in addition.people]
        return Event(
            kind=ENVELOPE,
            subject=public_id("msg", addition.interaction_id),
            subject_id=addition.interaction_id,
            at_ms=self.now_ms,
            actor=self.store.actor,
            context=envelope_digest(addition.version, addition.change, people),
        )


def envelope_digest(version: int, change: str, people: Sequence[Sequence[str]]) -> bytes:
    """Digest what the audit log commits to for one report or copy, or when copies are undone.

    Args:
        version: Of the interaction, 1 for its first.
        change: As the version's row has it.
        people: Role, name and address of whom it added, in order.
    """
    return canonical_digest([version, change, [list(one) for one in people]])


def each_once(people: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
    """Yield participants, in order of their ordinals, without whom later copies name once more."""
    seen: set[tuple[str, str]] = set()
    for one in people:
        place = one.role, _key(one)
        if one.ordinal < PEOPLE_STEP or place not in seen:
            yield one
        seen.add(place)


def reported_as(connection: Connection, originals: Iterable[int]) -> dict[int, int]:
    """Return the interaction of the message inside, of originals that were read as reports."""
    query = select(captures.c.original_id, captures.c.interaction_id).where(
        captures.c.interaction_id.is_not(None)
    )
    rows = by_value(connection, query, captures.c.original_id, set(originals))
    told = envelopes_of(connection, {row.interaction_id for row in rows})
    pairs = {(row.interaction_id, row.original_id) for row in rows} & told
    return {original_id: interaction_id for interaction_id, original_id in pairs}


def envelopes_of(connection: Connection, interaction_ids: Iterable[int]) -> set[tuple[int, int]]:
    """Return (interaction, original) of every report whose envelope these interactions have.

    Versions that somebody damaged are left out: verification names them.
    """
    query = select(interaction_versions.c.interaction_id, interaction_versions.c.change)
    rows = by_value(connection, query, interaction_versions.c.interaction_id, set(interaction_ids))
    changes = ((row.interaction_id, _read(row.change)) for row in rows)
    return {(one, change.original_id) for one, change in changes if change.inner_sha256}


class _Change(msgspec.Struct, frozen=True):
    original_id: int = 0
    inner_sha256: str = ""


class _Changes(msgspec.Struct, frozen=True):
    envelope: _Change = _Change()


def _read(change: str) -> _Change:
    try:
        return msgspec.json.decode(change, type=_Changes).envelope
    except msgspec.MsgspecError:
        return _Change()


_OF_FIELDS = (Role.RECIPIENT, Role.SENDER)
"""Those of whom header fields name; nobody else is taken from them."""
_PEOPLE = select(
    *(
        participants.c[name]
        for name in ("interaction_id", "ordinal", "role", "address", "identity_id")
    )
)
_ROWS = select(*(interactions.c[name] for name in ("id", "kind", "is_bulk", "at_ms")))
_NEWEST = select(
    interaction_versions.c.interaction_id, func.max(interaction_versions.c.version).label("version")
).group_by(interaction_versions.c.interaction_id)


def _missing(known: _Known, people: Sequence[DraftParticipant]) -> list[DraftParticipant]:
    """Return who is not in the interaction in their role, or may be taken back; each once."""
    added = [one for one in people if (one.role, _key(one)) not in known.places]
    return list({(one.role, _key(one)): one for one in added}.values())


def _key(person: Any) -> str:
    return str(person.address).strip().casefold()

"""Interactions with their people, attachments and threads against what the log committed to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL
from holdfast.storage.annotations.rows import ANNOTATE, metadata_in
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.envelopes import ENVELOPE, PEOPLE_STEP
from holdfast.storage.catalogue.filing_rows import identity_key
from holdfast.storage.catalogue.rows import (
    ATTACHMENT_DIGESTED,
    DIGESTED,
    FLAGS_DIGESTED,
    PERSON_DIGESTED,
    ChatRow,
    filed_digest,
    plain_digest,
)
from holdfast.storage.catalogue.schema import (
    attachments,
    captures,
    conversations,
    identities,
    interactions,
    originals,
    participants,
    thread_keys,
    threads,
)
from holdfast.storage.catalogue.sightings import (
    MAIL,
    is_address,
    is_named_in_chat,
    joined_key,
)
from holdfast.storage.verifying.annotations import annotated
from holdfast.storage.verifying.envelopes import (
    Versions,
    added_people,
    misnumbered,
    versions_of,
)
from holdfast.storage.verifying.report import (
    DIFFERENT,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    Told,
    events_about,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

    from holdfast.storage.annotations.values import Metadata


class _Filed(NamedTuple):
    """One interaction, as it was filed and as it stands; columns of `_query`."""

    id: int
    row_digest: bytes
    text_original_id: int
    thread_id: int
    at_ms: int
    sent_ms: int | None
    captured_ms: int
    channel: str
    conversation_id: int | None
    version_ms: int
    due_ms: int | None
    parser_version: int
    removed_ms: int | None
    shredded_ms: int | None
    keyed: int | None
    """Thread of its Message-ID."""
    room_channel: str | None
    room_key: str | None

    def chat(self) -> ChatRow:
        """Return what of it is digested where it is chat."""
        return ChatRow(
            self.channel, self.room_key, self.version_ms, self.due_ms, self.parser_version
        )


class _Person(NamedTuple):
    """One participant; columns of `_PEOPLE`."""

    interaction_id: int
    role: str
    name: str
    address: str
    ordinal: int
    at_ms: int
    identity_id: int | None
    known_as: str | None
    """The address that its identity is of."""
    known_by: str | None


_PEOPLE = select(
    *(participants.c[name] for name in ("interaction_id", *PERSON_DIGESTED)),
    *(participants.c[name] for name in ("ordinal", "at_ms", "identity_id")),
    identities.c.value,
    identities.c.kind,
).outerjoin(identities, identities.c.id == participants.c.identity_id)
_FILES = select(
    *(attachments.c[name] for name in ("interaction_id", *ATTACHMENT_DIGESTED, "ordinal"))
)
_QUERY = (
    select(
        *(interactions.c[name] for name in _Filed._fields[:13]),
        originals.c.shredded_ms,
        thread_keys.c.thread_id.label("keyed"),
        conversations.c.channel.label("room_channel"),
        conversations.c.key.label("room_key"),
        *(interactions.c[name].label(f"d_{name}") for name in (*DIGESTED, *FLAGS_DIGESTED)),
    )
    .join(originals, originals.c.id == interactions.c.text_original_id)
    .outerjoin(thread_keys, thread_keys.c.message_key == interactions.c.message_key)
    .outerjoin(conversations, conversations.c.id == interactions.c.conversation_id)
)
_FIELDS = len(_Filed._fields)


def check_interactions(scope: Scope) -> Iterator[Finding]:
    """Compare each interaction's rows with their digest, their event, and with each other."""
    joined = _joined(scope)
    for connection, rows in scope.pages(_QUERY, interactions.c.id, interactions.c.captured_ms):
        page = _Page.load(connection, [row.id for row in rows], joined)
        for row in rows:
            scope.tally.interactions += 1
            filed = _Filed._make(row[:_FIELDS])
            cause = page.cause(filed, row[_FIELDS:])
            if cause:
                yield Finding("interaction", public_id("msg", filed.id), cause)


def _joined(scope: Scope) -> dict[int, list[int]]:
    """Return for each thread those that were joined to it, directly or not."""
    query = select(threads.c.id, threads.c.merged_into).where(threads.c.merged_into.is_not(None))
    with reading(scope.store.engine) as connection:
        into = {row.id: row.merged_into for row in connection.execute(query)}
    found: dict[int, list[int]] = {}
    for loser in into:
        at, seen = loser, {loser}
        while (at := into.get(at, 0)) and at not in seen:
            seen.add(at)
            found.setdefault(at, []).append(loser)
    return found


@dataclass(slots=True)
class _Page:
    """What belongs to some hundred interactions, by interaction id."""

    people: dict[int, list[_Person]]
    files: dict[int, list[Row[Any]]]
    live: set[int]
    """Those that a capture still stands behind."""
    events: Events
    joined: dict[int, list[int]]
    versions: Versions
    metadata: dict[int, Metadata]

    @staticmethod
    def load(connection: Connection, ids: Sequence[int], joined: dict[int, list[int]]) -> _Page:
        """Read everything of these interactions."""
        people: dict[int, list[_Person]] = {}
        ordered = _PEOPLE.order_by(participants.c.interaction_id, participants.c.ordinal)
        for row in by_value(connection, ordered, participants.c.interaction_id, ids):
            people.setdefault(row[0], []).append(_Person._make(row))
        files: dict[int, list[Row[Any]]] = {}
        listed = _FILES.order_by(attachments.c.interaction_id, attachments.c.ordinal)
        for row in by_value(connection, listed, attachments.c.interaction_id, ids):
            files.setdefault(row[0], []).append(row)
        live = select(captures.c.interaction_id).where(captures.c.undone_ms.is_(None))
        alive = {row[0] for row in by_value(connection, live, captures.c.interaction_id, ids)}
        events = events_about(connection, ["file", "remove", ENVELOPE, ANNOTATE], ids)
        versions, metadata = versions_of(connection, ids), metadata_in(connection, ids)
        return _Page(people, files, alive, events, joined, versions, metadata)

    def cause(self, filed: _Filed, values: Sequence[object]) -> str:
        """Return what is wrong with an interaction; empty when nothing is."""
        people, files = self.people.get(filed.id, []), self.files.get(filed.id, ())
        own = [person for person in people if person.ordinal < PEOPLE_STEP]
        added = [(p.ordinal, (p.role, p.name, p.address)) for p in people[len(own) :]]
        if filed.shredded_ms is None:  # disposal takes content out of the rows
            shown = [row[_SHOWN_OF_FILE] for row in files]
            said = [*values, *filed.chat().values()]
            digest = plain_digest(said, [person[1:4] for person in own], shown)
            if digest != filed.row_digest:
                return "Its rows were changed after it was filed."
        events = self.events["file"].get(filed.id)
        if not events:
            return UNKNOWN
        if not any(self._is_filed_by(filed, event) for event in events):
            return DIFFERENT
        placed = self._placed(filed) or _linked(filed, people) or _ordered(files)
        told = self.events[ENVELOPE].get(filed.id, ())
        if not placed and filed.shredded_ms is None:
            placed = added_people(self.versions.get(filed.id, ()), added, told)
        return placed or self._annotated(filed.id)

    def _annotated(self, row_id: int) -> str:
        versions = self.versions.get(row_id, ())
        events = self.events[ANNOTATE].get(row_id, ())
        return misnumbered(versions) or annotated(versions, self.metadata.get(row_id), events)

    def _is_filed_by(self, filed: _Filed, event: Told) -> bool:
        rows, original = filed.row_digest, filed.text_original_id
        return event.leaf.t == filed.captured_ms and (
            event.commits_to(filed_digest(rows, original, filed.thread_id))
            or any(
                event.commits_to(filed_digest(rows, original, thread))
                for thread in self.joined.get(filed.thread_id, ())
            )
        )

    def _placed(self, filed: _Filed) -> str:
        """Compare what is derived from the rest of the row, or from others."""
        if filed.at_ms != (filed.captured_ms if filed.sent_ms is None else filed.sent_ms):
            return "Its time is not that of the message."
        if not _is_at_home(filed):
            return "It is not where its channel keeps it."
        if filed.keyed != filed.thread_id:
            return "Its Message-ID belongs to another thread."
        if (filed.removed_ms is None) != (filed.id in self.live):
            return "It is in sight or out of sight against its captures."
        removals = self.events["remove"].get(filed.id, ())
        if filed.removed_ms is not None and not any(e.leaf.t == filed.removed_ms for e in removals):
            return "The audit log does not know of its removal."
        return ""


def _is_at_home(filed: _Filed) -> bool:
    """Tell whether mail is in no room, and chat in none or in one of its own channel."""
    if filed.channel == EMAIL:
        return filed.conversation_id is None and filed.version_ms == 0
    return filed.conversation_id is None or filed.room_channel == filed.channel


_SHOWN_OF_FILE = slice(1, 1 + len(ATTACHMENT_DIGESTED))


def _linked(filed: _Filed, people: Sequence[_Person]) -> str:
    for at, person in enumerate(people):
        if (person.ordinal < PEOPLE_STEP and person.ordinal != at) or person.at_ms != filed.at_ms:
            return "One of its participants is out of place."
        if person.known_as == person.address and person.known_by == MAIL:
            continue
        key = identity_key(filed.channel, person.address)
        if person.identity_id is None:
            is_fit = not (is_address(key) if filed.channel == EMAIL else is_named_in_chat(key))
        else:
            is_fit = bool(key) and key == joined_key(person.known_by or "", person.known_as or "")
        if not is_fit:
            return "One of its participants is linked to another address."
    return ""


def _ordered(files: Sequence[Row[Any]]) -> str:
    if any(row[-1] != at for at, row in enumerate(files)):
        return "One of its attachments is out of place."
    return ""

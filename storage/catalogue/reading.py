"""Reads interactions back, whole: the records that search needs, originals, captures, threads.

It must not write, and must not decide who may see what.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from holdfast.core.custody import DerivedText
from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.core.kinds import Role
from holdfast.core.ports import Placement
from holdfast.core.records import HeldBy, Record, RecordAttachment, RecordParticipant, TextState
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import direction, internal_in
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.envelopes import each_once
from holdfast.storage.catalogue.filed_facts import (
    Capture,
    captures_in,
    companies_of,
    distinct,
    domain_ends,
    holders_in,
    instant,
    mailboxes,
    open_facts,
)
from holdfast.storage.catalogue.governance_tables import tombstones
from holdfast.storage.catalogue.held_facts import held_by_in
from holdfast.storage.catalogue.homes import contact_then
from holdfast.storage.catalogue.messages import marks_in, rooms_in
from holdfast.storage.catalogue.rows import message_key, unpack_headers
from holdfast.storage.catalogue.schema import (
    attachments,
    captures,
    identities,
    interactions,
    originals,
    participants,
    threads,
)
from holdfast.storage.catalogue.tags import tags_in
from holdfast.storage.catalogue.texts import open_derived

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

_defects = msgspec.json.Decoder(list[tuple[str, str]]).decode
_ROLES = {role.value: role for role in Role}
_EMPTY = DerivedText("", (), ())
_SHA256_PREFIX = re.compile(r"[0-9a-f]{6,64}")


def records(
    store: Store, interaction_ids: Sequence[int], *, with_text: bool = True
) -> list[Record]:
    """Return the records of these interactions, in this order.

    Left out: unknown ids, and interactions that were removed or have no capture left. Text that
    disposal destroyed is empty. Give a few hundred ids at a time: texts are held in memory.

    Args:
        store: The archive.
        interaction_ids: In the order wanted.
        with_text: Open body, headers and attachment texts too; without, they are empty.

    Raises:
        Corrupt: A derived text or a wrapped key does not open.
    """
    return [one.record for one in known_records(store, interaction_ids, with_text=with_text)]


@dataclass(frozen=True, slots=True)
class Known:
    """A record with the rows behind it that it does not show."""

    record: Record
    captures: Sequence[Capture]
    """Oldest first, without undone ones."""
    attachments: Sequence[Row[Any]]
    """In order, as `record.attachments`."""
    filed_original: int
    """Id of the original that header fields are of, and people but those whom others added."""


def known_records(
    store: Store, interaction_ids: Sequence[int], *, with_text: bool = True
) -> list[Known]:
    """Return the records with their captures and attachment rows; else as `records`."""
    with reading(store.engine) as connection:
        return known_in(connection, store, interaction_ids, with_text=with_text)


def records_in(
    connection: Connection,
    store: Store,
    interaction_ids: Sequence[int],
    *,
    with_text: bool = True,
) -> list[Record]:
    """Return the records as this transaction sees them, its own changes included; as `records`."""
    found = known_in(connection, store, interaction_ids, with_text=with_text)
    return [one.record for one in found]


def known_in(
    connection: Connection,
    store: Store,
    interaction_ids: Sequence[int],
    *,
    with_text: bool = True,
) -> list[Known]:
    """Return the records as `records_in`, with their captures and attachment rows."""
    loaded = _load(connection, interaction_ids, _WITH_TEXT if with_text else _WITHOUT_TEXT)
    loaded.held_by = held_by_in(connection, loaded.captures, store.now_ms())
    loaded.tags = tags_in(connection, loaded.captures)
    made = {
        row.id: Known(
            _record(row, loaded, store if with_text else None),
            loaded.captures[row.id],
            loaded.attachments.get(row.id, ()),
            row.text_original_id,
        )
        for row in loaded.rows
        if row.id in loaded.captures
    }
    return [made[i] for i in dict.fromkeys(interaction_ids) if i in made]


@dataclass(slots=True)
class _Loaded:
    """Rows of many interactions, by interaction id."""

    rows: Sequence[Row[Any]]
    participants: dict[int, list[Row[Any]]]
    attachments: dict[int, list[Row[Any]]]
    captures: dict[int, list[Capture]]
    keys: dict[int, Row[Any]]
    """Originals whose keys open the texts, by original id."""
    same_message_id: Counter[bytes]
    companies: frozenset[str]
    internal: frozenset[str] = field(default_factory=frozenset)
    rooms: dict[int, str] = field(default_factory=dict)
    marks: dict[int, tuple[str, ...]] = field(default_factory=dict)
    held_by: dict[int, tuple[HeldBy, ...]] = field(default_factory=dict)
    tags: dict[int, tuple[str, ...]] = field(default_factory=dict)


# The pages of headers and texts are many: left unread where nobody asks for them.
_WITH_TEXT = tuple(interactions.c)
_WITHOUT_TEXT = tuple(c for c in _WITH_TEXT if c.name not in {"headers", "sealed_text"})


def _load(connection: Connection, ids: Sequence[int], columns: Sequence[Any]) -> _Loaded:
    rows = by_value(
        connection,
        select(*columns).where(interactions.c.removed_ms.is_(None)),
        interactions.c.id,
        ids,
    )
    alive = [row.id for row in rows]
    people = by_value(
        connection,
        select(participants, contact_then(), identities.c.side)
        .outerjoin(identities, identities.c.id == participants.c.identity_id)
        .order_by(participants.c.interaction_id, participants.c.ordinal),
        participants.c.interaction_id,
        alive,
    )
    files = by_value(
        connection,
        select(attachments).order_by(attachments.c.interaction_id, attachments.c.ordinal),
        attachments.c.interaction_id,
        alive,
    )
    return _Loaded(
        rows=rows,
        participants=_grouped(people),
        attachments=_grouped(files),
        captures=captures_in(connection, alive),
        keys=_keys(connection, rows) if columns is _WITH_TEXT else {},
        same_message_id=holders_in(connection, rows),
        companies=companies_of(connection, people),
        internal=internal_in(connection),
        rooms=rooms_in(connection, rows),
        marks=marks_in(connection, rows),
    )


def _grouped(rows: Iterable[Row[Any]]) -> dict[int, list[Row[Any]]]:
    grouped: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.interaction_id].append(row)
    return grouped


def _keys(connection: Connection, rows: Iterable[Row[Any]]) -> dict[int, Row[Any]]:
    original_ids = [row.text_original_id for row in rows if row.sealed_text]
    query = select(
        originals.c.id, originals.c.content_id, originals.c.wrapped_key, originals.c.key_version
    ).where(originals.c.wrapped_key.is_not(None))
    return {row.id: row for row in by_value(connection, query, originals.c.id, original_ids)}


def _record(row: Row[Any], loaded: _Loaded, store: Store | None) -> Record:
    taken = loaded.captures[row.id]
    people = tuple(
        RecordParticipant(_ROLES[p.role], p.name, p.address, p.contact_id or 0, p.side or "")
        for p in each_once(loaded.participants.get(row.id, ()))
    )
    text = _EMPTY if store is None else _text(row, loaded, store)
    ends = {end for person in people for end in domain_ends(person.address)}
    return Record(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        subject=row.subject,
        body=text.body,
        participants=people,
        attachments=_attachments(loaded.attachments.get(row.id, ()), text),
        at=instant(row.at_ms),
        captured_at=instant(row.captured_ms),
        size_bytes=row.size_bytes,
        headers=() if store is None else unpack_headers(row.headers),
        message_id=row.message_id,
        list_id=row.list_id,
        thread_id=row.thread_id,
        direction=direction(people, loaded.internal),
        sources=distinct(c.source for c in taken),
        custodians=distinct(c.custodian for c in taken),
        folders=distinct(c.facts.folder for c in taken),
        labels=distinct(flag for c in taken for flag in c.facts.flags),
        companies=tuple(sorted(ends & loaded.companies)),
        sha256s=distinct(c.sha256 for c in taken),
        defects=distinct(code for code, _ in _defects(row.defects or "[]")),
        tags=loaded.tags.get(row.id, ()),
        lang=row.lang,
        is_bulk=row.is_bulk,
        is_truncated=row.is_truncated,
        is_duplicate=len(taken) > 1,
        shares_message_id=loaded.same_message_id[row.message_key] > 1,
        held_by=loaded.held_by.get(row.id, ()),
        conversation_id=row.conversation_id or 0,
        conversation=loaded.rooms.get(row.conversation_id, ""),
        marks=loaded.marks.get(row.id, ()),
        open_facts=open_facts(row.channel, people, (loaded.companies, loaded.internal)),
        mailboxes=mailboxes(row, taken),
    )


def _text(row: Row[Any], loaded: _Loaded, store: Store) -> DerivedText:
    key = loaded.keys.get(row.text_original_id)
    if key is None or not row.sealed_text:
        return _EMPTY
    plain = store.keyring.unwrap(key.wrapped_key, key.key_version, key.content_id)
    return open_derived(row.sealed_text, plain)


def _attachments(rows: Sequence[Row[Any]], text: DerivedText) -> tuple[RecordAttachment, ...]:
    texts = text.attachments or ("",) * len(rows)
    return tuple(
        RecordAttachment(
            filename=row.filename,
            media_type=row.sniffed_type,
            text=words,
            size_bytes=row.size_bytes,
            text_state=TextState(row.text_state),
            is_message=row.is_message,
        )
        for row, words in zip(rows, texts, strict=True)
    )


def find_interaction(store: Store, text: str) -> int:
    """Return the interaction that a public id, a Message-ID or the start of a SHA-256 names.

    Raises:
        NotFound: Nothing has that name, or it was removed or disposed of.
        Refused: Several have it; the error's `ids` lists their public ids.
    """
    text = text.strip()
    with reading(store.engine) as connection:
        found = _named(connection, text)
        if not found:
            _refuse_disposed(connection, text)
    if not found:
        raise NotFound(f"Nothing in the archive is called {text!r}.", next_step="Search for it.")
    if len(found) > 1:
        raise Refused(
            f"{text!r} names {len(found)} records.",
            next_step="Give the id of one of them.",
            ids=[public_id("msg", i) for i in found],
        )
    return found[0]


def _refuse_disposed(connection: Connection, text: str) -> None:
    """Say of what was disposed of, and is asked for by its id, when that was and by what."""
    if not text.lower().startswith("msg_"):
        return
    query = select(tombstones.c.destroyed_ms, tombstones.c.disposal_id).where(
        tombstones.c.interaction_id == row_id("msg", text)
    )
    stone = connection.execute(query).first()
    if stone is not None:
        disposal = public_id("dsp", stone.disposal_id)
        raise NotFound(
            f"It was disposed of on {instant(stone.destroyed_ms):%Y-%m-%d}, by {disposal}.",
            next_step=f"Its certificate: holdfast disposal certificate {disposal}",
            disposal=disposal,
        )


def _named(connection: Connection, text: str) -> list[int]:
    alive = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
    if text.lower().startswith("msg_"):
        query = alive.where(interactions.c.id == row_id("msg", text))
    elif _SHA256_PREFIX.fullmatch(text.lower()):
        query = alive.where(interactions.c.id.in_(_holding(text.lower())))
    else:
        bare = text.removeprefix("<").removesuffix(">")
        query = alive.where(
            interactions.c.message_key == message_key(bare, b""), interactions.c.message_id != ""
        )
    return list(connection.scalars(query.order_by(interactions.c.id).limit(20)))


def _holding(prefix: str) -> Any:
    low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
    return (
        select(captures.c.interaction_id)
        .join(originals, originals.c.id == captures.c.original_id)
        .where(originals.c.content_id.between(low, high), captures.c.undone_ms.is_(None))
    )


def original_bytes(store: Store, original_id: int) -> Iterator[bytes]:
    """Yield the original in pieces of at most 1 MiB.

    Raises:
        NotFound: There is no such original, or disposal destroyed its key.
        Corrupt: It does not match its hash; at the latest instead of the end of iteration.
    """
    with reading(store.engine) as connection:
        row = connection.execute(select(originals).where(originals.c.id == original_id)).first()
    if row is None or row.wrapped_key is None:
        raise NotFound("The original is not in the archive, or was disposed of.", id=original_id)
    key = store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
    return store.vault.read(Placement(row.segment, row.offset, row.length), row.content_id, key)


def captures_of(store: Store, interaction_id: int) -> list[Capture]:
    """Return the interaction's captures, oldest first, without undone ones."""
    with reading(store.engine) as connection:
        return captures_in(connection, [interaction_id]).get(interaction_id, [])


def thread_members(store: Store, thread_id: int) -> list[int]:
    """Return the interactions of the thread, oldest first; a joined thread's are its winner's."""
    with reading(store.engine) as connection:
        merged = select(threads.c.merged_into).where(threads.c.id == thread_id)
        while (winner := connection.scalar(merged)) is not None:
            thread_id = winner
            merged = select(threads.c.merged_into).where(threads.c.id == thread_id)
        members = (
            select(interactions.c.id)
            .where(interactions.c.thread_id == thread_id, interactions.c.removed_ms.is_(None))
            .order_by(interactions.c.at_ms, interactions.c.id)
        )
        return list(connection.scalars(members))


def headers_of(store: Store, interaction_id: int) -> tuple[tuple[str, str], ...]:
    """Return all header fields in order; none when unknown, removed or disposed of."""
    query = select(interactions.c.headers).where(
        interactions.c.id == interaction_id, interactions.c.removed_ms.is_(None)
    )
    with reading(store.engine) as connection:
        return unpack_headers(connection.scalar(query))

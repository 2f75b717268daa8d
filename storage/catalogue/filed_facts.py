"""Reads what only the catalogue knows of interactions, for the index; reads none of their texts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import func, select

from holdfast.core.kinds import EMAIL
from holdfast.core.mailboxes import Mailbox
from holdfast.core.record_terms import HIDING, hidden_among
from holdfast.core.records import CaptureFacts, FiledFacts, OpenFacts
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import direction, domain_of, internal_in
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.held_facts import held_by_in
from holdfast.storage.catalogue.homes import contact_then
from holdfast.storage.catalogue.messages import marks_in, rooms_in
from holdfast.storage.catalogue.schema import (
    captures,
    companies,
    custodians,
    identities,
    interactions,
    originals,
    participants,
    sources,
)
from holdfast.storage.catalogue.tags import tags_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.core.records import HeldBy
    from holdfast.storage.store import Store

_capture_facts = lru_cache(maxsize=256)(msgspec.json.Decoder(CaptureFacts).decode)
MAX_DOMAIN_CHARS = 320
MAX_KNOWN_CHARS = 320
"""Longer addresses are taken apart each time."""


class Capture(NamedTuple):
    """One occurrence of an original at a source."""

    id: int
    interaction_id: int
    original_id: int
    sha256: str
    """Name of the original, in hex."""
    size_bytes: int
    """Of the original."""
    source: str
    batch_id: int | None
    custodian: str
    """Empty when none was named."""
    captured_at: datetime
    facts: CaptureFacts


def filed_facts(store: Store, interaction_ids: Sequence[int]) -> list[FiledFacts]:
    """Return what filing made of these interactions: `reading.records` as far as filing gives it.

    Left out: unknown ids, and interactions that were removed or have no capture left.
    """
    query = select(*(interactions.c[name] for name in _COLUMNS))
    query = query.where(interactions.c.removed_ms.is_(None))
    with reading(store.engine) as connection:
        rows = by_value(connection, query, interactions.c.id, interaction_ids)
        people = by_value(
            connection, _PEOPLE, participants.c.interaction_id, [row.id for row in rows]
        )
        taken = captures_in(connection, [row.id for row in rows])
        around = _Around(
            holders_in(connection, rows),
            companies_of(connection, people),
            internal_in(connection),
            held_by_in(connection, taken, store.now_ms()),
            tags_in(connection, taken),
            rooms_in(connection, rows),
            marks_in(connection, rows),
        )
    by_interaction: dict[int, list[Row[Any]]] = defaultdict(list)
    for person in people:
        by_interaction[person.interaction_id].append(person)
    return [
        _facts(row, by_interaction[row.id], taken[row.id], around)
        for row in rows
        if row.id in taken
    ]


_COLUMNS = (
    "id", "at_ms", "captured_ms", "size_bytes", "message_id", "message_key", "thread_id", "kind",
    "channel", "conversation_id", "version_ms", "text_original_id",
)  # fmt: skip
_PEOPLE = (
    select(
        participants.c.interaction_id,
        participants.c.role,
        participants.c.address,
        contact_then(),
        identities.c.side,
    )
    .outerjoin(identities, identities.c.id == participants.c.identity_id)
    .order_by(participants.c.interaction_id, participants.c.ordinal)
)


@dataclass(frozen=True, slots=True)
class _Around:
    """What was read once for many interactions."""

    holders: Counter[bytes]
    companies: frozenset[str]
    internal: frozenset[str]
    held_by: Mapping[int, tuple[HeldBy, ...]]
    tags: Mapping[int, tuple[str, ...]]
    rooms: Mapping[int, str]
    marks: Mapping[int, tuple[str, ...]]


def _facts(
    row: Row[Any],
    people: Sequence[Row[Any]],
    taken: Sequence[Capture],
    around: _Around,
) -> FiledFacts:
    ends = ends_of(people)
    return FiledFacts(
        id=row.id,
        at=instant(row.at_ms),
        captured_at=instant(row.captured_ms),
        size_bytes=row.size_bytes,
        message_id=row.message_id,
        thread_id=row.thread_id,
        direction=direction(people, around.internal),
        sources=distinct([c.source for c in taken]),
        custodians=distinct([c.custodian for c in taken]),
        folders=distinct([c.facts.folder for c in taken]),
        labels=distinct([flag for c in taken for flag in c.facts.flags]),
        companies=tuple(sorted(ends & around.companies)),
        sha256s=distinct([c.sha256 for c in taken]),
        contact_ids=tuple(dict.fromkeys([p.contact_id for p in people if p.contact_id])),
        tags=around.tags.get(row.id, ()),
        is_duplicate=len(taken) > 1,
        shares_message_id=around.holders[row.message_key] > 1,
        held_by=around.held_by.get(row.id, ()),
        conversation_id=row.conversation_id or 0,
        conversation=around.rooms.get(row.conversation_id, ""),
        marks=around.marks.get(row.id, ()),
        open_facts=open_facts(row.channel, people, (around.companies, around.internal)),
        mailboxes=mailboxes(row, taken),
    )


def mailboxes(row: Row[Any], taken: Sequence[Capture]) -> tuple[Mailbox, ...]:
    """Return where mail lies, by custodian; nothing where nobody is named as one.

    Args:
        row: Of the interaction, with `channel` and `text_original_id`.
        taken: Its captures.
    """
    boxes: dict[str, list[Capture]] = {}
    for one in taken:
        boxes.setdefault(one.custodian, []).append(one)
    if row.channel != EMAIL or boxes.keys() == {""}:
        return ()
    return tuple(
        Mailbox(
            custodian,
            sources=distinct([one.source for one in held]),
            folders=distinct([one.facts.folder for one in held]),
            labels=distinct([flag for one in held for flag in one.facts.flags]),
            is_filed=any(one.original_id == row.text_original_id for one in held),
        )
        for custodian, held in boxes.items()
    )


def open_facts(
    channel: str, people: Sequence[Any], around: tuple[frozenset[str], frozenset[str]]
) -> OpenFacts | None:
    """Return what is open of mail that hides recipients; None where nobody is hidden.

    Args:
        channel: Of the interaction.
        people: All participants, with `contact_id` and `side`.
        around: Which domains are companies, and which are internal.
    """
    if not hidden_among(channel, people):
        return None
    companies_, internal = around
    seen = [one for one in people if one.role not in HIDING]
    return OpenFacts(
        companies=tuple(sorted(ends_of(seen) & companies_)),
        contact_ids=tuple(dict.fromkeys([one.contact_id for one in seen if one.contact_id])),
        direction=direction(seen, internal),
    )


def captures_in(connection: Connection, ids: Iterable[int]) -> dict[int, list[Capture]]:
    """Return the captures of each interaction, oldest first, without undone ones."""
    found: dict[int, list[Capture]] = defaultdict(list)
    for row in by_value(connection, _CAPTURES, captures.c.interaction_id, ids):
        found[row.interaction_id].append(_capture(row))
    return found


_CAPTURES = (
    select(
        captures.c.id,
        captures.c.interaction_id,
        captures.c.original_id,
        captures.c.batch_id,
        captures.c.captured_ms,
        captures.c.facts,
        originals.c.content_id,
        originals.c.size_bytes,
        sources.c.name.label("source"),
        custodians.c.name.label("custodian"),
    )
    .join(originals, originals.c.id == captures.c.original_id)
    .join(sources, sources.c.id == captures.c.source_id)
    .outerjoin(custodians, custodians.c.id == captures.c.custodian_id)
    .where(captures.c.undone_ms.is_(None))
    .order_by(captures.c.id)
)


def _capture(row: Row[Any]) -> Capture:
    return Capture(
        id=row.id,
        interaction_id=row.interaction_id,
        original_id=row.original_id,
        sha256=row.content_id.hex(),
        size_bytes=row.size_bytes,
        source=row.source,
        batch_id=row.batch_id,
        custodian=row.custodian or "",
        captured_at=instant(row.captured_ms),
        facts=_capture_facts(row.facts) if row.facts else CaptureFacts(),
    )


def holders_in(connection: Connection, rows: Iterable[Row[Any]]) -> Counter[bytes]:
    """Count the interactions that have the Message-ID of each of the rows, by its key."""
    query = (
        select(interactions.c.message_key, func.count().label("holders"))
        .where(interactions.c.removed_ms.is_(None))
        .group_by(interactions.c.message_key)
    )
    keys = [row.message_key for row in rows if row.message_id and row.channel == EMAIL]
    rows = by_value(connection, query, interactions.c.message_key, keys)
    return Counter({row.message_key: row.holders for row in rows})


def companies_of(connection: Connection, people: Iterable[Row[Any]]) -> frozenset[str]:
    """Return the domains among those of the people, and above them, that are companies."""
    possible = sorted(ends_of(people))
    found = by_value(connection, select(companies.c.domain), companies.c.domain, possible)
    return frozenset(row.domain for row in found)


def ends_of(people: Iterable[Row[Any]]) -> set[str]:
    """Return the domains of the people and the domains above these."""
    return set().union(*map(domain_ends, {person.address for person in people}))


def domain_ends(address: str) -> tuple[str, ...]:
    """Return the domain and the domains above it, longest first; none where it cannot be one."""
    return _known_ends(address) if len(address) <= MAX_KNOWN_CHARS else _found_ends(address)


def _found_ends(address: str) -> tuple[str, ...]:
    domain = domain_of(address)
    labels = domain.split(".") if len(domain) <= MAX_DOMAIN_CHARS else []
    return tuple(filter(None, (".".join(labels[at:]) for at in range(len(labels)))))


_known_ends = lru_cache(maxsize=1 << 13)(_found_ends)  # mailing lists have thousands of members


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Return each value once, in order, empty ones left out."""
    return tuple(filter(None, dict.fromkeys(values)))


@lru_cache(maxsize=256)  # all of a batch were captured at one instant
def instant(ms: int) -> datetime:
    """Return the time that is so many milliseconds after 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)

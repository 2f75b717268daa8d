"""Files drafts: interaction, people, files, links, holds, ends, audit, in one transaction.

Idempotent: an original that is filed already gains nothing but the link of its new capture. It must
not parse, and must not touch the index.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.custody import Draft, End
from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL, Kind
from holdfast.core.records import Filed, Sealed
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.chunks import (
    by_value,
    insert_missing,
    insert_rows,
    insert_values,
    update_rows,
)
from holdfast.storage.catalogue.consents import tell_consents
from holdfast.storage.catalogue.counting import recount
from holdfast.storage.catalogue.engine import transact
from holdfast.storage.catalogue.envelopes import Envelopes, reported_as
from holdfast.storage.catalogue.filing_events import FilingEvents
from holdfast.storage.catalogue.filing_news import tell_filed
from holdfast.storage.catalogue.filing_rows import (
    PARTICIPANT_COLUMNS,
    at_ms,
    attachment_rows,
    interaction_row,
    participant_rows,
)
from holdfast.storage.catalogue.identities import Linker, count
from holdfast.storage.catalogue.locks import Hold, lock_rows, refuse_fewer
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.rooms import rooms_of
from holdfast.storage.catalogue.rows import DUE_DIGESTED_SINCE
from holdfast.storage.catalogue.schema import (
    attachments,
    captures,
    interactions,
    participants,
    source_items,
    variants,
)
from holdfast.storage.catalogue.sightings import Sighting, same_people, sightings
from holdfast.storage.catalogue.threading import Threading
from holdfast.storage.governance.membership import hold_matching, standing_holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.governance.holding import ActiveHold
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class FiledDraft:
    """What filing made of one sealed item."""

    filed: Filed
    draft: Draft
    is_first: bool
    """The item's end is `filed`; later items of the same interaction end as `duplicate`."""
    is_widened: bool = False
    """The interaction has people that are not in the draft."""


@dataclass(slots=True)
class _Batch:
    """One filing transaction; lists are rows to be written."""

    connection: Connection
    store: Store
    linker: Linker
    now_ms: int
    envelopes: Envelopes
    note: FilingEvents
    active: Sequence[ActiveHold]
    """Holds in force; none is placed or ends before this transaction."""
    ended: dict[int, str] = field(default_factory=dict)
    """Items that were filed already → how they ended."""
    by_original: dict[int, int] = field(default_factory=dict)
    by_report: dict[int, int] = field(default_factory=dict)
    """Originals that were read as reports → the interaction of the message inside."""
    by_fingerprint: dict[bytes, int] = field(default_factory=dict)
    crowded: set[int] = field(default_factory=set)
    """Interactions that gained a capture or an original beside the first."""
    new: dict[int, Draft] = field(default_factory=dict)
    made_from: dict[int, int] = field(default_factory=dict)
    """New interaction → the original that it is made from."""
    placed: dict[int, tuple[int, int, int | None]] = field(default_factory=dict)
    """New interaction → that original, its thread, and its room if it has one."""
    joined: list[tuple[int, int]] = field(default_factory=list)
    """Threads that are in another one from now on."""
    due: dict[int, int] = field(default_factory=dict)
    """Known interactions, filed before dates of follow-ups were read → theirs."""
    variant_rows: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    """Of what was written so far."""


def file_drafts(
    items: Sequence[tuple[Sealed, Draft]], store: Store, linker: Linker
) -> list[FiledDraft]:
    """File the batch durably and return what became of the items that were filed, in order.

    Left out, and left sealed, are items whose original came first by another writer and is not
    filed yet: the text is sealed under a key that was not kept, so it must be drafted again.
    Items that another process filed meanwhile are returned as it filed them.

    Raises:
        Unavailable: Nothing was filed; the same batch may be filed again.
    """
    if not items:
        return []
    return transact(store.engine, lambda connection: _file(connection, items, store, linker))


def _file(
    connection: Connection, items: Sequence[tuple[Sealed, Draft]], store: Store, linker: Linker
) -> list[FiledDraft]:
    active = standing_holds(connection, store)
    now_ms = store.now_ms()
    envelopes = Envelopes(connection, store, now_ms)
    note = FilingEvents(store.actor, now_ms)
    batch = _Batch(connection, store, linker, now_ms, envelopes, note, active)
    _find_ended(batch, items)
    _find_known(batch, items)
    items = [item for item in items if _can_be_filed(batch, *item)]
    targets = [_target(batch, sealed, draft) for sealed, draft in items]
    _write_new(batch)
    firsts = _firsts(batch, items, targets)
    _end_items(batch, items, targets, firsts)
    widened = batch.envelopes.widened
    return [
        FiledDraft(
            Filed(sealed.capture_id, target, target in batch.new),
            draft,
            is_first,
            target in widened,
        )
        for (sealed, draft), target, is_first in zip(items, targets, firsts, strict=True)
    ]


def _find_ended(batch: _Batch, items: Sequence[tuple[Sealed, Draft]]) -> None:
    """Note which items have an end: by another process, or by a try whose commit we did not see."""
    ids = [sealed.item_id for sealed, _ in items]
    lock_rows(batch.connection, source_items.c.id, ids, Hold.ALONE)
    query = select(source_items.c.id, source_items.c.state).where(
        source_items.c.state != End.SEALED.value
    )
    rows = by_value(batch.connection, query, source_items.c.id, ids)
    batch.ended = {row.id: row.state for row in rows}


def _can_be_filed(batch: _Batch, sealed: Sealed, draft: Draft) -> bool:
    is_filed = sealed.original_id in batch.by_original
    if sealed.item_id in batch.ended:
        return is_filed and batch.ended[sealed.item_id] in _FILED
    if draft.channel != EMAIL:  # the same bytes may stand for several messages of chat
        return sealed.is_new_original or draft.fingerprint in batch.by_fingerprint
    is_read_anew = bool(draft.inner_sha256) and sealed.original_id not in batch.by_report
    return sealed.is_new_original or (is_filed and not is_read_anew)


_FILED = (End.FILED.value, End.DUPLICATE.value)


def _find_known(batch: _Batch, items: Sequence[tuple[Sealed, Draft]]) -> None:
    rows = by_value(
        batch.connection,
        select(variants.c.original_id, variants.c.interaction_id),
        variants.c.original_id,
        [sealed.original_id for sealed, _ in items],
    )
    batch.by_original = {row.original_id: row.interaction_id for row in rows}
    again = [sealed.original_id for sealed, draft in items if draft.inner_sha256]
    again = [original for original in again if original in batch.by_original]
    batch.by_report = reported_as(batch.connection, again) if again else {}
    rows = by_value(
        batch.connection,
        select(interactions.c.id, interactions.c.fingerprint),
        interactions.c.fingerprint,
        [draft.fingerprint for _, draft in items],
    )
    batch.by_fingerprint = {row.fingerprint: row.id for row in rows}


def _target(batch: _Batch, sealed: Sealed, draft: Draft) -> int:
    """Return the interaction of this original: a known one, or a new one that joins the batch.

    An original that was filed as plain mail, and comes again from a source whose reports are
    believed, is filed as that report as well: both interactions stay.
    """
    original = sealed.original_id
    known = None if draft.channel != EMAIL else batch.by_original.get(original)
    if known is not None and draft.inner_sha256:
        known = batch.by_report.get(original, known if sealed.item_id in batch.ended else None)
    if known is not None:
        batch.crowded.add(known)
        if not draft.inner_sha256:
            batch.envelopes.add(original, known, draft)
        return known
    target = batch.by_fingerprint.get(draft.fingerprint)
    if target is None:
        target = batch.store.ids.take()
        batch.new[target] = draft
        batch.made_from[target] = original
        batch.by_fingerprint[draft.fingerprint] = target
    else:
        batch.crowded.add(target)
        if draft.due_ms is not None and target not in batch.new:
            batch.due[target] = draft.due_ms
    if original not in batch.by_original:
        batch.by_original[original] = target
        batch.variant_rows.append({"original_id": original, "interaction_id": target})
    if draft.inner_sha256:
        batch.by_report[original] = target
    batch.envelopes.add(original, target, draft)
    return target


def _write_new(batch: _Batch) -> None:
    when = {i: (draft, at_ms(draft, batch.now_ms)) for i, draft in batch.new.items()}
    enveloped = batch.envelopes.find(when)
    threads = _threads(batch) if batch.new else {}
    seen = [*_sightings(batch), *enveloped]
    same = {key: other for draft in batch.new.values() for key, other in same_people(draft)}
    recognised = batch.linker.recognise(batch.connection, seen, batch.store.ids, same)
    batch.events += batch.note.met(recognised.made)
    if batch.new:
        rooms = rooms_of(batch.connection, when, batch.store.ids)
        batch.placed = {i: (batch.made_from[i], threads[i], rooms.get(i)) for i in batch.new}
        _write_interactions(batch, recognised.ids)
    batch.events += batch.envelopes.write(recognised.ids)
    given = insert_missing(batch.connection, variants, batch.variant_rows, "original_id")
    refuse_fewer(given, batch.variant_rows)
    tell_filed(batch.connection, batch.store, batch.new, recognised.made)
    consents = [i for i, draft in batch.new.items() if draft.kind == Kind.CONSENT]
    if consents:
        tell_consents(batch.connection, batch.store, consents)
    count(batch.connection, recognised)


def _threads(batch: _Batch) -> dict[int, int]:
    threading = Threading(batch.connection, batch.store.ids, batch.now_ms)
    threads = dict(zip(batch.new, threading.assign(list(batch.new.values())), strict=True))
    threading.flush()
    batch.joined = threading.joined()
    return threads


def _write_interactions(batch: _Batch, known: dict[str, int]) -> None:
    _note_same_message_ids(batch)
    made, connection = batch.new.items(), batch.connection
    rows = [interaction_row(i, d, batch.placed[i], batch.now_ms) for i, d in made]
    refuse_fewer(insert_missing(connection, interactions, rows, "fingerprint"), rows)
    people = [row for i, d in made for row in participant_rows(i, d, batch.now_ms, known)]
    insert_values(connection, participants, PARTICIPANT_COLUMNS, people)
    insert_rows(connection, attachments, [row for i, d in made for row in attachment_rows(i, d)])


def _sightings(batch: _Batch) -> list[Sighting]:
    return [
        sighting
        for draft in batch.new.values()
        for sighting in sightings(draft, at_ms(draft, batch.now_ms))
    ]


def _note_same_message_ids(batch: _Batch) -> None:
    """Mark, and queue for the index, all interactions that share a Message-ID with another."""
    keys: dict[bytes, list[int]] = {}
    for interaction_id, draft in batch.new.items():
        if draft.message_id:  # of chat: versions, and what is said of the message later
            keys.setdefault(draft.message_key, []).append(interaction_id)
    rows = by_value(
        batch.connection,
        select(interactions.c.id, interactions.c.message_key),
        interactions.c.message_key,
        keys,
    )
    for row in rows:
        keys[row.message_key].append(row.id)
    for same in keys.values():
        if len(same) > 1:
            batch.crowded.update(same)


def _firsts(
    batch: _Batch, items: Sequence[tuple[Sealed, Draft]], targets: Sequence[int]
) -> list[bool]:
    """Return which items were the first of their interaction."""
    firsts, seen = [], set()
    for (sealed, _), target in zip(items, targets, strict=True):
        if sealed.item_id in batch.ended:
            firsts.append(batch.ended[sealed.item_id] == End.FILED.value)
        else:
            firsts.append(target in batch.new and target not in seen)
            seen.add(target)
    return firsts


def _end_items(
    batch: _Batch,
    items: Sequence[tuple[Sealed, Draft]],
    targets: Sequence[int],
    firsts: Sequence[bool],
) -> None:
    """Write the ends of the items that had none, and link their captures."""
    open_ones = [
        one
        for one in zip(items, targets, firsts, strict=True)
        if one[0][0].item_id not in batch.ended
    ]
    ends = [
        {
            "id": sealed.item_id,
            "state": (End.FILED if is_first else End.DUPLICATE).value,
            "reason": "" if is_first else public_id("msg", target),
            "ended_ms": batch.now_ms,
        }
        for (sealed, _), target, is_first in open_ones
    ]
    update_rows(batch.connection, source_items, ends, "id")
    # Nobody may judge that they have no capture, and remove them, while they gain one. Where holds
    # are in force, two that add captures go one after the other: each is judged with the other's.
    known = set(targets) - batch.new.keys()
    how = Hold.CHANGING if batch.active else Hold.STEADY
    lock_rows(batch.connection, interactions.c.id, known, how)
    links = [
        {"id": sealed.capture_id, "interaction_id": target} for (sealed, _), target, _ in open_ones
    ]
    update_rows(batch.connection, captures, links, "id")
    _revive(batch, known)
    _date(batch)
    touched = [target for _, target, _ in open_ones]
    changed = [*touched, *batch.crowded]
    hold_matching(batch.connection, batch.store, changed, batch.active)
    enqueue(batch.connection, changed, batch.store.ids)
    later = [
        (sealed.capture_id, target, is_first)
        for (sealed, draft), target, is_first in open_ones
        if not is_first or _is_said_again(batch, sealed, draft, target)
    ]
    note = batch.note
    events = [note.filed(i, d.row_digest, *batch.placed[i][:2]) for i, d in batch.new.items()]
    events += [note.linked(one, target, is_first=is_first) for one, target, is_first in later]
    events += [note.joined(loser, winner) for loser, winner in batch.joined]
    events += batch.events
    record_events(batch.connection, events, batch.store.ids)


def _is_said_again(batch: _Batch, sealed: Sealed, draft: Draft, target: int) -> bool:
    """Tell whether bytes that were filed before are, in another place, another thing said."""
    return draft.channel != EMAIL and batch.by_original[sealed.original_id] != target


def _date(batch: _Batch) -> None:
    """Tell when to follow up of what has no such date: since they are read, digests hold them."""
    query = select(interactions.c.id).where(
        interactions.c.parser_version < DUE_DIGESTED_SINCE, interactions.c.due_ms.is_(None)
    )
    old = by_value(batch.connection, query, interactions.c.id, batch.due)
    due = [{"id": row.id, "due_ms": batch.due[row.id]} for row in old]
    update_rows(batch.connection, interactions, due, "id")


def _revive(batch: _Batch, targets: Iterable[int]) -> None:
    """Bring back interactions that an undone import had taken out of sight."""
    query = select(interactions.c.id).where(interactions.c.removed_ms.is_not(None))
    rows = by_value(batch.connection, query, interactions.c.id, targets)
    revived = [row.id for row in rows]
    gone = [{"id": row_id, "removed_ms": None} for row_id in revived]
    update_rows(batch.connection, interactions, gone, "id")
    if revived:
        recount(batch.connection, revived)

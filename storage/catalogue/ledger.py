"""Accepts prepared items: originals into the vault, one ledger row and one capture each.

On return from `accept` everything is durable: only then may a sender hear yes. It must not parse.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import and_, func, select, update

from holdfast.core.custody import End, Intake, Offer
from holdfast.core.errors import Unavailable
from holdfast.core.identity import public_id
from holdfast.core.records import Sealed
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_missing, insert_rows
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_rows, refuse_fewer
from holdfast.storage.catalogue.schema import captures, originals, source_items, sources
from holdfast.storage.catalogue.unkept import forget_unkept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row

    from holdfast.core.ports import Placement, Prepared
    from holdfast.storage.store import Store

SALT_BYTES = 32
Place = tuple[int, str]
"""Source and key: what makes an item one."""
_SETTLED = (source_items.c.is_retryable.is_(False), source_items.c.state != End.GONE.value)
_json = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class Accepted:
    """What became of one batch of offers."""

    sealed: list[Sealed] = field(default_factory=list)
    """New captures, in order of the offers."""
    offers: list[Offer] = field(default_factory=list)
    """What each of them is of."""
    unchanged: int = 0
    """Items that this source had already given with the same bytes."""


def known_items(store: Store, source_id: int, keys: Sequence[str]) -> dict[str, bytes | None]:
    """Return the content ids that items had when last seen, but of what is retried or was gone."""
    known = known_of(store, [(source_id, key) for key in keys])
    return {key: content_id for (_, key), content_id in known.items()}


def known_of(store: Store, places: Iterable[Place]) -> dict[Place, bytes | None]:
    """Return as `known_items` for items of several sources, by source and key."""
    with reading(store.engine) as connection:
        found = _items(connection, places, *_SETTLED)
    return {place: row.content_id for place, row in found.items()}


def _items(
    connection: Connection, places: Iterable[Place], *conditions: ColumnElement[bool]
) -> dict[Place, Row[Any]]:
    """Return the items that have these keys in their sources."""
    keys: dict[int, list[str]] = {}
    for source_id, key in places:
        keys.setdefault(source_id, []).append(key)
    query = select(source_items.c.item_key, source_items.c.content_id, source_items.c.id)
    found: dict[Place, Row[Any]] = {}
    for source_id, some in keys.items():
        own = query.where(source_items.c.source_id == source_id, *conditions)
        rows = by_value(connection, own, source_items.c.item_key, some)
        found |= {(source_id, row.item_key): row for row in rows}
    return found


def accept(offers: Sequence[Offer], intake: Intake, store: Store) -> Accepted:
    """Keep the originals and write ledger, captures and audit events in one transaction.

    Idempotent: the same items again change nothing. An item whose key is known with other bytes
    becomes an item of its own, `key~hash`, so nothing is overwritten or lost.

    Offers may be of several sources; `intake` is where those go that do not say where.

    Raises:
        Unavailable: Nothing was accepted; the same offers may be made again.
    """
    placements = _keep_new(offers, store)
    tries: list[Accepted] = []

    def act(connection: Connection) -> Accepted:
        if not _was_kept(connection, tries):
            tries.append(_Acceptance(connection, intake, store).write(offers, placements))
        return tries[-1]

    return transact(store.engine, act)


def _was_kept(connection: Connection, tries: Sequence[Accepted]) -> bool:
    """Tell whether the last try was committed although nobody could tell us so."""
    if not tries or not tries[-1].sealed:
        return False
    query = select(captures.c.id).where(captures.c.id == tries[-1].sealed[0].capture_id)
    return connection.scalar(query) is not None


def _keep_new(offers: Sequence[Offer], store: Store) -> dict[bytes, tuple[Prepared, Placement]]:
    fresh = {offer.prepared.content_id: offer.prepared for offer in offers}
    with reading(store.engine) as connection:
        rows = by_value(
            connection,
            select(originals.c.content_id).where(originals.c.shredded_ms.is_(None)),
            originals.c.content_id,
            list(fresh),
        )
    for row in rows:
        del fresh[row.content_id]
    prepared = list(fresh.values())
    places = store.vault.append(prepared) if prepared else []
    return {p.content_id: (p, place) for p, place in zip(prepared, places, strict=True)}


class _Kept(NamedTuple):
    """What a capture needs of its original."""

    id: int
    content_id: bytes
    salt: bytes


def _made(row: dict[str, Any]) -> _Kept:
    return _Kept(row["id"], row["content_id"], row["salt"])


@dataclass(slots=True)
class _Acceptance:
    connection: Connection
    intake: Intake
    store: Store

    def write(
        self, offers: Sequence[Offer], placements: dict[bytes, tuple[Prepared, Placement]]
    ) -> Accepted:
        now_ms = self.store.now_ms()
        accepted = Accepted()
        fresh = self._without_known(offers, accepted)
        if fresh:
            known, ours = self._originals(fresh, placements, now_ms)
            accepted.sealed = self._captures(fresh, known, ours, now_ms)
            accepted.offers = list(fresh.values())
        return accepted

    def _without_known(self, offers: Sequence[Offer], accepted: Accepted) -> dict[Place, Offer]:
        fresh: dict[Place, Offer] = {}
        offered = [((self._intake(one).source_id, one.key), one) for one in offers]
        known = _items(self.connection, [place for place, _ in offered])
        taken = {place for place, row in known.items() if row.content_id is not None}
        known |= _items(self.connection, [_other(*one) for one in offered if one[0] in taken])
        for first, offer in offered:
            earlier = known.get(first)
            place = _other(first, offer) if first in taken else first
            same = earlier is not None and earlier.content_id == offer.prepared.content_id
            if same or place in fresh or (place != first and place in known):
                accepted.unchanged += 1
                continue
            fresh[place] = offer
        forget_unkept(self.connection, self.store, [known[one].id for one in fresh if one in known])
        return fresh

    def _intake(self, offer: Offer) -> Intake:
        return offer.intake or self.intake

    def _originals(
        self,
        fresh: dict[Place, Offer],
        placements: dict[bytes, tuple[Prepared, Placement]],
        now_ms: int,
    ) -> tuple[dict[bytes, _Kept | Row[Any]], set[bytes]]:
        """Return all originals by content id, and which are under our own new keys."""
        contents = sorted({offer.prepared.content_id for offer in fresh.values()})
        # Without those that another process took from the same source since they were placed.
        placed = [placements[content] for content in contents if content in placements]
        rows = [self._original_row(*one, now_ms) for one in placed]
        is_all_ours = insert_missing(self.connection, originals, rows, "content_id") == len(rows)
        made = {row["content_id"]: _made(row) for row in rows if is_all_ours}
        contents = [content for content in contents if content not in made]
        # Nobody may dispose of them, as having no capture, while they gain one. Those that were
        # made here nobody else sees yet.
        lock_rows(self.connection, originals.c.content_id, contents, Hold.STEADY)
        found = by_value(
            self.connection,
            select(
                originals.c.id,
                originals.c.content_id,
                originals.c.salt,
                originals.c.shredded_ms,
                originals.c.wrapped_key,
            ),
            originals.c.content_id,
            contents,
        )
        by_content = {row.content_id: row for row in found}
        _refuse_disposed(found, placements, len(contents))
        ours = set(made)
        for row in [] if is_all_ours else rows:
            stored = by_content[row["content_id"]]
            if stored.shredded_ms is not None:
                self._revive(row)
            if stored.shredded_ms is not None or stored.wrapped_key == row["wrapped_key"]:
                ours.add(stored.content_id)
        return by_content | made, ours

    def _original_row(self, prepared: Prepared, place: Placement, now_ms: int) -> dict[str, Any]:
        wrapped, version = self.store.keyring.wrap(prepared.key, prepared.content_id)
        return {
            "id": self.store.ids.take(),
            "content_id": prepared.content_id,
            "size_bytes": prepared.size_bytes,
            "wrapped_key": wrapped,
            "key_version": version,
            "salt": os.urandom(SALT_BYTES),
            "segment": place.segment,
            "offset": place.offset,
            "length": place.length,
            "sealed_ms": now_ms,
            "shredded_ms": None,
        }

    def _revive(self, row: dict[str, Any]) -> None:
        """Give an original that was once disposed of, and came again, its new key and place."""
        values = {name: row[name] for name in row if name not in {"id", "content_id"}}
        self.connection.execute(
            update(originals).where(originals.c.content_id == row["content_id"]).values(**values)
        )

    def _captures(
        self, fresh: dict[Place, Offer], known: dict[bytes, Any], ours: set[bytes], now_ms: int
    ) -> list[Sealed]:
        items, rows, events, sealed = [], [], [], []
        for place, offer in fresh.items():
            original = known[offer.prepared.content_id]
            item_id, capture_id = self.store.ids.take(), self.store.ids.take()
            items.append(self._item_row(item_id, place, offer, original.id, now_ms))
            rows.append(self._capture_row(capture_id, item_id, offer, original.id, now_ms))
            events.append(self._event(rows[-1], items[-1], original))
            content = original.content_id
            sealed.append(Sealed(item_id, capture_id, original.id, content, content in ours))
        items.sort(key=itemgetter("source_id", "item_key"))
        given = insert_missing(self.connection, source_items, items, "source_id", "item_key")
        refuse_fewer(given, items)
        insert_rows(self.connection, captures, rows)
        record_events(self.connection, events, self.store.ids)
        return sealed

    def _item_row(
        self, item_id: int, place: Place, offer: Offer, original_id: int, now_ms: int
    ) -> dict[str, Any]:
        return {
            "id": item_id,
            "source_id": place[0],
            "item_key": place[1],
            "state": End.SEALED.value,
            "reason": "",
            "is_retryable": False,
            "batch_id": self._intake(offer).batch_id,
            "original_id": original_id,
            "content_id": offer.prepared.content_id,
            "seen_ms": now_ms,
            "ended_ms": None,
            "offered": offer.offered,
        }

    def _capture_row(
        self, capture_id: int, item_id: int, offer: Offer, original_id: int, now_ms: int
    ) -> dict[str, Any]:
        facts, intake = offer.facts, self._intake(offer)
        received_ms = None
        if facts.received_at is not None:
            received_ms = int(facts.received_at.timestamp() * 1000)
        return {
            "id": capture_id,
            "item_id": item_id,
            "original_id": original_id,
            "interaction_id": None,
            "source_id": intake.source_id,
            "batch_id": intake.batch_id,
            "custodian_id": intake.custodian_id,
            "folder": facts.folder,
            "flags": " ".join(facts.flags),
            "captured_ms": now_ms,
            "received_ms": received_ms,
            "facts": _json(facts).decode(),
            "undone_ms": None,
        }

    def _event(self, capture: dict[str, Any], item: dict[str, Any], original: Any) -> Event:
        return Event(
            kind="capture",
            subject=public_id("cap", capture["id"]),
            subject_id=capture["id"],
            at_ms=capture["captured_ms"],
            actor=self.store.actor,
            context=capture_digest(
                item["item_key"], item["offered"], [capture[name] for name in CAPTURE_DIGESTED]
            ),
            content=original.content_id,
            content_salt=original.salt,
        )


CAPTURE_DIGESTED = (
    "original_id",
    "source_id",
    "batch_id",
    "custodian_id",
    "folder",
    "flags",
    "captured_ms",
    "received_ms",
    "facts",
)


def capture_digest(item_key: str, offered: str, values: Sequence[object]) -> bytes:
    """Digest what the audit log commits to for one capture.

    Args:
        item_key: The source's own key.
        offered: How its reader finds it again.
        values: `CAPTURE_DIGESTED` of its row.
    """
    return canonical_digest([item_key, offered, *values])


def _refuse_disposed(found: Sequence[Row[Any]], placements: Collection[bytes], wanted: int) -> None:
    """Refuse where originals that were there a moment ago have no key, or no name, any more."""
    gone = [r.id for r in found if r.shredded_ms is not None and r.content_id not in placements]
    count = len(gone) + wanted - len(found)
    if count:
        raise Unavailable(
            f"{count} originals were disposed of while they were offered again.",
            next_step="Offer them again.",
        )


def _other(place: Place, offer: Offer) -> Place:
    return place[0], f"{place[1]}~{offer.prepared.content_id.hex()[:16]}"


def sums(store: Store, source_id: int | None = None) -> dict[str, dict[str, int]]:
    """Count the items of each source by where they stand: source name → state → items."""
    query = (
        select(sources.c.name, source_items.c.state, func.count())
        .join(source_items, and_(source_items.c.source_id == sources.c.id))
        .group_by(sources.c.name, source_items.c.state)
        .order_by(sources.c.name)
    )
    if source_id is not None:
        query = query.where(sources.c.id == source_id)
    counted: dict[str, dict[str, int]] = {}
    with reading(store.engine) as connection:
        for name, state, items in connection.execute(query):
            counted.setdefault(name, {})[state] = items
    return counted


def skipped_by(store: Store, source: str) -> dict[str, int]:
    """Count the items of a source that were skipped: reason → items."""
    query = (
        select(source_items.c.reason, func.count())
        .join(sources, source_items.c.source_id == sources.c.id)
        .where(sources.c.name == source, source_items.c.state == End.SKIPPED.value)
        .group_by(source_items.c.reason)
        .order_by(source_items.c.reason)
    )
    with reading(store.engine) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def retryable(store: Store, source_id: int) -> list[str]:
    """Return, as their readers wrote them, the items without an original that may succeed now."""
    query = (
        select(source_items.c.offered)
        .where(
            source_items.c.source_id == source_id,
            source_items.c.is_retryable.is_(True),
            source_items.c.original_id.is_(None),
        )
        .order_by(source_items.c.id)
    )
    with reading(store.engine) as connection:
        return list(connection.scalars(query))

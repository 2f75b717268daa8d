"""Several processes file overlapping mail at once, and what must hold of the catalogue then."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from catalogue_kit import START, Filing, Home, Mail, draft_of, raw_of
from holdfast.core.records import Sealed
from holdfast.storage.catalogue.counting import recount
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.filing import file_drafts
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.schema import (
    audit_events,
    captures,
    contacts,
    identities,
    index_queue,
    interactions,
    originals,
    participants,
    source_items,
    sources,
    thread_keys,
    threads,
    variants,
)
from holdfast.storage.store import Store

COMMON = "common"
"""A source that all writers read; each has one of its own beside it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who files what, in which order; the same seed gives the same plan."""

    seed: int
    writers: int = 4
    messages: int = 40

    def mails(self) -> list[Mail]:
        """Return the messages, many of them replies, some with copies that name others too."""
        dice = random.Random(self.seed)
        made: list[Mail] = []
        for n in range(self.messages):
            known = [one.message_id for one in made if one.message_id]
            parents = dice.sample(known, min(len(known), dice.choice((0, 0, 1, 1, 2))))
            mail = Mail(
                sender=f"P{n % 5} <p{n % 5}@d{n % 3}.com>",
                to=tuple(f"p{dice.randrange(9)}@e{dice.randrange(4)}.org" for _ in range(2)),
                subject=f"{self.seed} {n}",
                message_id=dice.choice((f"{self.seed}-{n}@x", f"{self.seed}-{n}@x", "")),
                refers_to=tuple(parents),
                at=START + timedelta(minutes=n),
                key=f"m{n}",
            )
            made.append(mail)
            if dice.random() < 0.3:
                blind = (f"b{n % 4}@hush.org",) if n % 2 else ()
                made.append(replace(mail, copy=1, key=f"m{n}c", bcc=blind))
                made.append(replace(mail, copy=2, key=f"m{n}d", bcc=blind))
        return made

    def share(self, writer: int) -> list[tuple[str, list[Mail]]]:
        """Return the batches of one writer: source and messages."""
        dice = random.Random(f"{self.seed}/{writer}")
        mails = self.mails()
        mine = dice.sample(mails, len(mails) * 3 // 4)
        batches: list[tuple[str, list[Mail]]] = []
        while mine:
            size = dice.randrange(3, 12)
            source = dice.choice((COMMON, f"own {writer}"))
            batches.append((source, mine[:size]))
            mine = mine[size:]
        return batches


def file_at_once(home: Home, plan: Plan, during: Callable[[], None] = lambda: None) -> list[str]:
    """Let all writers of the plan file at once; return how those ended that an error ended.

    Args:
        home: Of the catalogue; not yet opened by this process.
        plan: Who files what.
        during: Is called when the writers were let go.
    """
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(plan.writers + 1)
    children = [
        fork.Process(target=_write, args=(home, plan, writer, barrier))
        for writer in range(plan.writers)
    ]
    for child in children:
        child.start()
    barrier.wait(60)
    during()
    for child in children:
        child.join()
    return [f"a writer died with {child.exitcode}" for child in children if child.exitcode]


def _write(home: Home, plan: Plan, writer: int, barrier: Any) -> None:
    try:
        store = home.store(writer=writer + 1)
        filings = {s: Filing(store, source=s, linker=Linker()) for s in (COMMON, f"own {writer}")}
        barrier.wait(60)
        for source, mails in plan.share(writer):
            filings[source](*mails)
    finally:
        home.close()


def file_rest(store: Store, mails: Sequence[Mail]) -> int:
    """Draft again what is sealed still, as recovery does; return how much it was."""
    by_content = {hashlib.sha256(raw_of(mail)).digest(): mail for mail in mails}
    query = (
        select(
            source_items.c.id,
            captures.c.id.label("capture_id"),
            captures.c.original_id,
            originals.c.content_id,
            originals.c.wrapped_key,
            originals.c.key_version,
        )
        .join(captures, captures.c.item_id == source_items.c.id)
        .join(originals, originals.c.id == captures.c.original_id)
        .where(source_items.c.state == "sealed")
    )
    with reading(store.engine) as connection:
        rows = connection.execute(query).all()
    items = []
    for row in rows:
        key = store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)
        sealed = Sealed(row.id, row.capture_id, row.original_id, row.content_id, True)
        items.append((sealed, draft_of(by_content[row.content_id], key)))
    file_drafts(items, store, Linker())
    return len(items)


def wrongs(store: Store, plan: Plan) -> list[str]:
    """Return what does not hold of the catalogue after the plan was filed to its end."""
    offered = defaultdict(set)
    for writer in range(plan.writers):
        for source, mails in plan.share(writer):
            offered[source].update(mails)
    filed = {mail.key: mail for batch in offered.values() for mail in batch}
    with reading(store.engine) as connection:
        found = [
            *_wrong_ledger(connection, offered),
            *_wrong_interactions(connection, filed.values()),
            *_wrong_threads(connection, filed.values()),
            *_wrong_blind_copies(connection, filed.values()),
            *_wrong_people(connection),
            *_wrong_events(connection),
        ]
    return found + _wrong_counts(store)


def _wrong_ledger(connection: Connection, offered: dict[str, set[Mail]]) -> list[str]:
    found = []
    query = select(source_items, sources.c.name.label("source")).join(sources)
    kept = defaultdict(list)
    for row in connection.execute(query):
        kept[row.source].append(row)
    for source, mails in offered.items():
        keys = Counter(row.item_key for row in kept[source])
        if keys != Counter(mail.key for mail in mails):
            found.append(f"ledger of {source}: {sorted(keys)}")
    rows = [row for batch in kept.values() for row in batch]
    found += [
        f"{r.item_key} ended {r.state}" for r in rows if r.state not in {"filed", "duplicate"}
    ]
    firsts = sum(row.state == "filed" for row in rows)
    number = len(connection.execute(select(interactions.c.id)).all())
    if firsts != number:
        found.append(f"{firsts} items are filed, and there are {number} interactions")
    linked = connection.execute(
        select(captures.c.id, captures.c.interaction_id, variants.c.interaction_id.label("of"))
        .outerjoin(variants, variants.c.original_id == captures.c.original_id)
        .order_by(captures.c.id)
    ).all()
    found += [f"capture {r.id}: {r.interaction_id}, {r.of}" for r in linked if r[1] != r[2]]
    if len(linked) != len(rows):
        found.append(f"{len(linked)} captures of {len(rows)} items")
    return found


def _wrong_interactions(connection: Connection, mails: Iterable[Mail]) -> list[str]:
    filed = Counter(connection.scalars(select(interactions.c.subject)))
    queued = set(connection.scalars(select(index_queue.c.interaction_id)))
    present = set(connection.scalars(select(interactions.c.id)))
    found = [] if filed == Counter({mail.subject for mail in mails}) else [f"interactions: {filed}"]
    if queued != present:
        found.append(f"not queued: {present - queued}")
    return found


def _wrong_blind_copies(connection: Connection, mails: Iterable[Mail]) -> list[str]:
    query = (
        select(interactions.c.subject, participants.c.address)
        .join(participants, participants.c.interaction_id == interactions.c.id)
        .where(participants.c.role == "bcc")
    )
    named = {(row.subject, row.address) for row in connection.execute(query)}
    wanted = {(mail.subject, one) for mail in mails for one in mail.bcc}
    return [f"blind copies: {sorted(named ^ wanted)}"] if named != wanted else []


def _wrong_threads(connection: Connection, mails: Iterable[Mail]) -> list[str]:
    merged = set(connection.scalars(select(threads.c.id).where(threads.c.merged_into.is_not(None))))
    rows = connection.execute(select(interactions.c.thread_id, interactions.c.subject)).all()
    keyed = set(connection.scalars(select(thread_keys.c.thread_id)))
    found = []
    if merged & ({row.thread_id for row in rows} | keyed):
        found.append("a thread that was joined to another is in use")
    grouped = defaultdict(set)
    for row in rows:
        grouped[row.thread_id].add(row.subject)
    if {frozenset(group) for group in grouped.values()} != _conversations(mails):
        found.append(f"threads: {sorted(map(sorted, grouped.values()))}")
    return found


def _conversations(mails: Iterable[Mail]) -> set[frozenset[str]]:
    """Group messages that name each other, or the same message, directly or not."""
    groups: list[tuple[set[str], set[str]]] = []
    for mail in mails:
        names = {mail.message_id or f"none: {mail.subject}", *mail.refers_to}
        subjects = {mail.subject}
        apart = []
        for group in groups:
            if group[0] & names:
                names |= group[0]
                subjects |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (names, subjects)]
    return {frozenset(subjects) for _, subjects in groups}


def _wrong_people(connection: Connection) -> list[str]:
    owned = {row for row in connection.scalars(select(identities.c.contact_id)) if row is not None}
    stray = set(connection.scalars(select(contacts.c.id))) - owned
    return [f"contacts of nobody: {stray}"] if stray else []


def _wrong_events(connection: Connection) -> list[str]:
    found = []
    for kind, table in (("capture", captures), ("file", interactions)):
        query = select(audit_events.c.subject_id).where(audit_events.c.kind == kind)
        if Counter(connection.scalars(query)) != Counter(connection.scalars(select(table.c.id))):
            found.append(f"events of kind {kind} do not match the rows")
    return found


def _wrong_counts(store: Store) -> list[str]:
    counted = select(
        identities.c.value,
        identities.c.messages,
        identities.c.human_messages,
        identities.c.first_ms,
        identities.c.last_ms,
    ).order_by(identities.c.value)
    with writing(store.engine) as connection:
        before = connection.execute(counted).all()
        recount(connection, connection.scalars(select(interactions.c.id)).all())
        after = connection.execute(counted).all()
    return [f"{a} was counted as {b}" for b, a in zip(before, after, strict=True) if a != b]

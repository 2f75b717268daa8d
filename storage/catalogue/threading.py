"""Finds the thread of each message as it is filed, by the Message-IDs that it names.

Threads that meet are joined. The definition is JWZ's (https://www.jwz.org/doc/threading.html), as
`parsers.threads` states it; this module keeps it up in the catalogue. It must not look at content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, case, func, or_, select, update

from holdfast.storage.catalogue.chunks import by_value, insert_missing, insert_rows
from holdfast.storage.catalogue.locks import Hold, lock_names, lock_rows, refuse_fewer
from holdfast.storage.catalogue.queueing import enqueue
from holdfast.storage.catalogue.schema import interactions, thread_keys, threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from holdfast.core.custody import Draft
    from holdfast.core.identity import IdFactory

SUBJECT_WINDOW_MS = 30 * 24 * 3600 * 1000
"""A reply without references joins a thread of the same subject that was alive within this time."""


@dataclass(slots=True)
class Threading:
    """Thread assignment for one batch, inside the filing transaction."""

    connection: Connection
    ids: IdFactory
    now_ms: int
    _by_key: dict[bytes, int] = field(default_factory=dict)
    _by_subject: dict[str, tuple[int, int]] = field(default_factory=dict)
    _new_keys: dict[bytes, int] = field(default_factory=dict)
    _new_threads: dict[int, dict[str, Any]] = field(default_factory=dict)
    _spans: dict[int, list[int]] = field(default_factory=dict)
    _merged: dict[int, int] = field(default_factory=dict)
    _own_keys: set[bytes] = field(default_factory=set)

    def assign(self, drafts: Sequence[Draft]) -> list[int]:
        """Return the thread id of each draft, in order; rows are written by `flush`."""
        self._load(drafts)
        assigned = [self._thread_of(draft) for draft in drafts]
        return [self._resolved(thread) for thread in assigned]

    def flush(self) -> None:
        """Write new threads, keys and spans, and move the messages of threads that were joined.

        Raises:
            Contended: Another writer put one of the messages into a thread at the same moment.
        """
        self._hold()
        insert_rows(self.connection, threads, list(self._new_threads.values()))
        keys = [
            {"message_key": k, "thread_id": self._resolved(t)}
            for k, t in sorted(self._new_keys.items())
        ]
        refuse_fewer(insert_missing(self.connection, thread_keys, keys, "message_key"), keys)
        self._widen({t: span for t, span in self._spans.items() if t not in self._new_threads})
        for loser, winner in self.joined():
            self._move(loser, winner)

    def joined(self) -> list[tuple[int, int]]:
        """Return the threads that were joined to others, each with the one that it is now in."""
        return [(loser, self._resolved(loser)) for loser in self._merged]

    def _widen(self, spans: Mapping[int, Sequence[int]]) -> None:
        """Let threads that are stored already reach from their oldest to their newest message."""
        if not spans:
            return
        earliest: BindParameter[int] = bindparam("earliest")
        latest: BindParameter[int] = bindparam("latest")
        self.connection.execute(
            update(threads)
            .where(
                threads.c.id == bindparam("row"),
                or_(threads.c.last_ms < latest, threads.c.first_ms > earliest),
            )
            .values(
                first_ms=case((threads.c.first_ms > earliest, earliest), else_=threads.c.first_ms),
                last_ms=case((threads.c.last_ms < latest, latest), else_=threads.c.last_ms),
            ),
            [
                {"row": t, "earliest": span[0], "latest": span[1]}
                for t, span in sorted(spans.items())
            ],
        )

    def _load(self, drafts: Sequence[Draft]) -> None:
        self._own_keys = {draft.message_key for draft in drafts}
        keys: Iterable[bytes] = (key for draft in drafts for key in draft.thread_keys)
        rows = by_value(
            self.connection,
            select(thread_keys.c.message_key, thread_keys.c.thread_id),
            thread_keys.c.message_key,
            keys,
        )
        self._by_key = {row.message_key: row.thread_id for row in rows}
        subjects = {d.base_subject for d in drafts if _joins_by_subject(d)}
        if subjects:
            lock_names(self.connection, "subjects of replies", subjects)
            self._load_subjects(subjects)

    def _hold(self) -> None:
        """Keep other writers from joining our threads to others before we have committed."""
        if self.connection.dialect.name != "postgresql":
            return
        joined = {thread for pair in self.joined() for thread in pair} - self._new_threads.keys()
        used = joined | (self._spans.keys() - self._new_threads.keys())
        lock_rows(self.connection, threads.c.id, joined, Hold.ALONE)
        lock_rows(self.connection, threads.c.id, used - joined, Hold.REFERRED)
        query = select(threads.c.id).where(threads.c.merged_into.is_(None))
        refuse_fewer(len(by_value(self.connection, query, threads.c.id, used)), used)
        # Whoever files a message with the same id waits here, and then sees ours: see `filing`.
        lock_rows(self.connection, thread_keys.c.message_key, self._own_keys, Hold.ALONE)

    def _load_subjects(self, subjects: set[str]) -> None:
        rows = by_value(
            self.connection,
            select(
                threads.c.base_subject,
                func.max(threads.c.id).label("id"),
                func.max(threads.c.last_ms).label("last_ms"),
            )
            .where(threads.c.merged_into.is_(None))
            .group_by(threads.c.base_subject),
            threads.c.base_subject,
            subjects,
        )
        self._by_subject = {row.base_subject: (row.id, row.last_ms) for row in rows}

    def _thread_of(self, draft: Draft) -> int:
        found = {self._resolved(self._by_key[k]) for k in draft.thread_keys if k in self._by_key}
        at_ms = self.now_ms if draft.sent_ms is None else draft.sent_ms
        if not found and _joins_by_subject(draft):
            thread, last_ms = self._by_subject.get(draft.base_subject, (0, 0))
            if thread and abs(at_ms - last_ms) <= SUBJECT_WINDOW_MS:
                found = {self._resolved(thread)}
        thread = min(found) if found else self._open(draft, at_ms)
        for other in found - {thread}:
            self._merged[other] = thread
        for key in draft.thread_keys:
            if key not in self._by_key:
                self._by_key[key] = thread
                self._new_keys[key] = thread
        self._stretch(thread, draft.base_subject, at_ms)
        return thread

    def _open(self, draft: Draft, at_ms: int) -> int:
        thread = self.ids.take()
        self._new_threads[thread] = {
            "id": thread,
            "base_subject": draft.base_subject,
            "first_ms": at_ms,
            "last_ms": at_ms,
            "merged_into": None,
        }
        return thread

    def _stretch(self, thread: int, subject: str, at_ms: int) -> None:
        span = self._spans.setdefault(thread, [at_ms, at_ms])
        span[0], span[1] = min(span[0], at_ms), max(span[1], at_ms)
        if thread in self._new_threads:
            row = self._new_threads[thread]
            row["first_ms"] = min(row["first_ms"], at_ms)
            row["last_ms"] = max(row["last_ms"], at_ms)
        self._by_subject[subject] = (thread, span[1])

    def _resolved(self, thread: int) -> int:
        while thread in self._merged:
            thread = self._merged[thread]
        return thread

    def _move(self, loser: int, winner: int) -> None:
        moved = select(interactions.c.id).where(interactions.c.thread_id == loser)
        enqueue(self.connection, self.connection.scalars(moved).all(), self.ids)
        for table in (interactions, thread_keys):
            self.connection.execute(
                update(table).where(table.c.thread_id == loser).values(thread_id=winner)
            )
        query = select(threads.c.first_ms, threads.c.last_ms).where(threads.c.id == loser)
        self._widen({winner: self.connection.execute(query).one()})
        self.connection.execute(
            update(threads).where(threads.c.id == loser).values(merged_into=winner)
        )


def _joins_by_subject(draft: Draft) -> bool:
    return draft.is_reply and len(draft.thread_keys) == 1 and bool(draft.base_subject)

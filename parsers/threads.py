"""Which messages answer which, after JWZ; must not depend on the order in which messages come.

References count before In-Reply-To, these before Outlook's Thread-Index, and that before an equal
subject within `SUBJECT_WINDOW` (https://www.jwz.org/doc/threading.html; [MS-OXOMSG] 2.2.1.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from holdfast.parsers.subjects import base_subject, is_reply_or_forward

__all__ = [
    "SUBJECT_WINDOW",
    "ThreadInput",
    "ThreadNode",
    "base_subject",
    "is_reply_or_forward",
    "thread",
]

SUBJECT_WINDOW = timedelta(days=30)
"""A reply that names no message joins the last one of the same subject within this time."""
MAX_REFERENCES = 200
"""So many references of one message are looked at, the last ones."""
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ThreadInput:
    """What threading needs to know of one message."""

    key: int
    """Unique among the messages that are threaded together; breaks ties."""
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    thread_index: str = ""
    """Hex of the 22-byte root."""
    subject: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ThreadNode:
    """One message in its thread."""

    key: int
    thread: int
    """Key of the first message of the thread."""
    parent: int | None
    """Key of the message that this one answers; None when that is not there or not known."""
    depth: int


def thread(messages: Iterable[ThreadInput]) -> list[ThreadNode]:
    """Arrange messages in threads; each message appears once.

    Messages belong to one thread when they name a common message, are it, share a Thread-Index, or
    are joined by subject. Threads come in the order of their first messages, a message before its
    answers, answers by time. References may be missing, wrong or circular.
    """
    ordered = sorted(messages, key=_order)
    joined = _join_by_subject(ordered)
    groups = _Groups()
    for message in ordered:
        own = ("key", str(message.key))
        for name in _names(message):
            groups.unite(own, name)
        if message.key in joined:
            groups.unite(own, ("key", str(joined[message.key])))
    parents = _choose_parents(ordered, joined)
    first: dict[tuple[str, str], int] = {}
    threads = {
        message.key: first.setdefault(groups.find(("key", str(message.key))), message.key)
        for message in ordered
    }
    return list(_walk(ordered, parents, threads))


def _order(message: ThreadInput) -> tuple[datetime, int]:
    return (message.sent_at or _LATEST, message.key)


def _names(message: ThreadInput) -> Iterator[tuple[str, str]]:
    """Yield what ties a message to others."""
    for name in (message.message_id, *message.in_reply_to, *message.references[-MAX_REFERENCES:]):
        if name:
            yield ("id", name)
    if message.thread_index:
        yield ("index", message.thread_index)


class _Groups:
    """Disjoint sets, with paths halved on the way; so no recursion and almost linear."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}

    def find(self, name: tuple[str, str]) -> tuple[str, str]:
        above = self._above
        above.setdefault(name, name)
        while above[name] != name:
            above[name] = above[above[name]]
            name = above[name]
        return name

    def unite(self, one: tuple[str, str], other: tuple[str, str]) -> bool:
        """Make two sets one; return False when they already were."""
        first, second = self.find(one), self.find(other)
        self._above[second] = first
        return first != second


def _join_by_subject(ordered: list[ThreadInput]) -> dict[int, int]:
    """Return the predecessor of each reply that names no message, by subject and time."""
    joined: dict[int, int] = {}
    last: dict[str, tuple[datetime, int]] = {}
    for message in ordered:
        subject = base_subject(message.subject)
        if not subject or message.sent_at is None:
            continue
        earlier = last.get(subject)
        if earlier and message.sent_at - earlier[0] <= SUBJECT_WINDOW and _is_loose_reply(message):
            joined[message.key] = earlier[1]
        last[subject] = (message.sent_at, message.key)
    return joined


def _is_loose_reply(message: ThreadInput) -> bool:
    names_others = message.references or message.in_reply_to or message.thread_index
    return not names_others and is_reply_or_forward(message.subject)


def _choose_parents(ordered: list[ThreadInput], joined: dict[int, int]) -> dict[int, int]:
    """Return the parent of each message that has one; never a circle."""
    by_id: dict[str, int] = {}
    by_index: dict[str, int] = {}
    for message in ordered:
        if message.message_id:
            by_id.setdefault(message.message_id, message.key)
        if message.thread_index:
            by_index.setdefault(message.thread_index, message.key)
    trees = _Groups()
    parents: dict[int, int] = {}
    for message in ordered:
        own = ("key", str(message.key))
        for parent in _candidates(message, by_id, by_index, joined):
            # The message has no parent yet: it is the root of its tree, so only a parent inside
            # that tree would close a circle.
            if parent is not None and trees.unite(("key", str(parent)), own):
                parents[message.key] = parent
                break
    return parents


def _candidates(
    message: ThreadInput, by_id: dict[str, int], by_index: dict[str, int], joined: dict[int, int]
) -> Iterator[int | None]:
    """Yield possible parents, the best first."""
    for name in reversed(message.references[-MAX_REFERENCES:]):
        yield by_id.get(name)
    for name in message.in_reply_to:
        yield by_id.get(name)
    yield by_index.get(message.thread_index)
    yield joined.get(message.key)


def _walk(
    ordered: list[ThreadInput], parents: dict[int, int], threads: dict[int, int]
) -> Iterator[ThreadNode]:
    """Yield the nodes thread by thread, depth first without recursion."""
    answers: dict[int, list[int]] = {}
    roots: dict[int, list[int]] = {}
    for message in ordered:
        if message.key in parents:
            answers.setdefault(parents[message.key], []).append(message.key)
        else:
            roots.setdefault(threads[message.key], []).append(message.key)
    for thread_key, keys in roots.items():
        pending = [(key, 0) for key in reversed(keys)]
        while pending:
            key, depth = pending.pop()
            yield ThreadNode(key, thread_key, parents.get(key), depth)
            pending.extend((answer, depth + 1) for answer in reversed(answers.get(key, ())))

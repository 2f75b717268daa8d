"""Fetches the messages of one folder, each to an end of its own; writes nothing to the catalogue.

Many small messages travel in one round trip, large ones in parts through a file. A message that
breaks the connection is found by halving and named, so that its neighbours still come.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from holdfast.core.custody import End, Unkept
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.core.records import CaptureFacts
from holdfast.ingest.imap.account import KIND
from holdfast.ingest.imap.failures import Busy, Lost, SaidNo, Throttled
from holdfast.ingest.imap.names import Folder, item_key
from holdfast.ingest.imap.scope import DRAFTS, is_of_drafts
from holdfast.ingest.imap.session import PART_BYTES, Session
from holdfast.ingest.processes import is_alive
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.readers.sealed_files import SealedWriter
from holdfast.storage.durable import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from holdfast.ingest.imap.link import Link
    from holdfast.ingest.imap.replies import Reply
    from holdfast.ingest.imap.scope import Range
    from holdfast.ingest.readers.sealed_files import SealedFile

WINDOW = 500
"""Messages described in one round trip."""
BATCH_ITEMS = 256
BATCH_BYTES = 4 * 1024 * 1024
"""Bodies of one round trip end at whichever comes first."""
LARGE_BYTES = 8 * 1024 * 1024
"""Larger messages come in parts, through a file."""
TRIES = 3
"""How often the bytes of one message are asked for."""
LONGER = 4
"""A message may be so many times as long as a server says that only estimates."""
_SPOOLED = ".mail"
Judge = Callable[[Sequence["Reply"]], Mapping[int, str]]
"""Takes descriptions and returns the UIDs that are left out, each with the rule; an empty rule
leaves one out without a word in the ledger."""
Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Unspooled(Unavailable):
    """A large message finds no room here: no trouble of its server, and none of the message."""


@dataclass(frozen=True, slots=True)
class Place:
    """The folder that is open, and how its messages are named."""

    folder: Folder
    uidvalidity: int

    def key(self, uid: int) -> str:
        """Return the item key of a message."""
        return item_key(self.folder.key, self.uidvalidity, uid)

    def offered(self, reply: Reply, note: str = "", kind: str = KIND) -> Offered:
        """Return the reference to a message."""
        flags = tuple(flag for flag in reply.flags if flag != "\\Recent")  # of this session only
        said = [f"gmail:{reply.gmail_id}"] if reply.gmail_id else []
        facts = CaptureFacts(
            folder=self.folder.name,
            flags=flags,
            received_at=reply.received_at,
            note=";".join([*said, *filter(None, [note])]),
        )
        return Offered(
            self.key(reply.uid), self.folder.name, kind, reply.uid, reply.size_bytes or 0, facts
        )


@dataclass(slots=True)
class FolderFetch:
    """One pass over one folder, which the link has open."""

    link: Link
    place: Place
    spool: Path
    """Folder for large messages on their way."""
    judge: Judge = lambda replies: {}
    insisted: Mapping[int, Range] = field(default_factory=dict)
    """UID → days of the backfill that asked for it; its reference keeps them for the next run."""

    def items(self, uids: Sequence[int]) -> Iterator[Fetched | Unkept]:
        """Yield each message, or why its bytes could not be had.

        Raises:
            Unavailable: The server is given up, or numbered the folder anew.
        """
        for start in range(0, len(uids), WINDOW):
            yield from self._window(uids[start : start + WINDOW])

    def differing(self, kept: dict[int, int]) -> list[int]:
        """Return the UIDs whose size at the server is not that, in bytes, of what was kept."""
        found: list[int] = []
        uids = list(kept)
        for start in range(0, len(uids), WINDOW):
            for _, answer in self._each(uids[start : start + WINDOW], Session.describe):
                replies = () if isinstance(answer, HoldfastError) else answer
                found.extend(
                    one.uid for one in replies if one.size_bytes not in (None, kept[one.uid])
                )
        return sorted(set(found))

    def _window(self, uids: Sequence[int]) -> Iterator[Fetched | Unkept]:
        described: dict[int, Reply] = {}
        why: dict[int, str] = {}
        for some, answer in self._each(uids, Session.describe):
            if isinstance(answer, HoldfastError):
                why.update(dict.fromkeys(some, answer.cause))
            else:
                described.update({one.uid: one for one in answer if one.size_bytes is not None})
        yield from self._absent({uid: why.get(uid, "") for uid in uids if uid not in described})
        left_out = self.judge(list(described.values()))
        for uid, rule in left_out.items():
            del described[uid]
            if rule:
                yield self._unkept(uid, End.SKIPPED, rule)
        small = [one for one in described.values() if (one.size_bytes or 0) <= LARGE_BYTES]
        for batch in _batches(small):
            yield from self._batch(batch)
        for one in described.values():
            if (one.size_bytes or 0) > LARGE_BYTES:
                yield from self._large(one)

    def _batch(self, batch: Sequence[Reply]) -> Iterator[Fetched | Unkept]:
        doubtful: list[tuple[Reply, bytes | None, HoldfastError | None]] = []
        for some, answer in self._each(batch, _bodies):
            error = answer if isinstance(answer, HoldfastError) else None
            found = {} if isinstance(answer, HoldfastError) else answer
            for one in some:
                body = found.get(one.uid)
                if body and len(body) == one.size_bytes:
                    yield self._fetched(one, body)
                else:
                    doubtful.append((one, body, error))
        there = self._present([one.uid for one, body, _ in doubtful if not body])
        alike = self._alike({one: body for one, body, _ in doubtful if body})
        for one, body, error in doubtful:
            if body and one.uid in alike:
                yield self._fetched(one, body, _size_said(one))
            elif not body and one.uid not in there:
                yield self._unkept(one.uid, End.GONE, "expunged_before_capture")
            else:
                yield self._again(one, body, error)

    def _alike(self, bodies: Mapping[Reply, bytes]) -> set[int]:
        """Return which of these come alike twice more, where their size is no measure.

        All are asked for together: to ask for each by itself takes hours on a large mailbox.
        """
        asked = [] if self.link.account.has_exact_sizes else list(bodies)
        for _ in range(TRIES - 1):
            same: list[Reply] = []
            for some, answer in self._each(asked, _bodies) if asked else ():
                found = {} if isinstance(answer, HoldfastError) else answer
                same += [one for one in some if found.get(one.uid) == bodies[one]]
            asked = same
        return {one.uid for one in asked}

    def _again(
        self, reply: Reply, first: bytes | None, error: HoldfastError | None
    ) -> Fetched | Unkept:
        """Ask for one message by itself, until it is as long as the server says.

        One that broke the connection by itself was asked for often enough.
        """
        tries = [first]
        while len(tries) < TRIES and not isinstance(error, Lost):
            for _, answer in self._each([reply], _bodies):
                if isinstance(answer, HoldfastError):
                    error, body = answer, None
                else:
                    body = answer.get(reply.uid)
                if body and len(body) == reply.size_bytes:
                    return self._fetched(reply, body)
                tries.append(body)
        body = tries[-1]
        if not body:
            why = "the server gives no bytes of it" if error is None else error.cause
            return self._failed(reply.uid, why)
        if self._is_believed(tries):
            return self._fetched(reply, body, _size_said(reply))
        return self._differing(reply, len(body), hashlib.sha256(body).hexdigest())

    def _is_believed(self, tries: Sequence[object]) -> bool:
        """Tell whether bytes unlike the stated size are the message: all that came are alike."""
        is_steady = len(tries) == TRIES and all(one == tries[-1] for one in tries)
        return is_steady and not self.link.account.has_exact_sizes

    def _large(self, reply: Reply) -> Iterator[Fetched | Unkept]:
        cause, last = "", 0
        tries: list[bytes] = []
        for _ in range(TRIES):
            for _, answer in self._each([reply], self._spooled):
                if isinstance(answer, HoldfastError):
                    cause = answer.cause
                    continue
                last = answer.size_bytes
                tries.append(answer.content_id)
                if last and (last == reply.size_bytes or self._is_believed(tries)):
                    note = "" if last == reply.size_bytes else _size_said(reply)
                    yield self._fetched(reply, answer, note)
                    return
                answer.path.unlink()
            if not last:
                break
        if last:
            yield self._differing(reply, last, "")
        else:
            yield from self._absent({reply.uid: cause})

    def _spooled(self, session: Session, replies: Sequence[Reply]) -> SealedFile:
        """Write a message to a file, part by part, sealed; return the file with what came."""
        (reply,) = replies
        path = self.spool / f"{_owner()}-{os.getpid()}-{secrets.token_hex(16)}{_SPOOLED}"
        is_exact = self.link.account.has_exact_sizes
        most = (reply.size_bytes or 0) * (1 if is_exact else LONGER) + PART_BYTES
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                writer = SealedWriter(path, file)
                while writer.size_bytes < most:
                    part = session.part(reply.uid, writer.size_bytes)
                    writer.write(part or b"")
                    if not part or (is_exact and len(part) < PART_BYTES):
                        break
                else:
                    if not is_exact:  # what was cut off must not be taken for the message
                        raise SaidNo("It is far longer than the server says.")
                return writer.finished()
        except OSError as error:
            path.unlink(missing_ok=True)
            said = unavailable(error, "spooling a large message")
            raise Unspooled(said.cause, next_step=said.next_step, **said.facts) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _each(
        self, items: Sequence[Item], ask: Callable[[Session, Sequence[Item]], Answer]
    ) -> Iterator[tuple[Sequence[Item], Answer | HoldfastError]]:
        """Ask for all at once; where that breaks the connection, for halves, down to the culprit.

        Yields what was asked together with the answer, or with why there is none.
        """
        waiting = deque([(items, 1)])
        while waiting:
            some, tried = waiting.popleft()
            try:
                answer: Answer | HoldfastError = ask(self.link.session(), some)
                self.link.thrive()
            except Throttled as error:  # it is not about these messages
                self.link.drop(error)
                waiting.appendleft((some, tried))
                continue
            except Lost as error:
                self.link.drop(error)
                if len(some) > 1:
                    # Each question to a busy server has to wait, so none is spent on halves.
                    size = 1 if isinstance(error, Busy) else (len(some) + 1) // 2
                    starts = range(0, len(some), size)
                    waiting.extendleft((some[one : one + size], 1) for one in reversed(starts))
                    continue
                if tried < TRIES:
                    waiting.appendleft((some, tried + 1))
                    continue
                answer = error
            except SaidNo as error:
                answer = error
            yield some, answer

    def _absent(self, uids: dict[int, str]) -> Iterator[Unkept]:
        """Yield the end of messages that gave nothing, each with why."""
        there = self._present(list(uids))
        for uid, why in uids.items():
            if uid in there:
                yield self._failed(uid, why or "the server says nothing of it")
            else:
                yield self._unkept(uid, End.GONE, "expunged_before_capture")

    def _present(self, uids: Sequence[int]) -> set[int]:
        """Return which of these the server still lists; all of them where it does not say."""
        there: set[int] = set()
        for some, answer in self._each(uids, Session.uids) if uids else ():
            there.update(some if isinstance(answer, HoldfastError) else answer)
        return there

    def _differing(self, reply: Reply, received: int, digest: str) -> Unkept:
        reason = f"size_differs: stated {reply.size_bytes}, received {received}"
        reason += f", sha256 {digest}" if digest else ""
        return self._unkept(reply.uid, End.QUARANTINED, reason)

    def _fetched(self, reply: Reply, body: bytes | SealedFile, note: str = "") -> Fetched:
        return Fetched(self.place.offered(reply, note, self._kind(reply.uid)), body)

    def _kind(self, uid: int) -> str:
        return self.insisted[uid].kind if uid in self.insisted else KIND

    def _failed(self, uid: int, why: str) -> Unkept:
        return self._unkept(uid, End.FAILED, f"not_given: {why}")

    def _unkept(self, uid: int, end: End, reason: str) -> Unkept:
        """Settle a message; unless it is gone or left out the next run asks for it again.

        And so it does of a draft outside the folder of drafts: it may be sent where it lies.
        """
        folder = self.place.folder
        note = Offered(self.place.key(uid), folder.name, self._kind(uid), uid, 0)
        may_be_sent = reason == DRAFTS and not is_of_drafts(folder)
        is_retryable = may_be_sent or end not in {End.GONE, End.SKIPPED}
        return Unkept(note.key, end, reason, is_retryable, msgspec.json.encode(note).decode())


def sweep(spool: Path) -> None:
    """Remove large messages that dead runs of this host left on their way."""
    for path in spool.glob(f"{_owner()}-*{_SPOOLED}"):
        process = path.name.split("-")[1]
        if not is_alive(int(process)):
            path.unlink(missing_ok=True)


def _owner() -> str:
    """Return a name for this host that fits into a file name."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:12]


def _size_said(reply: Reply) -> str:
    return f"size_said:{reply.size_bytes}"


def _bodies(session: Session, replies: Sequence[Reply]) -> dict[int, bytes]:
    size_bytes = sum(one.size_bytes or 0 for one in replies)
    found = session.bodies([one.uid for one in replies], size_bytes)
    return {one.uid: one.body for one in found if one.body is not None}


def _batches(replies: Iterable[Reply]) -> Iterator[list[Reply]]:
    batch: list[Reply] = []
    size_bytes = 0
    for one in replies:
        if batch and (len(batch) == BATCH_ITEMS or size_bytes >= BATCH_BYTES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(one)
        size_bytes += one.size_bytes or 0
    if batch:
        yield batch

"""One SMTP session of the listener: aiosmtpd's commands, and a DATA of our own.

Ours reads in large pieces, keeps lines of any length (an archive that refuses what was delivered
loses evidence), ends at CRLF.CRLF and at nothing else, and answers when the message is durable.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import defaultdict
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, AnyStr

from aiosmtpd.smtp import SMTP

from holdfast.core.errors import HoldfastError
from holdfast.core.records import CaptureFacts, SmtpFacts
from holdfast.ingest.forwarding import DROP
from holdfast.ingest.smtp.arguments import read_path, without_submitter
from holdfast.ingest.smtp.arriving import Arriving
from holdfast.ingest.smtp.committing import Letter

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from holdfast.ingest.smtp.door import Door

END = b"\r\n.\r\n"
DRAINED_BYTES = 16 << 20
"""What is read on of a message that is too large, so that its sender hears why."""

ADDRESSES = 4096
"""Of commands that are remembered with what they name."""

NO_SPACE = "452 4.3.1 Not enough room; try again later"
TROUBLE = "451 4.3.0 It could not be kept; try again later"
TOO_LARGE = "552 5.3.4 The message is larger than is taken here"
TOO_WRONG = "421 4.7.0 Too many errors; goodbye"
BARE_NEWLINE = (
    "550 5.6.0 CR or LF alone in the message: every line must end in CRLF (RFC 5321 2.3.8)"
)
TOO_SLOW = "421 4.4.2 It took too long; goodbye"
NO_RECIPIENT = "503 5.5.1 Error: need RCPT command"
_BEGUN = tuple(END[:length] for length in range(1, len(END)))
_NO_SPACE = frozenset({"ENOSPC", "EDQUOT", "EFBIG"})


class TooMuch(Exception):
    """The message is too large, and far from its end."""


class JournalSession(SMTP):
    """One client."""

    line_length_limit = 1 << 16
    """Bytes that are read ahead; commands are held to their own limit."""

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(door, **options)
        self._auth_methods = {
            name: known._replace(method=_of_whoever(known.method.__name__))
            for name, known in self._auth_methods.items()
        }
        self.door = door
        self.peer = ""
        self.is_waiting = False
        """A message was received whole, and its sender waits for the answer."""
        self._deadline: asyncio.TimerHandle | None = None
        self._heard_at = time.monotonic()
        self._errors = 0
        self._silent_at = 0.0
        """When the client has been silent for too long, by the loop's clock."""

    def another(self) -> JournalSession:
        """Return a session for one more client; this one is a pattern and serves nobody.

        The library looks through every attribute of session and handler for each client, which
        takes milliseconds, and keeps sizes of commands that all sessions change for one another.
        """
        new = copy(self)
        new._heard_at = time.monotonic()
        new.command_size_limits = defaultdict(_command_bytes)
        reader = asyncio.StreamReader(limit=self.line_length_limit, loop=self.loop)
        asyncio.StreamReaderProtocol.__init__(
            new, reader, client_connected_cb=new._cb_client_connected, loop=self.loop
        )
        return new

    @property  # the library keeps bound methods instead, a KiB for each session
    def _smtp_methods(self) -> dict[str, Any]:
        return {name: getattr(self, method) for name, method in self._commands.items()}

    @_smtp_methods.setter
    def _smtp_methods(self, found: dict[str, Any]) -> None:
        self._commands = {name: method.__name__ for name, method in found.items()}

    @property
    def is_coming(self) -> bool:
        """Whether a message was begun and not received whole."""
        has_begun = self.envelope is not None and self.envelope.mail_from is not None
        return has_begun and not self.is_waiting

    @property
    def is_idle_since(self) -> float | None:
        """When the client said its last command, unless a message is on its way or being kept."""
        has_begun = self.envelope is not None and self.envelope.mail_from is not None
        return None if has_begun or self.is_waiting else self._heard_at

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let a client in, unless there are too many; once more after STARTTLS."""
        if not self.peer:
            self.peer = str((transport.get_extra_info("peername") or ("",))[0])
            refusal = self.door.lets_in(self)
            if refusal:
                transport.set_protocol(asyncio.Protocol())
                transport.write(refusal.encode() + b"\r\n")  # type: ignore[attr-defined]
                transport.close()
                return
            seconds = self.door.config.bounds.session_s
            self._deadline = self.loop.call_later(seconds, self._say_and_leave, TOO_SLOW)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Let the client go."""
        if self._deadline is not None:
            self._deadline.cancel()
        self.door.lets_out(self)
        super().connection_lost(error)
        if self._handler_coroutine is not None:
            self._handler_coroutine.add_done_callback(self._forget)

    def _forget(self, _task: asyncio.Task[None]) -> None:
        """Let go of what holds us in turn: a crowd that leaves is freed at once, not collected."""
        for name in ("_handler_coroutine", "_client_connected_cb", "_reader", "_writer"):
            setattr(self, name, None)

    def leave(self) -> None:
        """End the session in order, as the service ends."""
        self._say_and_leave("421 4.3.2 The service is ending; try again later")

    def give_way(self) -> None:
        """End the session in order, as others need its place."""
        self._say_and_leave("421 4.3.2 Others need the connection; try again later")

    def abort(self) -> None:
        """End the session now."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def push(self, status: AnyStr) -> None:
        """Answer; who is refused again and again is sent away."""
        await super().push(status)
        if status[:1] in {"5", b"5"}:
            self._errors += 1
            if self._errors == self.door.config.bounds.errors:
                self.door.refuse(self.peer, "errors")
                self._say_and_leave(TOO_WRONG)

    def _say_and_leave(self, words: str) -> None:
        if self.transport is not None:
            self._writer.write(words.encode() + b"\r\n")
            self.transport.close()

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Move the end of patience; the timer that runs looks at it when it fires.

        The library's own makes and cancels a timer for every command.
        """
        self._heard_at = time.monotonic()
        self._silent_at = self.loop.time() + (duration or self._timeout_duration)
        if self._timeout_handle is None or self._timeout_handle.when() > self._silent_at:
            if self._timeout_handle is not None:
                self._timeout_handle.cancel()
            self._timeout_handle = self.loop.call_at(self._silent_at, self._timeout_cb)

    def _timeout_cb(self) -> None:
        if self.loop.time() >= self._silent_at:
            self._say_and_leave(TOO_SLOW)
        else:
            self._timeout_handle = self.loop.call_at(self._silent_at, self._timeout_cb)

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Read an address; journaling servers name the same ones again and again."""
        known = self.door.addresses
        if arg not in known:
            if len(known) >= ADDRESSES:
                known.clear()
            known[arg] = read_path(arg) or super()._getaddr(arg)
        return known[arg]

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Begin a message, whoever submitted it first: who offers AUTH hears that (RFC 4954, 5)."""
        await super().smtp_MAIL(without_submitter(arg))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's name
        """Take one message and answer when it is durable."""
        if await self.check_helo_needed() or await self.check_auth_needed("DATA"):
            return
        if self.envelope is None or not self.envelope.rcpt_tos:
            await self.push(NO_RECIPIENT)
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        arriving = self._new_arriving(is_stuffed=True)
        try:
            answer = await self._in_time(self._latest(), self._receive(arriving))
            if answer is None:
                return
            answer = await self._settled(arriving, answer)
        finally:
            arriving.close()
        await self._end(answer)

    def _latest(self) -> float:
        """Return until when content that begins now must be here, by the loop's clock."""
        return self.loop.time() + self.door.config.bounds.data_s

    async def _in_time(self, until: float, receiving: Awaitable[str]) -> str | None:
        """Wait for content and return what is wrong with it; None where its client was sent away.

        It is sent away where the content is not here in time, or far longer than it may be.
        """
        self._reset_timeout(self.door.config.bounds.data_s + 60)
        try:
            async with asyncio.timeout_at(until):
                return await receiving
        except TimeoutError:
            self._say_and_leave(TOO_SLOW)
        except TooMuch:
            self._say_and_leave(TOO_LARGE)
        return None

    async def _end(self, answer: str) -> None:
        """Answer for a whole message."""
        self._reset_timeout()
        await self._answer(answer)
        self.is_waiting = False

    def _new_arriving(self, *, is_stuffed: bool) -> Arriving:
        watches = not self.door.config.keeps_bare_newlines
        return Arriving(self.door.spool, watches, is_stuffed)

    async def _settled(self, arriving: Arriving, answer: str) -> str:
        """Have a message kept that nothing is wrong with; return the answer."""
        self.is_waiting = True
        if answer:
            return answer
        if arriving.has_bare_newline and not self.door.config.keeps_bare_newlines:
            self.door.refuse(self.peer, "bare_newline")
            return BARE_NEWLINE
        return await self._keep(arriving)

    async def _answer(self, answer: str) -> None:
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)

    async def _receive(self, arriving: Arriving) -> str:
        """Read to the end of the content; return what is wrong with it, or nothing."""
        answer = ""
        limit = self.door.config.bounds.message_bytes
        received = 0
        first, is_over = await self._first_bytes()
        piece = first[1:] if first.startswith(b".") else first
        while True:
            received += len(piece)
            if received > limit:
                answer = answer or TOO_LARGE
                arriving.close()
            if received > limit + DRAINED_BYTES:
                raise TooMuch
            answer = answer or added(arriving, piece)
            if is_over:
                return answer or ended(arriving)
            try:
                piece = await self._reader.readuntil(END)
                piece, is_over = piece[:-3], True
            except asyncio.LimitOverrunError as ahead:
                piece = await self._reader.readexactly(ahead.consumed)

    async def _first_bytes(self) -> tuple[bytes, bool]:
        """Read so far that no end of data can begin in what was read; tell whether it ended.

        The first line has no line end before it, and a message may begin with empty lines.
        """
        got = bytearray(b"\r\n")
        while len(got) <= self.door.config.bounds.message_bytes:
            got += await self._reader.readexactly(1)
            if got.endswith(END):
                return bytes(got[2:-3]), True
            if not got.endswith(_BEGUN):
                return bytes(got[2:]), False
        raise TooMuch

    async def _keep(self, arriving: Arriving) -> str:
        """Have it kept, wait until it is durable, and return the answer."""
        settled: asyncio.Future[Exception | None] = self.loop.create_future()

        def settle(trouble: Exception | None) -> None:
            self.loop.call_soon_threadsafe(_tell, settled, trouble)

        try:
            content = arriving.content()
        except OSError as error:
            return _answer_to(error)
        self.door.hand_over(Letter(content, self._facts(), settle))
        trouble = await settled
        self.door.tally.note_answer(is_kept=trouble is None)
        return "250 2.0.0 Kept" if trouble is None else _answer_to(trouble)

    def _facts(self) -> CaptureFacts:
        if self.session is None or self.envelope is None:
            raise AssertionError("a session that receives data has both")
        cipher = self.session.ssl.get("cipher") if self.session.ssl else None
        said = SmtpFacts(
            peer=self.peer,
            helo=_plain(self.session.host_name),
            sender=_plain(self.envelope.mail_from),
            recipients=tuple(map(_plain, self.envelope.rcpt_tos)),
            tls=f"{cipher[1]} {cipher[0]}" if cipher else "",
            user=self.door.user_of(self.session),
            certificate=_plain(self.door.name_of(self.session)),
        )
        trust = self.door.trust_in(self.session, said.recipients)
        folder = DROP if self.door.config.is_drop(said.recipients) else ""
        return CaptureFacts(folder, received_at=datetime.now(UTC), smtp=said, trust=trust)


def _of_whoever(name: str) -> Any:
    """Return a method that all sessions may share: the library hands the session to it."""
    return lambda session, arguments: getattr(session, name)(session, arguments)


def _command_bytes() -> int:
    return JournalSession.command_size_limit


def _tell(settled: asyncio.Future[Exception | None], trouble: Exception | None) -> None:
    if not settled.done():
        settled.set_result(trouble)


def added(arriving: Arriving, piece: bytes) -> str:
    """Take further bytes; return what is wrong, or nothing."""
    try:
        arriving.add(piece)
    except OSError as error:
        arriving.close()
        return _answer_to(error)
    return ""


def ended(arriving: Arriving) -> str:
    """Take the last of it; return what is wrong, or nothing."""
    try:
        arriving.end()
    except OSError as error:
        arriving.close()
        return _answer_to(error)
    return ""


def _answer_to(trouble: Exception) -> str:
    """Return a temporary refusal whatever happened: a journal report that is refused is lost."""
    if isinstance(trouble, OSError):
        name = errno.errorcode.get(trouble.errno or 0, "")
    else:
        name = str(trouble.facts.get("errno", "")) if isinstance(trouble, HoldfastError) else ""
    return NO_SPACE if name in _NO_SPACE else TROUBLE


def _plain(text: str | None) -> str:
    """Return what can be stored: undecodable bytes become U+FFFD, and NUL as well."""
    return (text or "").encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")[:1000]

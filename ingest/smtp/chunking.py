"""One SMTP session whose messages may come in chunks as well (CHUNKING, RFC 3030).

A chunk has no end to be found: what follows its length is content and nothing else, whatever the
answer will be. So no bytes of it are ever taken for commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.smtp.session import (
    DRAINED_BYTES,
    NO_RECIPIENT,
    TOO_LARGE,
    JournalSession,
    TooMuch,
    added,
    ended,
)

if TYPE_CHECKING:
    from holdfast.ingest.smtp.arriving import Arriving

_CHUNK = re.compile(r"([0-9]{1,18})(?:[ \t]+(LAST))?[ \t]*\Z", re.IGNORECASE)


@dataclass(slots=True)
class Chunks:
    """What came so far of one message."""

    arriving: Arriving
    until: float
    """When all of it must be here, by the loop's clock."""
    stated_bytes: int = 0
    """Length of all chunks, by their commands."""
    answer: str = ""
    """What is wrong with it. All chunks from there on hear the same: a client that sends ahead may
    take the last answer for that of the whole."""


class ChunkingSession(JournalSession):
    """One client."""

    _chunks: Chunks | None = None
    """Of the message that comes in chunks just now."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's name
        """Take one message, unless it comes in chunks."""
        if self._chunks is not None:
            await self.push("503 5.5.1 It comes in chunks: say BDAT, or RSET")
            return
        await super().smtp_DATA(arg)

    async def smtp_BDAT(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        """Take one chunk; after the last, answer when the message is durable."""
        asked = read_chunk(arg)
        if asked is None:  # nobody knows how much of what follows is content
            self._say_and_leave("501 5.5.4 Syntax: BDAT size [LAST]")
            return
        size, is_last = asked
        chunks = self._chunks_so_far()
        answer = await self._in_time(chunks.until, self._receive_chunk(chunks, size))
        if answer is None:
            return
        if is_last and chunks is self._chunks:
            answer = answer or ended(chunks.arriving)
            await self._end(await self._settled(chunks.arriving, answer))
            return
        self._reset_timeout()
        await self.push(answer or f"250 2.0.0 {size} octets are here")

    def _chunks_so_far(self) -> Chunks:
        """Return what came before this chunk; of a message for nobody nothing is kept."""
        is_for_nobody = self.envelope is None or not self.envelope.rcpt_tos
        if self._chunks is not None and not is_for_nobody:
            return self._chunks
        arriving = self._new_arriving(is_stuffed=False)
        if is_for_nobody:
            return Chunks(arriving, self._latest(), answer=NO_RECIPIENT)
        self._chunks = Chunks(arriving, self._latest())
        return self._chunks

    async def _receive_chunk(self, chunks: Chunks, size: int) -> str:
        """Read one chunk to its end; return what is wrong with the message, or nothing."""
        if self.loop.time() >= chunks.until:  # for a chunk that is here already nobody waits
            raise TimeoutError
        limit = self.door.config.bounds.message_bytes
        chunks.stated_bytes += size
        if chunks.stated_bytes > limit + DRAINED_BYTES:
            raise TooMuch
        if chunks.stated_bytes > limit:
            chunks.answer = chunks.answer or TOO_LARGE
            chunks.arriving.close()
        while size:
            piece = await self._reader.readexactly(min(size, self.line_length_limit))
            size -= len(piece)
            chunks.answer = chunks.answer or added(chunks.arriving, piece)
        return chunks.answer

    def _set_post_data_state(self) -> None:
        """Forget the message, and what came of it in chunks."""
        if self._chunks is not None:
            self._chunks.arriving.close()
            self._chunks = None
        super()._set_post_data_state()  # type: ignore[no-untyped-call]

    def connection_lost(self, error: Exception | None) -> None:
        """Let the client go, and what it did not bring to its end."""
        super().connection_lost(error)
        if self._chunks is not None:
            self._chunks.arriving.close()


def read_chunk(argument: str | None) -> tuple[int, bool] | None:
    """Return the length of a chunk in bytes and whether it is the last; None where that is unclear.

    Args:
        argument: Of BDAT.
    """
    found = _CHUNK.match(argument or "")
    return (int(found[1]), found[2] is not None) if found else None

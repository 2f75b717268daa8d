"""Fetches the files of messages through a bridge, tried again where they come damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.custody import End, Unkept
from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers.chats.wecom import file_contexts
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.readers.sealed_files import SealedFile, SealedWriter
from holdfast.ingest.wecom.dialogue import BridgeLost, BridgeSaid
from holdfast.parsers.chat.values import Json, context_of, context_text, mapping, text
from holdfast.storage.durable import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.ingest.wecom.messages import Speaker

MEDIA = "wecom_media"
"""Kind of what is offered as a file of a message."""
TRIES = 3
FIRST_WAIT_S = 1.0
LARGE_BYTES = 8 << 20
"""Larger files come through a file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that a message names."""

    offered: Offered

    @property
    def sdkfileid(self) -> str:
        """What the bridge knows it by."""
        return text(mapping(self._extra).get("sdkfileid"))

    @property
    def md5(self) -> str:
        """As the message states it; empty where it does not."""
        return text(mapping(self._extra).get("md5")).lower()

    @property
    def _extra(self) -> Json:
        return context_of(self.offered.facts.context).extra


@dataclass(frozen=True, slots=True)
class _Came:
    body: bytes | SealedFile
    md5: str


def wanted_of(message: Json, corp: str, seq: int) -> Iterator[Wanted]:
    """Yield the files that a message names."""
    for at, (_, key, context) in enumerate(file_contexts(message, corp)):
        told = replace(context, extra={**context.extra, "sdkfileid": key})
        facts = CaptureFacts(form="file", context=context_text(told))
        yield Wanted(Offered(f"media:{seq:020d}/{at}", "", MEDIA, 0, 0, facts))


@dataclass(slots=True)
class Fetching:
    """Fetches files for one run."""

    speaker: Speaker
    spool: Path
    """Directory of this run alone."""
    pause: Callable[[float], None]
    _count: int = field(default=0)

    def fetch(self, wanted: Wanted) -> Fetched | Unkept:
        """Return the file; or, after some tries, that it could not be had.

        One whose hash still differs is kept: its record says so.

        Raises:
            Unavailable: The spool cannot be written.
        """
        cause = "nothing came"
        came: _Came | None = None
        for tried in range(TRIES):
            if tried:
                self.pause(FIRST_WAIT_S * 2 ** (tried - 1))
            _drop(came)
            try:
                came = self._once(wanted.sdkfileid)
            except (BridgeLost, BridgeSaid) as error:
                came, cause = None, error.cause
                if isinstance(error, BridgeSaid) and not error.may_retry:
                    break
                continue
            if not wanted.md5 or came.md5 == wanted.md5:
                break
        if came is None:
            note = msgspec.json.encode(wanted.offered).decode()
            reason = f"media: {cause}"
            return Unkept(wanted.offered.key, End.FAILED, reason, is_retryable=True, offered=note)
        return Fetched(replace(wanted.offered, length=_size(came.body)), came.body)

    def _once(self, sdkfileid: str) -> _Came:
        digest = hashlib.md5(usedforsecurity=False)
        held = bytearray()
        pieces = self.speaker.media(sdkfileid)
        for piece in pieces:
            digest.update(piece)
            held += piece
            if len(held) > LARGE_BYTES:
                return self._spooled(bytes(held), pieces, digest)
        return _Came(bytes(held), digest.hexdigest())

    def _spooled(self, held: bytes, pieces: Iterator[bytes], digest: hashlib._Hash) -> _Came:
        self._count += 1
        path = self.spool / f"media-{self._count}"
        try:
            self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb", buffering=0) as file:
                writer = SealedWriter(path, file)
                writer.write(held)
                for piece in pieces:
                    digest.update(piece)
                    writer.write(piece)
                return _Came(writer.finished(), digest.hexdigest())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise unavailable(error, "spooling a file of a message") from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _drop(came: _Came | None) -> None:
    if came is not None and isinstance(came.body, SealedFile):
        came.body.path.unlink(missing_ok=True)


def _size(body: bytes | SealedFile) -> int:
    return len(body) if isinstance(body, bytes) else body.size_bytes

"""Asks a bridge for messages and files, and opens what comes encrypted; keeps nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.ingest.readers.chats.json_spans import NotJson, begin, member
from holdfast.ingest.wecom.dialogue import Bridge, BridgeLost, BridgeSaid, Line
from holdfast.ingest.wecom.keys import Closed, Keys
from holdfast.parsers.chat.values import number, text


@dataclass(frozen=True, slots=True)
class Told:
    """One message as the bridge gave it."""

    seq: int
    raw: bytes
    """In clear; still encrypted where it is closed."""
    closed: str = ""
    """Why it could not be opened; empty: it is open."""


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The end of a page."""

    has_more: bool
    """The bridge says, or the page is full."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One corporation's archive, through its bridge."""

    bridge: Bridge
    keys: Keys | None

    def page(self, seq: int, limit: int) -> Iterator[Told | PageEnd]:
        """Yield the messages after `seq`, in the order of the bridge, then the end of the page.

        Raises:
            BridgeLost: The bridge is gone; what was yielded stands.
            BridgeSaid: It cannot give any.
            Refused: A private key cannot be used.
        """
        # The page is taken whole before anything else is asked: there is one answer at a time.
        told: list[Line] = list(self.bridge.ask({"ask": "messages", "seq": seq, "limit": limit}))
        end = told.pop().value
        for line in told:
            yield self._opened(line)
        more = end.get("more")
        yield PageEnd(more if isinstance(more, bool) else len(told) >= limit)

    def media(self, sdkfileid: str) -> Iterator[bytes]:
        """Yield the pieces of a file.

        Raises:
            BridgeLost: The bridge is gone, or what it writes is no Base64.
            BridgeSaid: It cannot give the file.
        """
        for line in self.bridge.ask({"ask": "media", "sdkfileid": sdkfileid}):
            if line.value.get("end") is True:
                return
            try:
                yield base64.b64decode(text(line.value.get("bytes")), validate=True)
            except (binascii.Error, ValueError) as error:
                raise BridgeLost("The bridge wrote a piece that is no Base64.") from error

    def _opened(self, line: Line) -> Told:
        seq, value = number(line.value.get("seq")), line.value
        if seq <= 0:
            raise BridgeLost("The bridge gave a message without a seq.")
        if "message" in value:
            return Told(seq, _inside(line))
        if "encrypt_random_key" not in value:
            raise BridgeLost("The bridge gave neither a message nor a key.")
        try:
            return Told(seq, self._decrypted(line))
        except Closed as error:
            return Told(seq, line.raw, error.reason)
        except BridgeSaid as error:
            return Told(seq, line.raw, f"decrypt_failed: {error.cause}")

    def _decrypted(self, line: Line) -> bytes:
        """Do the step of RSA, and hand its result back for the vendor's own."""
        if self.keys is None:
            raise Closed("keys_not_named")
        value = line.value
        key = self.keys.random_key(
            text(value.get("encrypt_random_key")), number(value.get("publickey_ver"))
        )
        question = {
            "ask": "decrypt",
            "key": base64.b64encode(key).decode(),
            "encrypt_chat_msg": text(value.get("encrypt_chat_msg")),
        }
        answer, *_ = self.bridge.ask(question)  # to its end, or the dialogue is over
        if "message" not in answer.value:
            raise Closed("decrypt_failed: no message")
        return _inside(answer)


def _inside(line: Line) -> bytes:
    """Return the message of a line byte for byte: an object as it stands, or the text of it."""
    said = line.value.get("message")
    if isinstance(said, str):
        return said.encode("utf-8", "surrogatepass")
    try:
        span = member(line.raw, begin(line.raw), b"message")
    except NotJson as error:
        raise BridgeLost("The bridge wrote a line that is no JSON.") from error
    assert span is not None  # noqa: S101 - it was read as a field of this line
    return line.raw[span.start : span.end]

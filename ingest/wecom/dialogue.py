"""Speaks with a bridge: one JSON object a line each way; knows no message.

The bridge is a process of its own group, which is ended with the dialogue. Nothing that it writes
to standard error is kept: it may hold secrets.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import msgspec

from holdfast.core.errors import Unavailable
from holdfast.ingest.wecom.place import WecomPlace
from holdfast.parsers.chat.values import Json, json_of, mapping, text

MOST_LINE_BYTES = 64 << 20
_PIECE = 1 << 16
_MOST_WORDS = 200
_END_S = 5.0


class BridgeLost(Unavailable):
    """The bridge ended, hangs, or speaks something else; a new one may do better."""


class BridgeSaid(Unavailable):
    """The bridge answered that it cannot, and goes on."""

    def __init__(self, cause: str, *, next_step: str = "", may_retry: bool = True) -> None:
        super().__init__(cause, next_step=next_step)
        self.may_retry = may_retry


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer."""

    raw: bytes
    value: Mapping[str, Json]


@dataclass(slots=True)
class Bridge:
    """The bridge of one source; it is started with the first question, and again after a loss."""

    place: WecomPlace
    _process: subprocess.Popen[bytes] | None = None
    _buffer: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Bridge:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start it, if it does not run.

        Raises:
            BridgeLost: It cannot be started, or does not answer.
            BridgeSaid: It cannot begin.
        """
        if self._process is None:
            self._started()

    def ask(self, question: Mapping[str, object]) -> Iterator[Line]:
        """Yield the lines of an answer, without the one that ends it.

        Raises:
            BridgeLost: It cannot be started, ended, or hangs.
            BridgeSaid: It cannot answer.
        """
        process = self._process or self._started()
        is_over = False
        try:
            self._send(process, question)
            while True:
                line = self._line(process)
                if "error" in line.value:
                    is_over = True
                    raise _said(line.value)
                if line.value.get("end") is True:
                    is_over = True
                    yield line
                    return
                yield line
        finally:
            if not is_over:  # what is left of the answer would be taken for the next one
                self.close(patience_s=0.0)

    def close(self, patience_s: float = _END_S) -> None:
        """End the bridge, if there is one: by the end of its input, else by force."""
        process, self._process = self._process, None
        self._buffer.clear()
        if process is None:
            return
        assert process.stdin is not None  # noqa: S101 - it has pipes
        assert process.stdout is not None  # noqa: S101
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()

    def _started(self) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST")
        }
        try:
            process = subprocess.Popen(  # noqa: S603 - the command is the administrator's
                self.place.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise BridgeLost(
                f"The bridge cannot be started: {error.strerror}.",
                next_step=f"Check that {self.place.command[0]} is there and may be run.",
            ) from error
        assert process.stdin is not None  # noqa: S101 - it has pipes
        os.set_blocking(process.stdin.fileno(), False)
        self._process = process
        hello = {"ask": "begin", "version": 1, "corp": self.place.corp}
        try:
            for _ in self.ask({**hello, "secrets": self.place.secrets}):
                pass
        except BridgeSaid:  # it has not begun: another question would be the first one
            self.close()
            raise
        return process

    def _send(self, process: subprocess.Popen[bytes], question: Mapping[str, object]) -> None:
        assert process.stdin is not None  # noqa: S101 - it has pipes
        left = memoryview(msgspec.json.encode(question) + b"\n")
        descriptor = process.stdin.fileno()
        try:
            while left:
                with _waiting(descriptor, selectors.EVENT_WRITE, self.place.answer_s):
                    left = left[os.write(descriptor, left) :]
        except OSError as error:
            raise _lost("ended") from error

    def _line(self, process: subprocess.Popen[bytes]) -> Line:
        assert process.stdout is not None  # noqa: S101 - it has pipes
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen > MOST_LINE_BYTES:
                raise _lost("wrote a line that does not end")
            descriptor = process.stdout.fileno()
            with _waiting(descriptor, selectors.EVENT_READ, self.place.answer_s):
                piece = os.read(descriptor, _PIECE)
            if not piece:
                raise _lost("ended")
            self._buffer += piece
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        try:
            value = json_of(raw)
        except ValueError as error:
            raise _lost("wrote a line that is no JSON") from error
        if not isinstance(value, dict):
            raise _lost("wrote a line that is no object")
        return Line(raw, value)


@contextmanager
def _waiting(descriptor: int, event: int, longest_s: float) -> Iterator[None]:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        until = time.monotonic() + longest_s
        if not selector.select(max(until - time.monotonic(), 0)):
            raise _lost(f"has said nothing for {longest_s:g} s")
        yield


def _lost(how: str) -> BridgeLost:
    return BridgeLost(
        f"The bridge {how}.",
        next_step="Run it by hand, as docs/connectors/wecom.md says, and see what it writes.",
    )


def _said(answer: Mapping[str, Any]) -> BridgeSaid:
    cause = " ".join(text(answer.get("error")).split())[:_MOST_WORDS] or "it does not say why"
    code = text(answer.get("code"))
    step = " ".join(text(answer.get("next_step")).split())[:_MOST_WORDS]
    return BridgeSaid(
        f"The bridge cannot: {cause}" + (f" (code {code})." if code else "."),
        next_step=step or "See the vendor's list of codes; the next run asks again.",
        may_retry=mapping(answer).get("retry") is not False,
    )

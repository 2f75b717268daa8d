"""Posts requests at their times, whether or not those before them were answered; knows no system.

The times are those of a schedule made beforehand, and what is late is told: a service that stalls
stalls no clock. What is not acknowledged is sent again, as vendors do. It costs a tenth of a
millisecond for each, so that what is measured is whoever answers.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

LINES = 128
"""Connections at once; what finds none waits its turn, and is late."""
AGAIN_S = 0.5
"""Between two tries of what was refused or whose connection was lost."""
KNOCK_S = 0.05
"""Between two looks whether a service that is away is back."""
FRESH_S = 120.0
"""A request that was made longer ago is made anew: signatures age."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent, and when."""

    port: int
    count: int
    per_s: float
    made: Callable[[int], bytes]
    """Makes the request of this number, signed now."""
    patience_s: float
    """Against hanging only."""


@dataclass(slots=True)
class Sent:
    """What became of it."""

    acknowledged: int = 0
    again: int = 0
    seconds: float = 0.0
    """From the first one's time to the last acknowledgement."""
    cpu_s: float = 0.0
    """What sending took of a processor."""
    late_s: list[float] = field(default_factory=list)
    """How long after its time each was sent first."""
    took_s: list[float] = field(default_factory=list)
    """How long after its time each was acknowledged."""


def request_bytes(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> bytes:
    """Return a request as it goes over the line."""
    target = f"{path}?{urlencode(query)}" if query else path
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Sending(threading.Thread):
    """Sends everything from a thread of its own; `finish` waits for the end."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(name="sender", daemon=True)
        self._plan = plan
        self._ready = [plan.made(number) for number in range(plan.count)]
        self._made_at = time.monotonic()
        self._sent = Sent()
        self._trouble: BaseException | None = None

    def run(self) -> None:
        """Send; what goes wrong is raised by `finish`."""
        began = time.thread_time()
        try:
            asyncio.run(self._deliver())
        except BaseException as error:  # noqa: BLE001 - whoever waits shall raise it
            self._trouble = error
        self._sent.cpu_s = time.thread_time() - began

    def finish(self) -> Sent:
        """Wait until all are acknowledged.

        Raises:
            TimeoutError: Some never were.
            AssertionError: One was refused for good.
        """
        self.join()
        if self._trouble is not None:
            raise self._trouble
        return self._sent

    async def _deliver(self) -> None:
        await _Post(self._plan, self._request, self._sent).deliver()

    def _request(self, number: int, tries: int) -> bytes:
        if tries or time.monotonic() - self._made_at > FRESH_S:
            return self._plan.made(number)
        return self._ready[number]


class _Post:
    """Connections, and what waits for one."""

    def __init__(self, plan: Plan, request: Callable[[int, int], bytes], sent: Sent) -> None:
        self._plan = plan
        self._request = request
        self._sent = sent
        self._idle: list[_Line] = []
        self._lines: set[_Line] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[tuple[int, int]] = deque()
        self._is_away = False
        self._began = 0.0
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def deliver(self) -> None:
        """Send each at its time; return when all are acknowledged."""
        self._began = time.monotonic()
        for number in range(self._plan.count):
            pause = self._due(number) - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            self._send(number, 0)
        try:
            await asyncio.wait_for(self._over, self._plan.patience_s)
        finally:
            self._sent.seconds = time.monotonic() - self._began
            for line in self._lines:
                line.close()
            await asyncio.sleep(0)  # they close when the loop turns

    def _due(self, number: int) -> float:
        return self._began + number / self._plan.per_s

    def _send(self, number: int, tries: int) -> None:
        if not self._idle:
            self._waiting.append((number, tries))
            self._open()
            return
        if not tries:
            self._sent.late_s.append(time.monotonic() - self._due(number))
        self._idle.pop().send(number, tries, self._request(number, tries))

    def _open(self) -> None:
        """Open as many connections as something waits for; while nobody listens, one."""
        wanted = min(len(self._waiting), LINES - len(self._lines))
        for _ in range(min(wanted, int(self._is_away) or wanted) - len(self._opening)):
            task = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._plan.port)
        except OSError:
            if not self._is_away:
                self._is_away = True
                loop.call_later(KNOCK_S, self._knock)

    def _knock(self) -> None:
        self._open()
        if self._is_away:
            asyncio.get_running_loop().call_later(KNOCK_S, self._knock)

    def opened(self, line: _Line) -> None:
        """Use a new connection."""
        self._is_away = False
        self._lines.add(line)
        self.freed(line)

    def freed(self, line: _Line) -> None:
        """Use a connection for what waits longest."""
        self._idle.append(line)
        if self._waiting:
            self._send(*self._waiting.popleft())
            self._open()

    def lost(self, line: _Line) -> None:
        """Send again what a connection was lost with."""
        self._lines.discard(line)
        if line in self._idle:
            self._idle.remove(line)
        if line.held is not None:
            self._send_again(*line.held)

    def answered(self, number: int, tries: int, status: int, body: bytes) -> None:
        """Note an acknowledgement; send again what was refused for now."""
        if status >= 500:
            self._send_again(number, tries)
        elif status >= 300:
            self._end(AssertionError((status, body)))
        else:
            self._sent.took_s.append(time.monotonic() - self._due(number))
            self._sent.acknowledged += 1
            if self._sent.acknowledged == self._plan.count:
                self._end(None)

    def _send_again(self, number: int, tries: int) -> None:
        self._sent.again += 1
        asyncio.get_running_loop().call_later(AGAIN_S, self._send, number, tries + 1)

    def _end(self, trouble: Exception | None) -> None:
        if self._over.done():
            return
        if trouble is None:
            self._over.set_result(None)
        else:
            self._over.set_exception(trouble)


class _Line(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    def __init__(self, post: _Post) -> None:
        self.held: tuple[int, int] | None = None
        """The number that is on its way, and how often it was tried before."""
        self._post = post
        self._got = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._post.opened(self)

    def send(self, number: int, tries: int, request: bytes) -> None:
        """Send a request; nothing else may be on its way."""
        self.held = number, tries
        self._transport.write(request)

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end or self.held is None:
            return
        fields = head.lower()
        _, _, length = fields.partition(b"\r\ncontent-length:")
        if len(body) < int(length.partition(b"\r\n")[0]):
            return
        held, self.held, self._got = self.held, None, b""
        self._post.answered(*held, int(head.split(b" ", 2)[1]), body)
        if b"\r\nconnection: close" in fields:
            self._transport.close()
        else:
            self._post.freed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._post.lost(self)

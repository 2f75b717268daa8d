"""The sender of the storms keeps to its schedule, and tells how late it was and what came again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from http_listening import free_port
from steady_sender import Plan, Sending, request_bytes

ALL = 20
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}"
GONE = b"HTTP/1.1 400 No\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"


class Service:
    """Answers as it is told, one answer for each request."""

    def __init__(self, *, answers_at: int = 1, first: tuple[bytes, ...] = ()) -> None:
        self.port = free_port()
        self.waiting: list[asyncio.StreamWriter] = []
        self.answers_at = answers_at
        self.first = list(first)
        """Answers of the first requests; an empty one hangs up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                if self.first:
                    answer = self.first.pop(0)
                    writer.write(answer)
                    if not answer:
                        break
                    continue
                self.waiting.append(writer)
                if len(self.waiting) == self.answers_at:
                    for one in self.waiting:
                        one.write(OK)
                    self.waiting.clear()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@contextmanager
def running(service: Service) -> Iterator[None]:
    loop = asyncio.new_event_loop()

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(service.serve, "127.0.0.1", service.port)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), loop).result(60)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        asyncio.run_coroutine_threadsafe(_rest(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _rest() -> None:
    """Wait until everything that was served has seen its end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=60)


def sending(service: Service, count: int = ALL) -> Sending:
    def made(number: int) -> bytes:
        return request_bytes("POST", "/x", {"n": str(number)}, {"k": "v"}, b"")

    return Sending(Plan(service.port, count, 1000, made, 60))


def test_it_goes_on_while_nothing_is_answered() -> None:
    service = Service(answers_at=ALL)  # a sender that waits for answers would wait for ever
    with running(service):
        sender = sending(service)
        sender.start()
        sent = sender.finish()
    assert (sent.acknowledged, sent.again) == (ALL, 0)
    assert len(sent.late_s) == len(sent.took_s) == ALL
    assert sent.seconds >= (ALL - 1) / 1000  # nothing is sent before its time
    assert min(sent.late_s) >= 0


def test_what_is_refused_for_now_or_hung_up_on_is_sent_again() -> None:
    service = Service(first=(BUSY, b""))
    with running(service):
        sender = sending(service)
        sender.start()
        sent = sender.finish()
    assert (sent.acknowledged, sent.again) == (ALL, 2)
    assert len(sent.late_s) == ALL  # the first try counts


def test_it_waits_for_a_service_that_comes_later_and_tells_how_late_it_was() -> None:
    service = Service()
    sender = sending(service, 3)
    sender.start()
    with running(service):
        sent = sender.finish()
    assert sent.acknowledged == 3
    assert max(sent.took_s) >= max(sent.late_s) > 0


def test_what_is_refused_for_good_is_told() -> None:
    service = Service(first=(GONE,))
    with running(service):
        sender = sending(service)
        sender.start()
        with pytest.raises(AssertionError, match="400"):
            sender.finish()

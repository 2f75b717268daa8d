"""Events of several systems at a steady rate into a service whose processes are killed meanwhile.

A sender does as the vendors do: what is not acknowledged it sends again. Each event has a word of
its own, by which it is found in the end.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from archive_kit import NOW, findings, opened, settings_in
from fault_command import PROGRAM, Running, start
from holdfast.core.ports import SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.ingest.webhooks.registry import vendor_of
from holdfast.ingest.webhooks.settings import KIND, Hook, written
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account
from holdfast.storage.catalogue.ledger import sums
from holdfast.wiring.founding import create_archive
from hook_kit import (
    SECRET,
    Signer,
    signed_feishu,
    signed_hmac,
    signed_jdy,
    signed_robot,
    signed_slack,
)
from http_listening import free_port
from steady_sender import Plan, Sending, request_bytes

PATIENCE_S = 300.0
"""Against hanging only."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What one round does."""

    events: int
    per_s: float
    kills: int
    seed: int


@dataclass(slots=True)
class StormFigures:
    """What it gave."""

    events: int = 0
    kills: int = 0
    seconds: float = 0.0
    """From the time of the first event to the last acknowledgement."""
    acknowledged: int = 0
    late_ms: tuple[int, int, int] = (0, 0, 0)
    """How long after their times events were sent first: half of them, 99 %, all."""
    took_ms: tuple[int, int, int] = (0, 0, 0)
    """How long after their times they were acknowledged."""
    sender_cpu_s: float = 0.0
    """What sending took of a processor."""
    sent_again: int = 0
    lost: int = 0
    doubled: int = 0
    wrong_sums: str = ""
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Each event that was acknowledged is there once, and nothing else is."""
        return not (self.lost or self.doubled or self.wrong_sums or self.findings)


@dataclass(frozen=True, slots=True)
class Sender:
    """One system."""

    vendor: str
    signed: Signer
    settings: dict[str, object]
    content: Callable[[str, int], bytes]
    """Makes the event of this word and number."""


def _slack(word: str, number: int) -> bytes:
    event = {"type": "message", "channel": "C1", "user": "U1", "text": f"{word} \u4f60\u597d"}
    event |= {"ts": f"1717380000.{number:06d}", "event_ts": f"1717380000.{number:06d}"}
    outer = {"type": "event_callback", "team_id": "T1", "event_id": f"Ev{word}", "event": event}
    return json.dumps({**outer, "event_time": 1_717_380_000}).encode()


def _feishu(word: str, number: int) -> bytes:
    header = {"event_id": f"ev-{word}", "event_type": "im.message.receive_v1", "tenant_key": "t1"}
    header |= {"create_time": "1717380000000", "token": SECRET}
    message = {"message_id": f"om_{number}", "create_time": "1717380000000", "chat_id": "oc_1"}
    message |= {"message_type": "text", "content": json.dumps({"text": word})}
    sender = {"sender_id": {"open_id": "ou_1"}, "sender_type": "user", "tenant_key": "t1"}
    event = {"sender": sender, "message": message}
    return json.dumps({"schema": "2.0", "header": header, "event": event}).encode()


def _robot(word: str, number: int) -> bytes:
    said: dict[str, object] = {
        "conversationId": "cid1",
        "conversationType": "2",
        "msgId": f"m{number}",
    }
    said |= {"createAt": 1_717_380_000_000, "senderId": "s1", "senderNick": "Wang"}
    return json.dumps({**said, "msgtype": "text", "text": {"content": word}}).encode()


def _form(word: str, number: int) -> bytes:
    data = {"_id": f"d{number}", "text": word, "createTime": "2024-06-03T02:00:00.000Z"}
    return json.dumps({"op": "data_create", "data": data}).encode()


def _typed(word: str, number: int) -> bytes:
    event = {"id": f"g{number}", "kind": "call", "at": "2024-06-03T02:00:00Z", "body": word}
    return json.dumps({**event, "from": "+8613800138000", "to": "a@x.example"}).encode()


SYSTEMS = (
    Sender("slack", signed_slack, {"signing_secrets": [SECRET]}, _slack),
    Sender("feishu", signed_feishu, {"encrypt_key": SECRET, "verification_token": SECRET}, _feishu),
    Sender("dingtalk", signed_robot, {"app_secret": SECRET}, _robot),
    Sender("jdy", signed_jdy, {"secrets": [SECRET]}, _form),
    Sender("generic", signed_hmac, {"secrets": [SECRET]}, _typed),
)


def word_of(storm: Storm, number: int) -> str:
    """Return what one event alone says."""
    return f"storm{storm.seed}x{number}"


def raise_storm(folder: Path, storm: Storm, systems: tuple[Sender, ...] = SYSTEMS) -> StormFigures:
    """Let it all happen; judge what is left."""
    settings = settings_in(folder)
    create_archive(settings)
    add_systems(settings, systems)
    figures = StormFigures(storm.events)
    port = free_port()
    begin = {
        "serve": partial(_start, settings, ("serve", "--port", port)),
        "worker": partial(_start, settings, ("worker", "-n", 2)),
    }
    runs = count()
    running = {name: one(folder / f"run-{next(runs)}") for name, one in begin.items()}
    with _ended(running):
        _await_port(running["serve"], port)
        with _sending(port, storm, systems, figures) as sent:
            chance = random.Random(storm.seed)
            for number in range(storm.kills):
                name = ("worker", "worker", "serve")[number % 3]
                wait_s = chance.uniform(0.3, 1.0) * storm.events / storm.per_s / (storm.kills + 1)
                until = time.monotonic() + wait_s
                running[name].is_over_before(partial(running[name].is_past, until))
                running[name].kill()
                running[name] = begin[name](folder / f"run-{next(runs)}")
                figures.kills += 1
            sent()
        assert not running["worker"].is_over_before(partial(_is_settled, settings))
        for one in running.values():
            one.process.terminate()
            assert one.finish().status == 0
    _judge(settings, storm, figures)
    return figures


def add_systems(settings: Settings, systems: tuple[Sender, ...]) -> None:
    """Add a source for each system, by the name of its vendor."""
    with opened(settings) as services:
        for one in systems:
            names = vendor_of(one.vendor).secrets
            secret = {key: value for key, value in one.settings.items() if key in names}
            public = {key: value for key, value in one.settings.items() if key not in names}
            hook = Hook(one.vendor, json.dumps(public))
            account = NewAccount(one.vendor, KIND, hook.identity, written(hook))
            add_account(services.store, account, json.dumps(secret).encode())


def _start(settings: Settings, words: tuple[object, ...], folder: Path) -> Running:
    return start([*PROGRAM, "--data", settings.data, *words], folder)


@contextmanager
def _ended(running: dict[str, Running]) -> Iterator[None]:
    """Leave nothing behind that runs."""
    try:
        yield
    finally:
        for one in running.values():
            if one.process.poll() is None:
                one.kill()


def _await_port(service: Running, port: int) -> None:
    def is_open() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    assert not service.is_over_before(is_open)


@contextmanager
def _sending(
    port: int, storm: Storm, systems: tuple[Sender, ...], figures: StormFigures
) -> Iterator[Callable[[], None]]:
    """Send everything at the rate; yields what waits for the end."""
    made = partial(_request, storm, systems)
    sending = Sending(Plan(port, storm.events, storm.per_s, made, PATIENCE_S))

    def wait() -> None:
        sent = sending.finish()
        figures.seconds = round(sent.seconds, 2)
        figures.sent_again, figures.acknowledged = sent.again, sent.acknowledged
        figures.late_ms = _spread_ms(sent.late_s)
        figures.took_ms = _spread_ms(sent.took_s)
        figures.sender_cpu_s = round(sent.cpu_s, 2)

    sending.start()
    try:
        yield wait
    finally:
        wait()


def _request(storm: Storm, systems: tuple[Sender, ...], number: int) -> bytes:
    """Make the request of one event, signed now, as vendors sign anew what they send again."""
    system = systems[number % len(systems)]
    content = system.content(word_of(storm, number), number)
    signed = system.signed(content, datetime.now(UTC), SECRET)
    path = f"/api/v1/ingest/hooks/{system.vendor}"
    return request_bytes(signed.method, path, signed.query, signed.headers, signed.body)


def _spread_ms(seconds: list[float]) -> tuple[int, int, int]:
    in_order = sorted(seconds)
    places = (len(in_order) // 2, len(in_order) * 99 // 100, -1)
    one, two, three = (round(in_order[place] * 1000) for place in places)
    return one, two, three


def _is_settled(settings: Settings) -> bool:
    with opened(settings) as services:
        waiting = sum(ends.get("sealed", 0) for ends in sums(services.store).values())
        return not waiting and not services.desk.feed.waiting()


def _judge(settings: Settings, storm: Storm, figures: StormFigures) -> None:
    with opened(settings) as services:
        found = Counter[int]()
        for number in range(storm.events):
            node = parse_query(word_of(storm, number), now=NOW, zone=UTC).node
            request = SearchRequest(node, Scope.whole_archive("tester"), limit=0)
            found[services.index.search(request).total] += 1
        ends = sums(services.store)
    figures.lost = found[0]
    figures.doubled = sum(times for total, times in found.items() if total > 1)
    filed = sum(one.get("filed", 0) for one in ends.values())
    if filed != storm.events:
        figures.wrong_sums = repr(ends)
    figures.findings = [f"{one.part} {one.name}: {one.cause}" for one in findings(settings)]

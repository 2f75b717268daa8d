"""Journal reports of all makers from a real Postfix into a service that is killed; for both rounds.

The disk under the archive fills once. Every report names a BCC recipient of its own, by whom it is
found in the end.
"""

from __future__ import annotations

import base64
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import func, select

from archive_kit import NOW, findings, opened, settings_in
from fault_command import Running, start
from fault_disk import grow, memory_disk
from fault_smtp import listening_port, smtpd_words
from holdfast.core.ports import SearchIndex, SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import captures, originals
from holdfast.wiring.founding import create_archive
from http_listening import free_port
from server_postfix import PostfixServer, running
from smtp_kit import JOURNAL, Client

CONNECTIONS = 16
KILL_AFTER_S = (0.3, 2.0)
FULL_BYTES = 256 << 10
"""So much room is left when the disk is full."""
ROOM = "4g"
PATIENCE_S = 900.0
"""Against hanging only."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What one round does."""

    messages: int
    kills: int
    seed: int


@dataclass(slots=True)
class StormFigures:
    """What it gave."""

    messages: int = 0
    connections: int = CONNECTIONS
    kills: int = 0
    full_disks: int = 0
    left_in_queue: int = 0
    refused_for_good: int = 0
    lost: int = 0
    doubled: int = 0
    """Originals beyond those that were sent; a repeated delivery is a capture of the same one."""
    repeated_deliveries: int = 0
    not_found_by_bcc: int = 0
    wrong_sums: str = ""
    findings: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Nothing is lost, doubled, refused or not to be found."""
        bad = self.left_in_queue, self.refused_for_good, self.lost, self.doubled
        return not any((*bad, self.not_found_by_bcc, self.wrong_sums)) and not self.findings


def report(number: int, seed: int) -> bytes:
    """Return a journal report; number 0, 1, 2 … are of one kind after the other."""
    name = f"s{seed}n{number}"
    inner = _inner(name, number)
    envelope = _ENVELOPES[number % len(_ENVELOPES)].format(name=name)
    mark = _MARKS[number // len(_ENVELOPES) % len(_MARKS)]
    whole = _wrapped(envelope, inner, mark, name)
    if number % 97 == 96:  # returned to the mailbox for undeliverable reports
        status = f"--b={name}\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n"
        head = (
            "From: mailer-daemon@x.example\r\nTo: journal@archive.example\r\nSubject: failed\r\n"
            f'MIME-Version: 1.0\r\nContent-Type: multipart/report; boundary="b={name}"\r\n\r\n'
        )
        rest = f"--b={name}\r\nContent-Type: message/rfc822\r\n\r\n"
        return (head + status + rest).encode() + whole + f"\r\n--b={name}--\r\n".encode()
    return whole


_MARKS = (
    "X-MS-Journal-Report:", "X-WM-Journal-Report: journal", "Content-Identifer: ExJournalReport",
    "Content-Identifier: ExJournalReport",
)  # fmt: skip
_ENVELOPES = (
    "Sender: a-{name}@x.example\r\nSubject: s\r\nMessage-ID: <{name}@x.example>\r\n"
    "To: to-{name}@x.example\r\nBcc: bcc-{name}@x.example\r\n",
    "Sender: <a-{name}@x.example>\r\nMessage-Id: <{name}@x.example>\r\nSubject: \u5831\u544a\r\n"
    "To: m-{name}@x.example, Expanded: list-{name}@x.example\r\nBcc: bcc-{name}@x.example\r\n",
    "SENDER: a-{name}@x.example\r\nOn-Behalf-Of: boss-{name}@x.example\r\nSubject: s\r\n"
    "Message-ID: <{name}@x.example>\r\nSentUtc: 2/3/2026 10:00:00 AM\r\n"
    "Cc: f-{name}@x.example, Forwarded: u-{name}@x.example\r\nBCC: <bcc-{name}@x.example>\r\n",
    "Message-ID: <{name}@x.example>\r\nSender: a-{name}@x.example\r\nSubject: one\r\n  two\r\n"
    "Recipient: r-{name}@x.example\r\nBcc: bcc-{name}@x.example,\r\n"
    " Expanded: secret-{name}@x.example\r\n",
)


_OFFER = "\u5173\u4e8e\u9879\u76ee\u7684\u62a5\u4ef7"


def _inner(name: str, number: int) -> bytes:
    is_chinese = number % 2
    subject = f"\u5408\u540c {name}" if is_chinese else f"Contract {name}"
    body = (
        f"\u5173\u4e8e\u9879\u76ee\u7684\u62a5\u4ef7 {name}\r\n"
        if is_chinese
        else f"The offer {name}\r\n"
    )
    charset = ("utf-8", "gb18030")[number // 2 % 2] if is_chinese else "us-ascii"
    coded = base64.b64encode(subject.encode()).decode()
    head = (
        f"From: a-{name}@x.example\r\nTo: to-{name}@x.example\r\nSubject: =?utf-8?b?{coded}?=\r\n"
        f"Date: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{name}@x.example>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(body.encode(charset) * 20).replace(b"\n", b"\r\n")


def _wrapped(envelope: str, inner: bytes, mark: str, name: str) -> bytes:
    coded = base64.encodebytes(envelope.encode()).replace(b"\n", b"\r\n")
    head = (
        f"From: journal@x.example\r\nTo: {JOURNAL}\r\n{mark}\r\nMIME-Version: 1.0\r\n"
        f'Message-ID: <r-{name}@x.example>\r\nContent-Type: multipart/mixed; boundary="={name}"\r\n'
        f"Date: Mon, 2 Mar 2026 10:00:01 +0000\r\nSubject: report\r\n\r\n--={name}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    middle = f"--={name}\r\nContent-Type: message/rfc822\r\n\r\n"
    return head.encode() + coded + middle.encode() + inner + f"\r\n--={name}--\r\n".encode()


def raise_storm(folder: Path, reachable: Path, storm: Storm) -> StormFigures:
    """Let it all happen; judge what is left.

    Args:
        folder: For the archive and what the runs print.
        reachable: A folder that Postfix's own user can enter.
        storm: What to do.

    Raises:
        Missing: There is no Postfix.
    """
    chance = random.Random(storm.seed)
    settings = settings_in(folder)
    figures = StormFigures(storm.messages)
    port = free_port()
    with memory_disk(settings.data, ROOM) as disk, running(reachable, f"127.0.0.1:{port}") as mta:
        create_archive(settings)
        go_on = threading.Event()
        with _submitting(mta.port, storm, go_on) as submitted:
            service = _start(settings, port, folder / "run-0")
            for number in range(1, storm.kills + 1):
                if number == max(storm.kills // 2, 1):
                    _fill(disk, service, go_on)
                    figures.full_disks += 1
                service = _killed(service, chance, partial(_start, settings, port), folder, number)
                figures.kills += 1
            submitted()
            mta.flush()
            assert not service.is_over_before(partial(is_settled, mta, settings))
        service.process.terminate()
        assert service.finish().status == 0
        figures.left_in_queue = mta.waiting()
        log = (mta.queue / "log").read_text("utf-8", "replace")
        figures.refused_for_good = log.count("status=bounced") + log.count("dsn=5.")
        _judge(settings, storm, figures)
    return figures


def _killed(
    service: Running, chance: random.Random, begin: Callable[[Path], Running], folder: Path, at: int
) -> Running:
    until = service.started + chance.uniform(*KILL_AFTER_S)
    service.is_over_before(partial(service.is_past, until))
    service.kill()
    return begin(folder / f"run-{at}")


def _start(settings: Settings, port: int, folder: Path) -> Running:
    service = start(smtpd_words(settings.data, port), folder)
    listening_port(service)
    return service


def _fill(disk: Path, service: Running, go_on: threading.Event) -> None:
    """Fill the disk, let the second half come, and give room again once mail was refused for it."""
    room = os.statvfs(disk)
    used = (room.f_blocks - room.f_bfree) * room.f_frsize
    grow(disk, f"{(used + FULL_BYTES) >> 10}k")
    go_on.set()

    def has_refused() -> bool:
        return "smtp.not_kept" in service.err.read_text("utf-8", "replace")

    assert not service.is_over_before(has_refused)
    grow(disk, ROOM)


@contextmanager
def _submitting(port: int, storm: Storm, go_on: threading.Event) -> Iterator[Callable[[], None]]:
    """Submit everything over many connections; yields what waits for their end.

    The second half waits for the event.
    """
    numbers, lock = count(), threading.Lock()
    troubles: list[BaseException] = []

    def work() -> None:
        try:
            with Client(port) as client:
                client.greet()
                while True:
                    with lock:
                        number = next(numbers)
                    if number >= storm.messages:
                        return
                    if number >= storm.messages // 2:
                        assert go_on.wait(PATIENCE_S)
                    assert client.deliver(report(number, storm.seed)).startswith("250 ")
        except BaseException as error:  # noqa: BLE001 - the test that waits shall raise it
            troubles.append(error)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]

    def wait() -> None:
        for thread in threads:
            thread.join()
        if troubles:
            raise troubles[0]

    for thread in threads:
        thread.start()
    try:
        yield wait
    finally:
        go_on.set()
        wait()


def is_settled(mta: PostfixServer, settings: Settings) -> bool:
    """Tell whether nothing waits: neither in the queue, nor to be filed, nor to be found."""
    if mta.waiting():
        return False
    with opened(settings) as services:
        ends = sums(services.store).get("journal", {})
        return not ends.get("sealed") and not services.desk.feed.waiting()


def _judge(settings: Settings, storm: Storm, figures: StormFigures) -> None:
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            kept = connection.scalar(select(func.count()).select_from(originals)) or 0
            taken = connection.scalar(select(func.count()).select_from(captures)) or 0
        ends = Counter(sums(services.store).get("journal", {}))
        found = {
            number: _found(services.index, f"bcc:bcc-s{storm.seed}n{number}@x.example")
            for number in range(storm.messages)
        }
    figures.not_found_by_bcc = sum(number != 1 for number in found.values())
    figures.lost = sum(not number for number in found.values())
    figures.repeated_deliveries = taken - kept
    figures.doubled = max(kept - storm.messages, 0)
    if sum(ends.values()) != taken or ends["filed"] != storm.messages:
        figures.wrong_sums = repr(dict(ends))
    figures.findings = [f"{one.part} {one.name}: {one.cause}" for one in findings(settings)]


def _found(index: SearchIndex, text: str) -> int:
    node = parse_query(text, now=NOW, zone=UTC).node
    return index.search(SearchRequest(node, Scope.whole_archive("tester"))).total

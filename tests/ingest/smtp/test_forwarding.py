"""Mail that people forward as attachments to a drop address."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from archive_kit import ACTOR, findings, found, kept, settings_in
from drop_kill import file_and_die
from holdfast.core.records import NO_TRUST, CaptureFacts
from holdfast.ingest.recovery import file_sealed
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import captures, custodians, interactions, originals
from holdfast.wiring.archive import open_archive
from holdfast.wiring.runs import parser_pool
from smtp_kit import CONFIG, Client, listening

DROP = "drop@archive.example"
TAKES = replace(CONFIG, drop_addresses=frozenset({DROP}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def plain(number: int) -> bytes:
    lines = (
        f"From: Customer <customer{number}@buyer.example>",
        "To: li.wei@x.example",
        f"Subject: order {number}",
        "Date: Mon, 2 Mar 2026 10:00:00 +0000",
        f"Message-ID: <order{number}@buyer.example>",
        "",
        f"we order pumps{number}",
        "",
    )
    return "\r\n".join(lines).encode()


def forwarding(*messages: bytes, boundary: str = "fwd") -> bytes:
    mark = b"--" + boundary.encode()
    parts = [b"Content-Type: text/plain\r\n\r\nfor the archive, regards"]
    parts += [b"Content-Type: message/rfc822\r\n\r\n" + one for one in messages]
    head = (
        "From: li.wei@x.example\r\nTo: drop@archive.example\r\nSubject: please keep\r\n"
        f"Message-ID: <{boundary}@x.example>\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    )
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts)
    return head.encode() + body + mark + b"--"


def send(settings: Settings, *contents: bytes, sender: str = "<Li.Wei@x.example>") -> None:
    """Deliver to the drop address; nothing is filed."""
    with listening(settings, TAKES) as running, Client(running.port) as client:
        client.greet()
        for content in contents:
            client.envelope(sender, DROP)
            client.send(content + b"\r\n.\r\n")
            assert client.reply().startswith("250 ")


def file_all(settings: Settings) -> dict[str, int]:
    """File what is sealed; return the ledger's sums."""
    with parser_pool(settings) as pool, open_archive(settings, ACTOR) as services:
        file_sealed(services.desk, pool)
        services.desk.feed.drain()
        services.desk.sequencer.run()
        return sums(services.store)["journal"]


def kept_captures(settings: Settings) -> Sequence[Any]:
    query = (
        select(
            captures.c.facts,
            captures.c.received_ms,
            originals.c.content_id,
            custodians.c.name,
            interactions.c.subject,
            interactions.c.defects,
        )
        .join(originals, originals.c.id == captures.c.original_id)
        .join(interactions, interactions.c.id == captures.c.interaction_id)
        .outerjoin(custodians, custodians.c.id == captures.c.custodian_id)
        .order_by(captures.c.id)
    )
    with open_archive(settings, ACTOR) as services, reading(services.store.engine) as connection:
        return connection.execute(query).all()


def facts_of(row: Any) -> CaptureFacts:
    return msgspec.json.decode(row.facts, type=CaptureFacts)


def test_attached_messages_become_interactions_beside_the_mail_that_carried_them(
    settings: Settings,
) -> None:
    raw = forwarding(plain(1), plain(2))
    send(settings, raw)
    assert file_all(settings) == {"filed": 3}
    carrier, *carried = kept_captures(settings)
    assert [one.subject for one in (carrier, *carried)] == ["please keep", "order 1", "order 2"]
    assert kept(settings) == [raw + b"\r\n", plain(1), plain(2)]
    assert (carrier.name, facts_of(carrier).container_sha256) == (None, "")
    for part, one in zip(("2", "3"), carried, strict=True):
        facts = facts_of(one)
        assert (facts.container_sha256, facts.member) == (carrier.content_id.hex(), part)
        assert (one.name, one.received_ms) == ("li.wei@x.example", carrier.received_ms)
        assert (facts.folder, facts.smtp, facts.trust) == ("drop", None, NO_TRUST)
    queries = ("from:customer2", "subject:order", "custodian:li.wei@x.example", "pumps1")
    assert [found(settings, query) for query in queries] == [1, 2, 2, 2]
    assert findings(settings) == []


def test_mail_to_the_drop_address_without_attached_messages_stays_one_interaction(
    settings: Settings,
) -> None:
    send(settings, plain(1))
    assert file_all(settings) == {"filed": 1}
    (row,) = kept_captures(settings)
    assert (row.name, facts_of(row).container_sha256) == (None, "")


def test_attached_message_outside_the_drop_address_stays_an_attachment(settings: Settings) -> None:
    with listening(settings, TAKES) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(forwarding(plain(1))).startswith("250 ")
    assert file_all(settings) == {"filed": 1}


def test_nobody_is_custodian_of_what_has_no_sender(settings: Settings) -> None:
    send(settings, forwarding(plain(1)), sender="<>")
    assert file_all(settings) == {"filed": 2}
    assert [row.name for row in kept_captures(settings)] == [None, None]


def test_filing_again_and_forwarding_again_make_nothing_twice(settings: Settings) -> None:
    raw = forwarding(plain(1))
    send(settings, raw)
    file_all(settings)
    assert file_all(settings) == {"filed": 2}
    send(settings, raw)
    assert file_all(settings) == {"filed": 2, "duplicate": 2}
    assert len(kept(settings)) == 2
    assert found(settings, "subject:order") == 1
    assert findings(settings) == []


def test_messages_forwarded_inside_forwarded_ones_are_opened_up_to_a_limit(
    settings: Settings,
) -> None:
    raw = plain(1)
    for level in range(10):
        raw = forwarding(raw, boundary=f"level{level}")
    send(settings, raw)
    assert file_all(settings) == {"filed": 9}
    assert [("carried_limit" in row.defects) for row in kept_captures(settings)] == [
        True,
        *[False] * 8,
    ]
    assert found(settings, "defect:carried_limit") == 1


def test_kill_between_keeping_and_filing_makes_nothing_twice(settings: Settings) -> None:
    send(settings, forwarding(plain(1), plain(2)))
    for _ in range(2):
        process = multiprocessing.get_context("spawn").Process(
            target=file_and_die, args=(settings,)
        )
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
        with open_archive(settings, ACTOR) as services:
            assert sums(services.store)["journal"] == {"sealed": 3}
    assert file_all(settings) == {"filed": 3}
    assert findings(settings) == []

"""`webhook`: the secret shows once, a test is sent at once, and the log tells what came of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli_archive import Desk
from webhook_kit import HOST, Receiver, receiving, signature

ALLOWED = ("--set", f"outgoing.private_hosts={HOST}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def desk(own: Desk) -> Desk:
    own.run("init")
    own.run("user", "add", "lee", "--role", "legal")
    return own


def test_endpoint_is_added_tested_rotated_and_removed(desk: Desk, receiver: Receiver) -> None:
    added = desk.run(
        "webhook", "add", receiver.url, "--owner", "lee", "--name", "crm", "--event",
        "message.archived", *ALLOWED,
    )  # fmt: skip
    secret = added.out.strip()
    assert secret.startswith("whsec_")
    assert "Next: holdfast webhook test whk_" in added.err
    listed = desk.run("webhook", "list")
    assert secret not in listed.out
    assert "crm" in listed.out
    assert "(HTTP 200)" in desk.run("webhook", "test", "crm", *ALLOWED).out
    assert receiver.kinds == ["webhook.test"]
    assert receiver.heard[0].headers["webhook-signature"] == signature(secret, receiver.heard[0])
    newer = desk.run("webhook", "rotate", "crm", "--overlap", "0", "--json").json["secret"]
    receiver.statuses = [500]
    failed = desk.run("webhook", "test", "crm", *ALLOWED, status=1)
    assert "It answers HTTP 500." in failed.out
    assert receiver.heard[1].headers["webhook-signature"] == signature(newer, receiver.heard[1])
    log = desk.run("webhook", "log", "crm", "--json").json["deliveries"]
    assert [(one["state"], one["status"]) for one in log] == [("waiting", 500), ("delivered", 200)]
    assert "waiting" in desk.run("webhook", "log", "crm", "--state", "waiting").out
    again = desk.run("webhook", "replay", "crm", log[1]["id"])
    assert "told again" in again.out
    desk.run("worker", "--once", "--kind", "webhook", *ALLOWED)
    assert receiver.heard[2].id == receiver.heard[0].id
    assert "paused" in desk.run("webhook", "pause", "crm").out
    assert "active" in desk.run("webhook", "resume", "crm").out
    assert "Nothing was changed" in desk.run("webhook", "remove", "crm", "--dry-run").err
    desk.run("webhook", "remove", "crm")
    desk.run("webhook", "test", "crm", status=4)
    assert desk.run("webhook", "list", "--json").json["webhooks"] == []


def test_address_of_this_network_is_refused(desk: Desk, receiver: Receiver) -> None:
    refused = desk.run("webhook", "add", receiver.url, "--owner", "lee", status=2)
    assert "outgoing.private_hosts" in refused.err


def test_secrets_open_after_keys_were_rotated_and_retired(desk: Desk, receiver: Receiver) -> None:
    added = desk.run("webhook", "add", receiver.url, "--owner", "lee", "--name", "a", *ALLOWED)
    desk.run("webhook", "rotate", "a")
    desk.run("keys", "rotate")
    desk.run("keys", "retire")
    desk.run("webhook", "test", "a", *ALLOWED)
    both = receiver.heard[0].headers["webhook-signature"].split(" ")
    assert both[1] == signature(added.out.strip(), receiver.heard[0])


def test_words_are_chinese_too(desk: Desk, receiver: Receiver) -> None:
    desk.run("webhook", "add", receiver.url, "--owner", "lee", "--name", "a", *ALLOWED)
    assert "已暂停" in desk.run("webhook", "pause", "a", "--lang", "zh").out

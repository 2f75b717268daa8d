"""F34, F35: webhooks that are broken on purpose; the checks must find them out."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from api_kit import Office, office
from archive_kit import settings_in
from holdfast.ingest.webhooks import checking, keeping
from holdfast.ingest.webhooks.intake import Hooks
from holdfast.ingest.webhooks.request import Reply, Request, Taken
from holdfast.ingest.webhooks.vendors import dingtalk, feishu, generic, jdy, slack, wecom
from holdfast.wiring.founding import create_archive
from hook_checks import (
    attacks_are_refused,
    bomb,
    bomb_costs_little,
    event_is_kept_once,
    large_body_is_not_read,
    repeat_is_told,
    rewritten,
    secrets_are_compared_in_constant_time,
)
from hook_kit import CASES, RAW_SIGNED, Case
from hook_storm import SYSTEMS, add_systems

Plant = pytest.MonkeyPatch
BY_NAME = {case.name: case for case in CASES}
FRESH = {"slack", "feishu-encrypted", "dingtalk-event", "dingtalk-robot", "wecom", "jdy",
         "generic-hmac", "generic-standard"}  # fmt: skip
"""Say when they were signed, and are judged by it."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = settings_in(tmp_path_factory.mktemp("hooks"), service={"requests_per_minute": 0})
    create_archive(made)
    add_systems(made, SYSTEMS)
    with office(made) as opened:
        yield opened
        opened.client.app.state.served.hooks.close()  # type: ignore[attr-defined]


def broken(case: Case, take: Any) -> Case:
    """Return the case with another way to judge requests."""
    return replace(case, vendor=replace(case.vendor, take=take))


@pytest.mark.parametrize("name", sorted(RAW_SIGNED - {"feishu-encrypted"}))
def test_f34_signature_of_a_body_that_was_written_anew_is_found_out(name: str) -> None:
    """Read as JSON, written again, and then compared: as a framework would that gives no bytes."""
    case = BY_NAME[name]

    def take(request: Request, settings: Any) -> Any:
        with suppress(ValueError, RecursionError):
            request = rewritten(request)
        return case.vendor.take(request, settings)

    with pytest.raises(AssertionError, match=r"'body re-serialised', 'taken'"):
        attacks_are_refused(broken(case, take))


@pytest.mark.parametrize("name", sorted(FRESH))
def test_f34_window_that_is_not_checked_is_found_out(name: str, monkeypatch: Plant) -> None:
    for vendor in (dingtalk, feishu, generic, jdy, slack, wecom):
        monkeypatch.setattr(vendor, "require_fresh", lambda *_: None)
    with pytest.raises(AssertionError, match=r"'from the future', 'taken'.*'too old', 'taken'"):
        attacks_are_refused(BY_NAME[name])


@pytest.mark.parametrize("name", ["slack", "jdy", "generic-hmac", "generic-standard", "wecom"])
def test_f34_signature_that_is_not_compared_is_found_out(name: str, monkeypatch: Plant) -> None:
    for vendor in (dingtalk, feishu, generic, jdy, slack, wecom):
        if hasattr(vendor, "require_signed"):
            monkeypatch.setattr(vendor, "require_signed", lambda **_: None)
    with pytest.raises(AssertionError, match=r"'other secret', 'taken'"):
        attacks_are_refused(BY_NAME[name])


def test_f34_comparison_that_stops_early_is_found_out(monkeypatch: Plant) -> None:
    monkeypatch.setattr(checking, "same", lambda given, expected: given == expected != "")
    with pytest.raises(AssertionError, match="in a time that tells"):
        secrets_are_compared_in_constant_time(BY_NAME["slack"])


def test_f34_repeat_that_is_not_remembered_is_found_out(served: Office, monkeypatch: Plant) -> None:
    monkeypatch.setattr(generic, "event_key", lambda *_: uuid.uuid4().hex)
    with pytest.raises(AssertionError, match="generic: not kept once: 2"):
        event_is_kept_once(served, SYSTEMS[-1], "forgotten")
    monkeypatch.undo()
    monkeypatch.setattr(keeping, "known_of", lambda *_: {})
    with pytest.raises(AssertionError, match="a repeat was not known"):
        repeat_is_told(served, SYSTEMS[-1].content("untold", 2))


def test_f35_answer_before_it_is_kept_is_found_out(served: Office, monkeypatch: Plant) -> None:
    def promise(_hooks: Hooks, _source: object, taken: Taken) -> Future[Reply]:
        promised: Future[Reply] = Future()
        promised.set_result(taken.reply)
        return promised

    monkeypatch.setattr(Hooks, "_keep", promise)
    with pytest.raises(AssertionError, match="not kept when it is answered: 0"):
        event_is_kept_once(served, SYSTEMS[-1], "promised")


class Unbounded:
    """A stream that gives all at once, whatever it is asked for."""

    def __init__(self, bits: int) -> None:
        self._stream = zlib.decompressobj(bits)
        self.eof, self.unused_data = True, b""

    def decompress(self, data: bytes, _most: int) -> bytes:
        return self._stream.decompress(data)


def test_f35_bomb_that_is_inflated_whole_is_found_out(monkeypatch: Plant) -> None:
    request = bomb()
    careless = SimpleNamespace(decompressobj=Unbounded, error=zlib.error)
    monkeypatch.setattr(checking, "zlib", careless)
    with pytest.raises(AssertionError, match=r"a bomb took \d{3} MiB"):
        bomb_costs_little(BY_NAME["generic-hmac"].handle, request)


def test_f35_body_that_is_read_to_its_end_is_found_out(served: Office, monkeypatch: Plant) -> None:
    monkeypatch.setattr("holdfast.api.envelope._bounded", lambda receive, _most: receive)
    with pytest.raises(AssertionError, match="64 MiB were read"):
        large_body_is_not_read(served, count=1024)

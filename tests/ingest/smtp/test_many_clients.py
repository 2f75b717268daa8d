"""Clients by the hundred that say nothing: held in little memory, or refused in so many words."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_command import start
from fault_smtp import listening_port, smtpd_words
from holdfast.ingest.smtp.open_files import SPARE, room_for
from holdfast.ingest.smtp.session import JournalSession
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from smtp_idle import SENDERS, Load, idle_rounds
from smtp_kit import Client, bounded, listening

MAIL = b"From: a@x.example\r\nSubject: one\r\n\r\nbody"
MOST_MEMORY_BYTES = 200 << 20
ROOM = 20


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def soft_limit() -> Iterator[int]:
    """Lower the limit of open files for the test; it is one that can be raised again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_three_hundred_silent_clients_are_held_beside_honest_senders(tmp_path: Path) -> None:
    figures = idle_rounds(tmp_path, Load(clients=300, messages=20))
    assert figures.held == 300
    assert figures.sent == figures.kept == 2 * 20 * SENDERS
    assert figures.peak_bytes < MOST_MEMORY_BYTES


@pytest.mark.parametrize("bound", ["connections", "connections_per_peer"])
def test_client_above_a_bound_is_told_so_and_so_is_the_log(settings: Settings, bound: str) -> None:
    with listening(settings, bounded(**{bound: 3})) as listener, ExitStack() as stack:
        for _ in range(3):
            assert stack.enter_context(Client(listener.port)).reply().startswith("220 ")
        with Client(listener.port) as refused:
            assert refused.reply() == "421 4.7.0 Too many connections; try again later"
            assert refused.reply() == ""
        told = listener.wait_for("smtp.refused")
        assert told == {
            "event": "smtp.refused", "peer": "127.0.0.1", "cause": bound, "most": 3,
        }  # fmt: skip


def test_sizes_of_commands_that_one_client_may_send_are_not_those_of_another(
    settings: Settings,
) -> None:
    long = "MAIL FROM:<" + "a" * 520 + "@x.example>"
    with listening(settings) as listener, ExitStack() as stack:
        first, second = (stack.enter_context(Client(listener.port)) for _ in range(2))
        first.greet()
        for _ in range(20):
            first.say("EHLO client.example")
        assert second.reply().startswith("220 ")
        assert second.say("HELO client.example").startswith("250 ")
        assert second.say(long).startswith("500 ")


def test_limit_of_open_files_is_raised_as_far_as_it_is_needed(soft_limit: int) -> None:
    assert room_for(100) == 100
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1024
    assert room_for(1000) == 1000
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (1000 + SPARE, soft_limit)


def test_fewer_clients_come_in_where_files_are_few(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    files = SPARE + ROOM
    before = ("prlimit", f"--nofile={files}:{files}")
    running = start(smtpd_words(settings.data), tmp_path / "run", before=before)
    port = listening_port(running)
    with ExitStack() as stack:
        held = [stack.enter_context(Client(port)) for _ in range(ROOM)]
        assert all(one.reply().startswith("220 ") for one in held)
        with Client(port) as refused:
            assert refused.reply().startswith("421 ")
        held[0].say("EHLO client.example")
        assert held[0].deliver(MAIL).startswith("250 ")
    running.process.terminate()
    ended = running.finish()
    assert ended.status == 0
    assert f'"event": "smtp.few_files", "asked": 200, "connections": {ROOM}' in ended.err
    assert f'"cause": "connections", "most": {ROOM}' in ended.err


def test_client_that_left_takes_no_memory_until_rubbish_is_looked_for(settings: Settings) -> None:
    gc.collect()
    gc.disable()
    try:
        with listening(settings) as listener:
            for number in range(20):
                with Client(listener.port) as client:
                    client.greet()
                    if number % 2:
                        client.deliver(MAIL)
        found = [one for one in gc.get_objects() if isinstance(one, JournalSession)]
        assert [one.peer for one in found if one.peer] == []
    finally:
        gc.enable()

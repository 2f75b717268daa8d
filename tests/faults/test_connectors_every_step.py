"""F2 over IMAP and SMTP: a sync and a session, killed at single system calls (a sample)."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fault_strace import Rig, can_inject, session_rig, waiting_rig
from fault_sweep import KILL, caught_in, kill_everywhere
from fault_works import Syncing
from imap_kit import letter

pytestmark = pytest.mark.unmeasured

MAIL = [letter(number) for number in range(3)]
SENT = [raw.removesuffix(b"\r\n") for raw in MAIL]
CALLS = ("openat", "fsync", "pwrite64")
"""To make a segment, to make it durable, and to write the catalogue."""


@pytest.fixture(autouse=True)
def _strace(need: Callable[[bool, str], None]) -> None:
    need(can_inject(), "strace cannot trace here")


@pytest.fixture
def syncing(tmp_path: Path) -> Iterator[Rig]:
    """A rig with a server that has three messages."""
    with waiting_rig(tmp_path, MAIL) as rig:
        yield replace(rig, phase="writing")


@pytest.fixture
def receiving(tmp_path: Path) -> Rig:
    """A rig with a client that has three messages."""
    return replace(session_rig(tmp_path, SENT), phase="writing")


def test_f2_imap_sync_killed_at_one_call_of_each_kind(syncing: Rig, seed: int) -> None:
    figures = kill_everywhere(syncing, random.Random(seed), CALLS)
    assert figures.bad == []
    assert figures.hit == figures.points == len(CALLS)


def test_f2_kills_find_out_a_sync_whose_cursor_runs_ahead_of_its_commit(syncing: Rig) -> None:
    later = replace(syncing, work=Syncing({"INBOX": MAIL}, "take_the_listed_for_taken"))
    assert "lost=3" in caught_in(later, "openat", KILL)


def test_f2_smtp_session_killed_at_one_call_of_each_kind(receiving: Rig, seed: int) -> None:
    figures = kill_everywhere(receiving, random.Random(seed), CALLS)
    assert figures.bad == []
    assert figures.hit == figures.points == len(CALLS)


def test_f2_kills_find_out_a_listener_that_answers_before_it_commits(receiving: Rig) -> None:
    rig = replace(receiving, bug="answer_before_keeping")
    assert re.search("lost=[123]", caught_in(rig, "openat", KILL))

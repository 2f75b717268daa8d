"""Thousands of silent clients held by the listener, in bounded memory, beside honest senders."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from smtp_idle import Load, idle_rounds

MESSAGES = 250
"""Of each of eight senders, each time."""
ROUNDS = 3
MOST_MEMORY_BYTES = 200 << 20
OWN_FILES = 500


@pytest.mark.parametrize("clients", [2_000, 9_500])
def test_silent_clients_are_held_in_little_memory_beside_honest_senders(
    tmp_path: Path,
    clients: int,
    report: Callable[..., None],
    need: Callable[[object, str], None],
) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    may = hard == resource.RLIM_INFINITY or hard >= clients + OWN_FILES
    need(may, f"this host allows {hard} open files")
    figures = idle_rounds(tmp_path, Load(clients, MESSAGES, ROUNDS))
    report(**asdict(figures), share_of_their_rate=round(figures.share, 3))
    assert figures.held == clients
    assert figures.sent == figures.kept == 2 * ROUNDS * MESSAGES * 8
    assert figures.peak_bytes < MOST_MEMORY_BYTES

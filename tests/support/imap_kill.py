"""Kills syncs of a real mailbox at random instants and judges what is left; for short and full."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from archive_kit import findings, settings_in
from fault_command import PROGRAM, start
from fault_kill import bytes_in
from holdfast.settings import Settings
from imap_kit import SOURCE, account_of, added, counted, expected, held, letter, synced
from imap_tap import DEADLINE_S, Tap, tapped
from server_dovecot import User

NAMES = ("INBOX", "Sent", "项目/合同 2024", "a b & c", "Archive/deep/deeper/deepest", "Résumés")


@dataclass(slots=True)
class KilledSyncs:
    """What the rounds gave."""

    rounds: int = 0
    killed_alive: int = 0
    """Runs that were killed before they ended by themselves."""
    kept_before: int = 0
    """Captures that killed runs had left, over all rounds."""
    missing: int = 0
    doubled: int = 0
    bad: list[str] = field(default_factory=list)


def mailbox(folders: int, messages: int) -> dict[str, list[bytes]]:
    """Make up a mailbox: names of every kind; one message in twenty lies in two folders."""
    names = [
        name if round_ == 0 else f"{name} {round_}" if name != "INBOX" else f"Box {round_}"
        for round_ in range(folders // len(NAMES) + 1)
        for name in NAMES
    ][:folders]
    mail: dict[str, list[bytes]] = {name: [] for name in names}
    for number in range(messages):
        same = number - 1 if number % 20 == 1 else number
        mail[names[number % folders]].append(letter(same))
    return mail


def fill(user: User, mail: Mapping[str, Sequence[bytes]]) -> None:
    """Put all of it on the server."""
    for folder, messages in mail.items():
        user.append(folder, *messages)


def kill_rounds(
    folder: Path, user: User, mail: Mapping[str, Sequence[bytes]], *, rounds: int, seed: int
) -> KilledSyncs:
    """Sync into a fresh archive, kill, sync to the end and judge; so many times.

    Args:
        folder: For everything.
        user: Of the server, with the mail.
        mail: Folder → messages.
        rounds: How often.
        seed: Of the instants.
    """
    chance = random.Random(seed)
    figures, parts = KilledSyncs(), min(rounds, 6)
    with tapped(user.server.port) as tap:
        total = _whole(folder / "whole", user, tap)
        for number in range(rounds):
            own = folder / f"round-{number}"
            settings = _prepared(own, user, tap)
            tap.down_bytes = 0
            # One instant in each part of the work, however fast this machine is at the moment.
            threshold = total * (number % parts + chance.random()) / parts
            running = start(_words(settings), own)
            over = running.is_over_before(partial(_has_passed, own, tap, threshold))
            running.kill()
            figures.rounds += 1
            figures.killed_alive += not over
            figures.kept_before += counted(settings)["captures"]
            _judge(settings, mail, figures)
    return figures


def killed_while_fetching(
    folder: Path, user: User, mail: Mapping[str, Sequence[bytes]]
) -> KilledSyncs:
    """Kill one sync when it has listed a folder and asked for bodies, before it gets them; judge.

    Args:
        folder: For everything.
        user: Of the server, with the mail.
        mail: Folder → messages.
    """
    figures = KilledSyncs(rounds=1)
    has_asked, is_dead = threading.Event(), threading.Event()

    def hold() -> None:
        has_asked.set()
        is_dead.wait(DEADLINE_S)

    with tapped(user.server.port) as tap:
        settings = _prepared(folder, user, tap, tls="none")
        tap.acts.append((b"BODY.PEEK[]", hold))
        running = start(_words(settings), folder)
        figures.killed_alive += not running.is_over_before(has_asked.is_set)
        running.kill()
        is_dead.set()
        _judge(settings, mail, figures)
    return figures


def _judge(settings: Settings, mail: Mapping[str, Sequence[bytes]], figures: KilledSyncs) -> None:
    first, again = synced(settings), synced(settings)
    found, wanted = held(settings), expected(mail)
    for name in found.keys() | wanted.keys():
        have, want = found.get(name, Counter()), wanted.get(name, Counter())
        figures.missing += (want - have).total()
        figures.doubled += (have - want).total()
    said = findings(settings)
    originals = len(set().union(*wanted.values()))
    counts = counted(settings)
    if not first.is_whole or again.counts.offered or said or counts["originals"] != originals:
        figures.bad.append(f"{first} {again.counts} {said} {counts}")
    if counts["interactions"] != originals:
        figures.bad.append(f"{counts} of {originals}")


def _whole(folder: Path, user: User, tap: Tap) -> int:
    """Run one sync to its end; return how many bytes it moved, from the server and to the disk."""
    settings = _prepared(folder, user, tap)
    tap.down_bytes = 0
    running = start(_words(settings), folder)
    largest = 0

    def looked() -> bool:
        nonlocal largest
        largest = max(largest, _moved(folder, tap))
        return False

    running.is_over_before(looked)
    assert running.finish().status == 0
    return largest


def _prepared(folder: Path, user: User, tap: Tap, **changes: str) -> Settings:
    folder.mkdir(parents=True, exist_ok=True)
    settings = settings_in(folder)
    added(settings, account_of(user, port=tap.port, **changes), user.server.password)
    return settings


def _words(settings: Settings) -> list[str]:
    data = str(settings.data)
    return [*PROGRAM, "--data", data, "source", "sync", SOURCE, "-j", "1", "--json"]


def _has_passed(folder: Path, tap: Tap, threshold: float) -> bool:
    return _moved(folder, tap) >= threshold


def _moved(folder: Path, tap: Tap) -> int:
    return tap.down_bytes + bytes_in(folder)

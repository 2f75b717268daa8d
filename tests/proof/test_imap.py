"""A mailbox on a real Dovecot: all once, no flag changed, fifty kills and strikes; soon found."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from archive_kit import findings, found, settings_in
from fault_command import PROGRAM, run
from holdfast.settings import Settings
from imap_kill import fill, kill_rounds, mailbox
from imap_kit import SOURCE, account_of, added, ends, expected, held, letter, synced
from imap_tap import tapped
from imap_trouble import trouble_rounds
from server_dovecot import Dovecot, User, running
from source_kit import worker
from work_kinds import until

SHARE = int(os.environ.get("HOLDFAST_PROOF_SHARE") or 1)
"""A tenth, say, by 10: for a look at the proof itself; the report gives the figures it ran with."""
MESSAGES = 20_000 // SHARE
FOLDERS = 60
KILLS = 50 // SHARE
KILLED_MESSAGES = 1_200
STRIKES = 50 // SHARE
LARGE_BYTES = 200_000_000 // SHARE
"""Of one message."""
MOST_MEMORY_BYTES = 500_000_000
DELIVERED = 20
BAR_S = 5.0
"""Reported, not asserted: other programs may have the machine."""


def test_twenty_thousand_messages_in_sixty_folders_come_once_and_whole(
    tmp_path: Path, dovecot_server: Dovecot, report: Callable[..., None]
) -> None:
    user = dovecot_server.user("proof-whole")
    mail = mailbox(FOLDERS, MESSAGES)
    fill(user, mail)
    flags = [user.flags(folder) for folder in mail]
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    first, again = synced(settings), synced(settings)
    kept, wanted = held(settings), expected(mail)
    changed = sum(before != user.flags(folder) for folder, before in zip(mail, flags, strict=True))
    report(
        messages=MESSAGES,
        folders=first.found.folders,
        at_server=first.found.at_server,
        folders_that_differ=sum(kept.get(name) != wanted[name] for name in wanted),
        fetched_by_the_second_sync=again.counts.offered,
        folders_with_changed_flags=changed,
    )
    assert (first.found.at_server, first.is_whole) == (MESSAGES, True)
    assert kept == wanted
    assert (again.counts.offered, changed) == (0, 0)
    assert findings(settings) == []


def test_fifty_killed_syncs_lose_nothing_and_double_nothing(
    tmp_path: Path, dovecot_server: Dovecot, proof_seed: int, report: Callable[..., None]
) -> None:
    user = dovecot_server.user("proof-killed")
    mail = mailbox(FOLDERS // 5, KILLED_MESSAGES)
    fill(user, mail)
    figures = kill_rounds(tmp_path, user, mail, rounds=KILLS, seed=proof_seed)
    report(
        messages=KILLED_MESSAGES,
        rounds=figures.rounds,
        killed_alive=figures.killed_alive,
        kept_before=figures.kept_before,
        missing=figures.missing,
        doubled=figures.doubled,
        bad=len(figures.bad),
    )
    assert figures.bad == []
    assert (figures.missing, figures.doubled) == (0, 0)
    assert figures.kept_before > 0
    assert figures.killed_alive >= KILLS * 3 // 4


def test_fifty_strikes_at_server_connection_and_mailbox_lose_nothing_and_double_nothing(
    tmp_path: Path,
    dovecot_server: Dovecot,
    proof_seed: int,
    report: Callable[..., None],
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-struck-"))
    folder.chmod(0o755)
    try:
        with running(folder) as server:
            figures = trouble_rounds(tmp_path, server, rounds=STRIKES, seed=proof_seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(
        rounds=figures.rounds,
        struck=dict(figures.struck),
        resumed=figures.resumed,
        missing=figures.missing,
        doubled=figures.doubled,
        unreconciled=figures.unreconciled,
        bad=len(figures.bad),
    )
    assert figures.bad == []
    assert (figures.missing, figures.doubled, figures.unreconciled) == (0, 0, 0)
    assert figures.struck.total() >= STRIKES * 3 // 4


def test_message_of_two_hundred_megabytes_takes_little_memory(
    tmp_path: Path, dovecot_server: Dovecot, report: Callable[..., None]
) -> None:
    user = dovecot_server.user("proof-large")
    line = b"0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopq\r\n"
    user.append("INBOX", letter(1) + line * (LARGE_BYTES // len(line)), letter(2))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    words = [*PROGRAM, "--data", str(settings.data), "source", "sync", SOURCE, "-j", "1"]
    ended = run(words, tmp_path, is_watched=True)
    report(bytes=LARGE_BYTES, peak_bytes_of_a_process=ended.peak_rss_bytes)
    assert ended.status == 0
    assert sum(held(settings)["INBOX"].values()) == 2
    assert ended.peak_rss_bytes < MOST_MEMORY_BYTES


def test_time_until_new_mail_is_found_by_a_search(
    tmp_path: Path, dovecot_server: Dovecot, report: Callable[..., None]
) -> None:
    user = dovecot_server.user("proof-fresh")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        account = account_of(user, port=tap.port, tls="none", folders=("INBOX",))
        added(settings, account, dovecot_server.password)
        with worker(settings):
            until(lambda: tap.of(b"IDLE"))
            until(lambda: found(settings, "source:mail") == 1)
            seconds = [_found_after(settings, user, number) for number in range(DELIVERED)]
    report(
        messages=DELIVERED,
        median_s=round(statistics.median(seconds), 2),
        worst_s=round(max(seconds), 2),
        within_five_seconds=sum(one <= BAR_S for one in seconds),
        seconds=[round(one, 2) for one in seconds],
    )
    assert ends(settings) == {"filed": DELIVERED + 1}


def _found_after(settings: Settings, user: User, number: int) -> float:
    """Deliver as another client does; return how long until a search found it, opening included."""
    word = f"delivery{number}word"
    user.append("INBOX", letter(1000 + number, subject=word))
    started = time.monotonic()
    until(lambda: found(settings, f"subject:{word}"))
    return time.monotonic() - started

"""A large mailbox on a real Dovecot: everything once, no flag changed, and fifty killed syncs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from archive_kit import findings, settings_in
from imap_kill import fill, kill_rounds, mailbox
from imap_kit import account_of, added, expected, held, synced
from server_dovecot import Dovecot

SHARE = int(os.environ.get("HOLDFAST_PROOF_SHARE") or 1)
"""A tenth, say, by 10: for a look at the proof itself; the report gives the figures it ran with."""
MESSAGES = 20_000 // SHARE
FOLDERS = 60
KILLS = 50 // SHARE
KILLED_MESSAGES = 1_200


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
    found, wanted = held(settings), expected(mail)
    changed = sum(before != user.flags(folder) for folder, before in zip(mail, flags, strict=True))
    report(
        messages=MESSAGES,
        folders=first.folders,
        at_server=first.at_server,
        folders_that_differ=sum(found.get(name) != wanted[name] for name in wanted),
        fetched_by_the_second_sync=again.counts.offered,
        folders_with_changed_flags=changed,
    )
    assert (first.at_server, first.is_whole) == (MESSAGES, True)
    assert found == wanted
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

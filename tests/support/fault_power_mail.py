"""Cuts the power of a real file system under an IMAP sync and an SMTP session; judges what is left.

The power goes right after something was acknowledged: where what was not durable shows most often.
"""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fault_checks import Verdict
from fault_command import PLANTED, start
from fault_disk import LoopDisk, loop_disk
from fault_smtp import listening_port, smtpd_words
from fault_works import judge_session, judge_sync, name_of
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from imap_kit import added, letter, plain_account
from imap_script import Script, scripted
from smtp_kit import Client

SYNCING = (sys.executable, str(Path(__file__).with_name("fault_syncing.py")))
MAIL = [letter(number) for number in range(48)]


@dataclass(slots=True)
class MailPower:
    """What the rounds gave."""

    rounds: int = 0
    acknowledged: int = 0
    cut_between: int = 0
    """Cuts when something had been acknowledged, and not everything."""
    bad: list[Verdict] = field(default_factory=list)


def sync_power_rounds(
    folder: Path, kind: str, *, rounds: int, seed: int, bug: str = "none"
) -> MailPower:
    """Sync into an archive on a fresh disk, cut its power, sync again and judge; until it is bad.

    Args:
        folder: For everything.
        kind: Of file system.
        rounds: At most so many.
        seed: Of the instants.
        bug: Seeded in the syncs whose power is cut.
    """
    chance, figures = random.Random(seed), MailPower()
    for number in range(rounds):
        own = folder / f"round-{number}"
        with scripted(Script(dict(enumerate(MAIL, 1)))) as script, loop_disk(own, kind) as disk:
            settings = _settings(own, disk)
            added(settings, plain_account(script.port), "open-sesame-84")
            acks, cut_at = own / "acks", chance.randint(1, 4)
            acks.touch()
            words = [*SYNCING, bug, acks, cut_at, settings.data, settings.keys_folder]
            ended = start(words, own / "output").finish()
            acked = len(acks.read_text().split())
            assert acked, ended.err
            _come_back(disk)
            _count(figures, acked, judge_sync(settings, {"INBOX": MAIL}))
        if figures.bad:
            break
    return figures


def session_power_rounds(
    folder: Path, kind: str, *, rounds: int, seed: int, bug: str = "none"
) -> MailPower:
    """Deliver to an archive on a fresh disk, cut its power after a 250, and judge; see above."""
    chance, figures = random.Random(seed), MailPower()
    for number in range(rounds):
        own = folder / f"round-{number}"
        with loop_disk(own, kind) as disk:
            settings = _settings(own, disk)
            create_archive(settings)
            acked = _cut_after(chance.randint(1, 4), own, disk, settings, bug)
            _come_back(disk)
            sent = [raw.removesuffix(b"\r\n") for raw in MAIL]
            _count(figures, len(acked), judge_session(settings, sent, acked))
        if figures.bad:
            break
    return figures


def _cut_after(times: int, own: Path, disk: LoopDisk, settings: Settings, bug: str) -> set[str]:
    """Deliver so many messages and cut the power; return what was answered 250."""
    words = [*smtpd_words(settings.data, program=(*PLANTED, bug))]
    words += ["--set", f"keys.path={settings.keys_folder}"]
    running = start(words, own / "output")
    acked: set[str] = set()
    try:
        with suppress(OSError, AssertionError), Client(listening_port(running)) as client:
            client.greet()
            for raw in MAIL:
                content = raw.removesuffix(b"\r\n")
                if client.deliver(content).startswith("250 "):
                    acked.add(name_of(content))
                if len(acked) == times:
                    disk.cut_power()
                    break
    finally:
        running.kill()
    assert len(acked) == times, running.err.read_text("utf-8", "replace")
    return acked


def _settings(own: Path, disk: LoopDisk) -> Settings:
    return Settings.model_validate(
        {"data": disk.at / "a", "keys": {"path": own / "keys"}, "work": {"processes": 1}}
    )


def _come_back(disk: LoopDisk) -> None:
    disk.unmount()
    disk.mount()


def _count(figures: MailPower, acked: int, verdict: Verdict) -> None:
    figures.rounds += 1
    figures.acknowledged += acked
    figures.cut_between += 0 < acked < len(MAIL)
    if not verdict.is_good:
        figures.bad.append(verdict)

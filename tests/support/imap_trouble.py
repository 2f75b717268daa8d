"""Strikes a real mail server and its mailbox at random instants of a sync; judges what is kept."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive_kit import findings, opened, settings_in
from holdfast.ingest.imap.comparing import compared
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import find_account
from imap_kill import fill, mailbox
from imap_kit import SOURCE, account_of, added, counted, digest, expected, held, synced
from imap_tap import Tap, tapped
from server_dovecot import Dovecot, User, wire

STRIKES = ("server_killed", "connection_cut", "numbered_anew", "expunged", "moved")


@dataclass(slots=True)
class Troubles:
    """What the rounds gave."""

    rounds: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    """Strike → rounds in which it fell into a running sync."""
    resumed: int = 0
    """Rounds whose first sync did not take everything."""
    missing: int = 0
    doubled: int = 0
    unreconciled: int = 0
    """Messages that the ledger does not account for."""
    bad: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Mailbox:
    """One user's mail, as another program changes it."""

    user: User
    now: dict[str, list[bytes]]
    ever: dict[str, Counter[str]] = field(default_factory=dict)
    """Folder → digest → how often it was put there."""

    def __post_init__(self) -> None:
        self.ever = expected(self.now)

    def expunge(self, chance: random.Random) -> None:
        """Delete a third of a folder."""
        folder = chance.choice([name for name, mail in self.now.items() if len(mail) > 3])
        mail = self.now[folder]
        places = sorted(chance.sample(range(len(mail)), len(mail) // 3))
        self.user.expunge(folder, *(place + 1 for place in places))
        self.now[folder] = [one for place, one in enumerate(mail) if place not in places]

    def move(self, chance: random.Random) -> None:
        """Move a third of a folder into another one."""
        here, there = chance.sample([name for name, mail in self.now.items() if len(mail) > 3], 2)
        mail = self.now[here]
        places = sorted(chance.sample(range(len(mail)), len(mail) // 3))
        with self.user.signed_in() as client:
            client.select(wire(here))
            numbers = ",".join(str(place + 1) for place in places)
            assert client.copy(numbers, wire(there))[0] == "OK"
            client.store(numbers, "+FLAGS", "\\Deleted")
            client.expunge()
        moved = [mail[place] for place in places]
        self.now[here] = [one for place, one in enumerate(mail) if place not in places]
        self.now[there] += moved
        self.ever.setdefault(there, Counter()).update(map(digest, moved))


def kill_server(server: Dovecot) -> None:
    """Kill it with all its children, as a power cut would, and start it again."""
    master = int((server.folder / "run" / "master.pid").read_text())
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    for process in (master, *map(int, children)):
        os.kill(process, signal.SIGKILL)
    while Path(f"/proc/{master}").exists():  # else it counts as running
        time.sleep(0.01)
    server.start()


def trouble_rounds(
    folder: Path, server: Dovecot, *, rounds: int, seed: int, messages: int = 240
) -> Troubles:
    """Sync a fresh mailbox, strike in the middle, sync to the end and judge; so many times.

    Args:
        folder: For the archives.
        server: Nobody else's: it is killed.
        rounds: How often; the kinds of strikes take turns.
        seed: Of the instants and of what is changed.
        messages: In each mailbox.
    """
    chance = random.Random(seed)
    figures = Troubles()
    for number in range(rounds):
        user = server.user(f"trouble-{seed}-{number}")
        box = Mailbox(user, dict(mailbox(6, messages)))
        fill(user, box.now)
        with tapped(server.port) as tap:
            kind = STRIKES[number % len(STRIKES)]
            settings = settings_in(folder / f"trouble-{number}")
            added(settings, account_of(user, port=tap.port, tls="none"), server.password)
            total = sum(len(raw) for mail in box.now.values() for raw in mail)
            strike = _strike(kind, box, tap, chance)
            tap.strikes.append((int(total * chance.uniform(0.1, 0.9)), strike))
            first = synced(settings)
            figures.rounds += 1
            figures.struck[kind] += not tap.strikes
            figures.resumed += not first.is_whole
            _judge(settings, box, figures, kind)
    return figures


def _strike(kind: str, box: Mailbox, tap: Tap, chance: random.Random) -> Callable[[], None]:
    return {
        "server_killed": lambda: kill_server(box.user.server),
        "connection_cut": tap.cut,
        "numbered_anew": box.user.number_anew,
        "expunged": lambda: box.expunge(chance),
        "moved": lambda: box.move(chance),
    }[kind]


def _judge(settings: Settings, box: Mailbox, figures: Troubles, kind: str) -> None:
    rest, again = synced(settings), synced(settings)
    have = held(settings)
    times = 2 if kind == "numbered_anew" else 1  # the same message under another UID, once more
    for name, want in expected(box.now).items():
        figures.missing += (_once(want) - have.get(name, Counter())).total()
    for name, found in have.items():
        ever = box.ever.get(name, Counter())
        most = Counter({one: count * times for one, count in ever.items()})
        figures.doubled += (found - most).total()
    distinct = len(set().union(*have.values()))
    counts = counted(settings)
    figures.doubled += abs(counts["originals"] - distinct) + abs(counts["interactions"] - distinct)
    with opened(settings) as services:
        source = find_account(services.store, SOURCE).source_id
        rows = compared(services.store, source)
    figures.unreconciled += sum(one.missing + one.otherwise for one in rows)
    said = findings(settings)
    if not rest.is_whole or again.counts.offered or said:
        figures.bad.append(f"{kind}: {rest} {again.counts} {said}")


def _once(counts: Mapping[str, int]) -> Counter[str]:
    """Leave out how often: where one of two copies was moved away, the server has it once more."""
    return Counter(dict.fromkeys(counts, 1))


__all__: Sequence[str] = ["STRIKES", "Troubles", "trouble_rounds"]

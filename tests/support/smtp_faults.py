"""Faults of the archive under a listener, and what must hold of its answers."""

from __future__ import annotations

import random
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archive_kit import findings, kept
from catalogue_lock import locked
from fault_disk import LoopDisk, grow
from faulty_files import FaultyFiles
from holdfast.core.errors import Unavailable
from holdfast.ingest.pipeline import Desk
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.local_vault import LocalVault
from holdfast.wiring.archive import Services
from holdfast.wiring.engines import SystemClock, vault_config
from smtp_kit import Client, Listening, listening

MAIL = b"From: a@x.example\r\nSubject: %d\r\n\r\nbody"


@dataclass(slots=True)
class Faults:
    """A desk whose vault writes through a file layer that fails on demand."""

    files: FaultyFiles = field(default_factory=FaultyFiles)
    vault: Any = None

    def desk(self, services: Services) -> Desk:
        """Return it; the vault is closed by `close`."""
        config = vault_config(services.settings, services.store.engine)
        self.vault = LocalVault(config, SystemClock(), self.files)
        return replace(services.desk, store=replace(services.store, vault=self.vault))

    def close(self) -> None:
        """Close the vault."""
        self.vault.close()


class Poisoned:
    """A vault in which one content makes the program fail in a way that nobody foresaw."""

    def __init__(self, vault: Any, poison_bytes: int) -> None:
        self._vault = vault
        self._poison_bytes = poison_bytes

    def append(self, prepared: Any) -> Any:
        """Fail on poison."""
        if any(one.size_bytes == self._poison_bytes for one in prepared):
            raise ZeroDivisionError
        return self._vault.append(prepared)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vault, name)


def refuses_for_now(
    listener: Listening, files: FaultyFiles, fault: tuple[str, int], code: str
) -> None:
    """One failure of the disk is a temporary refusal, and the next try is kept (F4, F5).

    Args:
        listener: Over these files, with nothing in it.
        files: Of its vault.
        fault: Operation, and the errno it fails with.
        code: Of the refusal.
    """
    with Client(listener.port) as client:
        client.greet()
        assert client.deliver(MAIL % 1).startswith("250 ")
        files.fail(fault[0], 1, fault[1])
        assert client.deliver(MAIL % 2).startswith(code), "the failure has another answer"
        assert client.deliver(MAIL % 2).startswith("250 ")
    assert not files.synced_again
    assert sums(listener.services.store)["journal"] == {"sealed": 2}
    assert listener.wait_for("smtp.not_kept")["messages"] == 1
    listener.end()
    assert kept(listener.services.settings) == [MAIL % 1 + b"\r\n", MAIL % 2 + b"\r\n"]


def poison_costs_itself_alone(settings: Settings) -> None:
    """A message that nobody can keep is refused for now, and its group is kept."""

    def desk(services: Services) -> Desk:
        vault: Any = Poisoned(services.vault, len(MAIL % 1) + 7)
        return replace(services.desk, store=replace(services.store, vault=vault))

    with listening(settings, desk_of=desk) as running:
        clients = [Client(running.port) for _ in range(8)]
        for client in clients:
            client.greet()
            client.envelope()
        for number, client in enumerate(clients):
            client.send(MAIL % 1 + (b" more" if number == 3 else b"") + b"\r\n.\r\n")
        answers = [client.reply()[:3] for client in clients]
        for client in clients:
            client.close()
        assert answers == ["250"] * 3 + ["451"] + ["250"] * 4, "other answers"
        assert sums(running.services.store)["journal"] == {"sealed": 7}


def takes_mail_again_when_there_is_room(settings: Settings, small: Path) -> None:
    """A full disk is said, and nothing is lost or wrong when it has room again (F6).

    Args:
        settings: Of an archive with nothing in it.
        small: A mounted tmpfs that part of it, or all, lies on.
    """
    chance = random.Random(1)
    large = b"\r\n".join(chance.randbytes(40).hex().encode() for _ in range(80_000))
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(large).startswith("452 "), "the full disk has another answer"
        grow(small, "64m")
        assert client.deliver(large).startswith("250 ")
        assert client.deliver(MAIL % 1).startswith("250 ")
    assert kept(settings) == [large + b"\r\n", MAIL % 1 + b"\r\n"]


def answers_while_the_catalogue_is_locked(settings: Settings) -> None:
    """Senders are told to come again while somebody else writes, and nothing is kept twice (F8).

    Args:
        settings: Of an archive with nothing in it, which does not wait long for a lock.
    """
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(MAIL % 1).startswith("250 ")
        with locked(settings):
            said = [client.deliver(MAIL % number)[:3] for number in (2, 3)]
            assert said == ["451"] * 2, "the locked catalogue has another answer"
        assert client.deliver(MAIL % 2).startswith("250 ")
        assert running.wait_for("smtp.not_kept")["messages"] == 1
        assert sums(running.services.store)["journal"] == {"sealed": 2}
    assert kept(settings) == [MAIL % 1 + b"\r\n", MAIL % 2 + b"\r\n"]
    assert findings(settings) == []


def answers_on_a_disk_that_becomes_read_only(disk: LoopDisk, settings: Settings) -> None:
    """Senders are told to come again, sessions go on, and what was answered is there (F7).

    Args:
        disk: Mounted, of ext4; is mounted again.
        settings: Of an archive on it, which cannot note its end there either.
    """
    with suppress(Unavailable), listening(settings) as running, Client(running.port) as client:
        client.greet()
        assert client.deliver(MAIL % 1).startswith("250 ")
        subprocess.run(["mount", "-o", "remount,abort,errors=remount-ro", disk.at], check=False)
        said = [client.deliver(MAIL % number)[:3] for number in (2, 3, 4)]
        assert said == ["451"] * 3, "the read-only disk has another answer"
    told = [one["messages"] for one in running.told() if one["event"] == "smtp.not_kept"]
    assert told == [1, 2], "not one event at the beginning, and one for the rest"
    disk.unmount()
    subprocess.run(["e2fsck", "-p", disk.image], capture_output=True, check=False)
    disk.mount()
    assert kept(settings) == [MAIL % 1 + b"\r\n"]
    assert findings(settings) == []

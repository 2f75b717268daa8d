"""Faults of the archive under the listener: always a temporary refusal, never a lost message."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_kit import kept, settings_in
from fault_disk import can_mount, grow, memory_disk
from faulty_files import FaultyFiles
from holdfast.ingest.pipeline import Desk
from holdfast.settings import Settings
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.local_vault import LocalVault
from holdfast.wiring.archive import Services
from holdfast.wiring.engines import SystemClock, vault_config
from holdfast.wiring.founding import create_archive
from smtp_kit import Client, Listening, listening

MAIL = b"From: a@x.example\r\nSubject: %d\r\n\r\nbody"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


class Faults:
    """A desk whose vault writes through a file layer that fails on demand."""

    def __init__(self) -> None:
        self.files = FaultyFiles()
        self.vault: Any = None

    def desk(self, services: Services) -> Desk:
        config = vault_config(services.settings, services.store.engine)
        self.vault = LocalVault(config, SystemClock(), self.files)
        return replace(services.desk, store=replace(services.store, vault=self.vault))


@pytest.fixture
def faults() -> Iterator[Faults]:
    made = Faults()
    yield made
    made.vault.close()


@pytest.fixture
def listener(settings: Settings, faults: Faults) -> Iterator[Listening]:
    with listening(settings, desk_of=faults.desk) as running:
        yield running


@pytest.mark.parametrize(
    ("operation", "number", "code"),
    [("write", errno.ENOSPC, "452"), ("write", errno.EIO, "451"), ("fsync", errno.EIO, "451"),
     ("fsync", errno.ENOSPC, "452")],
)  # fmt: skip
def test_f4_f5_failing_disk_is_a_temporary_refusal_and_the_next_try_is_kept(
    listener: Listening, faults: Faults, settings: Settings, operation: str, number: int, code: str
) -> None:
    with Client(listener.port) as client:
        client.greet()
        assert client.deliver(MAIL % 1).startswith("250 ")
        faults.files.fail(operation, 1, number)
        assert client.deliver(MAIL % 2).startswith(code)
        assert client.deliver(MAIL % 2).startswith("250 ")
    assert not faults.files.synced_again
    assert sums(listener.services.store)["journal"] == {"sealed": 2}
    assert listener.wait_for("smtp.not_kept")["messages"] == 1
    listener.end()
    assert kept(settings) == [MAIL % 1 + b"\r\n", MAIL % 2 + b"\r\n"]


class Poisoned:
    """A vault in which one content makes the program fail in a way that nobody foresaw."""

    def __init__(self, vault: Any, poison_bytes: int) -> None:
        self._vault = vault
        self._poison_bytes = poison_bytes

    def append(self, prepared: Any) -> Any:
        if any(one.size_bytes == self._poison_bytes for one in prepared):
            raise ZeroDivisionError
        return self._vault.append(prepared)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vault, name)


def test_message_that_no_group_can_keep_does_not_take_the_others_with_it(
    settings: Settings,
) -> None:
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
        assert answers == ["250"] * 3 + ["451"] + ["250"] * 4
        assert sums(running.services.store)["journal"] == {"sealed": 7}


@pytest.mark.parametrize("part", ["spool", "segments", ""], ids=["spool", "vault", "all"])
def test_f6_full_disk_is_said_and_mail_is_taken_again_when_there_is_room(
    settings: Settings, part: str, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    if part:
        create_archive(settings)
    with memory_disk(settings.data / part, "2m") as small:
        with listening(settings) as running, Client(running.port) as client:
            client.greet()
            chance = random.Random(1)
            large = b"\r\n".join(chance.randbytes(40).hex().encode() for _ in range(80_000))
            assert client.deliver(large).startswith("452 ")
            grow(small, "64m")
            assert client.deliver(large).startswith("250 ")
            assert client.deliver(MAIL % 1).startswith("250 ")
        assert kept(settings) == [large + b"\r\n", MAIL % 1 + b"\r\n"]

"""Faults of the archive under the listener: always a temporary refusal, never a lost message."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_kit import settings_in
from catalogue_lock import impatient
from fault_disk import can_loop, can_mount, loop_disk, memory_disk
from holdfast.settings import Settings
from holdfast.wiring.founding import create_archive
from smtp_faults import (
    Faults,
    answers_on_a_disk_that_becomes_read_only,
    answers_while_the_catalogue_is_locked,
    poison_costs_itself_alone,
    refuses_for_now,
    takes_mail_again_when_there_is_room,
)
from smtp_kit import Listening, listening


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def faults() -> Iterator[Faults]:
    made = Faults()
    yield made
    made.close()


@pytest.fixture
def listener(settings: Settings, faults: Faults) -> Iterator[Listening]:
    with listening(settings, desk_of=faults.desk) as running:
        yield running


@pytest.mark.parametrize(
    ("operation", "number", "code"),
    [("write", errno.ENOSPC, "452"), ("write", errno.EIO, "451"), ("write", errno.EROFS, "451"),
     ("fsync", errno.EIO, "451"), ("fsync", errno.ENOSPC, "452")],
)  # fmt: skip
def test_f4_f5_failing_disk_is_a_temporary_refusal_and_the_next_try_is_kept(
    listener: Listening, faults: Faults, operation: str, number: int, code: str
) -> None:
    refuses_for_now(listener, faults.files, (operation, number), code)


def test_message_that_no_group_can_keep_does_not_take_the_others_with_it(
    settings: Settings,
) -> None:
    poison_costs_itself_alone(settings)


@pytest.mark.parametrize("part", ["spool", "segments", ""], ids=["spool", "vault", "all"])
def test_f6_full_disk_is_said_and_mail_is_taken_again_when_there_is_room(
    settings: Settings, part: str, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    if part:
        create_archive(settings)
    with memory_disk(settings.data / part, "2m") as small:
        takes_mail_again_when_there_is_room(settings, small)


def test_f7_disk_that_becomes_read_only_is_a_temporary_refusal(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    with loop_disk(tmp_path / "loop", "ext4") as disk:
        settings = settings_in(disk.at, keys={"path": tmp_path / "keys"})
        answers_on_a_disk_that_becomes_read_only(disk, settings)


def test_f8_locked_catalogue_is_a_temporary_refusal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    answers_while_the_catalogue_is_locked(settings)

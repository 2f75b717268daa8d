"""What every vault must do, as checks that take a fresh vault; knows no implementation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.ports import Placement, Prepared, Vault
from holdfast.storage.frames import discard, prepare


@dataclass(frozen=True, slots=True)
class VaultUnderTest:
    """A fresh vault and what a check needs around it."""

    vault: Vault
    settle: Callable[[], None]
    """Make everything kept so far ready for compaction."""
    spool: Path
    """A folder for spool files."""


def kept_originals_read_back(case: VaultUnderTest) -> None:
    raws = [b"", b"x", b"Subject: hello\r\n\r\n" * 100, os.urandom(70_000)]
    batch = [prepare(raw, spool=None) for raw in raws]
    placements = case.vault.append(batch)
    assert [_read(case.vault, *pair) for pair in zip(batch, placements, strict=True)] == raws


def large_original_is_read_in_pieces_of_a_mebibyte(case: VaultUnderTest) -> None:
    raw = os.urandom(3_000_000) + bytes(7_000_000)
    prepared = prepare(raw, spool=case.spool)
    assert isinstance(prepared.frames, Path)
    (placement,) = case.vault.append([prepared])
    discard(prepared)
    pieces = list(case.vault.read(placement, prepared.content_id, prepared.key))
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) <= 1024 * 1024


def empty_batch_keeps_nothing(case: VaultUnderTest) -> None:
    assert case.vault.append([]) == []
    assert list(every_record(case.vault)) == []


def every_record(vault: Vault) -> Iterator[tuple[bytes, Placement]]:
    """Walk all segments, oldest first."""
    for name in vault.segment_names():
        yield from vault.scan_segment(name)


def scan_names_every_record_once(case: VaultUnderTest) -> None:
    batches = [[prepare(b"%d %d" % (n, m), spool=None) for m in range(3)] for n in range(4)]
    expected = {
        (prepared.content_id, placement)
        for batch in batches
        for prepared, placement in zip(batch, case.vault.append(batch), strict=True)
    }
    found = list(every_record(case.vault))
    assert set(found) == expected
    assert len(found) == 12


def same_original_twice_is_two_records(case: VaultUnderTest) -> None:
    batch = [prepare(b"same", spool=None), prepare(b"same", spool=None)]
    first, second = case.vault.append(batch)
    assert first != second
    assert _read(case.vault, batch[0], first) == _read(case.vault, batch[1], second) == b"same"
    with pytest.raises(Corrupt):
        _read(case.vault, batch[0], second)


def wrong_key_is_refused(case: VaultUnderTest) -> None:
    prepared = prepare(b"secret", spool=None)
    (placement,) = case.vault.append([prepared])
    with pytest.raises(Corrupt):
        list(case.vault.read(placement, prepared.content_id, bytes(32)))


def record_of_another_original_is_refused(case: VaultUnderTest) -> None:
    batch = [prepare(b"one", spool=None), prepare(b"two", spool=None)]
    first, second = case.vault.append(batch)
    with pytest.raises(Corrupt):
        _read(case.vault, batch[0], second)
    with pytest.raises(Corrupt):
        _read(case.vault, batch[1], first)


def absent_record_is_not_found(case: VaultUnderTest) -> None:
    prepared = prepare(b"here", spool=None)
    (placement,) = case.vault.append([prepared])
    elsewhere = Placement("000000000000-absent", placement.offset, placement.length)
    behind = Placement(placement.segment, 1 << 40, placement.length)
    for absent in (elsewhere, behind):
        with pytest.raises(NotFound):
            _read(case.vault, prepared, absent)


def reader_reads_on_across_segments_and_behind_trouble(case: VaultUnderTest) -> None:
    kept: list[tuple[Prepared, Placement]] = []
    for number in range(2):
        batch = [prepare(b"%d %d" % (number, n), spool=None) for n in range(3)]
        kept += zip(batch, case.vault.append(batch), strict=True)
        case.settle()
    first, last = kept[0], kept[-1]
    with case.vault.reader() as read:
        for turn in range(2):
            for (prepared, placement), raw in zip(kept, _TEXTS, strict=True):
                assert b"".join(read(placement, prepared.content_id, prepared.key)) == raw, turn
            with pytest.raises(Corrupt):
                list(read(last[1], first[0].content_id, first[0].key))
            absent = Placement("000000000000-absent", 0, last[1].length)
            with pytest.raises(NotFound):
                list(read(absent, last[0].content_id, last[0].key))
    with case.vault.reader():
        pass


_TEXTS = [b"%d %d" % (number, n) for number in range(2) for n in range(3)]


def compaction_keeps_exactly_what_is_asked(case: VaultUnderTest) -> None:
    batch = [prepare(b"letter %d" % number, spool=None) for number in range(10)]
    placements = case.vault.append(batch)
    case.settle()
    keep = {batch[n].content_id: placements[n] for n in (1, 4, 7)}
    moved = case.vault.compact(keep)
    assert set(moved) == set(keep)
    assert case.vault.drop({placements[0].segment}) > 0
    assert dict(every_record(case.vault)) == moved
    for number in (1, 4, 7):
        prepared = batch[number]
        assert _read(case.vault, prepared, moved[prepared.content_id]) == b"letter %d" % number
    with pytest.raises(NotFound):
        _read(case.vault, batch[1], placements[1])


def compaction_leaves_alone_what_is_wholly_kept_or_wholly_dead(case: VaultUnderTest) -> None:
    batch = [prepare(b"letter %d" % number, spool=None) for number in range(3)]
    placements = case.vault.append(batch)
    case.settle()
    pairs = zip(batch, placements, strict=True)
    assert case.vault.compact({prepared.content_id: place for prepared, place in pairs}) == {}
    assert case.vault.compact({}) == {}
    assert len(list(every_record(case.vault))) == 3


def of_two_records_compaction_keeps_the_named_one(case: VaultUnderTest) -> None:
    batch = [prepare(b"same", spool=None), prepare(b"same", spool=None)]
    _, second = case.vault.append(batch)
    case.settle()
    moved = case.vault.compact({batch[1].content_id: second})
    assert _read(case.vault, batch[1], moved[batch[1].content_id]) == b"same"


def dropping_unknown_segments_frees_nothing(case: VaultUnderTest) -> None:
    assert case.vault.drop(["000000000000-absent"]) == 0
    assert case.vault.drop([]) == 0


VAULT_CHECKS: tuple[Callable[[VaultUnderTest], None], ...] = (
    kept_originals_read_back,
    large_original_is_read_in_pieces_of_a_mebibyte,
    empty_batch_keeps_nothing,
    scan_names_every_record_once,
    same_original_twice_is_two_records,
    wrong_key_is_refused,
    record_of_another_original_is_refused,
    absent_record_is_not_found,
    reader_reads_on_across_segments_and_behind_trouble,
    compaction_keeps_exactly_what_is_asked,
    compaction_leaves_alone_what_is_wholly_kept_or_wholly_dead,
    of_two_records_compaction_keeps_the_named_one,
    dropping_unknown_segments_frees_nothing,
)


def _read(vault: Vault, prepared: Prepared, placement: Placement) -> bytes:
    return b"".join(vault.read(placement, prepared.content_id, prepared.key))

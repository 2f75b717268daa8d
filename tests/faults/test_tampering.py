"""F41, F42, F43: what somebody altered, removed, cut or put back is named, with status 6."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive_kit import bring_in
from fault_command import run, verify_words
from fault_log_tamper import ALTERATIONS, alteration_is_named, older_parts_are_caught
from fault_mail import offering
from fault_tamper import (
    PARTS,
    FlipFigures,
    Victim,
    deleted_segment_is_named,
    findings_of,
    flip_bits,
    new_victim,
    other_segment_is_named,
    record_in_the_place_of_another_is_named,
    segment,
    truncated_segment_is_named,
)
from holdfast.core.errors import Corrupt
from holdfast.settings import Settings
from holdfast.storage import verify
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.tile_layout import ENTRIES, tile_at, unpacked
from holdfast.storage.tile_reader import TileReader
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.verify import Check, Finding
from holdfast.storage.verifying.captures import check_variants
from holdfast.storage.verifying.report import Scope
from holdfast.wiring.places import CATALOGUE

pytestmark = pytest.mark.unmeasured


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Victim:
    return new_victim(tmp_path_factory.mktemp("tampering"))


@pytest.fixture
def copy(victim: Victim, tmp_path: Path) -> Settings:
    """An archive of the test's own."""
    return victim.copy_to(tmp_path / "copy")


def status_of(settings: Settings, folder: Path) -> int:
    ended = run(verify_words(settings.data), folder / "verify")
    assert not ended.has_traceback, ended.err
    return ended.status


@pytest.mark.parametrize("part", PARTS)
def test_f41_every_flipped_bit_is_named(victim: Victim, part: str, seed: int) -> None:
    figures = FlipFigures()
    flip_bits(victim, part, 20, seed, figures)
    assert (figures.missed, figures.crashed) == ([], [])
    assert figures.flips[part] == 20
    assert findings_of(victim.settings) == []


def test_untouched_copy_is_intact(copy: Settings, tmp_path: Path) -> None:
    assert findings_of(copy) == []
    assert status_of(copy, tmp_path) == 0


def test_f42_deleted_segment_is_refused_or_named(copy: Settings, tmp_path: Path) -> None:
    deleted_segment_is_named(copy, tmp_path)
    assert status_of(copy, tmp_path) == 6


def test_vault_that_is_not_mounted_is_unavailable_not_corrupt(
    copy: Settings, tmp_path: Path
) -> None:
    segment(copy).unlink()
    assert status_of(copy, tmp_path) == 7


def test_f42_truncated_segment_is_named(copy: Settings, tmp_path: Path) -> None:
    truncated_segment_is_named(copy)
    assert status_of(copy, tmp_path) == 6


@pytest.mark.parametrize("is_ours", [True, False])
def test_f42_segment_replaced_by_a_valid_other_one_is_named(
    copy: Settings, tmp_path: Path, *, is_ours: bool
) -> None:
    other_segment_is_named(copy, tmp_path, is_ours=is_ours)
    assert status_of(copy, tmp_path) == 6


def test_f42_record_in_the_place_of_another_is_named(copy: Settings, tmp_path: Path) -> None:
    record_in_the_place_of_another_is_named(copy)
    assert status_of(copy, tmp_path) == 6


@pytest.mark.parametrize("name", ALTERATIONS)
def test_f43_altered_audit_rows_are_named(copy: Settings, tmp_path: Path, name: str) -> None:
    alteration_is_named(copy, ALTERATIONS[name])
    assert status_of(copy, tmp_path) == 6


@pytest.mark.parametrize("restored", [(CATALOGUE,), ("log",), (CATALOGUE, "log")])
def test_f43_older_copies_are_caught(
    copy: Settings, tmp_path: Path, restored: tuple[str, ...]
) -> None:
    older_parts_are_caught(copy, tmp_path, restored)
    assert status_of(copy, tmp_path) == 6


def test_f43_control_log_restored_with_its_kept_checkpoint_goes_unseen(
    copy: Settings, tmp_path: Path
) -> None:
    """What the checkpoint beside the keys is for: without it nothing tells of the roll-back."""
    older = tmp_path / "older"
    shutil.copytree(copy.data.parent, older)
    bring_in(copy, offering(tmp_path / "more", 10, first=900).folder)
    shutil.rmtree(copy.data.parent)
    shutil.copytree(older, copy.data.parent)
    assert findings_of(copy) == []


def test_lost_log_is_never_begun_anew(copy: Settings, tmp_path: Path) -> None:
    shutil.rmtree(copy.data / "log")
    with pytest.raises(Corrupt):
        bring_in(copy, offering(tmp_path / "more", 3, first=900).folder)


@pytest.mark.parametrize("part", ["segments", CATALOGUE, "index"])  # opening reads the log
def test_f41_flips_find_out_a_verification_that_reads_nothing(
    victim: Victim, part: str, seed: int
) -> None:
    figures = FlipFigures()
    flip_bits(victim, part, 40, seed, figures, checks=(check_variants,))
    assert figures.missed


def test_f41_flips_find_out_a_log_whose_entries_are_not_compared(
    victim: Victim, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    figures = FlipFigures()
    monkeypatch.setattr(TileReader, "entries_of", found_entries)
    flip_bits(victim, "log", 40, seed, figures, checks=(check_variants,))
    assert figures.missed


def found_entries(reader: TileReader, index: int, size: int) -> list[bytes]:
    """A seeded bug: the entries as they lie there."""
    return unpacked(reader.content(tile_at(ENTRIES, index, size)))


def looks_at_less(plant: pytest.MonkeyPatch, *names: str, instead: Sequence[Check] = ()) -> None:
    """A seeded bug: a verification without these comparisons."""
    kept = tuple(one for one in verify.CHECKS if one.__name__ not in names)
    assert len(kept) == len(verify.CHECKS) - len(names)
    plant.setattr(verify, "CHECKS", (*kept, *instead))


@pytest.mark.parametrize(
    "harness",
    [
        lambda copy, _: truncated_segment_is_named(copy),
        lambda copy, _: record_in_the_place_of_another_is_named(copy),
        deleted_segment_is_named,
        partial(other_segment_is_named, is_ours=True),
        partial(other_segment_is_named, is_ours=False),
    ],
    ids=["truncated", "exchanged", "deleted", "other", "foreign"],
)
def test_f42_verification_that_reads_no_originals_is_found_out(
    copy: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    harness: Callable[[Settings, Path], None],
) -> None:
    looks_at_less(monkeypatch, "check_originals", "check_segments")
    with pytest.raises(AssertionError, match="nothing is named"):
        harness(copy, tmp_path)


def none_at_all(_scope: Scope) -> Iterator[Finding]:
    """Nobody looks at the log."""
    yield from ()


def the_rows_that_are_there(scope: Scope) -> Iterator[Finding]:
    """Each row is held against its leaf, and nobody looks for what is missing or too much."""
    with reading(scope.store.engine) as connection:
        rows = connection.execute(select(audit_events).order_by(audit_events.c.seq)).all()
    for row in rows:
        if row.seq < scope.log.size and scope.log.entry(row.seq) != row.leaf:
            yield Finding("event", f"seq {row.seq}", "It differs from the signed log.")


def how_many_there_are(scope: Scope) -> Iterator[Finding]:
    """The rows are counted, and nobody reads what they say."""
    with reading(scope.store.engine) as connection:
        count = connection.scalar(select(func.count()).select_from(audit_events)) or 0
    if count != scope.log.size:
        yield Finding("event", f"seq {min(count, scope.log.size)}", "The log has another size.")


@pytest.mark.parametrize(
    ("name", "looks_at", "words"),
    [(name, none_at_all, "no event is named") for name in ALTERATIONS]
    + [("edited", how_many_there_are, "no event is named"),
       ("swapped", how_many_there_are, "no event is named"),
       ("deleted", how_many_there_are, "another one is named first"),
       ("deleted", the_rows_that_are_there, "no event is named"),
       ("tail", the_rows_that_are_there, "no event is named"),
       ("forged behind a gap", the_rows_that_are_there, "no event is named"),
       ("forged as the next", the_rows_that_are_there, "no event is named")],
)  # fmt: skip
def test_f43_verification_that_does_not_follow_the_log_is_found_out(
    copy: Settings, monkeypatch: pytest.MonkeyPatch, name: str, looks_at: Check, words: str
) -> None:
    looks_at_less(monkeypatch, "check_log", instead=(looks_at,))
    assert findings_of(copy) == []
    with pytest.raises(AssertionError, match=words):
        alteration_is_named(copy, ALTERATIONS[name])


def test_f43_verification_that_does_not_follow_the_log_misses_an_older_catalogue(
    copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_at_less(monkeypatch, "check_log")
    with pytest.raises(AssertionError, match="nobody says that it is older"):
        older_parts_are_caught(copy, tmp_path, (CATALOGUE,))


@pytest.mark.parametrize("restored", [("log",), (CATALOGUE, "log")])
def test_f43_opening_that_does_not_ask_the_kept_checkpoint_is_found_out(
    copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restored: tuple[str, ...]
) -> None:
    monkeypatch.setattr(TileLog, "check_extends", lambda self, kept: None)
    with pytest.raises(AssertionError, match="nobody says that it is older"):
        older_parts_are_caught(copy, tmp_path, restored)

"""F41, F42, F43: what somebody altered, removed, cut or put back is named, with status 6."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from archive_kit import bring_in, opened
from fault_command import run, verify_words
from fault_mail import offering
from fault_tamper import (
    PARTS,
    FlipFigures,
    Victim,
    alter,
    altered_row_is_named,
    findings_of,
    flip_bits,
    new_victim,
    other_segment_is_named,
    segment,
    truncated_segment_is_named,
)
from holdfast.core.errors import Corrupt
from holdfast.settings import Settings
from holdfast.storage import verify
from holdfast.storage.catalogue.schema import audit_events, originals
from holdfast.storage.verifying.captures import check_variants
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
    spare = offering(tmp_path / "more", 3, first=900)
    bring_in(copy, spare.folder)  # a second segment: the vault is not empty without the first
    first = min((copy.data / "segments").iterdir())
    name = first.stem
    first.unlink()
    assert any("missing" in one and name in one for one in findings_of(copy))
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
    with opened(copy) as services, services.store.engine.connect() as connection:
        rows = connection.execute(select(originals).order_by(originals.c.offset)).all()
    same = [(a, b) for a in rows for b in rows if a.length == b.length and a.offset < b.offset]
    first, second = same[0]
    raw = bytearray(segment(copy).read_bytes())
    other = raw[second.offset : second.offset + second.length]
    raw[first.offset : first.offset + first.length] = other
    segment(copy).write_bytes(raw)
    assert any(first.content_id.hex() in one for one in findings_of(copy))
    assert status_of(copy, tmp_path) == 6


seq_of = audit_events.c.seq
ALTERED: tuple[tuple[Callable[[int], object], str], ...] = (
    (lambda top: update(audit_events).where(seq_of == 5).values(leaf=b"{}"), "seq 5"),
    (lambda top: delete(audit_events).where(seq_of == 7), "seq 7"),
    (lambda top: delete(audit_events).where(seq_of > top - 3), ""),
)
"""What whoever owns the machine does to the rows of the log, and what is named then."""


@pytest.mark.parametrize(("statement", "named"), ALTERED, ids=["edited", "deleted", "tail"])
def test_f43_altered_audit_rows_are_named(
    copy: Settings, tmp_path: Path, statement: Callable[[int], object], named: str
) -> None:
    altered_row_is_named(copy, statement, named)
    assert status_of(copy, tmp_path) == 6


def test_f43_forged_event_is_named(copy: Settings, tmp_path: Path) -> None:
    row = {"id": 1, "kind": "capture", "subject_id": None, "salt": None, "leaf": b"{}"}
    alter(copy, lambda top: insert(audit_events).values(**row, seq=top + 100))
    assert findings_of(copy)
    assert status_of(copy, tmp_path) == 6


@pytest.mark.parametrize("restored", [(CATALOGUE,), ("log",), (CATALOGUE, "log")])
def test_f43_older_copies_are_caught(
    copy: Settings, tmp_path: Path, restored: tuple[str, ...]
) -> None:
    older = tmp_path / "older"
    shutil.copytree(copy.data, older)
    bring_in(copy, offering(tmp_path / "more", 10, first=900).folder)
    for part in restored:
        place = copy.data / part
        if place.is_dir():
            shutil.rmtree(place)
            shutil.copytree(older / part, place)
        else:
            shutil.copy(older / part, place)
    assert findings_of(copy)
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


def looks_at_less(plant: pytest.MonkeyPatch, *names: str) -> None:
    """A seeded bug: a verification without these comparisons."""
    kept = tuple(one for one in verify.CHECKS if one.__name__ not in names)
    assert len(kept) == len(verify.CHECKS) - len(names)
    plant.setattr(verify, "CHECKS", kept)


def test_f42_verification_that_reads_no_originals_is_found_out(
    copy: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_at_less(monkeypatch, "check_originals", "check_segments")
    with pytest.raises(AssertionError, match="nothing is named"):
        truncated_segment_is_named(copy)
    with pytest.raises(AssertionError, match="nothing is named"):
        other_segment_is_named(copy, tmp_path, is_ours=True)


def test_f43_verification_that_does_not_follow_the_log_is_found_out(
    copy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_at_less(monkeypatch, "check_log")
    with pytest.raises(AssertionError, match="nothing is named"):
        altered_row_is_named(copy, *ALTERED[0])

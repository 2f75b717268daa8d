"""F43, F44: a history that was put back, or rewritten and signed anew, is caught from outside.

Each kind of anchor is alone in its test, and each test has its control: without that anchor nothing
is wrong, for whoever rewrote the archive has the key, and forged every row to fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from anchor_checks import ALTERED, altered_part_is_named
from anchor_kit import (
    anchored,
    happens,
    kept_aside,
    new_archive,
    rewrite,
    said,
    tried,
    without_anchors,
)
from holdfast.core.errors import Corrupt
from holdfast.settings import Settings
from holdfast.storage.anchoring.witness import Remembered, Witness
from holdfast.storage.catalogue.engine import open_sqlite, writing
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.wiring.places import CATALOGUE
from server_tsa import Service, new_tsa, serving


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(new_tsa(tmp_path_factory.mktemp("tsa") / "one")) as found:
        yield found


@pytest.fixture
def stamped(tmp_path: Path, service: Service) -> Settings:
    """An archive whose checkpoints get tokens, and nothing else."""
    trust = service.tsa.trust_file
    told = {"tsa_url": service.url, "tsa_ca_file": trust, "tsa_private_allowed": True}
    return new_archive(tmp_path, **told)


@pytest.fixture
def witnessed(tmp_path: Path) -> Settings:
    """An archive with a witness file, and nothing else."""
    (tmp_path / "elsewhere").mkdir()
    return new_archive(tmp_path, witness_file=tmp_path / "elsewhere" / "witness")


def test_f44_rewritten_history_is_caught_by_the_token(stamped: Settings) -> None:
    anchored(stamped)
    happens(stamped, "read")
    assert said(stamped) == []
    rewrite(stamped, keeps_anchors=True)
    (found,) = said(stamped)
    assert found.name.startswith("anc_")
    assert "Mismatch between messages" in found.cause
    assert said(stamped, looks_outside=False) == []  # control: without the token all fits


def test_f44_rewritten_history_is_caught_by_the_witness(witnessed: Settings) -> None:
    anchored(witnessed)  # over five entries: the actor's, and four that happened
    happens(witnessed, "read")
    anchored(witnessed)
    assert said(witnessed) == []
    rewrite(witnessed, keeps_anchors=False)
    found = said(witnessed)
    assert ALTERED in found[0].cause
    assert "witness, line 1" in found[0].name
    assert said(without_anchors(witnessed)) == []  # control


def test_f44_finding_names_the_part_of_the_log_in_which_the_first_altered_entry_is(
    witnessed: Settings,
) -> None:
    altered_part_is_named(witnessed)
    outside = without_anchors(witnessed)
    assert said(outside) == []  # control


def test_f44_witness_that_is_not_read_is_found_out(
    witnessed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Witness, "lines", lambda self: iter(()))
    with pytest.raises(AssertionError, match=r"nobody says|another line"):
        altered_part_is_named(witnessed)


def test_f44_witness_that_only_knows_the_last_checkpoint_is_found_out(
    witnessed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Witness.lines

    def last(self: Witness) -> Iterator[Remembered]:
        yield from list(read(self))[-1:]

    monkeypatch.setattr(Witness, "lines", last)
    with pytest.raises(AssertionError, match="another part is named"):
        altered_part_is_named(witnessed)


def test_f43_archive_of_yesterday_is_caught_by_the_witness(
    witnessed: Settings, tmp_path: Path
) -> None:
    with kept_aside(witnessed, tmp_path / "yesterday"):
        happens(witnessed, "read", "search")
        anchored(witnessed)
    found = said(witnessed)
    assert found[0].name.endswith("witness, line 1")
    assert "was made over 7 entries, and the log has 5" in found[0].cause
    assert "from seq 5 on they were cut off" in found[0].cause
    assert said(without_anchors(witnessed)) == []  # control


def test_f43_archive_of_yesterday_that_went_on_is_caught_by_the_witness(
    witnessed: Settings, tmp_path: Path
) -> None:
    with kept_aside(witnessed, tmp_path / "yesterday"):
        happens(witnessed, "read", "search")
        anchored(witnessed)
    happens(witnessed, "read", "read", "read", "read")
    assert ALTERED in said(witnessed)[0].cause
    assert said(without_anchors(witnessed)) == []  # control


def test_rewritten_history_is_not_anchored(witnessed: Settings) -> None:
    anchored(witnessed)
    rewrite(witnessed, keeps_anchors=False)
    happens(witnessed, "read", "read", "read")
    witness = witnessed.data.parent / "elsewhere" / "witness"
    before = witness.read_bytes()
    (outcome,) = tried(witnessed)
    assert "rewritten" in str(outcome.error)
    assert witness.read_bytes() == before


def test_log_that_rows_of_anchors_contradict_is_not_anchored(witnessed: Settings) -> None:
    anchored(witnessed)
    engine = open_sqlite(witnessed.data / CATALOGUE)
    with writing(engine) as connection:
        connection.execute(anchors.update().values(root=bytes(32)))
    engine.dispose()
    with pytest.raises(Corrupt, match="rewritten"):
        tried(witnessed)
    assert any(ALTERED in one.cause for one in said(witnessed))

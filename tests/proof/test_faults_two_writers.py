"""F8 in full: a catalogue that somebody else keeps locked for longer than an import waits."""

from __future__ import annotations

from pathlib import Path

from archive_kit import settings_in
from fault_checks import settle
from fault_command import import_words, run
from fault_mail import offering
from holdfast.storage.catalogue.engine import open_sqlite
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import CATALOGUE


def test_f8_catalogue_locked_for_good_is_refused_in_words(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", 3)
    settings = settings_in(tmp_path)
    create_archive(settings)
    engine = open_sqlite(settings.data / CATALOGUE)
    with engine.begin():
        ended = run(import_words(settings.data, offered.folder), tmp_path / "run")
    engine.dispose()
    assert (ended.status, ended.has_traceback) == (7, False), ended.err
    assert "locked" in ended.err
    _, verdict = settle(settings, offered, frozenset())
    assert verdict.is_good, verdict

"""F8, F10: two imports of overlapping mail at once, and a catalogue that somebody else locks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import bring_in, findings, opened, settings_in
from fault_checks import judge, settle
from fault_command import import_words, start
from fault_mail import SOURCE, offering
from holdfast.storage.catalogue.engine import open_sqlite, reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import captures, originals
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import CATALOGUE

pytestmark = pytest.mark.unmeasured

LOCKED_S = 10.0


def test_f10_two_imports_of_one_source_at_once_take_everything_once(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", 600)
    settings = settings_in(tmp_path)
    words = import_words(settings.data, offered.folder)
    both = [start(words, tmp_path / name) for name in ("first", "second")]
    ended = [running.finish() for running in both]
    assert [one.status for one in ended] == [0, 0], [one.err for one in ended]
    done = [one.json["new"] + one.json["duplicates"] + one.json["recovered"] for one in ended]
    assert sum(done) >= offered.items - 1
    _, verdict = settle(settings, offered, frozenset())
    assert verdict.is_good, verdict


def test_f10_two_sources_with_the_same_mail_at_once_share_originals(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", 600)
    copy = tmp_path / "copy"
    shutil.copytree(offered.folder, copy)
    settings = settings_in(tmp_path)
    create_archive(settings)
    first = import_words(settings.data, offered.folder)
    second = [*import_words(settings.data, copy), "--source", "copy"]
    both = [start(first, tmp_path / "first"), start(second, tmp_path / "second")]
    ended = [running.finish() for running in both]
    assert [one.status for one in ended] == [0, 0], [one.err for one in ended]
    bring_in(settings, offered.folder / "0.eml")  # whoever comes next brings the index up to date
    kept = len(offered.originals)
    with opened(settings) as services:
        counted = sums(services.store)
        with reading(services.store.engine) as connection:
            assert len(connection.execute(select(originals.c.id)).all()) == kept
            captured = len(connection.execute(select(captures.c.id)).all())
        waiting = services.desk.feed.waiting()
        indexed = set(services.index.ids())
    kept_items = offered.items - 1  # one is skipped by rule
    assert captured == 2 * kept_items + 1
    for name in (SOURCE, "copy"):
        states = counted[name]
        assert states["skipped"] == 1
        assert states.get("filed", 0) + states["duplicate"] == kept_items
    assert sum(states.get("filed", 0) for states in counted.values()) == kept
    assert (waiting, len(indexed)) == (0, kept)
    assert findings(settings) == []


def test_f8_import_waits_for_a_locked_catalogue_and_ends_exactly(tmp_path: Path) -> None:
    offered = offering(tmp_path / "offer", 100)
    settings = settings_in(tmp_path)
    create_archive(settings)
    engine = open_sqlite(settings.data / CATALOGUE)
    with engine.begin():  # BEGIN IMMEDIATE: the write lock
        running = start(import_words(settings.data, offered.folder), tmp_path / "run")
        deadline = running.started + LOCKED_S
        is_over = running.is_over_before(lambda: running.is_past(deadline))
    engine.dispose()
    assert not is_over
    ended = running.finish()
    assert ended.status == 0, ended.err
    assert ended.seconds >= LOCKED_S
    verdict = judge(settings, offered, frozenset())
    assert verdict.is_good, verdict

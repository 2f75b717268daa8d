"""The same mail on the embedded archive and on the engines: the same ledger, bytes and answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import bring_in, opened, settings_in
from engines_kit import Engines, ask_both, contents
from moving_kit import move_to

pytestmark = pytest.mark.unmeasured

CORPUS = Path(__file__).parent.parent / "corpus"
FOLDERS = ("spamassassin", "rspamd", "reply-talon")
GENERATED = 40


def test_engines_hold_and_answer_what_the_embedded_archive_does(
    engines: Engines, tmp_path: Path
) -> None:
    paths = [CORPUS / name for name in FOLDERS]
    embedded = settings_in(tmp_path / "embedded")
    bring_in(embedded, *paths)
    with engines.settings(tmp_path / "engines") as scaled:
        summary = bring_in(scaled, *paths)
        again = bring_in(scaled, *paths)
        assert summary.counts.new > 20
        assert again.counts.new == again.counts.duplicates == 0
        kept = contents(scaled)
        assert kept == contents(embedded)
        assert kept.findings == ()
        assert kept.not_indexed == 0
        assert ask_both(embedded, scaled, seed=4, generated=GENERATED).differences == []


def test_archive_that_moves_to_the_engines_and_back_answers_the_same(
    engines: Engines, tmp_path: Path
) -> None:
    paths = [CORPUS / "spamassassin", CORPUS / "reply-talon"]
    stays, moves = settings_in(tmp_path / "stays"), settings_in(tmp_path / "moves")
    bring_in(stays, *paths)
    bring_in(moves, *paths)
    before = contents(stays)
    with engines.settings(tmp_path / "engines") as scaled:
        move_to(moves, scaled)
        assert contents(scaled) == before
        assert ask_both(stays, scaled, seed=5, generated=GENERATED).differences == []
        move_to(scaled, moves)
    assert contents(moves) == before
    assert ask_both(stays, moves, seed=6, generated=GENERATED).differences == []


def test_comparison_sees_an_index_that_misses_one(engines: Engines, tmp_path: Path) -> None:
    paths = [CORPUS / "spamassassin"]
    embedded = settings_in(tmp_path / "embedded")
    bring_in(embedded, *paths)
    with engines.settings(tmp_path / "engines") as scaled:
        bring_in(scaled, *paths)
        with opened(scaled) as services:
            index = services.home.feeding()
            lost = next(iter(services.index.ids()))
            index.remove({lost: (1 << 62)})
            index.commit()
        with pytest.raises(AssertionError, match="all"):
            assert ask_both(embedded, scaled, seed=4, generated=0).differences == [], "all"

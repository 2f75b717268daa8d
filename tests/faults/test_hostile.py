"""F37, F38 and everything else that is made to break parsers, in small sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from archive_kit import settings_in
from fault_command import PLANTED, PROGRAM
from fault_hostile import CASES, write_case, write_hostile_tree
from fault_hostile_run import import_hostile

pytestmark = pytest.mark.unmeasured

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def hostile_mail_is_kept_whole(
    folder: Path, program: Sequence[str] = PROGRAM, names: Collection[str] = CASES
) -> None:
    """F37: import one message of each of these kinds.

    Raises:
        AssertionError: One is not filed, is not kept as it came, or its damage is not told.
    """
    source = folder / "in"
    source.mkdir()
    paths = [write_case(source, name, is_full=False) for name in names]
    outcome = import_hostile(
        settings_in(folder), source, folder / "run", reads_back=True, program=program
    )
    assert outcome.problems == []
    assert dict(outcome.ends) == {"filed": len(names)}, f"not all are filed: {outcome.ends}"
    offered = {hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    assert offered == outcome.originals, "other originals are kept"
    assert len(outcome.defects) >= len(names) // 2, "nobody says what could not be read"


def hostile_tree_ends_with_reasons(folder: Path, program: Sequence[str] = PROGRAM) -> None:
    """F38: import a folder with links, pipes, and archives that are bombs or name other places.

    Raises:
        AssertionError: Something ended without a reason, or outside.
    """
    write_hostile_tree(folder / "in", is_full=False)
    outcome = import_hostile(
        settings_in(folder), folder / "in", folder / "run", reads_back=True, program=program
    )
    assert outcome.problems == [], f"the sums differ: {outcome.problems}"
    assert outcome.unexplained == [], f"without a reason: {outcome.unexplained}"
    assert outcome.ends["skipped"] >= 5, outcome.ends  # four links and a pipe
    assert not list(folder.rglob("escaped.eml")), "a member escaped"


def test_f37_every_hostile_message_is_kept_whole_and_filed(tmp_path: Path) -> None:
    hostile_mail_is_kept_whole(tmp_path)


def test_f38_hostile_folder_and_archives_end_with_reasons(tmp_path: Path) -> None:
    hostile_tree_ends_with_reasons(tmp_path)


def test_every_file_of_the_corpus_ends_as_an_interaction_or_with_a_reason(tmp_path: Path) -> None:
    outcome = import_hostile(settings_in(tmp_path), CORPUS, tmp_path / "run", reads_back=False)
    assert outcome.problems == []
    assert outcome.unexplained == []
    assert outcome.ends["filed"] > 300


def test_f37_import_that_drops_what_is_damaged_is_found_out(tmp_path: Path) -> None:
    program = (*PLANTED, "drop_the_damaged")
    with pytest.raises(AssertionError, match="not all are filed"):
        hostile_mail_is_kept_whole(tmp_path, program, ("nested", "messages_in_messages"))


@pytest.mark.parametrize(
    ("bug", "words"),
    [("forget_the_unreadable", "the sums differ"), ("give_no_reasons", "without a reason")],
)
def test_f38_import_that_forgets_what_it_could_not_read_is_found_out(
    tmp_path: Path, bug: str, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        hostile_tree_ends_with_reasons(tmp_path, (*PLANTED, bug))

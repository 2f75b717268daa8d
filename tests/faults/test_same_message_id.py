"""F11: one Message-ID, different bytes: both originals always, merged only by fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_kit import bring_in, findings, found, kept, message, opened, settings_in, write_mbox
from fault_bugs import BUGS
from holdfast.core.custody import Draft
from holdfast.core.records import Sealed
from holdfast.ingest import bulk
from holdfast.ingest.orders import Made
from holdfast.ingest.pipeline import Desk
from holdfast.storage.catalogue import filed_facts
from holdfast.storage.catalogue.filing import FiledDraft
from holdfast.storage.catalogue.reading import records

pytestmark = pytest.mark.unmeasured
Plant = pytest.MonkeyPatch

PLAIN = message(1)
ROUTED = b"Received: from a.example by b.example; Mon, 2 Mar 2026 10:00:01 +0000\n" + PLAIN
FLAGGED = b"X-Spam-Status: No\n" + PLAIN
FORGED = message(1, body="Other words under the same name.")
RENAMED = message(1, subject="another subject")


def same_meaning_is_one_interaction(folder: Path, same: bytes) -> None:
    """F11: another way that the same message took is another original of it.

    Raises:
        AssertionError: One original is not kept, or there are two interactions.
    """
    archive = settings_in(folder)
    counts = bring_in(archive, write_mbox(folder / "in.mbox", [PLAIN, same])).counts
    assert kept(archive) == [PLAIN, same], "not both originals are kept"
    assert (counts.new, counts.duplicates) == (1, 1), f"not one interaction: {counts}"
    assert found(archive, "is:conflict") == 0


def other_words_are_two_interactions(folder: Path, other: bytes) -> None:
    """F11: other words under one name are another interaction, and both are marked.

    Raises:
        AssertionError: One original is not kept, one stands for both, or nobody is told.
    """
    archive = settings_in(folder)
    counts = bring_in(archive, write_mbox(folder / "in.mbox", [PLAIN, other])).counts
    assert kept(archive) == [PLAIN, other], "not both originals are kept"
    assert counts.new == 2, f"one stood for both: {counts}"
    assert found(archive, "is:conflict") == 2, "they are not marked"
    assert findings(archive) == []


@pytest.mark.parametrize("same", [ROUTED, FLAGGED])
def test_f11_same_fingerprint_is_one_interaction_with_both_originals(
    tmp_path: Path, same: bytes
) -> None:
    same_meaning_is_one_interaction(tmp_path, same)


@pytest.mark.parametrize("other", [FORGED, RENAMED])
def test_f11_other_fingerprint_is_two_interactions_that_name_each_other(
    tmp_path: Path, other: bytes
) -> None:
    other_words_are_two_interactions(tmp_path, other)


def merge_at_the_door(plant: Plant) -> None:
    """A message whose Message-ID is known is not kept."""
    plant.setattr(bulk.Import, "_settle", bulk.Import._settle)  # put back behind the test
    BUGS["merge_by_message_id"]()


def file_by(plant: Plant, fingerprint: Callable[[Sealed, Draft], bytes]) -> None:
    """Let something else than the fingerprint tell which originals are one interaction."""
    process = bulk.process  # type: ignore[attr-defined]

    def processing(items: Sequence[tuple[Sealed, Made]], desk: Desk) -> list[FiledDraft]:
        return process([(sealed, renamed(sealed, made)) for sealed, made in items], desk)

    def renamed(sealed: Sealed, made: Made) -> Made:
        own = hashlib.sha256(fingerprint(sealed, made.draft)).digest()
        return replace(made, draft=replace(made.draft, fingerprint=own))

    plant.setattr(bulk, "process", processing)


def merge_by_name(plant: Plant) -> None:
    """Both originals are kept, and one interaction stands for both."""
    file_by(plant, lambda _, draft: draft.message_id.encode())


def merge_nothing(plant: Plant) -> None:
    """Each original is an interaction of its own."""
    file_by(plant, lambda sealed, _: b"%d" % sealed.original_id)


def mark_nothing(plant: Plant) -> None:
    """Nobody is told of another message of the same name."""
    plant.setattr(filed_facts, "holders_in", lambda connection, rows: Counter())


@pytest.mark.parametrize(
    ("bug", "harness", "other", "words"),
    [
        (merge_at_the_door, same_meaning_is_one_interaction, ROUTED, "not both originals"),
        (merge_nothing, same_meaning_is_one_interaction, FLAGGED, "not one interaction"),
        (merge_at_the_door, other_words_are_two_interactions, FORGED, "not both originals"),
        (merge_by_name, other_words_are_two_interactions, RENAMED, "one stood for both"),
        (mark_nothing, other_words_are_two_interactions, FORGED, "not marked"),
    ],
)
def test_f11_other_rule_of_what_is_one_is_found_out(
    tmp_path: Path,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    harness: Callable[[Path, bytes], None],
    other: bytes,
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        harness(tmp_path, other)


def test_f11_later_forgery_marks_what_was_there_before(tmp_path: Path) -> None:
    archive = settings_in(tmp_path)
    bring_in(archive, write_mbox(tmp_path / "first.mbox", [PLAIN, message(2)]))
    assert found(archive, "is:conflict") == 0
    bring_in(archive, write_mbox(tmp_path / "later.mbox", [FORGED]))
    assert found(archive, "is:conflict") == 2


def test_f11_messages_without_message_id_are_merged_by_fingerprint_alone(tmp_path: Path) -> None:
    archive = settings_in(tmp_path)
    nameless = [raw.replace(b"Message-ID: <m1@example.com>\n", b"") for raw in (PLAIN, FORGED)]
    path = write_mbox(tmp_path / "in.mbox", [*nameless, b"X-Route: 2\n" + nameless[0]])
    counts = bring_in(archive, path).counts
    assert (counts.new, counts.duplicates) == (2, 1)
    assert len(kept(archive)) == 3
    assert found(archive, "is:conflict") == 0


MIXES = st.lists(st.sampled_from([PLAIN, ROUTED, FLAGGED, FORGED, RENAMED]), min_size=1, max_size=8)


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mix=MIXES)
def test_f11_any_order_keeps_each_original_once_and_every_occurrence(
    tmp_path_factory: pytest.TempPathFactory, mix: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    archive = settings_in(folder)
    counts = bring_in(archive, write_mbox(folder / "in.mbox", mix)).counts
    assert sorted(kept(archive)) == sorted(set(mix))
    meanings = {raw if raw in (FORGED, RENAMED) else PLAIN for raw in mix}
    assert counts.new == len(meanings)
    assert counts.new + counts.duplicates == len(mix)
    with opened(archive) as services:
        seen = records(services.store, list(services.index.ids()))
    assert sorted(record.subject for record in seen) == sorted(
        "another subject" if raw == RENAMED else "message number 1" for raw in meanings
    )

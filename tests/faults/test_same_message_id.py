"""F11: one Message-ID, different bytes: both originals always, merged only by fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_kit import bring_in, findings, found, kept, message, opened, settings_in, write_mbox
from holdfast.storage.catalogue.reading import records

pytestmark = pytest.mark.unmeasured

PLAIN = message(1)
ROUTED = b"Received: from a.example by b.example; Mon, 2 Mar 2026 10:00:01 +0000\n" + PLAIN
FLAGGED = b"X-Spam-Status: No\n" + PLAIN
FORGED = message(1, body="Other words under the same name.")
RENAMED = message(1, subject="another subject")


@pytest.mark.parametrize("same", [ROUTED, FLAGGED])
def test_f11_same_fingerprint_is_one_interaction_with_both_originals(
    tmp_path: Path, same: bytes
) -> None:
    archive = settings_in(tmp_path)
    counts = bring_in(archive, write_mbox(tmp_path / "in.mbox", [PLAIN, same])).counts
    assert (counts.new, counts.duplicates) == (1, 1)
    assert kept(archive) == [PLAIN, same]
    assert found(archive, "is:conflict") == 0


@pytest.mark.parametrize("other", [FORGED, RENAMED])
def test_f11_other_fingerprint_is_two_interactions_that_name_each_other(
    tmp_path: Path, other: bytes
) -> None:
    archive = settings_in(tmp_path)
    assert bring_in(archive, write_mbox(tmp_path / "in.mbox", [PLAIN, other])).counts.new == 2
    assert kept(archive) == [PLAIN, other]
    assert found(archive, "is:conflict") == 2
    assert findings(archive) == []


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

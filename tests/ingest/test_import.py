from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import update

from archive_kit import bring_in, findings, found, kept, message, opened, settings_in, write_mbox
from holdfast.core.errors import NotFound
from holdfast.core.identity import row_id
from holdfast.ingest.imports import ImportOptions
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import find_interaction, records
from holdfast.storage.catalogue.schema import captures, interactions, participants
from holdfast.wiring.runs import import_paths


def test_every_original_is_byte_identical_and_every_item_has_an_end(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    messages = [message(n) for n in range(150)]
    summary = bring_in(settings, write_mbox(tmp_path / "in.mbox", messages))
    assert (summary.counts.offered, summary.counts.new) == (150, 150)
    assert kept(settings) == messages
    with opened(settings) as services:
        assert list(sums(services.store).values()) == [{"filed": 150}]
    assert findings(settings) == []


def test_second_import_adds_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = write_mbox(tmp_path / "in.mbox", [message(n) for n in range(40)])
    bring_in(settings, path)
    again = bring_in(settings, path)
    assert (again.counts.new, again.counts.duplicates, again.counts.unchanged) == (0, 0, 40)
    assert len(kept(settings)) == 40


def test_grown_mailbox_adds_only_what_is_new(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    messages = [message(n) for n in range(10)]
    bring_in(settings, write_mbox(tmp_path / "in.mbox", messages[:6]))
    grown = bring_in(settings, write_mbox(tmp_path / "in.mbox", messages))
    assert (grown.counts.unchanged, grown.counts.new) == (6, 4)


def test_file_with_other_content_under_a_known_name_is_not_lost(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.eml").write_bytes(message(1))
    bring_in(settings, folder)
    (folder / "a.eml").write_bytes(message(2))
    assert bring_in(settings, folder).counts.new == 1
    assert bring_in(settings, folder).counts.unchanged == 1
    assert sorted(kept(settings)) == [message(1), message(2)]


def test_same_bytes_in_two_folders_are_one_original_with_two_captures(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for name in ("Sent.mbox", "Inbox.mbox"):
        write_mbox(tmp_path / name, [message(1)])
    counts = bring_in(settings, tmp_path / "Sent.mbox", tmp_path / "Inbox.mbox").counts
    assert (counts.new, counts.duplicates) == (1, 1)
    with opened(settings) as services:
        found_id = find_interaction(services.store, "m1@example.com")
        (record,) = records(services.store, [found_id])
    assert sorted(record.folders) == ["Inbox", "Sent"]
    assert record.is_duplicate
    assert found(settings, "folder:Sent folder:Inbox is:duplicate") == 1


def test_same_message_id_with_other_content_is_two_interactions(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = write_mbox(tmp_path / "in.mbox", [message(1), message(1, body="Forged words.")])
    assert bring_in(settings, path).counts.new == 2
    assert found(settings, "is:conflict") == 2


def test_same_message_by_another_route_is_one_interaction_with_two_originals(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    other = b"Received: from a.example by b.example; Mon, 2 Mar 2026 10:00:01 +0000\n" + message(1)
    counts = bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(1), other])).counts
    assert (counts.new, counts.duplicates) == (1, 1)
    assert kept(settings) == [message(1), other]
    assert found(settings, "sha256:" + __import__("hashlib").sha256(other).hexdigest()) == 1


def test_replies_join_the_thread_whatever_their_order(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    reply = message(2, headers=["In-Reply-To: <m1@example.com>"])
    far = message(3, headers=["References: <m1@example.com> <m2@example.com>"])
    bring_in(settings, write_mbox(tmp_path / "a.mbox", [far]))
    bring_in(settings, write_mbox(tmp_path / "b.mbox", [reply, message(1), message(9)]))
    with opened(settings) as services:
        ids = [find_interaction(services.store, f"m{n}@example.com") for n in (1, 2, 3, 9)]
        first, second, third, alone = (r.thread_id for r in records(services.store, ids))
    assert first == second == third != alone


def test_threads_that_meet_late_become_one(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    left = message(2, headers=["In-Reply-To: <m1@example.com>"])
    right = message(4, headers=["In-Reply-To: <m3@example.com>"])
    bring_in(settings, write_mbox(tmp_path / "a.mbox", [left, right]))
    bridge = message(5, headers=["References: <m1@example.com> <m3@example.com>"])
    bring_in(settings, write_mbox(tmp_path / "b.mbox", [bridge]))
    with opened(settings) as services:
        ids = [find_interaction(services.store, f"m{n}@example.com") for n in (2, 4, 5)]
        assert len({r.thread_id for r in records(services.store, ids)}) == 1
    assert findings(settings) == []


def test_undone_import_can_be_repeated(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = write_mbox(tmp_path / "in.mbox", [message(n) for n in range(5)])
    summary = bring_in(settings, path)
    with opened(settings) as services:
        undo_batch(services.store, row_id("bat", summary.batch))
        services.desk.feed.drain()
    assert found(settings, "word3") == 0
    assert findings(settings) == []
    again = bring_in(settings, path)
    assert again.counts.duplicates == 5
    assert found(settings, "word3") == 1
    assert findings(settings) == []
    assert len(kept(settings)) == 5


def test_missing_path_is_said_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        bring_in(settings_in(tmp_path), tmp_path / "nothing.mbox")


def test_nul_in_a_subject_reaches_every_table(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(1, subject="a\0b tail")]))
    assert found(settings, "subject:tail") == 1
    assert findings(settings) == []


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (interactions, "subject", "another subject"),
        (interactions, "sent_ms", 1),
        (participants, "address", "somebody@else.example"),
        (captures, "folder", "Elsewhere"),
    ],
)
def test_edited_row_is_named(tmp_path: Path, table: object, column: str, value: object) -> None:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(n) for n in range(3)]))
    with opened(settings) as services, writing(services.store.engine) as connection:
        connection.execute(update(table).values({column: value}))  # type: ignore[arg-type]
    assert findings(settings)


def test_mail_in_archives_within_archives_is_kept_byte_for_byte(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with tarfile.open(folder / "a.tar.gz", "w:gz") as tar:
        for number in range(3):
            entry = tarfile.TarInfo(f"mail/{number}.eml")
            entry.size = len(message(number))
            tar.addfile(entry, io.BytesIO(message(number)))
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("3.eml", message(3))
    write_mbox(tmp_path / "box.mbox", [message(4), message(5)])
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", inner.getvalue())
        archive.write(tmp_path / "box.mbox", "box.mbox")
    settings = settings_in(tmp_path)
    assert bring_in(settings, folder).counts.new == 6
    assert sorted(kept(settings)) == [message(number) for number in range(6)]
    assert bring_in(settings, folder).counts.unchanged == 6


def test_quoting_of_the_variant_that_was_named_is_undone(tmp_path: Path) -> None:
    quoted = message(1, body=">>From here on it is quoted.")
    path = write_mbox(tmp_path / "in.mbox", [quoted])
    for variant, expected in (("mboxo", ">>From here"), ("mboxrd", ">From here")):
        settings = settings_in(tmp_path / variant)
        order = ImportOptions((path,), mbox_variant=variant)
        import_paths(settings, "tester", order, lambda progress: None)
        (raw,) = kept(settings)
        assert f"\n{expected}" in raw.decode()

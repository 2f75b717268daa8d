"""Copies of a message are indexed without reading it again, and as if it had been read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import bring_in, findings, found, message, opened, settings_in, write_mbox
from holdfast.core.ports import Document
from holdfast.indexer.documents import Analysed
from holdfast.ingest import bulk
from holdfast.ingest.cut_texts import CutTexts
from holdfast.ingest.indexing import IndexFeed
from holdfast.ingest.orders import pack_cut, unpack_cut
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import participants

MESSAGES = 20
WORD = Analysed({"body": ["word"]}, {}, {})
CUT = pack_cut(WORD)


def lose_people(plant: pytest.MonkeyPatch) -> None:
    """Whoever was added to a message since is not looked for."""
    plant.setattr(
        CutTexts,
        "of",
        lambda self, rows, _store: {
            r: unpack_cut(self._kept[r][0]) for r in rows if r in self._kept
        },
    )


def test_copies_are_found_by_what_the_copy_adds_and_by_what_the_first_says(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    first = [message(number) for number in range(MESSAGES)]
    copies = [b"Received: from b.example by a.example\n" + one for one in first]
    bring_in(
        settings,
        write_mbox(tmp_path / "one.mbox", first),
        write_mbox(tmp_path / "two.mbox", copies),
    )
    assert found(settings, "subject:message") == MESSAGES
    assert found(settings, "is:duplicate") == MESSAGES
    assert findings(settings) == []


def test_document_of_kept_texts_is_that_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Document, Document]] = []
    documents_of = IndexFeed._documents

    def both(self: IndexFeed, held: dict[int, int]) -> list[Document]:
        quick = {one.id: one for one in documents_of(self, held)}
        kept, self.texts = self.texts, CutTexts()
        assert set(kept.of(held, self.store)) == set(held)
        seen.extend((quick[one.id], one) for one in documents_of(self, held))
        self.texts = kept
        return list(quick.values())

    monkeypatch.setattr(IndexFeed, "_documents", both)
    for name in ("TASK_ITEMS", "COMMIT_ITEMS"):  # so that no copy is filed together with its first
        monkeypatch.setattr(bulk, name, 5)
    first = [message(number) for number in range(MESSAGES)]
    copies = [b"Received: from b.example by a.example\n" + one for one in first]
    boxes = write_mbox(tmp_path / "one.mbox", first), write_mbox(tmp_path / "two.mbox", copies)
    bring_in(settings_in(tmp_path), *boxes)
    assert len(seen) == MESSAGES
    assert [quick for quick, _ in seen] == [whole for _, whole in seen]


@pytest.mark.parametrize("bug", [None, lose_people])
def test_texts_are_read_again_when_somebody_was_added_unless_people_are_not_counted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None] | None,
) -> None:
    if bug:
        bug(monkeypatch)
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "one.mbox", [message(1), message(2)]))
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            named = Counter(connection.scalars(select(participants.c.interaction_id)).all())
        whole, added = sorted(named)
        texts = CutTexts()
        texts.keep(whole, CUT, named[whole])
        texts.keep(added, CUT, named[added] - 1)
        assert (texts.of([whole, added, 7], services.store) == {whole: WORD}) == (bug is None)


def test_oldest_texts_go_when_they_come_to_too_much(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "one.mbox", [message(1), message(2), message(3)]))
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            named = Counter(connection.scalars(select(participants.c.interaction_id)).all())
        texts = CutTexts(most_bytes=2 * len(CUT))
        for row in sorted(named):
            texts.keep(row, CUT, named[row])
            texts.keep(row, CUT, named[row])
        assert list(texts.of(sorted(named), services.store)) == sorted(named)[1:]
        texts.clear()
        assert texts.of(named, services.store) == {}

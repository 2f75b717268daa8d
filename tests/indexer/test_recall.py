from __future__ import annotations

import random
from pathlib import Path

import pytest

from holdfast.indexer.tantivy_index import TantivyIndex
from recall import ALPHABETS, make_mails, measure_recall
from search_equality import fill

pytestmark = pytest.mark.unmeasured


def test_every_stretch_of_a_stored_text_finds_its_message(tmp_path: Path) -> None:
    rnd = random.Random(1)
    index = TantivyIndex(tmp_path / "index")
    mails = make_mails(rnd, 5)
    fill(index, [record for records in mails.values() for record in records])
    recall = measure_recall(rnd, index, mails, 60)
    index.close()
    assert recall.missed == []
    assert recall.draws.total() == 60 * len(ALPHABETS)

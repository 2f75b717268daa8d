"""The full round: answers of the embedded index against the records themselves."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from holdfast.indexer.tantivy_index import TantivyIndex
from recall import ALPHABETS, make_mails, measure_recall
from search_equality import compare_draws, fill

QUERY_DRAWS = 10_000
RECALL_DRAWS_A_SCRIPT = 750  # 10,500 over all scripts


def test_ten_thousand_generated_queries_agree_with_the_records(
    proof_seed: int, report: Callable[..., None]
) -> None:
    sets = QUERY_DRAWS // 50 + 20  # a few draws are refused, and do not count
    tally = compare_draws(proof_seed, sets, 50)
    report(
        draws=tally.queries,
        refused=tally.refused,
        compared=tally.queries - tally.refused,
        with_hits=tally.with_hits,
        differences=len(tally.differences),
    )
    assert tally.differences == []
    assert tally.queries - tally.refused >= QUERY_DRAWS


def test_ten_thousand_stretches_of_stored_texts_find_their_message(
    tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    rnd = random.Random(proof_seed)
    index = TantivyIndex(tmp_path / "index")
    mails = make_mails(rnd, 100)
    fill(index, [record for records in mails.values() for record in records])
    recall = measure_recall(rnd, index, mails, RECALL_DRAWS_A_SCRIPT)
    index.close()
    report(draws=dict(recall.draws), missed=len(recall.missed))
    assert recall.missed == []
    assert recall.draws.total() == RECALL_DRAWS_A_SCRIPT * len(ALPHABETS)

"""The full round: answers of every index against the records themselves."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from elastic_kit import fresh_index
from holdfast.indexer.tantivy_index import TantivyIndex
from recall import ALPHABETS, make_mails, measure_recall
from search_equality import Tally, compare_draws, emptied, fill
from server_elasticsearch import Cluster
from server_fixtures import elasticsearch_server, shared_elasticsearch

__all__ = ["elasticsearch_server", "shared_elasticsearch"]

QUERY_DRAWS = 10_000
SETS = QUERY_DRAWS // 50 + 20  # a few draws are refused, and do not count
RECALL_DRAWS_A_SCRIPT = 750  # 10,500 over all scripts


def test_ten_thousand_generated_queries_agree_with_the_records(
    proof_seed: int, report: Callable[..., None]
) -> None:
    tally = compare_draws(proof_seed, SETS, 50)
    _judge(tally, report)


def test_ten_thousand_generated_queries_agree_with_the_records_in_elasticsearch(
    proof_seed: int, report: Callable[..., None], elasticsearch_server: Cluster
) -> None:
    with fresh_index(elasticsearch_server) as index:
        tally = compare_draws(proof_seed, SETS, 50, lambda: emptied(index))
    _judge(tally, report)


def _judge(tally: Tally, report: Callable[..., None]) -> None:
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

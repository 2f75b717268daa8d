"""Every index and the brute force must give the same answer to every question."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from elastic_kit import fresh_index
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.indexer.tantivy_index import TantivyIndex
from records import make_records
from search_equality import Tally, compare, compare_draws, emptied, fill, make_request
from server_elasticsearch import Cluster

pytestmark = pytest.mark.unmeasured


def test_seeded_queries_find_the_same_as_looking_at_every_record() -> None:
    tally = compare_draws(seed=20240101, sets=12, queries=50)
    assert tally.differences == []
    assert tally.queries == 600
    assert tally.with_hits > 150
    assert tally.refused < 30


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_any_query_finds_the_same_as_looking_at_every_record(rnd: random.Random) -> None:
    records = make_records(rnd, rnd.randint(1, 6))
    tally = Tally()
    with TemporaryDirectory() as folder:
        embedded = TantivyIndex(Path(folder) / "index")
        brute = MemoryIndex({record.id: record for record in records})
        fill(embedded, records)
        fill(brute, records)
        for _ in range(10):
            compare(embedded, brute, make_request(rnd, records), tally)
        embedded.close()
    assert tally.differences == []


def test_seeded_queries_find_the_same_in_elasticsearch(cluster: Cluster) -> None:
    with fresh_index(cluster) as index:
        tally = compare_draws(20240101, 5, 40, lambda: emptied(index))
    assert tally.differences == []
    assert tally.queries == 200
    assert tally.with_hits > 50
    assert tally.refused < 20

"""Totals, hits and facets of an engine tell nothing of masked digits, and `has:number` is exact."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.kinds import Role
from holdfast.core.masking import mask_facets, mask_record
from holdfast.core.number_guard import guard_numbers
from holdfast.core.ports import SearchIndex, SearchRequest
from holdfast.core.query import Field, Node, Not, Phrase, Scope, Term
from holdfast.core.record_terms import own_terms
from holdfast.core.records import Record, RecordParticipant
from holdfast.indexer.documents import analyse_original, analyse_record
from holdfast.indexer.facets import FACETS
from holdfast.indexer.highlight import highlight
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.indexer.query_parser import parse_query
from holdfast.indexer.tantivy_index import TantivyIndex
from number_kit import make_pair, probing_leaf
from query_kit import NOW, sample_record


@contextmanager
def indexed(folder: Path, record: Record) -> Iterator[SearchIndex]:
    index = TantivyIndex(folder, heap_bytes=16 * 1024 * 1024)
    index.add([analyse_record(record)])
    index.commit()
    yield index
    index.close()


def answer(index: SearchIndex, node: Node) -> object:
    request = SearchRequest(node, Scope.whole_archive("tester"), facets=FACETS, facet_limit=100)
    try:
        page = index.search(request)
    except Refused as error:
        return error.cause
    return replace(page, facets=mask_facets(page.facets))


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_f62_engine_answers_alike_for_records_that_look_alike(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rnd = random.Random(seed)
    record, twin = make_pair(rnd)
    assume(mask_record(record) == mask_record(twin))
    folder = tmp_path_factory.mktemp("twins")
    with indexed(folder / "one", record) as one, indexed(folder / "other", twin) as other:
        for _ in range(40):
            leaf = probing_leaf(rnd, (record, twin))
            node = guard_numbers(rnd.choice((leaf, Not(leaf)))).node
            assert answer(one, node) == answer(other, node), leaf


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=30)
def test_document_says_of_numbers_what_the_record_says(seed: int) -> None:
    record, _ = make_pair(random.Random(seed))
    assert analyse_original(record).exact.get("has", []) == list(own_terms(record).get("has", ()))


def has(record: Record) -> set[str]:
    return {one for one in own_terms(record)["has"] if one.endswith("number")}


def test_every_text_of_a_record_is_looked_at() -> None:
    number = "13800138000"
    person = RecordParticipant(Role.TO, "", f"{number}@qq.com")
    assert has(sample_record(body="x", subject=number)) == {"number"}
    assert has(sample_record(body=f"tel {number}")) == {"number"}
    assert has(sample_record(body="138 0013 8000")) == {"number", "split_number"}
    assert has(sample_record(body="x", participants=(person,))) == {"number"}
    assert has(sample_record(body="x 2024-03-15 12345678")) == set()


@pytest.mark.parametrize("text", ["has:number", "has:numbers", "含有:号码"])
def test_query_for_numbers_is_understood(text: str) -> None:
    record = sample_record(body="tel 13800138000")
    node = parse_query(text, now=NOW, zone=UTC).node
    index = MemoryIndex({1: record})
    index.add([analyse_record(record)])
    index.commit()
    assert index.search(SearchRequest(node, Scope.whole_archive("tester"))).total == 1


def test_highlights_of_the_masked_record_show_no_number() -> None:
    record = sample_record(body="call 13800138000 about the contract")
    assert highlight(Phrase("13800138000"), record)
    assert highlight(Phrase("13800138000"), mask_record(record)) == []
    (marked,) = highlight(Phrase("contract"), mask_record(record))
    assert record.body[slice(*marked.marks[0])] == "contract"


def test_split_numbers_can_be_asked_for() -> None:
    node = parse_query("has:split_number", now=NOW, zone=UTC).node
    assert node == Term(Field.HAS, "split_number")

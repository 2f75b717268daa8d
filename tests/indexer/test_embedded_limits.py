"""The corners of the embedded engine that made-up mail does not reach."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st
from tantivy import Query

from conformance.index import IndexUnderTest, mail
from holdfast.core.errors import Refused
from holdfast.core.query import (
    Dates,
    Field,
    Fuzzy,
    Near,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
)
from holdfast.core.records import Record
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.embedded.counts import count_facets
from holdfast.indexer.embedded.results import Results
from holdfast.indexer.embedded.schema import build_schema
from holdfast.indexer.embedded.writing import engine_document
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.indexer.tantivy_index import TantivyIndex


@pytest.fixture
def case(tmp_path: Path) -> Iterator[IndexUnderTest]:
    index = TantivyIndex(tmp_path / "index")
    yield IndexUnderTest(index, {})
    index.close()


def test_long_exact_values_are_told_apart(case: IndexUnderTest) -> None:
    long = "x" * 100_000
    case.hold(mail(1, message_id=long + "1"), mail(2, message_id=long + "2"))
    assert case.found(Term(Field.MESSAGE_ID, long + "2")) == {2}


def test_long_words_are_found(case: IndexUnderTest) -> None:
    case.hold(mail(1, "b" * 100_000), mail(2, "b" * 99_999))
    assert case.found(Phrase("b" * 100_000)) == {1}


def test_sizes_and_dates_beyond_all_bounds(case: IndexUnderTest) -> None:
    case.hold(mail(1, at=datetime(1901, 1, 1, tzinfo=UTC)), mail(2, size_bytes=1 << 40))
    assert case.found(Sizes(None, 1 << 70)) == {1, 2}
    assert case.found(Sizes(-(1 << 70), None)) == {1, 2}
    assert case.found(Sizes(2000, 1000)) == set()
    assert case.found(Dates(None, datetime(1950, 1, 1, tzinfo=UTC))) == {1}
    assert case.found(Dates(None, None)) == {1, 2}


def test_near_across_parts_or_without_words_finds_nothing(case: IndexUnderTest) -> None:
    case.hold(mail(1, "a b", subject="a b"))
    assert case.found(Near((Phrase("a", Part.BODY), Phrase("b", Part.SUBJECT)), 5)) == set()
    assert case.found(Near((Phrase("a"), Phrase("!")), 5)) == set()
    assert case.found(Near((), 5)) == set()


def test_fuzzy_word_never_meets_a_run(case: IndexUnderTest) -> None:
    case.hold(mail(1, "中国 人"), mail(2, "ab"))
    assert case.found(Fuzzy("中", 2)) == {2}
    assert case.found(Fuzzy("a", 2)) == {2}


def test_large_thread_collapses_in_pieces(case: IndexUnderTest) -> None:
    newest = [mail(id_, "w", thread_id=1) for id_ in range(300, 900)]
    case.hold(*(mail(id_, "w", thread_id=2 + id_ % 5) for id_ in range(1, 300)), *newest)
    page = case.ask(Phrase("w"), collapse="thread", limit=3)
    assert (page.hits[0].id, page.hits[0].collapsed) == (899, 600)
    assert len(page.hits) == 3
    assert page.groups == 6


@pytest.mark.parametrize("most_buckets", [5, 70, 60_000])
def test_facet_of_more_values_than_the_engine_returns_is_exact(most_buckets: int) -> None:
    schema = build_schema()
    index = tantivy.Index(schema)
    writer = index.writer(num_threads=1)
    records = [mail(id_, tags=(f"t{id_ % 150:03}", "all")) for id_ in range(1, 301)]
    for record in [*records, mail(500, tags=("t149",))]:
        writer.add_document(engine_document(analyse_record(record)))
    writer.commit()
    index.reload()
    results = Results(index.searcher(), schema, Query.all_query())
    expected = (("all", 300), ("t149", 3), *((f"t{n:03}", 2) for n in range(149)))
    for limit in (0, 1, 2, 4, 100, 151, 200):
        found = count_facets(results, ("tag", "channel"), limit, most_buckets=most_buckets)
        assert found == {"tag": expected[:limit], "channel": (("email", 301),)[:limit]}


WORDS = ("abc", "aab", "a1", "é", "ß", "x_y", "ab中", "-", "a-b", "[", "zz9")
PIECES = (
    "a", "b", "z", "1", "é", ".", "\\d", "\\w", "\\D", "\\W", "\\s", "\\S", "[a-c]", "[^a]",
    "[^a-c1]", "[é-]", "(", "(?:", ")", "|", "*", "+", "?", "*?", "{2}", "{1,}", "{0,2}", "\\.",
    "\\-", "[.]", "[ab", "^", "$", "\\b", "(?i)", "[[:alpha:]]", "[\\d]", "\\pL", "\\x61", "&&",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[IndexUnderTest, IndexUnderTest]]:
    """The embedded index and the brute force, with one word of `WORDS` in each record."""
    records: dict[int, Record] = {}
    index = TantivyIndex(tmp_path_factory.mktemp("words") / "index")
    cases = IndexUnderTest(index, {}), IndexUnderTest(MemoryIndex(records), records)
    for case in cases:
        case.hold(*(mail(at, word) for at, word in enumerate(WORDS, 1)))
    yield cases
    index.close()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_regular_expressions_mean_what_re2_means_or_are_refused(
    both: tuple[IndexUnderTest, IndexUnderTest], pattern: str
) -> None:
    index, brute = both
    try:
        found = index.found(Regex(pattern))
    except Refused:
        return
    assert found == brute.found(Regex(pattern))

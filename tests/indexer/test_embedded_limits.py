"""The corners of the embedded engine that made-up mail does not reach."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
import tantivy
from hypothesis import given, settings
from hypothesis import strategies as st
from tantivy import Query

from conformance.index import OWNER, IndexUnderTest, mail
from holdfast.core.errors import Refused
from holdfast.core.ports import SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    Dates,
    Field,
    Fuzzy,
    Near,
    Part,
    Phrase,
    Regex,
    Scope,
    Sizes,
    Term,
)
from holdfast.core.records import Record
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.embedded.counts import count_facets
from holdfast.indexer.embedded.groups import Groups
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


NEAR_PAIRS = ("ab", "ba", "aa", "áa", "aá")


def test_nearness_of_two_words_counts_every_gap_and_both_orders(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    rnd = random.Random(5)
    bodies = [" ".join(letters) for n in range(6) for letters in product("abx", repeat=n)]
    bodies += [" ".join(rnd.choices("abxxxxx", k=400)) for _ in range(20)]
    bodies += [" ".join(["x"] * 300 + ["a"] + ["x"] * gap + ["b"]) for gap in (0, 255, 999, 1000)]
    bodies += ["á", "á x a", "a á", "á á"]  # two tokens at one position
    records = {id_: mail(id_, body) for id_, body in enumerate(bodies, 1)}
    index = TantivyIndex(tmp_path_factory.mktemp("near") / "index")
    cases = IndexUnderTest(index, {}), IndexUnderTest(MemoryIndex(records), records)
    for case in cases:
        case.hold(*records.values())
    for words, distance, is_ordered in product(NEAR_PAIRS, (0, 1, 2, 3, 1000), (0, 1)):
        pair = Phrase(words[0], Part.BODY), Phrase(words[1], Part.BODY)
        near = Near(pair, distance, bool(is_ordered))
        found, expected = (case.ask(near, limit=1000) for case in cases)
        assert found == expected, near
    index.close()


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


@pytest.mark.parametrize("facet", ["tag", "sender"])
@pytest.mark.parametrize("is_level", [False, True])
@pytest.mark.parametrize("limit", [1, 5, 30])
def test_facet_whose_values_are_cut_in_each_segment_is_exact(
    facet: str, limit: int, *, is_level: bool
) -> None:
    rnd = random.Random(limit)
    weights = [1.0 if is_level else 1 / (n + 3) for n in range(3000)]
    counts: Counter[str] = Counter()
    schema = build_schema()
    index = tantivy.Index(schema)
    writer = index.writer(num_threads=1)
    for segment in range(3):
        for id_ in range(segment * 200 + 1, segment * 200 + 201):
            # A few values are frequent in one segment alone.
            drawn = {f"t{n}" for n in rnd.choices(range(3000), weights, k=40)}
            drawn |= {f"only{segment}{n}" for n in range(9) if rnd.random() < 0.1 * n}
            counts.update(drawn)
            document = replace(analyse_record(mail(id_)), facets={facet: tuple(drawn)})
            writer.add_document(engine_document(document))
        writer.commit()
    index.reload()
    assert index.searcher().num_segments == 3
    results = Results(index.searcher(), schema, Query.all_query())
    expected = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    assert count_facets(results, (facet,), limit) == {facet: tuple(expected[:limit])}


@pytest.mark.parametrize("most_buckets", [1, 4, 100])
def test_groups_are_counted_in_pieces(most_buckets: int) -> None:
    schema = build_schema()
    index = tantivy.Index(schema)
    writer = index.writer(num_threads=1)
    for id_ in range(1, 31):
        record = mail(id_, thread_id=id_ % 7 if id_ < 20 else id_)
        writer.add_document(engine_document(analyse_record(record)))
        if id_ % 10 == 0:
            writer.commit()
    index.reload()
    results = Results(index.searcher(), schema, Query.all_query())
    # Six threads, two without one below 20, eleven alone.
    assert Groups(results, "thread", most_buckets).count(results.total()) == 19


def test_facets_of_everything_follow_each_commit(case: IndexUnderTest) -> None:
    case.hold(mail(1, tags=("a",)), mail(2, tags=("b",)))
    clerk = Scope("clerk", Term(Field.TAG, "b"))
    request = SearchRequest(EVERYTHING, OWNER, facets=("tag", "filetype"))
    for _ in range(2):
        assert case.index.search(request).facets == {"tag": (("a", 1), ("b", 1)), "filetype": ()}
        mine = case.index.search(replace(request, scope=clerk))
        assert mine.facets == {"tag": (("b", 1),), "filetype": ()}
        one = case.index.search(replace(request, facet_limit=1, facets=("tag", "channel")))
        assert one.facets == {"tag": (("a", 1),), "channel": (("email", 2),)}
    case.hold(mail(3, tags=("b",)))
    case.index.remove([1])
    case.index.commit()
    assert case.index.search(request).facets["tag"] == (("b", 2),)
    for limit in (101, 2000):
        assert case.index.search(replace(request, facet_limit=limit)).facets["tag"] == (("b", 2),)


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

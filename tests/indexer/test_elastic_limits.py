"""What Elasticsearch cannot do by itself and is found all the same; what is refused in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.index import IndexUnderTest, mail
from elastic_kit import fresh_index
from holdfast.core.errors import Refused
from holdfast.core.matching import matches
from holdfast.core.ports import SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    And,
    Field,
    Fuzzy,
    Header,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Scope,
    Term,
    Wildcard,
)
from holdfast.indexer.elastic.counts import count_facets
from holdfast.indexer.elastic.groups import Groups
from holdfast.indexer.elastic.results import Results
from holdfast.indexer.elastic_index import ElasticIndex
from server_elasticsearch import Cluster

LONG = "é" + "x" * 6000
OWNER = Scope.whole_archive("owner")


@pytest.fixture(scope="module")
def filled(shared_elasticsearch: object) -> Iterator[IndexUnderTest]:
    server = getattr(shared_elasticsearch, "server", None)
    if not isinstance(server, Cluster):
        pytest.skip("not run (Elasticsearch)")
    with fresh_index(server) as index:
        case = IndexUnderTest(index, {})
        case.hold(
            mail(1, f"before {LONG} after", subject="café crème"),
            mail(2, "cafe creme", subject="before after"),
            mail(3, "un café cher", headers=(("X-" + "Long" * 40, "中文 word"), ("Odd Name", "x"))),
            mail(4, "a_b snake", headers=(("X-Note", "y" * 200 + " z"),)),
            mail(5, "中国 人民 word", folders=("f" * 5000,)),
            mail(6, headers=(("Received", "by mx"),)),
        )
        yield case


FOUND: list[tuple[Node, set[int]]] = [
    (Phrase(LONG), {1}),
    (Phrase(LONG.replace("é", "e")), {1}),
    (Phrase(LONG + "x"), set()),
    (Phrase(f"before {LONG} after"), {1}),
    (Phrase(f"{LONG.replace('é', 'e')} after", Part.BODY), {1}),
    (Phrase("before after"), {2}),
    (Near((Phrase("before"), Phrase("after")), 1), {1, 2}),
    (Wildcard("éxx*"), {1}),
    (Wildcard("*xx"), {1}),
    (Regex("[eé]x{3,}"), {1}),
    (Regex("ex+"), {1}),
    (Fuzzy("f" + LONG, 1), {1}),
    (Phrase("cafe creme"), {1, 2}),
    (Phrase("café creme"), {1}),
    (Phrase("cafe crème"), {1}),
    (Phrase("un cafe cher"), {3}),
    (Near((Phrase("café"), Phrase("un")), 0), {3}),
    (Wildcard("caf?"), {1, 2, 3}),
    (Wildcard("café"), {1, 3}),
    (Fuzzy("cafe", 1), {1, 2, 3}),
    (Fuzzy("", 1), {4}),
    (Fuzzy("", 2), {3, 4}),
    (Fuzzy("", 0), set()),
    (Wildcard("*_*"), set()),
    (Wildcard("???"), set()),
    (Regex("_+"), set()),
    (Regex("[A-z]{3}"), set()),
    (Regex("\\w{2}|"), {3}),
    (Fuzzy("中", 2), {3, 4}),
    (Header("x-" + "long" * 40, "中文"), {3}),
    (Header("x-" + "long" * 40, "中"), {3}),
    (Header("X-" + "LONG" * 40, "word"), {3}),
    (Header("x-" + "long" * 39, ""), set()),
    (Header("odd name", "x"), {3}),
    (Header("x-note", "y" * 200), {4}),
    (Header("x-note", "y" * 199), set()),
    (Header("received", ""), {6}),
    (Term(Field.FOLDER, "f" * 5000), {5}),
    (Phrase("国人民"), set()),
    (Phrase("中国 人民"), {5}),
    (Phrase("人民 word"), {5}),
    (Near((Phrase("中国"), Phrase("word")), 2), {5}),
    (Near((Phrase("中国"), Phrase("word")), 1), set()),
    (Near((Phrase("中国"), Phrase("国")), 0), set()),
    (Near((Phrase("word"), Phrase("民"), Phrase("中")), 2), {5}),
]


@pytest.mark.parametrize(("query", "ids"), FOUND, ids=range(len(FOUND)))
def test_every_odd_text_is_found_as_the_records_say(
    filled: IndexUnderTest, query: Node, ids: set[int]
) -> None:
    assert {id_ for id_, record in filled.records.items() if matches(query, record)} == ids
    assert filled.found(query) == ids


def deep(levels: int) -> Node:
    node: Node = Phrase("x")
    for level in range(levels):
        node = And((node, Phrase("y"))) if level % 2 else Or((node, Phrase("z")))
    return node


@pytest.mark.parametrize(
    "query",
    [
        deep(100_000),
        deep(80),
        Or(tuple(Phrase("x") for _ in range(10_001))),
        Or(tuple(Phrase(f"x{n} y") for n in range(9_000))),
        Near((Phrase("a"), Phrase("b"), Phrase("c")), 30),
        Near((Phrase("a"), Phrase("b")), 5000),
        Fuzzy("word", 3),
        Fuzzy("word", -1),
        Fuzzy("w\x02rd"),
        Wildcard("a" * 100 + "?" * 1000),
        Wildcard("\x02*"),
        Regex("("),
        Regex("^a"),
        Regex("(?i)a"),
        Regex(r"\bword"),
        Regex("(a|b)*a(a|b){18}"),
        Header("Received", "mx.example.com"),
        Header("X" * 300, ""),
    ],
    ids=lambda query: type(query).__name__,
)
def test_what_cannot_be_answered_exactly_is_refused_in_words(
    filled: IndexUnderTest, query: Node
) -> None:
    with pytest.raises(Refused) as refusal:
        filled.found(query)
    assert 20 < len(str(refusal.value)) < 500


def test_expansion_beyond_the_engines_limit_is_refused(cluster: Cluster) -> None:
    letters = [chr(code) for code in range(0x20000, 0x20000 + 17_000)]
    with fresh_index(cluster) as index:
        case = IndexUnderTest(index, {})
        case.hold(mail(1, "x " + " ".join(f"中{letter}" for letter in letters)))
        assert case.found(Phrase("中")) == {1}
        with pytest.raises(Refused):
            case.found(Phrase("x 中"))


@pytest.mark.parametrize("shards", [1, 3])
def test_facets_and_groups_are_exact_over_several_parts_however_few_values_a_shard_names(
    cluster: Cluster,
    shards: int,
) -> None:
    with fresh_index(cluster, shards=shards) as index:
        case = IndexUnderTest(index, {})
        tags = [(f"tag{n % 23}", f"rare{n}", *(("often",) if n % 2 else ())) for n in range(60)]
        places = [n + (n % 2) * (1 << 55) + 1 for n in range(60)]
        case.hold(
            *(
                mail(place, "w", tags=given, thread_id=n % 7)
                for n, (place, given) in enumerate(zip(places, tags, strict=True))
            )
        )
        brute: dict[str, int] = {}
        for given in tags:
            for tag in given:
                brute[tag] = brute.get(tag, 0) + 1
        wanted = sorted(brute.items(), key=lambda pair: (-pair[1], pair[0]))
        for limit in (1, 5, 24):
            assert (
                list(case.ask(EVERYTHING, facets=("tag",), facet_limit=limit).facets["tag"])
                == (wanted[:limit])
            )
        _few_buckets(index, wanted)


def _few_buckets(index: ElasticIndex, wanted: list[tuple[str, int]]) -> None:
    with index._snapshot(is_held=True) as snapshot:
        assert snapshot is not None
        results = Results(snapshot, {"match_all": {}})
        found = count_facets(results, ("tag", "month"), 5, most_buckets=10)
        assert list(found["tag"]) == wanted[:5]
        assert sum(count for _, count in found["month"]) == 60
        # Threads 1 to 6, and those of no thread each by itself.
        assert Groups(results, "thread", most_buckets=4).count() == 6 + 9


def test_negations_are_nested_as_deep_as_one_likes(filled: IndexUnderTest) -> None:
    node: Node = Phrase("cafe")
    for _ in range(90):
        node = Not(node)
    assert filled.found(node) == {1, 2, 3}


def test_more_hits_than_a_window_holds_are_paged(cluster: Cluster) -> None:
    with fresh_index(cluster) as index:
        case = IndexUnderTest(index, {})
        case.hold(*(mail(n) for n in range(1, 31)))
        pages, cursor = [], ""
        while True:
            page = index.search(SearchRequest(EVERYTHING, OWNER, limit=4, cursor=cursor))
            pages.append(len(page.hits))
            cursor = page.cursor
            if not cursor:
                break
        assert pages == [4] * 7 + [2]


def test_page_with_its_facets_costs_one_request_where_one_is_proof(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_index(cluster) as index:
        case = IndexUnderTest(index, {})
        case.hold(*(mail(n, tags=(f"tag{n}", "often")) for n in range(1, 101)))
        asked: list[str] = []
        perform = index._client.perform_request

        def noted(method: str, path: str, **more: object) -> object:
            asked.append(path)
            return perform(method, path, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(index._client, "perform_request", noted)
        found = case.ask(EVERYTHING, facets=("tag", "month"), facet_limit=1)
        assert (found.total, found.facets["tag"]) == (100, (("often", 100),))
        assert len(asked) == 1
        asked.clear()
        # Ninety-nine are as frequent as the second, and the first by name is wanted.
        found = case.ask(EVERYTHING, facets=("tag", "month"), facet_limit=2)
        assert found.facets["tag"] == (("often", 100), ("tag1", 1))
        assert len(asked) > 1

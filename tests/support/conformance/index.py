"""What every search index must do, as checks that take an empty one; knows no implementation."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.ports import Page, SearchIndex, SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    NOTHING,
    And,
    Field,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Scope,
    Term,
    Wildcard,
)
from holdfast.core.records import Record, RecordParticipant
from holdfast.indexer.documents import analyse_record
from records import START, make_records
from search_equality import all_pages, fill

OWNER = Scope.whole_archive("owner")


@dataclass(frozen=True, slots=True)
class IndexUnderTest:
    """An empty index, and where the records of its documents are to be put first."""

    index: SearchIndex
    records: dict[int, Record]

    def hold(self, *records: Record) -> None:
        """Index and commit."""
        self.records.update({record.id: record for record in records})
        fill(self.index, records)

    def ask(self, query: Node, **changes: object) -> Page:
        """Search as the owner."""
        return self.index.search(replace(SearchRequest(query, OWNER), **changes))  # type: ignore[arg-type]

    def found(self, query: Node) -> set[int]:
        """Return the ids of all hits."""
        return {hit.id for hit in self.ask(query).hits}


def mail(id_: int, body: str = "", **changes: object) -> Record:
    """Return a plain record."""
    made = Record(
        id=id_,
        kind="email",
        channel="email",
        subject="",
        body=body,
        participants=(),
        attachments=(),
        at=START + timedelta(days=id_ % 1000),
        captured_at=START,
        size_bytes=1000,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def nothing_is_visible_before_commit(case: IndexUnderTest) -> None:
    case.records[1] = mail(1, "hello")
    case.index.add([analyse_record(case.records[1])])
    assert case.ask(EVERYTHING).total == 0
    case.index.commit()
    assert case.found(Phrase("hello")) == {1}


def adding_again_replaces(case: IndexUnderTest) -> None:
    case.hold(mail(1, "first"), mail(2, "first"))
    case.hold(mail(1, "second"))
    assert case.found(Phrase("first")) == {2}
    assert case.found(Phrase("second")) == {1}
    assert sorted(case.index.ids()) == [1, 2]


def adding_twice_before_commit_keeps_the_last(case: IndexUnderTest) -> None:
    for body in ("first", "second"):
        case.records[5] = mail(5, body)
        case.index.add([analyse_record(case.records[5])])
    case.index.commit()
    assert case.found(EVERYTHING) == {5}
    assert case.found(Phrase("second")) == {5}
    assert case.ask(EVERYTHING).total == 1


def removed_records_are_gone(case: IndexUnderTest) -> None:
    case.hold(mail(1, "one"), mail(2, "two"), mail((1 << 63) - 1, "three"))
    case.index.remove([2, 77, (1 << 63) - 1])
    case.index.commit()
    assert list(case.index.ids()) == [1]
    assert case.ask(EVERYTHING, facets=("channel",)).facets == {"channel": (("email", 1),)}


def scope_binds_hits_total_and_facets(case: IndexUnderTest) -> None:
    case.hold(mail(1, "word", tags=("mine",)), mail(2, "word", tags=("other",)))
    scope = Scope("clerk", Term(Field.TAG, "mine"))
    page = case.index.search(SearchRequest(Phrase("word"), scope, facets=("tag",)))
    assert [hit.id for hit in page.hits] == [1]
    assert page.total == 1
    assert page.facets == {"tag": (("mine", 1),)}
    hidden = case.index.search(SearchRequest(Not(Phrase("no such")), scope, facets=("tag",)))
    assert hidden.total == 1


def no_phrase_reaches_from_one_text_into_the_next(case: IndexUnderTest) -> None:
    people = (
        RecordParticipant(Role.TO, "Anna", "anna@example.com"),
        RecordParticipant(Role.TO, "Berta", "berta@example.com"),
    )
    case.hold(mail(1, "alpha", subject="omega", participants=people))
    assert case.found(Phrase("anna example com", Part.TO)) == {1}
    assert case.found(Phrase("com berta", Part.TO)) == set()
    near = Near((Phrase("anna", Part.TO), Phrase("berta", Part.TO)), 100)
    assert case.found(near) == set()
    assert case.found(Near((Phrase("omega"), Phrase("alpha")), 100)) == set()


def later_phrases_of_a_proximity_may_stand_where_earlier_ones_do(case: IndexUnderTest) -> None:
    case.hold(mail(1, "café then 中国"), mail(2, "coffee then 中国"))
    for words in (
        ("cafe", "then", "cafe"),
        ("cafe", "then", "café"),
        ("café", "then", "cafe"),
        ("then", "中", "then", "中国"),
        ("then", "中国", "then", "国"),
    ):
        near = Near(tuple(Phrase(word) for word in words), 1)
        assert case.found(near) == ({1} if "caf" in words[0] else {1, 2}), words
    assert case.found(Near((Phrase("cafe"), Phrase("then"), Phrase("coffee")), 1)) == set()


def every_stretch_of_a_chinese_text_finds_it(case: IndexUnderTest) -> None:
    text = "请确认合同第3条付款方式X吗"
    case.hold(mail(1, text), mail(2, "请付款"))
    stretches = {text[a:b] for a in range(len(text)) for b in range(a + 1, len(text) + 1)}
    missed = [one for one in stretches if 1 not in case.found(Phrase(one))]
    assert missed == []


def space_in_a_query_does_not_part_a_stored_run(case: IndexUnderTest) -> None:
    case.hold(mail(1, "中国人民"), mail(2, "中 国人 民"), mail(3, "中国 x 人民"))
    assert case.found(Phrase("中国人民")) == {1}
    assert case.found(Phrase("中 国人民")) == {1}
    for query in ("中 国 人 民", "中 国人 民", "中 国人"):
        assert case.found(Phrase(query)) == {1, 2}
    assert case.found(Phrase("中 国")) == {1, 2, 3}
    assert case.found(Phrase("国 x")) == {3}


def any_of_a_long_list_of_contacts_is_found(case: IndexUnderTest) -> None:
    def by(contact: int, id_: int) -> Record:
        return mail(
            id_, participants=(RecordParticipant(Role.FROM, "", f"p{id_}@x.example", contact),)
        )

    case.hold(by(5, 1), by(20_000, 2), by(40_000, 3), mail(4, "word"), mail(5))
    listed = tuple(Term(Field.CONTACT, public_id("con", one)) for one in range(1, 25_000))
    assert case.found(Or(listed)) == {1, 2}
    assert case.found(Or((*listed, Phrase("word"), Term(Field.DOMAIN, "x.example")))) == {
        1,
        2,
        3,
        4,
    }
    assert case.found(And((Not(Or(listed)), Not(Phrase("word"))))) == {3, 5}


def only_negative_queries_find_the_rest(case: IndexUnderTest) -> None:
    case.hold(mail(1, "yes"), mail(2, "no"), mail(3, "neither"))
    assert case.found(Not(Phrase("yes"))) == {2, 3}
    assert case.found(And((Not(Phrase("yes")), Not(Phrase("no"))))) == {3}
    assert case.found(Or((Not(Phrase("yes")), Phrase("yes")))) == {1, 2, 3}
    assert case.found(Not(EVERYTHING)) == set()
    assert case.found(NOTHING) == set()


def pages_follow_each_other_under_equal_sort_keys(case: IndexUnderTest) -> None:
    records = [mail(id_, "w", at=START + timedelta(days=id_ // 40)) for id_ in range(1, 131)]
    case.hold(*records)
    for sort in ("newest", "oldest", "largest", "smallest", "captured"):
        pages = all_pages(case.index, SearchRequest(Phrase("w"), OWNER, limit=7, sort=sort))
        ids = [hit.id for page in pages for hit in page.hits]
        sign = {"newest": -1, "oldest": 1}.get(sort, 0)
        assert ids == sorted(range(1, 131), key=lambda id_: (sign * (id_ // 40), id_))
        assert {page.total for page in pages} == {130}


def pages_neither_repeat_nor_skip_while_records_arrive(case: IndexUnderTest) -> None:
    case.hold(*(mail(id_, "w") for id_ in range(10, 40)))
    request = SearchRequest(EVERYTHING, OWNER, limit=10)
    first = case.index.search(request)
    case.hold(*(mail(id_, "new") for id_ in (50, 51, 5)))
    case.index.remove([first.hits[-1].id])
    case.index.commit()
    rest = all_pages(case.index, replace(request, cursor=first.cursor))
    ids = [hit.id for page in [first, *rest] for hit in page.hits]
    assert ids == [*range(39, 9, -1), 5]


def threads_collapse_to_their_first_hit(case: IndexUnderTest) -> None:
    case.hold(*(mail(id_, "w", thread_id=id_ % 3) for id_ in range(1, 10)))
    request = SearchRequest(Phrase("w"), OWNER, limit=2, collapse="thread")
    pages = all_pages(case.index, request)
    hits = [(hit.id, hit.collapsed) for page in pages for hit in page.hits]
    assert hits == [(9, 1), (8, 3), (7, 3), (6, 1), (3, 1)]
    assert {(page.total, page.groups) for page in pages} == {(9, 5)}


def facets_are_ordered_by_count_then_value(case: IndexUnderTest) -> None:
    tags = {1: ("b", "a"), 2: ("c", "a"), 3: ("b", "a"), 4: ("c",), 5: ("d",)}
    case.hold(*(mail(id_, "w", tags=given) for id_, given in tags.items()))
    page = case.ask(Phrase("w"), facets=("tag", "month"), facet_limit=3)
    assert page.facets["tag"] == (("a", 3), ("b", 2), ("c", 2))
    assert page.facets["month"] == (("2024-01", 5),)


def bad_requests_are_refused(case: IndexUnderTest) -> None:
    case.hold(mail(1), mail(2))
    cursor = case.ask(EVERYTHING, limit=1).cursor
    bad: list[dict[str, object]] = [
        {"sort": "best"},
        {"collapse": "sender"},
        {"facets": ("size",)},
        {"limit": -1},
        {"limit": 10_001},
        {"facet_limit": -1},
        {"cursor": "not a cursor"},
        {"cursor": "////"},
        {"cursor": cursor, "sort": "oldest"},
        {"cursor": cursor, "collapse": "thread"},
    ]
    for changes in bad:
        with pytest.raises(Refused):
            case.ask(EVERYTHING, **changes)


def wide_trees_are_searched(case: IndexUnderTest) -> None:
    case.hold(mail(1, "needle"), mail(2, "hay"))
    names = Or(tuple(Phrase(f"word{n}") for n in range(2000)))
    assert case.found(Or((names, Wildcard("need*")))) == {1}
    deep: Node = Phrase("needle")
    for _ in range(30):
        deep = Not(And((Not(deep), EVERYTHING)))
    assert case.found(deep) == {1}


def records_of_all_kinds_are_listed(case: IndexUnderTest) -> None:
    records = make_records(random.Random(4), 30)
    case.hold(*records)
    assert sorted(case.index.ids()) == sorted(record.id for record in records)


INDEX_CHECKS: tuple[Callable[[IndexUnderTest], None], ...] = (
    nothing_is_visible_before_commit,
    adding_again_replaces,
    adding_twice_before_commit_keeps_the_last,
    removed_records_are_gone,
    scope_binds_hits_total_and_facets,
    no_phrase_reaches_from_one_text_into_the_next,
    later_phrases_of_a_proximity_may_stand_where_earlier_ones_do,
    every_stretch_of_a_chinese_text_finds_it,
    space_in_a_query_does_not_part_a_stored_run,
    any_of_a_long_list_of_contacts_is_found,
    only_negative_queries_find_the_rest,
    pages_follow_each_other_under_equal_sort_keys,
    pages_neither_repeat_nor_skip_while_records_arrive,
    threads_collapse_to_their_first_hit,
    facets_are_ordered_by_count_then_value,
    bad_requests_are_refused,
    wide_trees_are_searched,
    records_of_all_kinds_are_listed,
)

"""Engines withhold hidden recipients from hits, totals and facets as the brute force does."""

from __future__ import annotations

import pytest

from elastic_kit import fresh_index
from holdfast.core.errors import Refused
from holdfast.core.kinds import Role
from holdfast.core.mailboxes import Mailbox
from holdfast.core.ports import SearchIndex, SearchRequest
from holdfast.core.query import EVERYTHING, Field, Knowers, Or, Scope, Term
from holdfast.core.records import Record, RecordParticipant
from holdfast.indexer import withheld
from holdfast.indexer.facets import FACETS, OPEN_FACETS
from query_kit import sample_record
from search_equality import compare_draws, embedded, emptied, fill
from server_elasticsearch import Cluster

pytestmark = pytest.mark.unmeasured
OPEN = ("a@one.example", "b@two.example")
DOMAINS = 30


def hiding(number: int) -> Record:
    """Return mail that hides somebody of a domain of its own."""
    roles = (Role.FROM, Role.TO, Role.BCC, Role.RECIPIENT)
    hidden = (f"x@{number}.example", "y@often.example")
    people = tuple(RecordParticipant(r, "", a) for r, a in zip(roles, OPEN + hidden, strict=True))
    return sample_record(id=number, participants=people, custodians=(f"box {number}", "Own"))


def facets_of(index: SearchIndex, limit: int, *, is_wide: bool) -> object:
    fill(index, [hiding(number) for number in range(1, DOMAINS + 1)])
    own = frozenset({"b@two.example"})
    knowers = None if is_wide else Knowers(Or(()), own, own, mailboxes=frozenset({"own"}))
    scope = Scope("b", EVERYTHING, knowers)
    asked = SearchRequest(EVERYTHING, scope, facets=("domain", "custodian"), facet_limit=limit)
    return {name: dict(values) for name, values in index.search(asked).facets.items()}


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_no_facet_counts_who_is_hidden(limit: int) -> None:
    told = {"one.example": DOMAINS, "two.example": DOMAINS}
    first = dict(list(told.items())[:limit])
    with embedded() as index:
        found = facets_of(index, limit, is_wide=False)
        assert found == {"domain": first, "custodian": {"Own": DOMAINS}}
        wide = facets_of(index, 50, is_wide=True)
        assert isinstance(wide, dict)
        assert len(wide["domain"]) == DOMAINS + 3


def test_no_facet_counts_mail_that_is_found_by_somebody_elses_mailbox_alone() -> None:
    people = (RecordParticipant(Role.FROM, "", OPEN[0]), RecordParticipant(Role.TO, "", OPEN[1]))
    boxes = (Mailbox("Other", is_filed=True), Mailbox("Own"))
    record = sample_record(participants=people, custodians=("Other", "Own"), mailboxes=boxes)
    scope = Scope("b", knowers=Knowers(mailboxes=frozenset({"own"})))
    facets = ("domain", "company", "custodian", "source", "sender")
    with embedded() as index:
        fill(index, [record])
        for name, total in (("Other", 0), ("Own", 1)):
            query = Term(Field.CUSTODIAN, name)
            found = index.search(SearchRequest(query, scope, facets=facets))
            assert found.total == total
            assert any(found.facets.values()) is bool(total)


def test_facets_that_only_engines_know_cannot_be_asked_for() -> None:
    assert not set(FACETS) & set(OPEN_FACETS.values())
    with embedded() as index:
        for name in OPEN_FACETS.values():
            with pytest.raises(Refused):
                index.search(SearchRequest(EVERYTHING, Scope("x"), facets=(name,)))
        with pytest.raises(Refused):
            index.search(SearchRequest(EVERYTHING, Scope("x"), facet_limit=1 << 31))


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("_TELLING", ()),
        ("own_mailboxes", lambda names, _: list(names)),
        ("OPEN_FACETS", {}),
        ("guard_recipients", lambda node, _: node),
        ("limiting_mailboxes", lambda _: Or(())),
        ("in_own_mailbox", lambda _: EVERYTHING),
    ],
)
def test_comparison_finds_out_an_answer_that_tells(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: object
) -> None:
    monkeypatch.setattr(withheld, name, broken)
    tally = compare_draws(seed=20240101, sets=10, queries=50)
    assert tally.differences


def test_elasticsearch_counts_the_same(cluster: Cluster) -> None:
    with fresh_index(cluster) as index, emptied(index):
        found = facets_of(index, 50, is_wide=False)
    told = {"one.example": DOMAINS, "two.example": DOMAINS}
    assert found == {"domain": told, "custodian": {"Own": DOMAINS}}

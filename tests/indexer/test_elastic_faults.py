"""A cluster that is busy, slow, lost or refuses documents: nothing is lost, nothing spins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from conformance.index import mail
from elastic_kit import fresh_config
from elastic_proxy import Fault, FaultProxy, proxied
from holdfast.core.errors import Unavailable
from holdfast.core.ports import Document, SearchRequest
from holdfast.core.query import EVERYTHING, Field, Phrase, Scope, Term
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.elastic.bulk import Write
from holdfast.indexer.elastic.parts import Remembered, new_generation
from holdfast.indexer.elastic.writing import engine_document
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from server_elasticsearch import Cluster

MAILS = 40
OWNER = Scope.whole_archive("owner")
BUSY = Fault("status", 429, "rejected execution of coordinating operation")


@dataclass(slots=True)
class Tried:
    """An index behind a proxy that fails, and how long it would have waited."""

    index: ElasticIndex
    proxy: FaultProxy
    slept: list[float] = field(default_factory=list)

    def put(self, documents: list[Document], faults: list[Fault]) -> None:
        """Index and commit, while the cluster fails so."""
        self.proxy.faults = list(faults)
        self.index.add(documents)
        self.index.commit()


@pytest.fixture
def tried(cluster: Cluster) -> Iterator[Tried]:
    slept: list[float] = []
    with proxied(cluster.urls[0]) as proxy, fresh_config(cluster) as config:
        around = Surroundings(Remembered(), slept.append)
        index = ElasticIndex(replace(config, urls=(proxy.url,)), new_generation("ab"), around)
        index.add([analyse_record(mail(0, "the part is there"))])
        index.commit()
        proxy.requests = 0
        yield Tried(index, proxy, slept)
        index.close()


def documents(version: int = 1, text: str = "word") -> list[Document]:
    made = [analyse_record(mail(n, text, tags=("kept",))) for n in range(1, MAILS + 1)]
    return [replace(one, version=version) for one in made]


def total(tried: Tried, text: str = "word") -> int:
    return tried.index.search(SearchRequest(Phrase(text), OWNER)).total


FAULTS = {
    "answers 429": [BUSY] * 3,
    "answers 503": [Fault("status", 503)] * 3,
    "answers 502 and 504": [Fault("status", 502), Fault("status", 504)],
    "drops the request": [Fault("dropped")] * 2,
    "does it and drops the answer": [Fault("lost")] * 2,
    "rejects every item": [Fault("items", 429)] * 3,
    "rejects every third item": [Fault("items", 429, chosen=lambda at: at % 3 == 0)] * 3,
    "rejects one item for long": [Fault("items", 503, chosen=lambda at: at == 0)] * 7,
    "fails in all ways by turns": [
        BUSY, Fault("items", 429, chosen=lambda at: at < 5), Fault("lost"), Fault("dropped"),
        Fault("items", 503, chosen=lambda at: at % 2 == 1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
def test_no_document_is_lost_when_the_cluster(tried: Tried, faults: list[Fault]) -> None:
    tried.put(documents(), faults)
    assert total(tried) == MAILS
    assert tried.proxy.met == len(faults)
    counters = tried.index.counters
    assert counters.written + counters.already_newer == MAILS + 1
    # One request for each fault and one that goes well: what was taken is not sent again and again.
    assert tried.proxy.requests == len(faults) + 1
    assert len(tried.slept) == len(faults)
    assert counters.waited_s == pytest.approx(sum(tried.slept))
    assert min(tried.slept) >= 0.25


def test_control_a_writer_that_takes_every_answer_for_good_loses_documents(tried: Tried) -> None:
    tried.put(documents()[:1], [])
    (alias,) = tried.index._parts.aliases
    tried.proxy.faults = [Fault("items", 429, chosen=lambda at: at % 3 == 0)]
    careless = [
        Write(one.id, alias, 2, json.dumps(engine_document(one)).encode()) for one in documents()
    ]
    lines = [json.loads(line) for write in careless for line in write.lines().splitlines()]
    tried.index._client.bulk(operations=lines, require_alias=True)
    tried.index._client.indices.refresh(index=alias)
    assert total(tried) < MAILS


def test_control_writes_without_versions_undo_newer_ones(tried: Tried) -> None:
    tried.put(documents(version=2, text="newer"), [])
    tried.put(documents(version=0, text="older"), [])
    assert (total(tried, "newer"), total(tried, "older")) == (0, MAILS)


def test_waits_grow_up_to_a_limit_and_differ_by_chance(tried: Tried) -> None:
    tried.put(documents(), [BUSY] * 7)
    longest = [0.5, 1, 2, 4, 8, 16, 30]
    assert all(most / 2 <= wait <= most for wait, most in zip(tried.slept, longest, strict=True))
    assert len({wait / most for wait, most in zip(tried.slept, longest, strict=True)}) > 1
    assert tried.index.counters.failed_requests == 7


def test_cluster_that_stays_busy_is_given_up_in_bounded_time(tried: Tried) -> None:
    with pytest.raises(Unavailable, match="rejected execution"):
        tried.put(documents(), [BUSY] * 100)
    assert tried.proxy.requests == 8
    assert len(tried.slept) == 7
    tried.put(documents(), [])
    assert total(tried) == MAILS


def test_answer_that_comes_too_late_changes_nothing(cluster: Cluster) -> None:
    slept: list[float] = []
    with proxied(cluster.urls[0]) as proxy, fresh_config(cluster) as config:
        around = Surroundings(Remembered(), slept.append)
        ElasticIndex(config, new_generation("ab"), around).add([])
        index = ElasticIndex(replace(config, urls=(proxy.url,)), new_generation("ab"), around)
        index.add([analyse_record(mail(0))])
        index.commit()
        patient = replace(config, max_tries=30, max_tries_away=30)  # a busy host is slow too
        slow = replace(patient, urls=(proxy.url,), timeout_s=1.0)
        hurried = Tried(ElasticIndex(slow, new_generation("ab"), around), proxy)
        hurried.put(documents(), [Fault("late")])
        proxy.given_up.set()
        assert total(hurried) == MAILS
        assert hurried.index.counters.already_newer > 0
        index.close()
        hurried.index.close()


def test_refused_documents_are_found_by_envelope_and_counted(tried: Tried) -> None:
    bad = Fault("items", 400, "failed to parse field", chosen=lambda at: at in (3, 7))
    tried.put(documents(), [bad])
    assert tried.slept == []
    everything = tried.index.search(SearchRequest(EVERYTHING, OWNER, facets=("tag",)))
    assert everything.total == MAILS + 1
    assert everything.facets == {"tag": (("kept", MAILS),)}
    assert tried.index.search(SearchRequest(Term(Field.TAG, "kept"), OWNER)).total == MAILS
    assert total(tried) == MAILS - 2
    assert tried.index.degraded() == 2
    assert tried.index.counters.degraded == 2
    tried.put(documents(version=2), [])
    assert tried.index.degraded() == 0
    assert total(tried) == MAILS


def test_document_that_no_part_of_is_taken_is_never_dropped_silently(tried: Tried) -> None:
    bad = Fault("items", 400, "failed to parse field", chosen=lambda at: True)
    with pytest.raises(Unavailable, match="failed to parse field"):
        tried.put(documents(), [bad] * 3)


def test_document_that_the_real_engine_refuses_is_degraded(tried: Tried) -> None:
    good, odd = documents()[:2]
    huge = replace(odd, terms={**odd.terms, "phone": ["9" * 40_000]})
    tried.put([good, huge], [])
    assert total(tried) == 1
    assert tried.index.degraded() == 1


def test_request_that_is_too_large_is_parted(tried: Tried) -> None:
    tried.put(documents(), [Fault("status", 413)] * 3)
    assert total(tried) == MAILS
    assert tried.slept == []


def test_stale_write_that_arrives_late_undoes_nothing(tried: Tried) -> None:
    tried.put(documents(version=2, text="newer"), [])
    tried.put(documents(version=1, text="older"), [Fault("lost")])
    assert (total(tried, "newer"), total(tried, "older")) == (MAILS, 0)
    tried.index.remove({1: 3})
    tried.index.commit()
    tried.put(documents(version=2, text="older"), [])
    assert (total(tried, "newer"), total(tried, "older")) == (MAILS - 1, 0)


def test_lost_part_is_told_from_a_busy_one(tried: Tried) -> None:
    gone = Fault("items", 404, "no such index", chosen=lambda at: True)
    with pytest.raises(Unavailable) as refusal:
        tried.put(documents(), [gone])
    assert tried.slept == []
    assert tried.proxy.requests == 1
    assert "gone" in str(refusal.value)

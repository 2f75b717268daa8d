"""Which part of the index an id belongs to: every writer finds the same one, for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from conformance.index import mail
from elastic_kit import delete_part, fresh_config, parts
from holdfast.core.errors import Unavailable
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.elastic.connection import ElasticConfig, connect
from holdfast.indexer.elastic.parts import (
    AHEAD,
    Parts,
    Remembered,
    id_at,
    id_span,
    month_of,
    new_generation,
)
from holdfast.indexer.elastic_index import ElasticIndex, Surroundings
from server_elasticsearch import Cluster

GENERATION = new_generation("ab")
NOON = datetime(2024, 5, 10, 12, tzinfo=UTC)


@dataclass(slots=True)
class Writer:
    """One of several processes, with the clock of them all."""

    config: ElasticConfig
    known: Remembered
    now: datetime = NOON
    parts: Parts = field(init=False)

    def __post_init__(self) -> None:
        client = connect(self.config)
        self.parts = Parts(client, self.config, GENERATION, self.known, lambda: self.now)
        self.parts.load()

    def index(self) -> ElasticIndex:
        return ElasticIndex(self.config, GENERATION, Surroundings(self.known, now=lambda: self.now))


@pytest.fixture
def writer(cluster: Cluster) -> Iterator[Writer]:
    with fresh_config(cluster, part_bytes=1) as config:
        made = Writer(config, Remembered())
        yield made
        made.parts.client.close()


@pytest.mark.parametrize(
    ("id_", "month"),
    [
        (0, "2020-01"),
        (id_at(datetime(2024, 2, 29, 23, 59, 59, 999_000, tzinfo=UTC)), "2024-02"),
        (id_at(datetime(2024, 3, 1, tzinfo=UTC)) - 1, "2024-02"),
        (id_at(datetime(2024, 3, 1, tzinfo=UTC)), "2024-03"),
        ((1 << 63) - 1, "2089-09"),
    ],
)
def test_id_says_its_month(id_: int, month: str) -> None:
    found, first = month_of(id_)
    assert found == month
    assert month_of(first) == (month, first)
    assert first == 0 or month_of(first - 1)[0] < month


def test_large_part_gets_a_successor_that_begins_in_the_future(writer: Writer) -> None:
    first = writer.parts.of(id_at(NOON))
    writer.parts.extend()
    writer.parts.extend()
    assert parts(writer.config) == [first.name, f"{first.name}-2"]
    border = id_at(NOON + AHEAD)
    other = Writer(writer.config, writer.known)
    for one in (writer.parts, other.parts):
        assert one.of(id_at(NOON)) == one.of(border - 1) == first
        assert one.of(border).name == one.of(border + id_span(timedelta(days=20))).name
        assert one.of(border).name == f"{first.name}-2"
    writer.now += timedelta(hours=1)
    writer.parts.extend()
    assert parts(writer.config)[-1] == f"{first.name}-3"
    other.parts.client.close()


def test_writer_that_has_not_heard_of_a_successor_still_finds_the_right_part(
    writer: Writer,
) -> None:
    late = Writer(writer.config, writer.known)
    id_ = id_at(NOON) + 7
    assert late.parts.of(id_) == writer.parts.of(id_)
    writer.parts.extend()
    assert late.parts.of(id_) == writer.parts.of(id_)
    late.parts.client.close()


def test_month_that_ends_soon_gets_no_successor(writer: Writer) -> None:
    writer.now = datetime(2024, 5, 31, 23, 55, tzinfo=UTC)
    writer.parts.of(id_at(writer.now))
    writer.parts.extend()
    assert len(parts(writer.config)) == 1


def test_small_part_gets_no_successor(cluster: Cluster) -> None:
    with fresh_config(cluster) as config:
        made = Writer(config, Remembered())
        made.parts.of(id_at(NOON))
        made.parts.extend()
        assert len(parts(config)) == 1
        made.parts.client.close()


def test_two_writers_make_one_part(writer: Writer) -> None:
    other = Writer(writer.config, writer.known)
    assert writer.parts.of(5) == other.parts.of(5)
    assert len(parts(writer.config)) == 1
    other.parts.client.close()


def test_write_makes_no_part_anew_that_somebody_removed(writer: Writer) -> None:
    index = writer.index()
    index.add([analyse_record(mail(1))])
    index.commit()
    delete_part(writer.config, parts(writer.config)[0])
    index.add([analyse_record(mail(2))])
    with pytest.raises(Unavailable) as caught:
        index.commit()
    assert caught.value.facts["is_lost"]
    assert parts(writer.config) == []
    with pytest.raises(Unavailable, match="gone"):
        index.ids().__next__()
    with pytest.raises(Unavailable, match="gone"):
        writer.index()
    index.close()

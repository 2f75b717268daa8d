from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from catalogue_kit import Ticking
from elastic_kit import Archive, delete_part, parts
from holdfast.core.errors import Unavailable
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.elastic.connection import connect
from holdfast.ingest.jail import Pool, PoolConfig
from holdfast.ingest.rebuild import analysis_bench, heal, rebuild
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.facts import INDEX_GENERATION, change_fact
from holdfast.storage.catalogue.queueing import pending
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import index_versions

Opener = Callable[..., Archive]


def waiting(archive: Archive) -> int:
    with reading(archive.store.engine) as connection:
        return pending(connection)


def later(archive: Archive, days: int) -> None:
    """Let time pass for ids that are made from now on."""
    assert isinstance(archive.store.clock, Ticking)
    archive.store.clock.instant += timedelta(days=days)


def percent_refused(archive: Archive) -> int:
    with pytest.raises(Unavailable, match="made again") as refusal:
        archive.found()
    percent = refusal.value.facts["percent"]
    assert isinstance(percent, int)
    return percent


def test_what_was_filed_is_found_by_another_process(archive: Archive, opener: Opener) -> None:
    archive.file("one", "two")
    archive.feed.drain()
    assert opener(writer=2).found() == archive.ids()
    assert len(archive.found("two")) == 1
    assert waiting(archive) == 0


def test_removed_interaction_is_not_found_and_no_late_write_brings_it_back(
    archive: Archive,
) -> None:
    archive.file("one", "two")
    late = [
        replace(analyse_record(one), version=5) for one in records(archive.store, archive.ids())
    ]
    archive.feed.drain()
    first, second = archive.ids()
    archive.dispose(first)
    archive.feed.drain()
    index = archive.home.feeding()
    index.add(late)
    index.commit()
    assert archive.found() == [second]
    assert archive.home.counters()[0].already_newer == 2


def test_lost_cluster_is_filled_again_and_searches_wait_for_it(archive: Archive) -> None:
    archive.file(*(f"mail {n}" for n in range(10)))
    archive.feed.drain()
    for name in parts(archive.config):
        delete_part(archive.config, name)
    with pytest.raises(Unavailable):
        archive.found()
    assert percent_refused(archive) == 0
    assert waiting(archive) == 10
    archive.feed.drain()
    assert archive.found() == archive.ids()
    assert waiting(archive) == 0


def test_lost_month_alone_is_filled_again(archive: Archive, opener: Opener) -> None:
    archive.file("one", "two", "three")
    later(archive, 40)
    archive.file("four")
    archive.feed.drain()
    assert len(parts(archive.config)) == 2
    delete_part(archive.config, parts(archive.config)[0])
    other = opener(writer=2)
    assert percent_refused(other) == 0
    assert percent_refused(archive) == 0
    assert waiting(archive) == 3
    other.feed.drain()
    assert archive.found() == archive.ids()


def test_search_says_how_far_filling_is(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.file(*(f"mail {n}" for n in range(10)))
    for size in ("DRAIN_BATCH", "DRAIN_COMMIT"):
        monkeypatch.setattr(f"holdfast.ingest.indexing.{size}", 4)
    seen: list[int] = []
    archive.home.index()

    def look(_: int) -> None:
        if waiting(archive):
            seen.append(percent_refused(archive))

    archive.feed.drain(look)
    assert seen == [40, 80]
    assert archive.found() == archive.ids()


@pytest.mark.parametrize("generation", ["generation-12ab34cd", "elasticsearch other m1-00"])
def test_index_of_another_engine_or_prefix_is_not_taken_for_an_empty_one(
    archive: Archive, generation: str
) -> None:
    archive.file("one")
    archive.feed.drain()
    with writing(archive.store.engine) as connection:
        change_fact(connection, INDEX_GENERATION, generation)
    assert percent_refused(archive) == 0
    archive.feed.drain()
    assert archive.found() == archive.ids()


def test_rebuild_goes_on_beside_searches_and_imports(archive: Archive, opener: Opener) -> None:
    archive.file(*(f"old {n}" for n in range(500)))
    archive.feed.drain()
    before, beside = parts(archive.config), opener(writer=2)
    first = archive.ids()[0]
    seen: list[int] = []

    def meanwhile(_done: int, _total: int) -> None:
        seen.append(len(beside.found("old")))
        beside.file(f"new {len(seen)}")
        if len(seen) == 2:
            beside.dispose(first)
        beside.feed.drain()

    with Pool(analysis_bench(), PoolConfig(1)) as pool:
        done = rebuild(archive.home, archive.feed, pool, meanwhile)
    assert done >= 500
    assert min(seen) >= 499
    assert len(seen) >= 8
    assert beside.found() == archive.found() == archive.ids()
    assert first not in archive.found()
    assert len(beside.found("new")) == len(seen)
    assert set(before).isdisjoint(parts(archive.config))
    with connect(archive.config) as client:
        public = client.count(index=archive.config.prefix)["count"]
    assert public == len(archive.ids())


def test_second_rebuild_takes_the_place_of_the_first(archive: Archive, opener: Opener) -> None:
    archive.file("one")
    archive.feed.drain()
    generation, index = archive.home.begin()
    other = opener(writer=2)
    second, new = other.home.begin()
    new.add([analyse_record(one) for one in records(archive.store, archive.ids())])
    with pytest.raises(Unavailable, match="Another rebuild"):
        archive.home.publish(generation, index)
    other.home.publish(second, new)
    assert archive.found() == archive.ids()
    assert len(parts(archive.config)) == 1


def test_index_that_is_lost_while_it_grows_troubles_no_search(
    archive: Archive, opener: Opener
) -> None:
    archive.file("one")
    archive.feed.drain()
    whole = parts(archive.config)
    generation, index = archive.home.begin()
    index.add([analyse_record(one) for one in records(archive.store, archive.ids())])
    index.commit()
    (grown,) = set(parts(archive.config)) - set(whole)
    delete_part(archive.config, grown)
    other = opener(writer=2)
    other.file("two")
    other.feed.drain()
    assert other.found() == archive.ids()
    with pytest.raises(Unavailable, match="Another rebuild"):
        archive.home.publish(generation, index)
    assert archive.found() == archive.ids()


def test_several_feeders_leave_each_interaction_once_and_as_it_is(
    archive: Archive, opener: Opener
) -> None:
    archive.file(*(f"mail {n}" for n in range(60)))
    feeders = [opener(writer=number) for number in (2, 3, 4)]
    archive.home.index()
    threads = [threading.Thread(target=one.feed.drain) for one in feeders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waiting(archive) == 0
    assert [id_ for id_, _ in archive.home.index().versions()] == archive.ids()
    assert heal(archive.feed).is_none


def test_doctor_finds_and_heals_missing_extra_and_stale_documents(archive: Archive) -> None:
    archive.file("one", "two", "three")
    archive.feed.drain()
    missing, stale, _ = archive.ids()
    (part,) = parts(archive.config)
    with connect(archive.config) as client:
        client.delete(index=part, id=str(missing))
    stranger = archive.store.ids.take()
    (shown,) = records(archive.store, [stale])
    index = archive.home.feeding()
    index.add([analyse_record(replace(shown, id=stranger))])
    index.commit()
    with writing(archive.store.engine) as connection:
        newer = index_versions.c.version + 1
        row = index_versions.c.interaction_id == stale
        connection.execute(index_versions.update().where(row).values(version=newer))
    found = heal(archive.feed)
    assert (found.missing, found.extra, found.stale) == ((missing,), (stranger,), (stale,))
    assert heal(archive.feed).is_none
    assert archive.found() == archive.ids()


def test_archives_that_share_a_prefix_leave_each_other_alone(
    archive: Archive, opener: Opener
) -> None:
    archive.file("one")
    archive.feed.drain()
    held = parts(archive.config)
    other = Archive(archive.folder / "other", archive.config)
    with writing(other.store.engine) as connection:
        change_fact(connection, "archive_id", "f" * 32)
    other.home.begin()
    assert parts(archive.config) == held
    other.close()
    assert archive.found() == archive.ids()

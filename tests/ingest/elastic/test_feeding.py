"""Whoever files mail goes on while the cluster is away, and nothing is tried without end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from elastic_kit import Archive, fresh_config
from elastic_proxy import Fault, proxied
from holdfast.core.errors import Unavailable
from holdfast.indexer.documents import Analysed, analyse_original
from holdfast.indexer.elastic_index import Surroundings
from holdfast.storage.catalogue.reading import records
from server_elasticsearch import Cluster

Opener = Callable[..., Archive]


def cut(archive: Archive, chosen: list[int]) -> dict[int, Analysed]:
    return {one.id: analyse_original(one) for one in records(archive.store, chosen)}


def offered(archive: Archive, *subjects: str) -> dict[int, Analysed]:
    """File mails and cut them, as an import does."""
    before = set(archive.ids())
    archive.file(*subjects)
    return cut(archive, [row for row in archive.ids() if row not in before])


def test_offered_mail_is_found_once_committed(archive: Archive) -> None:
    archive.feed.offer(offered(archive, "one", "two"))
    archive.feed.commit()
    assert archive.found() == archive.ids()
    assert archive.feed.waiting() == 0


def test_what_another_feeder_has_indexed_is_not_sent_again(
    archive: Archive, opener: Opener
) -> None:
    analysed = offered(archive, "one", "two")
    opener(writer=2).feed.drain()
    archive.feed.offer(analysed)
    archive.feed.commit()
    assert archive.home.counters()[0].requests == 0
    assert archive.found() == archive.ids()


def test_mail_that_no_shard_made_visible_stays_queued(
    elasticsearch_server: Cluster, tmp_path: Path
) -> None:
    with (
        proxied(elasticsearch_server.urls[0]) as proxy,
        fresh_config(elasticsearch_server) as config,
    ):
        archive = Archive(tmp_path, replace(config, urls=(proxy.url,)))
        archive.feed.pause_s = archive.feed.commit_every_s = 0.0
        proxy.refresh_faults = [Fault("unseen")]
        archive.feed.offer(offered(archive, "one", "two"))
        assert proxy.refresh_faults == []
        assert archive.feed.waiting() == 2
        archive.feed.drain()
        assert archive.found() == archive.ids()
        assert archive.feed.waiting() == 0
        archive.close()


def test_mail_that_a_failed_commit_lost_stays_queued_at_the_next(
    elasticsearch_server: Cluster, tmp_path: Path
) -> None:
    with (
        proxied(elasticsearch_server.urls[0]) as proxy,
        fresh_config(elasticsearch_server) as config,
    ):
        around = Surroundings(sleep=lambda _: None)
        archive = Archive(tmp_path, replace(config, urls=(proxy.url,)), around=around)
        archive.feed.commit_every_s = 3600.0
        archive.feed.offer(offered(archive, "one", "two"))
        proxy.faults = [Fault("status", 503)] * 100
        with pytest.raises(Unavailable):
            archive.feed.drain()
        proxy.faults = []
        archive.feed.offer(offered(archive, "three"))
        archive.feed.commit()
        assert archive.feed.waiting() == 2
        archive.feed.drain()
        assert archive.found() == archive.ids()
        archive.close()


def test_filing_goes_on_while_the_cluster_fails_and_leaves_it_alone_for_a_while(
    elasticsearch_server: Cluster, tmp_path: Path
) -> None:
    with (
        proxied(elasticsearch_server.urls[0]) as proxy,
        fresh_config(elasticsearch_server) as config,
    ):
        slept: list[float] = []
        around = Surroundings(sleep=slept.append)
        archive = Archive(tmp_path, replace(config, urls=(proxy.url,)), around=around)
        archive.feed.commit_every_s = 0.0
        archive.feed.offer(offered(archive, "one"))
        proxy.faults, before = [Fault("status", 503)] * 100, proxy.requests
        for n in range(5):
            archive.feed.offer(offered(archive, f"mail {n}"))
        assert proxy.requests - before == archive.config.max_tries
        assert archive.feed.waiting() == 5
        proxy.faults = [Fault("status", 503)] * 100
        with pytest.raises(Unavailable) as refusal:
            archive.feed.drain()
        assert refusal.value.next_step
        assert archive.feed.waiting() == 5
        proxy.faults = []
        archive.feed.pause_s = 0.0
        archive.feed.drain()
        assert archive.found() == archive.ids()
        assert archive.feed.waiting() == 0
        archive.close()


def test_letting_go_keeps_queued_what_could_not_be_committed(
    elasticsearch_server: Cluster, tmp_path: Path
) -> None:
    with (
        proxied(elasticsearch_server.urls[0]) as proxy,
        fresh_config(elasticsearch_server) as config,
    ):
        around = Surroundings(sleep=lambda _: None)
        archive = Archive(tmp_path, replace(config, urls=(proxy.url,)), around=around)
        archive.feed.offer(offered(archive, "one"))
        proxy.faults = [Fault("dropped")] * 100
        archive.feed.let_go()
        assert archive.feed.waiting() == 1
        proxy.faults = []
        archive.feed.drain()
        assert archive.found() == archive.ids()
        archive.close()

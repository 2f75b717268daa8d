"""Sources that are due wake workers, through the broker where there is one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

import pytest
from celery import current_app

from archive_kit import opened, settings_in
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.sources.watching import Watch
from holdfast.ingest.sources.watching import watching as in_a_thread
from holdfast.ingest.tasks import CeleryBell, CeleryConfig, CeleryWork
from holdfast.storage.catalogue.accounts import Ending, find_account, note_ended
from holdfast.storage.catalogue.source_schedule import due_sources, hasten
from imap_kit import SOURCE, added, plain_account
from server_redis import RedisServer, running
from server_scripts import Missing
from source_kit import watching
from work_kinds import until


def test_source_rings_once_when_its_time_has_come(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    added(settings, plain_account(143), "secret")
    with opened(settings) as services:
        store = services.store
        source = find_account(store, SOURCE).source_id
        note_ended(store, source, Ending(store.now_ms() + 10**9, "unreachable", is_success=False))
        with watching(services) as watch:
            assert due_sources(store, ["imap"]) == []
            hasten(store, source)
            until(lambda: watch.rings)
            note_ended(store, source, Ending(store.now_ms() + 3000, "x", is_success=False))
            until(lambda: watch.rings > 1)  # by its time alone
        assert watch.rings == 2


@pytest.fixture
def redis(need: Callable[[object, str], None]) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="holdfast-redis-") as name, ExitStack() as closing:
        Path(name).chmod(0o755)  # the server is another user
        try:
            server = closing.enter_context(running(Path(name)))
        except Missing as error:
            need(None, str(error))
            raise
        yield server


def test_due_source_wakes_a_worker_through_the_broker(tmp_path: Path, redis: RedisServer) -> None:
    assert "holdfast.sync" not in current_app.tasks  # Celery has an app of its own already
    settings = settings_in(tmp_path)
    added(settings, plain_account(143), "secret")
    config = CeleryConfig(redis.url, redis.password)
    kinds = {"sync": KINDS["sync"]}
    heard: list[Mapping[str, object]] = []
    with (
        opened(settings) as services,
        closing(CeleryWork(services.store, config, heard.append)) as work,
    ):
        watch = Watch(services.store, heard.append, partial(work.wake, "sync"))
        with (
            CeleryBell(config, kinds, heard.append) as bell,
            closing(redis.client()) as client,
        ):
            # A worker that begins looks by itself; what was rung before it listens goes nowhere.
            until(lambda: client.exists("holdfast:_kombu.binding.holdfast.sync"))
            with in_a_thread(watch):
                ring = bell.wait(60)
                assert ring is not None, [str(one) for one in heard[:2]]
                assert ring.kind == "sync"
                source = find_account(services.store, SOURCE).source_id
                assert due_sources(services.store, ["imap"]) == [source]
                ring.answer()

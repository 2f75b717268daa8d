"""Every way of having jobs done passes the same checks: inline, own processes, Celery on Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from archive_kit import ACTOR, settings_in
from conformance.work import WORK_CHECKS, WorkUnderTest
from holdfast.cli.commands.working import workshop
from holdfast.ingest.tasks import CeleryConfig, CeleryWork
from holdfast.ingest.work import EmbeddedWork, InlineWork, Runner
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from work_kinds import TEST_KINDS, ChildPlan, crew

Need = Callable[[object, str], None]
Make = Callable[[Path], WorkUnderTest]
SAFE_KINDS = tuple(TEST_KINDS)


@contextmanager
def inline(folder: Path, _redis: Any) -> Iterator[Make]:
    settings = settings_in(folder)
    create_archive(settings)
    with workshop(settings, ACTOR) as shop:
        runner = Runner(shop, TEST_KINDS, "inline")
        work = InlineWork(runner)
        yield lambda own: WorkUnderTest(work, shop.store, own, runner.run_due)


@contextmanager
def embedded(folder: Path, _redis: Any) -> Iterator[Make]:
    settings = settings_in(folder)
    create_archive(settings)
    with (
        open_archive(settings, ACTOR) as services,
        crew(services.store, ChildPlan(settings, SAFE_KINDS), size=2),
    ):
        work = EmbeddedWork(services.store, TEST_KINDS)
        yield lambda own: WorkUnderTest(work, services.store, own, lambda: None)


@contextmanager
def celery(folder: Path, redis: Any) -> Iterator[Make]:
    settings = settings_in(folder)
    create_archive(settings)
    config = CeleryConfig(redis.url, redis.password, prefix=folder.name)
    plan = ChildPlan(settings, SAFE_KINDS, config, look_every_s=1.0)
    with (
        open_archive(settings, ACTOR) as services,
        closing(CeleryWork(services.store, config, kinds=TEST_KINDS)) as work,
        crew(services.store, plan),
    ):
        yield lambda own: WorkUnderTest(work, services.store, own, lambda: None)


WAYS = {"inline": inline, "embedded": embedded, "celery": celery}


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Any], Make]]:
    """Open each way once for all checks; workers take a second to start."""
    made: dict[str, Make] = {}
    with ExitStack() as opened:

        def way(name: str, redis: Any) -> Make:
            if name not in made:
                folder = tmp_path_factory.mktemp(name)
                made[name] = opened.enter_context(WAYS[name](folder, redis))
            return made[name]

        yield way


@pytest.fixture(params=WAYS)
def case(
    request: pytest.FixtureRequest, ways: Callable[[str, Any], Make], tmp_path_factory: Any
) -> WorkUnderTest:
    redis = request.getfixturevalue("redis_server") if request.param == "celery" else None
    return ways(request.param, redis)(tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("check", WORK_CHECKS, ids=lambda check: check.__name__)
def test_work(check: Callable[[WorkUnderTest], None], case: WorkUnderTest) -> None:
    check(case)

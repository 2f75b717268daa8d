from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalogue_kit import Filing, Home
from holdfast.core.errors import Unavailable
from holdfast.storage.catalogue import engine, failures
from holdfast.storage.catalogue.identities import Linker
from many_writers import COMMON, Plan, file_rest, wrongs
from server_postgres import Missing, Server, running

Need = Callable[[object, str], None]


@pytest.fixture
def server(need: Need) -> Iterator[Server]:
    """A server of this test's own: it is stopped, started and killed."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-restarts-"))
    folder.chmod(0o755)  # the server is another user
    try:
        with running(folder) as found:
            yield found
    except Missing as error:
        need(None, str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_through(home: Home, plan: Plan, after_batch: Callable[[int], None]) -> None:
    """File the plan's batches; what is refused for now is offered again, as a sender does."""
    store = home.store(writer=2)
    filings = {s: Filing(store, source=s, linker=Linker()) for s in (COMMON, "own 0")}
    for number, (source, mails) in enumerate(plan.share(0)):
        while True:
            try:
                filings[source](*mails)
            except Unavailable:
                continue
            break
        after_batch(number)


def restarted(server: Server, folder: Path, plan: Plan, crashes: tuple[int, ...]) -> list[str]:
    """Crash the server after these batches, while filing goes on; return what is wrong then."""
    config = replace(server.database(), patience_s=30)
    home = Home(folder, config)
    due = threading.Semaphore(0)
    restarts = threading.Thread(target=_crash, args=(server, due, len(crashes)))
    restarts.start()
    try:
        file_through(home, plan, lambda number: due.release() if number in crashes else None)
        store = home.store(writer=3)
        file_rest(store, plan.mails())
        return wrongs(store, plan)
    finally:
        due.release(len(crashes))
        restarts.join()
        home.close()


def _crash(server: Server, due: Any, times: int) -> None:
    for _ in range(times):
        due.acquire()
        server.stop("immediate")
        server.start()


def test_server_that_crashes_during_an_import_loses_and_doubles_nothing(
    server: Server, tmp_path: Path
) -> None:
    assert restarted(server, tmp_path, Plan(11, writers=1, messages=60), (1, 3)) == []


def test_commits_that_are_not_durable_are_caught(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable = engine._connect_args

    def careless(config: engine.PostgresConfig) -> dict[str, Any]:
        arguments = durable(config)
        options = arguments["options"].replace("synchronous_commit=on", "synchronous_commit=off")
        return arguments | {"options": options}

    monkeypatch.setattr(engine, "_connect_args", careless)
    # A reference to a row that was lost must show, and not be taken for another writer's doing.
    monkeypatch.setattr(failures, "_CONTENDED", failures._CONTENDED - {"23503"})
    for seed in range(20, 26):
        folder = tmp_path / str(seed)
        folder.mkdir()
        try:
            found = restarted(server, folder, Plan(seed, writers=1, messages=60), (2,))
        except Exception as error:  # noqa: BLE001 - what lacks its own past may fail anyhow
            found = [str(error)]
        if found:
            return
    pytest.fail("No lost commit was seen.")

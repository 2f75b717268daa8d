"""Two workers tell a thing once, a killed one loses nothing; broken ones are found out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from archive_kit import bring_in
from cli_archive import write_mbox
from holdfast.ingest.jobs.telling import LEASE_MS, pass_on, try_once
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.webhook_tables import webhook_deliveries
from holdfast.storage.store import Store
from holdfast.storage.webhooks.deliveries import (
    Due,
    Outcome,
    claim,
    end_try,
    forget_told,
    replay,
)
from holdfast.storage.webhooks.endpoints import Endpoint, rotate_secret
from holdfast.storage.webhooks.secrets import rewrap_webhooks
from webhook_kit import Bureau, Receiver, bureau, killed_while_telling, receiving

pytestmark = pytest.mark.unmeasured
Take = Callable[[Store, int, int], Due | None]
LETTERS = 5
TELLERS = 2


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Bureau]:
    with bureau(tmp_path) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def listening(office: Bureau, receiver: Receiver, folder: Path) -> Endpoint:
    """Archive the letters with somebody who is told of them."""
    endpoint, _ = office.listen(receiver.url, office.hire("legal", "legal"), "message.archived")
    bring_in(office.settings, write_mbox(folder / "letters.mbox"))
    pass_on(office.store)
    return endpoint


def look(store: Store, endpoint: int, lease_ms: int) -> Due | None:
    """A seeded bug: take what is due and leave it due for others."""
    due = claim(store, endpoint, lease_ms)
    if due is not None:
        free = update(webhook_deliveries).where(webhook_deliveries.c.id == due.id)
        with writing(store.engine) as connection:
            connection.execute(free.values(next_ms=0))
    return due


def told_by_two(office: Bureau, receiver: Receiver, endpoint: Endpoint, take: Take) -> list[int]:
    """Let two workers tell at the same time; return how often each thing was told."""
    both = threading.Barrier(TELLERS)
    together = threading.Barrier(TELLERS)
    receiver.on_heard = lambda heard: _meet(both)  # each has one in hand before any is answered

    def tell() -> None:
        together.wait(60)
        while due := take(office.store, endpoint.id, LEASE_MS):
            try_once(office.store, office.courier, due)

    threads = [threading.Thread(target=tell) for _ in range(TELLERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sorted(Counter(one.id for one in receiver.heard).values())


def _meet(both: threading.Barrier) -> None:
    try:
        both.wait(10)
    except threading.BrokenBarrierError:
        return  # the other one has nothing more to tell
    finally:
        both.abort()  # they met once, which is enough


def test_two_workers_tell_each_thing_once(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = listening(office, receiver, tmp_path)
    assert told_by_two(office, receiver, endpoint, claim) == [1] * LETTERS


def test_two_workers_on_postgresql_tell_each_thing_once(
    request: pytest.FixtureRequest, receiver: Receiver, tmp_path: Path
) -> None:
    config = request.getfixturevalue("postgres_server").empty_database()
    catalogue = {"url": config.url, "password": config.password}
    with bureau(tmp_path, catalogue=catalogue) as office:
        endpoint = listening(office, receiver, tmp_path)
        assert told_by_two(office, receiver, endpoint, claim) == [1] * LETTERS
        rotate_secret(office.store, endpoint.id)
        replay(office.store, endpoint, office.log(endpoint)[0].id)
        receiver.on_heard = lambda heard: None
        office.work()
        assert len(receiver.heard) == LETTERS + 1
        assert rewrap_webhooks(office.store) == 0
        office.store.keyring.rotate()
        assert rewrap_webhooks(office.store) == 2
        office.clock.wait(days=31)
        assert forget_told(office.store) == LETTERS


def test_workers_that_claim_nothing_are_found_out(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = listening(office, receiver, tmp_path)
    assert max(told_by_two(office, receiver, endpoint, look)) > 1


def told_after_a_kill(office: Bureau, receiver: Receiver, folder: Path, bug: str = "") -> list[str]:
    """Kill a worker between the telling and the note of it; return what was told in the end."""
    endpoint = listening(office, receiver, folder)
    killed_while_telling(office, receiver, endpoint, bug)
    first = receiver.heard[0].id
    receiver.heard = [one for one in receiver.heard if one.id != first]
    office.work()
    assert first not in {one.id for one in receiver.heard}, "it was told while the lease ran"
    office.clock.wait(milliseconds=LEASE_MS + 1000)
    office.work()
    return [one.id for one in receiver.heard]


def test_what_a_killed_worker_had_in_hand_is_told_again(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    told = told_after_a_kill(office, receiver, tmp_path)
    assert sorted(Counter(told).values()) == [1] * LETTERS
    with reading(office.store.engine) as connection:
        rows = connection.execute(select(webhook_deliveries)).all()
    assert sorted((one.state, one.attempts) for one in rows) == [
        *[("delivered", 1)] * (LETTERS - 1),
        ("delivered", 2),
    ]


def test_worker_that_notes_before_it_tells_is_found_out(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    told = told_after_a_kill(office, receiver, tmp_path, "hasty")
    assert len(set(told)) == LETTERS - 1, "it was not answered and yet noted as told"


def test_end_of_a_try_whose_lease_ran_out_counts_for_nothing(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint = listening(office, receiver, tmp_path)
    slow = claim(office.store, endpoint.id, 0)
    office.clock.wait(seconds=1)
    assert slow is not None
    quick = replace(slow, token="of another claim")
    assert not end_try(office.store, quick, Outcome(200))
    assert end_try(office.store, slow, Outcome(200))
    assert not end_try(office.store, slow, Outcome(500))

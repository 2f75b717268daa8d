from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from catalogue_kit import Filing, Home, Mail
from holdfast.core.identity import IdFactory
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.queueing import dequeue, enqueue, pending, tickets
from holdfast.storage.catalogue.schema import index_versions, interactions
from holdfast.storage.store import Store

MAILS = 4


@pytest.fixture
def store(home: Home) -> Store:
    made = home.store()
    Filing(made)(*(Mail(subject=str(n)) for n in range(MAILS)))
    return made


def rows(store: Store) -> list[int]:
    with reading(store.engine) as connection:
        return list(connection.scalars(select(interactions.c.id).order_by(interactions.c.id)))


def versions(store: Store) -> dict[int, int]:
    with reading(store.engine) as connection:
        return {row[0]: row[1] for row in connection.execute(select(index_versions))}


def held(store: Store) -> dict[int, int]:
    with reading(store.engine) as connection:
        return tickets(connection, rows(store))


def queue(store: Store, chosen: list[int], ids: IdFactory) -> None:
    transact(store.engine, lambda connection: enqueue(connection, chosen, ids))


def take_off(store: Store) -> None:
    indexed = held(store)
    transact(store.engine, lambda connection: dequeue(connection, indexed))


def late_clock(writer: int) -> IdFactory:
    """Number rows as a host would whose clock stands still in 2020."""
    return IdFactory(writer, lambda: 1_577_836_800_000)


def test_queued_ticket_is_the_version_that_the_index_must_show(store: Store) -> None:
    assert held(store) == versions(store)
    assert held(store).keys() == set(rows(store))


def test_version_stays_when_the_row_leaves_the_queue(store: Store) -> None:
    before = versions(store)
    take_off(store)
    assert held(store) == {}
    assert versions(store) == before


def test_later_change_has_a_higher_version_though_its_host_is_behind(store: Store) -> None:
    before = versions(store)
    take_off(store)
    queue(store, rows(store), late_clock(9))
    after = held(store)
    assert all(after[row] > before[row] for row in rows(store))
    assert after == versions(store)


def test_changes_of_several_hosts_at_once_leave_the_highest_version_queued(
    home: Home, store: Store
) -> None:
    chosen = rows(store)
    stores = [home.store(writer=number) for number in (2, 3)]

    def change(one: Store) -> None:
        for _ in range(20):
            queue(one, chosen[::-1], late_clock(one.ids.writer))

    before = versions(store)
    threads = [threading.Thread(target=change, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(store) == held(store)
    assert all(version >= before[row] + 40 for row, version in versions(store).items())


def test_count_stops_at_a_ticket(store: Store) -> None:
    highest = max(versions(store).values())
    queue(store, rows(store)[:1], store.ids)
    with reading(store.engine) as connection:
        assert pending(connection) == MAILS
        assert pending(connection, highest) == MAILS - 1

"""Workers that are killed while they tell, in processes of their own, until all was told."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from archive_kit import bring_in, message, settings_in, write_mbox
from holdfast.core.rights import Role
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.webhook_tables import webhook_deliveries, webhooks
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.storage.webhooks.endpoints import NewEndpoint, add_endpoint
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from webhook_kit import HOST, Heard, receiving
from work_kinds import ChildPlan, crew, until

if TYPE_CHECKING:
    from holdfast.storage.store import Store

_d = webhook_deliveries.c


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it."""

    messages: int
    kills: int
    heard: int
    """Requests in all."""
    lost: int
    """Messages that were never taken."""
    doubled: int
    """Messages that were taken more than once."""


def telling_under_kills(folder: Path, catalogue: dict[str, str], how: tuple[int, int, int]) -> Told:
    """Tell of so many messages with two workers that are killed; one answer in ten is a failure.

    Args:
        folder: For the archive.
        catalogue: Settings of it.
        how: Messages, kills, and the seed of chance.
    """
    messages, kills, seed = how
    dice = random.Random(seed)
    settings = settings_in(folder, catalogue=catalogue, outgoing={"private_hosts": [HOST]})
    create_archive(settings)
    taken: Counter[str] = Counter()
    moments = sorted(dice.sample(range(messages), kills))
    with open_archive(settings, "tester") as services, receiving() as receiver:
        store = services.store
        owner = add_user(store, NewUser("legal", Role.LEGAL)).id
        asked = NewEndpoint(receiver.url, ("message.archived",), owner)
        endpoint, _ = add_endpoint(store, asked)
        bring_in(settings, write_mbox(folder / "mail.mbox", map(message, range(messages))))
        with crew(store, ChildPlan(settings, ("webhook",)), size=2) as workers:
            done: list[bool] = []

            def heard(one: Heard) -> None:
                if dice.random() < 0.1:
                    receiver.statuses.append(500)
                    return
                taken[one.id] += 1
                if moments and len(receiver.heard) >= moments[0]:
                    del moments[0]
                    hit = [workers.kill_one(place) for place in range(2)]
                    done.append(any(hit))

            receiver.on_heard = heard
            until(lambda: _all_told(store, endpoint.id, messages), lambda: _let_time_pass(store))
    lost = messages - len(taken)
    doubled = sum(1 for count in taken.values() if count > 1)
    return Told(messages, sum(done), len(receiver.heard), lost, doubled)


def _all_told(store: Store, endpoint: int, messages: int) -> bool:
    query = select(func.count()).where(_d.webhook_id == endpoint, _d.state == "delivered")
    with reading(store.engine) as connection:
        return connection.scalar(query) == messages


def _let_time_pass(store: Store) -> None:
    """Make due what waits for its next try, but for what somebody has in hand."""
    later = update(webhook_deliveries).where(_d.state == "waiting", _d.token == "")
    with writing(store.engine) as connection:
        connection.execute(later.values(next_ms=0))
        connection.execute(update(webhooks).values(rests_until_ms=0))

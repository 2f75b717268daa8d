"""A14: a CRM asks for a trail by its own id, within its scope, and is told what is new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from api_kit import Office
from archive_kit import bring_in
from holdfast.core.rights import Reach
from holdfast.ingest.jobs.telling import pass_on, try_once
from holdfast.ingest.outbound.courier import Courier
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.rights.api_keys import NewKey, create_key
from holdfast.storage.rights.grants import NewGrant, add_grant
from holdfast.storage.rights.teams import create_team, join_team
from holdfast.storage.webhooks.deliveries import claim, due_endpoints
from story_kit import Ground, Mail, house_mail, staffed, write
from webhook_kit import HOST, Receiver, receiving

WANG, LI = "wang.min@jia.example", "li.qiang@jia.example"
SALESFORCE = "salesforce:0035g00000XyZabAAB"
ARCHIVE = {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"}
SERVICE = {"requests_per_minute": 0}
OUTGOING = {"private_hosts": [HOST], "public_url": "https://archive.example/"}


@pytest.fixture
def house(tmp_path: Path, ground: Ground) -> Iterator[tuple[Office, Settings]]:
    from holdfast.wiring.founding import create_archive

    mbox = write(tmp_path / "house.mbox", house_mail())
    with ground.settings(tmp_path, archive=ARCHIVE, service=SERVICE, outgoing=OUTGOING) as settings:
        create_archive(settings)
        bring_in(settings, mbox)
        with staffed(settings) as office:
            yield office, settings


def crm_of_team(office: Office) -> None:
    """Hire a CRM whose key sees what sales1's team has: 王敏 writes with sales1, 李强 does not."""
    store = office.services.store
    create_team(store, "A")
    office.hire("crm", "crm")
    for login in ("sales1", "crm"):
        join_team(store, "A", login)
    add_grant(store, NewGrant("crm", Reach.TEAM, ""))
    _, office.keys["crm"] = create_key(store, NewKey(login="crm", name="trail"))


@pytest.mark.unmeasured
def test_a14_trail_by_external_id_within_the_scope_and_news_of_it(
    tmp_path: Path, house: tuple[Office, Settings]
) -> None:
    office, settings = house
    crm_of_team(office)
    wang = contact(office, WANG)
    office.post("legal1", f"/contacts/{wang}/identities", json={"address": SALESFORCE})
    office.services.desk.feed.drain()
    asked = {"addresses": [SALESFORCE, LI]}
    assert office.post("crm", "/contacts/resolve", json=asked)["contacts"] == [wang, None]
    trail = office.get("crm", f"/contacts/{wang}/timeline")
    assert trail["total"] == 14
    assert {entry["direction"] for entry in trail["entries"]} == {"in", "out"}
    office.get("crm", f"/contacts/{contact(office, LI)}/timeline", 404)
    tag = office.ask("crm", "GET", f"/contacts/{wang}/timeline").headers["etag"]
    same = office.ask("crm", "GET", f"/contacts/{wang}/timeline", headers={"If-None-Match": tag})
    assert same.status_code == 304
    with receiving() as receiver:
        subscribed(office, receiver)
        since = office.get("crm", "/changes?since=now")["next"]
        something_new(office, settings, tmp_path)
        news = office.get("crm", f"/changes?since={since}")["changes"]
        fresh = [one["id"] for one in news if one["type"] == "record"]
        assert len(fresh) == 1
        after = office.get("crm", f"/contacts/{wang}/timeline")
        assert (after["total"], after["entries"][0]["id"]) == (15, fresh[0])
        told_once(office, receiver, fresh[0])


def contact(office: Office, address: str) -> str:
    (found,) = office.get("legal1", f"/contacts?address={address}")["contacts"]
    return str(found["id"])


def subscribed(office: Office, receiver: Receiver) -> None:
    hook = {"target_url": receiver.url, "event": "message.archived"}
    office.post("crm", "/hooks", 201, json=hook)


def something_new(office: Office, settings: Settings, folder: Path) -> None:
    """One mail of 王敏 to sales1, and one that the CRM may not know of."""
    mails = [
        Mail(
            WANG, "sales1@our.example", "新需求", "又要 300 台。", "Mon, 1 Jul 2024 10:00:00 +0800"
        ),
        Mail(LI, "sales2@our.example", "别的", "与你无关。", "Mon, 1 Jul 2024 10:01:00 +0800"),
    ]
    bring_in(settings, write(folder / "new.mbox", mails, start=900))
    office.services.desk.feed.drain()
    office.services.desk.sequencer.run()


def told_once(office: Office, receiver: Receiver, record_id: str) -> None:
    """The hook is told of one record, once, though its first answer is a failure."""
    receiver.statuses.append(500)
    tell(office)
    later(office)
    tell(office)
    tell(office)
    first, again = receiver.heard
    assert (first.id, first.body) == (again.id, again.body)
    assert receiver.ids == [record_id, record_id]
    assert receiver.kinds == ["message.archived"] * 2


def tell(office: Office) -> None:
    store = office.services.store
    pass_on(store)
    for one in due_endpoints(store):
        while due := claim(store, one, 60_000):
            try_once(store, Courier(frozenset({HOST}), public_url="https://archive.example"), due)


def later(office: Office) -> None:
    """Let the time of the next try come."""
    due = {"webhook_deliveries": {"next_ms": 0}, "webhooks": {"rests_until_ms": 0}}
    with writing(office.services.store.engine) as connection:
        for name, values in due.items():
            connection.execute(update(metadata.tables[name]).values(values))

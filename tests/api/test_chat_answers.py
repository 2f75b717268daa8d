"""In chat people answer without saying what: who waits, and how long answers took."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.webhooks.reminders import is_time, remind
from holdfast.wiring.founding import create_archive

ANSWERED = "wmAnsweredAA9AW32YyyuYRimKr7D1KWlw"
WAITING = "wmWaitingDgAA9AW32YyyuYRimKr7D1KWl"
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
OFFER = (
    b"From: Lu <lu@tools-of-jia.com>\r\nTo: zhang@our.example\r\nSubject: offer\r\n"
    b"Date: Fri, 1 Mar 2024 10:00:00 +0800\r\n\r\nan offer\r\n"
)
BEGIN_MS = int(time.time() * 1000)


def said(name: str, sender: str, to: str, ago_ms: int) -> str:
    message = {"msgid": name, "action": "send", "from": sender, "tolist": [to], "roomid": ""}
    told = {"msgtime": BEGIN_MS - ago_ms, "msgtype": "text", "text": {"content": f"words {name}"}}
    return json.dumps(message | told)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One customer was answered, another asked twice and was not; none of them used threads."""
    folder = tmp_path_factory.mktemp("house")
    lines = [
        said("a1", ANSWERED, "zhang", 20 * DAY_MS),
        said("a2", "zhang", ANSWERED, 20 * DAY_MS - HOUR_MS),
        said("a3", ANSWERED, "zhang", 10 * DAY_MS),
        said("a4", "zhang", ANSWERED, 10 * DAY_MS - HOUR_MS),
        said("w1", WAITING, "zhang", 9 * DAY_MS),
        said("w2", WAITING, "zhang", 3 * DAY_MS + HOUR_MS // 2),
    ]
    (folder / "wecom").mkdir()
    (folder / "wecom" / "page.jsonl").write_text("\n".join(lines))
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, folder / "wecom")
    (folder / "offer.eml").write_bytes(OFFER)
    bring_in(settings, folder / "offer.eml")
    with office(settings) as opened:
        opened.services.desk.feed.drain()
        opened.hire("legal", "legal")
        opened.hire("root", "admin")
        yield opened


def contact(house: Office, key: str) -> str:
    (found,) = house.get("legal", f"/contacts?address=wecom:{key}")["contacts"]
    return str(found["id"])


def test_who_was_answered_in_the_room_does_not_wait(house: Office) -> None:
    found = house.get("legal", "/contacts/follow-ups?days=3")
    assert [one["entry"]["snippet"] for one in found["follow_ups"]] == ["words w2"]
    assert found["total"] == 1


def test_open_items_and_answer_times_are_of_the_room(house: Office) -> None:
    answered = house.get("legal", f"/contacts/{contact(house, ANSWERED)}/portrait")
    assert answered["open_items"] == []
    assert answered["our_answer_seconds"] == 3600
    waiting = house.get("legal", f"/contacts/{contact(house, WAITING)}/portrait")
    assert [one["snippet"] for one in waiting["open_items"]] == ["words w2"]
    trail = house.get("legal", f"/contacts/{contact(house, ANSWERED)}/timeline")["entries"]
    assert [one["response_seconds"] for one in trail][::2] == [3600, 3600]


def test_message_that_waits_is_told_once(house: Office) -> None:
    store = house.services.store
    assert not is_time(store)
    hook = {"url": "https://crm.example/in", "owner": "legal", "events": ["follow_up.due"]}
    house.post("root", "/webhooks", 201, json=hook)
    assert is_time(store)
    assert remind(store) == 1
    assert remind(store) == 0
    with reading(store.engine) as connection:
        (event,) = connection.execute(webhook_events.select()).all()
    detail = json.loads(event.detail)
    assert (event.kind, detail["days"]) == ("follow_up.due", "3")
    assert detail["contact"] == contact(house, WAITING)
    assert event.contact_id == row_id("con", detail["contact"])


def test_trail_of_a_company_holds_what_its_people_say_elsewhere(house: Office) -> None:
    path = "/companies/tools-of-jia.com/timeline"
    (lu,) = house.get("legal", "/contacts?address=lu@tools-of-jia.com")["contacts"]
    alone = [one["channel"] for one in house.get("legal", path)["entries"]]
    assert alone == ["email"]
    house.post("legal", f"/contacts/{lu['id']}/merge", json={"other_id": contact(house, WAITING)})
    house.services.desk.feed.drain()
    together = house.get("legal", path)["entries"]
    assert [one["channel"] for one in together] == ["wecom", "wecom", "email"]
    rolled = house.get("legal", f"/contacts/{lu['id']}/timeline?rollup=company")["entries"]
    assert rolled == together
    assert house.get("legal", "/companies/jia.com/timeline")["entries"] == []

"""A6: who was silent for thirty days is told to whoever wants to know, once; a mail clears it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from zlib import crc32

import pytest

from api_kit import Office
from archive_kit import bring_in
from holdfast.ingest.jobs.telling import pass_on, try_once
from holdfast.ingest.outbound.courier import Courier
from holdfast.settings import Settings
from holdfast.storage.webhooks.deliveries import claim, due_endpoints
from holdfast.storage.webhooks.reminders import is_time, remind
from holdfast.wiring.founding import create_archive
from story_kit import Ground, Mail, staffed, write
from webhook_kit import HOST, Receiver, receiving

WANG, LI = "wang.min@jia.example", "li.qiang@jia.example"
ARCHIVE = {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"}
SERVICE = {"requests_per_minute": 0}
OUTGOING = {"private_hosts": [HOST], "public_url": "https://archive.example/"}


def ago(days: int) -> str:
    return format_datetime(datetime.now(UTC) - timedelta(days=days, hours=1))


def newsletter(number: int) -> bytes:
    lines = (
        f"From: news@our.example\nTo: {WANG}\nSubject: news\nDate: {ago(10)}",
        f"Message-ID: <news{number}@our.example>\nPrecedence: bulk\n\nour news\n",
    )
    return "\n".join(lines).encode()


def brought(settings: Settings, folder: Path, name: str, *mails: Mail) -> None:
    bring_in(settings, write(folder / f"{name}.mbox", mails, start=crc32(name.encode()) % 10_000))


@pytest.mark.unmeasured
def test_a6_only_who_is_silent_is_told_once_and_a_mail_clears_it(
    tmp_path: Path, ground: Ground
) -> None:
    with ground.settings(
        tmp_path / "archive", archive=ARCHIVE, service=SERVICE, outgoing=OUTGOING
    ) as settings:
        create_archive(settings)
        first = Mail(WANG, "sales1@our.example", "询价", "day 0", ago(30))
        brought(
            settings, tmp_path, "first", first, Mail("sales1@our.example", LI, "s", "x", ago(20))
        )
        (tmp_path / "news.eml").write_bytes(newsletter(1))
        bring_in(settings, tmp_path / "news.eml")
        with staffed(settings) as office, receiving() as receiver:
            play(office, receiver, settings, tmp_path)


def play(office: Office, receiver: Receiver, settings: Settings, folder: Path) -> None:
    store = office.services.store
    office.services.desk.feed.drain()
    assert not is_time(store)  # nobody wants to be told yet
    wang = contact(office, WANG)
    tag = {"If-Match": office.ask("legal1", "GET", f"/contacts/{wang}/fields").headers["etag"]}
    answer = office.ask(
        "legal1", "PATCH", f"/contacts/{wang}", json={"owner": "sales1"}, headers=tag
    )
    assert answer.status_code == 200, answer.text
    hook = {"url": receiver.url, "owner": "legal1", "events": ["reminder.due"]}
    office.post("admin", "/webhooks", 201, json=hook)
    silent = office.get("legal1", "/contacts/silent?days=30")["contacts"]
    assert [one["contact"]["id"] for one in silent] == [wang]
    assert is_time(store)
    assert remind(store) == 1
    tell(office)
    (heard,) = receiver.heard
    assert heard.event["type"] == "reminder.due"
    assert heard.event["data"]["owner"] == "sales1"
    assert heard.event["data"]["contact"] == wang
    assert remind(store) == 0
    tell(office)
    assert len(receiver.heard) == 1
    brought(settings, folder, "again", Mail(WANG, "sales1@our.example", "又来", "hello", ago(0)))
    office.services.desk.feed.drain()
    assert office.get("legal1", "/contacts/silent?days=30")["contacts"] == []
    assert remind(store) == 0


def contact(office: Office, address: str) -> str:
    (found,) = office.get("legal1", f"/contacts?address={address}")["contacts"]
    return str(found["id"])


def tell(office: Office) -> None:
    store = office.services.store
    pass_on(store)
    for one in due_endpoints(store):
        while due := claim(store, one, 60_000):
            try_once(store, Courier(frozenset({HOST}), public_url="https://archive.example"), due)

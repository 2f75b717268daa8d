"""A3: who leaves hands over; the successor sees everything, authors stay, the key is void."""

from __future__ import annotations

from pathlib import Path

import pytest

from api_kit import Office
from archive_kit import bring_in, findings
from holdfast.settings import Settings
from holdfast.storage.rights.handing_over import Handover, hand_over
from holdfast.storage.rights.users import disable_user
from holdfast.wiring.founding import create_archive
from story_kit import Ground, Mail, staffed, write

WANG = "wang.min@jia.example"
ARCHIVE = {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"}
SERVICE = {"requests_per_minute": 0}
RECORDS = 40


def mails() -> list[Mail]:
    """Twenty letters of 王敏 to sales1, and their twenty answers."""
    both = []
    for n in range(RECORDS // 2):
        day = f"Fri, {n + 1} Mar 2024"
        asked = Mail(WANG, "sales1@our.example", f"问题 {n}", f"问 {n}", f"{day} 10:00:00 +0800")
        told = Mail("sales1@our.example", WANG, f"答复 {n}", f"答 {n}", f"{day} 11:00:00 +0800")
        both.append((asked, told))
    return [mail for pair in both for mail in pair]


@pytest.mark.unmeasured
def test_a3_successor_sees_all_and_the_leaver_nothing(tmp_path: Path, ground: Ground) -> None:
    with ground.settings(tmp_path / "archive", archive=ARCHIVE, service=SERVICE) as settings:
        create_archive(settings)
        bring_in(settings, write(tmp_path / "old.mbox", mails()))
        with staffed(settings) as office:
            play(office, settings, tmp_path)
        assert findings(settings) == []


def play(office: Office, settings: Settings, folder: Path) -> None:
    office.services.desk.feed.drain()
    store = office.services.store
    wang = contact(office)
    assert len(office.found("sales1", "")) == RECORDS
    assert office.found("sales2", "") == []
    changed = hand_over(store, Handover("sales1", "sales2", with_unowned=True))
    assert len(changed) == 1
    disable_user(store, "sales1")
    assert len(office.found("sales2", "")) == RECORDS
    seen = office.get("sales2", f"/contacts/{wang}/timeline?limit=200")
    writers = {entry["participants"][0]["address"] for entry in seen["entries"]}
    assert writers == {WANG, "sales1@our.example"}
    assert office.get("legal1", f"/contacts/{wang}")["owner"] == "sales2"
    assert office.ask("sales1", "GET", "/search?query=").status_code == 401
    (entry,) = office.entries("handover")
    assert entry["contacts"] == [wang]
    later = Mail(WANG, "sales1@our.example", "还在吗", "晚到的信", "Mon, 1 Jul 2024 10:00:00 +0800")
    bring_in(settings, write(folder / "late.mbox", [later], start=700))
    office.services.desk.feed.drain()
    assert len(office.found("sales2", "晚到的信")) == 1
    assert len(office.found("legal1", "")) == RECORDS + 1


def contact(office: Office) -> str:
    (found,) = office.get("legal1", f"/contacts?address={WANG}")["contacts"]
    return str(found["id"])

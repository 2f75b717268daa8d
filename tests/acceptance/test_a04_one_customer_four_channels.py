"""A4: one customer writes by mail, WeCom and another chat, and calls: linked, it is one trail."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office
from archive_kit import bring_in, findings
from holdfast.ingest.recovery import file_sealed
from holdfast.settings import Settings
from holdfast.wiring.runs import parser_pool
from hook_kit import SECRET, signed_hmac
from hook_storm import Sender, add_systems
from story_kit import Ground, Mail, archive_of, staffed, write

WANG_MAIL, WANG_WECOM = "wang.min@jia.example", "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
QD = "qidian:openid-77"
MOBILE, SEAT = "13800138000", "01088886666"


def nobody_makes(word: str, number: int) -> bytes:
    raise AssertionError((word, number))


def systems() -> tuple[Sender, ...]:
    settings: dict[str, Any] = {"secrets": [SECRET], "channel": "qidian"}
    return (Sender("generic", signed_hmac, settings, nobody_makes),)


def wecom_line() -> bytes:
    said = {
        "msgid": "w1_external", "action": "send", "from": WANG_WECOM, "tolist": ["sales1"],
        "roomid": "", "msgtime": 1_710_467_000_000, "msgtype": "text",
        "text": {"content": "需求：500 台，要含税价"},
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False).encode()


def post(office: Office, **event: Any) -> None:
    content = json.dumps(event, ensure_ascii=False).encode()
    signed = signed_hmac(content, datetime.now(UTC), SECRET)
    answer = office.ask(
        "", "POST", "/ingest/hooks/generic", headers=dict(signed.headers), content=content
    )
    assert answer.status_code == 202, answer.text


def told(office: Office, settings: Settings) -> None:
    """Let the hook bring a chat message and a call, and have them filed."""
    post(office, kind="message", id="q1", at="2024-03-15T02:30:00Z", direction="in",
         body="需求：500 台", **{"from": "openid-77", "to": "sales1@our.example"})  # fmt: skip
    post(office, kind="call", id="c1", at="2024-03-15T03:00:00Z", direction="in", duration_s=65,
         body="电话里又说了一遍需求", **{"from": MOBILE, "to": SEAT})  # fmt: skip
    with parser_pool(settings) as pool:
        file_sealed(office.services.desk, pool)
    office.services.desk.feed.drain()


@pytest.mark.unmeasured
def test_a4_four_channels_are_one_trail_once_they_are_linked(
    tmp_path: Path, ground: Ground
) -> None:
    mails = [
        Mail(f"王敏 <{WANG_MAIL}>", "sales1@our.example", "需求", "需求：500 台，请报价。"),
        Mail("sales1@our.example", "fin1@our.example", "王敏的需求", "内部：500 台能给几折？"),
    ]
    mbox = write(tmp_path / "house.mbox", mails)
    with archive_of(tmp_path, ground, mbox) as settings:
        (tmp_path / "wecom.jsonl").write_bytes(wecom_line() + b"\n")
        bring_in(settings, tmp_path / "wecom.jsonl")
        add_systems(settings, systems())
        with staffed(settings) as office:
            told(office, settings)
            assert len(office.found("legal1", "需求 OR 500")) == 5
            (inside,) = office.search("legal1", "direction:internal 几折")["hits"]
            assert inside["record"]["channel"] == "email"
            mine = contact(office, WANG_MAIL)
            others = [contact(office, one) for one in (f"wecom:{WANG_WECOM}", f"+86{MOBILE}", QD)]
            assert len({mine, *others}) == 4
            assert trail(office, mine) == [("email", "email", "in")]
            for one in others:
                assert len(trail(office, one)) == 1
                office.post("legal1", f"/contacts/{mine}/merge", json={"other_id": one})
            office.services.desk.feed.drain()
            assert trail(office, mine) == [
                ("wecom", "im", "in"), ("email", "email", "in"), ("qidian", "im", "in"),
                ("qidian", "call", "in"),
            ]  # fmt: skip
        assert findings(settings) == []


def contact(office: Office, address: str) -> str:
    answer = office.post("legal1", "/contacts/resolve", json={"addresses": [address]})
    (found,) = answer["contacts"]
    assert found, address
    return str(found)


def trail(office: Office, contact_id: str) -> list[tuple[str, str, str]]:
    """Return channel, kind and direction of a trail, oldest first."""
    entries = office.get("legal1", f"/contacts/{contact_id}/timeline")["entries"]
    return [(one["channel"], one["kind"], one["direction"]) for one in reversed(entries)]

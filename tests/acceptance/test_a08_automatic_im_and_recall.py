"""A8: messages of WeCom come by themselves, once, with their files; what is recalled stays."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office, office
from archive_kit import findings
from holdfast.wiring.runs import parser_pool
from story_kit import Ground
from wecom_kit import Corp, corporation, wrapped

ARCHIVE = {"internal_domains": ["our.example"], "zone": "Asia/Shanghai"}
SERVICE = {"requests_per_minute": 0}
WANG = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"


def said(number: int, kind: str, **body: Any) -> bytes:
    """A message that 王敏, a customer, sends to sales1 in WeCom."""
    action = "recall" if kind == "revoke" else "send"
    message = {
        "msgid": f"m{number}_external", "action": action, "from": WANG, "tolist": ["sales1"],
        "roomid": "", "msgtime": 1_710_468_000_000 + number * 60_000, "msgtype": kind, kind: body,
    }  # fmt: skip
    return wrapped(number, json.dumps(message, ensure_ascii=False).encode())


def file_of(number: int, raw: bytes, md5: str = "") -> bytes:
    stated = md5 or hashlib.md5(raw).hexdigest()  # noqa: S324 - the vendor's
    return said(
        number, "file", sdkfileid=f"f{number}", md5sum=stated, filename=f"报价{number}.txt",
        filesize=len(raw),
    )  # fmt: skip


OFFER, DAMAGED = "附件里的价格".encode(), "别的内容".encode()
LINES = [
    said(1, "text", content="价格能按 8.5 折吗？"),
    file_of(2, OFFER),
    said(3, "mixed", item=[
        {"type": "text", "content": json.dumps({"content": "混合消息里的文字"})},
        {"type": "link", "content": json.dumps({"title": "合同链接", "link_url": "https://x.example"})},
    ]),
    file_of(4, DAMAGED, md5="0" * 32),
    said(5, "revoke", pre_msgid="m1_external"),
]  # fmt: skip


@pytest.mark.unmeasured
def test_a8_messages_come_by_themselves_and_recalled_ones_stay(
    tmp_path: Path, ground: Ground
) -> None:
    with (
        ground.settings(tmp_path / "archive", archive=ARCHIVE, service=SERVICE) as settings,
        parser_pool(settings) as pool,
    ):
        corp = corporation(settings, tmp_path / "corp", pool)
        corp.serve(LINES, {"f2": OFFER, "f4": DAMAGED})
        corp.go_wrong(die_after_seq=3)  # the bridge dies in the middle of its page
        corp.pull()
        corp.go_wrong()
        assert pulled_whole(corp) == len(LINES)
        corp.serve([*LINES, *LINES])  # the vendor repeats a page
        assert corp.pull().counts.new == 0
        with office(settings) as opened:
            opened.hire("legal1", "legal")
            looked_at(opened)
        assert findings(settings) == []


def pulled_whole(corp: Corp) -> int:
    """Pull until everything is there; return up to where."""
    while corp.pull().counts.offered:
        pass
    return corp.cursor()


def looked_at(office: Office) -> None:
    (first,) = office.search("legal1", "价格 折 kind:im")["hits"]
    record = first["record"]
    assert record["marks"] == ["recalled"]
    assert record["direction"] == "in"
    assert record["at"] == "2024-03-15T02:01:00.000Z"
    assert record["participants"][0]["address"] == "wecom:" + WANG
    detail = office.get("legal1", f"/records/{record['id']}")
    assert detail["text"] == "价格能按 8.5 折吗？"
    assert office.search("legal1", "is:recalled")["total"] == 1
    assert office.search("legal1", "混合消息里的文字")["total"] == 1
    assert office.search("legal1", "附件里的价格 kind:file")["total"] == 1
    flagged = office.search("legal1", "defect:media_hash_differs")["hits"]
    assert [one["record"]["attachments"][0]["filename"] for one in flagged] == ["报价4.txt"]
    room = office.get("legal1", f"/conversations/{record['conversation_id']}/messages")
    assert [line["record"]["kind"] for line in room["lines"]] == ["im"] * 4
    assert [one["kind"] for one in room["lines"][0]["later"]] == ["recall"]

"""WeCom archives as files: each message is one item with its own bytes, media find theirs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from chat_kit import ends_of, offers_in, raw_of
from holdfast.core.kinds import Kind
from holdfast.ingest.readers.chats.exports import export_of
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.ingest.readers.chats.trees import chat_directory
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.forms import FormItem, parse_form

SAMPLE = Path(__file__).resolve().parents[3] / "corpus/chat/wecom-archive"
LINES = (SAMPLE / "decrypted.jsonl").read_bytes().splitlines()


def offers(folder: Path, **rules: str) -> list[Offered]:
    return offers_in(folder, "wecom", **rules)


def message(kind: str, body: Any, msgid: str = "9_1717380061000") -> bytes:
    said = {
        "msgid": msgid, "action": "send", "from": "ann", "tolist": ["bob"], "roomid": "",
        "msgtime": 1717380061000, "msgtype": kind, kind: body,
    }  # fmt: skip
    return json.dumps(said).encode()


def test_each_line_is_an_item_byte_for_byte(tmp_path: Path) -> None:
    shutil.copy(SAMPLE / "decrypted.jsonl", tmp_path)
    found = offers(tmp_path)
    assert [raw_of(one) for one in found] == LINES
    assert len({one.key for one in found}) == len(LINES)
    assert ends_of(found) == {"wecom.message": len(LINES)}


def test_encrypted_pages_beside_their_messages_are_copies_and_alone_are_kept(
    tmp_path: Path,
) -> None:
    shutil.copy(SAMPLE / "GetChatData.json", tmp_path)
    alone = offers(tmp_path)
    page = json.loads((SAMPLE / "GetChatData.json").read_bytes())["chatdata"]
    assert [json.loads(raw_of(one)) for one in alone] == page
    for name in ("decrypted.jsonl", "rsa_private_v3.pem"):
        shutil.copy(SAMPLE / name, tmp_path)
    both = ends_of(offers(tmp_path))
    assert both["wecom.message"] + both["wecom_encrypted_copy"] == len(LINES) + len(page)
    assert both["wecom_encrypted_copy"] == len(page)
    assert both["key_file"] == 1


def test_pages_lists_and_wrapped_messages_are_read(tmp_path: Path) -> None:
    first, second, third = message("text", {}, "1"), message("text", {}, "2"), LINES[0]
    page = b'{"errcode":0,\n "chatdata": [\n ' + first + b",\n " + second + b"]}"
    (tmp_path / "page.json").write_bytes(page)
    (tmp_path / "list.json").write_bytes(b"\xef\xbb\xbf [" + first + b" , 7]")
    (tmp_path / "lines.jsonl").write_bytes(
        b'{"seq": 9, "message": ' + third + b"}\r\n\r\n"
        b'{"chatdata": [' + second + b"]}\n"
        b'{"chatdata": []}\n'
        b'{"msgid": "half\n'
        b"[3]"
    )
    found = offers(tmp_path)
    assert [raw_of(one) for one in found] == [
        third, second, b'{"chatdata": []}', b'{"msgid": "half', b"[3]", first, b"7", first, second,
    ]  # fmt: skip
    assert ends_of(found) == {"wecom.message": 8, "wecom_empty_page": 1}


def test_list_that_ends_early_is_said_to(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_bytes(b"[" + LINES[0] + b"," + LINES[1][:50])
    found = offers(tmp_path)
    assert [one.kind for one in found] == ["chat", "unknown"]
    assert found[1].facts.note.startswith("damaged:json")


def test_first_line_that_is_damaged_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(LINES[0][:-9] + b"\n" + LINES[1] + b"\n" + LINES[2])
    assert [raw_of(one) for one in offers(tmp_path)] == [LINES[0][:-9], LINES[1], LINES[2]]


@pytest.mark.parametrize("where", ["media", "export/files"])
def test_media_are_found_by_hash_or_id_and_checked(tmp_path: Path, where: str) -> None:
    folder, media = tmp_path / "export", tmp_path / where
    folder.mkdir()
    media.mkdir(parents=True)
    image, voice, wrong = b"\x89PNG\r\n\x1a\n image", b"#!AMR\n voice", b"not what was sent"
    md5 = hashlib.md5(image).hexdigest()  # noqa: S324 - the vendor's check
    by_id = hashlib.sha256(b"file-2").hexdigest()
    (media / f"{md5.upper()}.png").write_bytes(image)
    (media / by_id).write_bytes(voice)
    (media / f"{'a' * 32}.bin").write_bytes(wrong)
    (media / "nobody.txt").write_bytes(b"named by no message")
    (media / "server.key").write_bytes(b"secret")
    lines = [
        message("image", {"sdkfileid": "file-1", "md5sum": md5, "filesize": len(image)}, "1_1"),
        message("voice", {"sdkfileid": "file-2", "md5sum": ""}, "2_2"),
        message("file", {"sdkfileid": "file-3", "md5sum": "a" * 32, "filename": "报价.bin"}, "3_3"),
        message("image", {"sdkfileid": "file-1", "md5sum": md5}, "4_4"),
        message("video", {"sdkfileid": "gone", "md5sum": "b" * 32}, "5_5"),
    ]
    (folder / "messages.jsonl").write_bytes(b"\n".join(lines))
    found = offers(folder, media=str(media) if where == "media" else "")
    assert ends_of(found) == {"wecom.message": 5, "file": 5, "key_file": 1}
    assert len({one.key for one in found}) == len(found)
    files = [one for one in found if one.facts.form == "file"]
    records = [parse_form("file", FormItem(raw_of(one), one.facts.context)) for one in files]
    assert [raw_of(one) for one in files] == [image, voice, wrong, image, b"named by no message"]
    named = [record.message_id for record in records]
    assert named == ["wecom:1_1", "wecom:2_2", "wecom:3_3", "wecom:4_4", ""]
    told = [[one.code for one in record.defects] for record in records]
    assert told == [[], [], ["media_hash_differs"], [], ["date_missing"]]
    assert {one.kind for one in records} == {Kind.FILE}
    assert records[2].attachments[0].filename == "报价.bin"
    assert records[0].participants[0].address == "wecom:ann"
    assert records[0].sent_at is not None


def test_other_files_are_no_such_export(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'{"msgid": 1}')
    (tmp_path / "b.jsonl").write_bytes(b"")
    (tmp_path / "c.txt").write_bytes(b'talk of "msgid" and "msgtype"')
    assert export_of(chat_directory(tmp_path, "", ChatRules())) is None

"""Mattermost exports: all is counted by other means, and is an item or passed over."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from chat_kit import ends_of, offers_in, parties, raw_of, records_of
from holdfast.core.kinds import Kind, Role
from holdfast.ingest.readers.chats.exports import export_of
from holdfast.ingest.readers.chats.tree import ChatRules
from holdfast.ingest.readers.chats.trees import chat_directory
from holdfast.ingest.readers.chats.xml_spans import NotXml, elements
from holdfast.parsers.chat.forms import FormItem, parse_form

CORPUS = Path(__file__).resolve().parents[3] / "corpus/chat"
COLUMNS = [
    *("Post Creation Time", "Team Id", "Team Name", "Team Display Name", "Channel Id"),
    *("Channel Name", "Channel Display Name", "Channel Type", "User Id", "User Email", "Username"),
    *("Post Id", "Edited By Post Id", "Replied to Post Id", "Post Message", "Post Type"),
    *("User Type", "Update Time", "Updated Type", "EditedNewMsgId"),
]


def line(kind: str, **body: Any) -> bytes:
    return json.dumps({"type": kind, kind: body}).encode()


USERS = [
    line("user", username="ann", email="ann@corp.example", first_name="Ann", last_name="Li",
         roles="system_user", teams=[{"name": "t", "channels": [{"name": "sales"}]}]),
    line("user", username="guest", email="", nickname="G", roles="system_guest",
         teams=[{"name": "t", "channels": [{"name": "sales"}]}]),
    line("bot", username="robot", display_name="Robot", description="helps"),
]  # fmt: skip
POST = {
    "team": "t", "channel": "sales", "user": "ann", "type": "", "create_at": 1768916201357,
    "edit_at": 0, "message": "Hello @guest. and @all and @nobody", "props": {},
}  # fmt: skip


def test_samples_of_the_bulk_export_are_four_messages() -> None:
    found = offers_in(CORPUS / "mattermost-bulk-zulip", "mattermost")
    told = [json.loads(one) for one in _sample_lines()]
    posts = [one[one["type"]] for one in told]
    said = [one for post in posts for one in (post, *(post.get("replies") or []))]
    made = records_of(found)
    assert [one.body for one in made] == [one["message"] for one in said]
    assert [one.defects for one in made] == [()] * len(said) == [()] * 4
    root = made[0]
    assert [one.chat.answers for one in made if one.chat] == [
        "", root.message_id, root.message_id, "",
    ]  # fmt: skip
    assert made[3].chat is not None
    assert made[3].chat.conversation is not None
    assert made[3].chat.conversation.key == "adam.torres,eugene.montgomery,rebecca.diaz"
    assert [role for role, *_ in parties(made[3])] == [Role.FROM, Role.TO, Role.TO]


def _sample_lines() -> list[bytes]:
    return (CORPUS / "mattermost-bulk-zulip/posts.jsonl").read_bytes().splitlines()


def test_people_rooms_reactions_and_files_are_items(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/20260120").mkdir()
    (tmp_path / "data/20260120/plan.txt").write_bytes(b"the plan")
    (tmp_path / "data/left.txt").write_bytes(b"named by nobody")
    reaction = {"user": "guest", "create_at": 1768916300000, "emoji_name": "+1"}
    reply = {**POST, "user": "robot", "message": "ok", "create_at": 1768916201999,
             "props": {"from_bot": "true"}, "reactions": [reaction]}  # fmt: skip
    post = {**POST, "edit_at": 1768916250000, "reactions": [reaction], "replies": [reply],
            "attachments": [{"path": "20260120/plan.txt"}, {"path": "gone.png"}]}  # fmt: skip
    lines = [
        b'{"type": "version", "version": 1}',
        b'{"type": "emoji", "emoji": {"name": "x"}}',
        line("channel", team="t", name="sales", display_name="Sales 销售", header="h", type="O"),
        *USERS,
        line("direct_channel", members=["guest", "ann"], header="between us"),
        line("post", **post),
        line("direct_post", channel_members=["ann", "guest"], user="guest", message="psst",
             create_at=1768916400000, replies=None, reactions=None, attachments=None),
        b'{"type": "novel", "novel": {}}',
        b"{damaged",
    ]  # fmt: skip
    (tmp_path / "import.jsonl").write_bytes(b"\n".join(lines))
    found = offers_in(tmp_path, "mattermost", tenant="corp")
    assert ends_of(found) == {
        "mattermost.post": 3, "mattermost.reaction": 2, "mattermost.room": 2, "mattermost.user": 3,
        "file": 2, "mattermost_version": 1, "mattermost_emoji": 1, "mattermost_line: novel": 1,
        "damaged:json": 1,
    }  # fmt: skip
    made = records_of(found)
    by_kind = {kind: [one for one in made if one.kind == kind] for kind in Kind}
    root, answer, aside = by_kind[Kind.IM]
    assert (root.chat and root.chat.version_at) is not None
    assert parties(root) == [
        (Role.FROM, "mattermost:ann", "staff"),
        (Role.TO, "mattermost:guest", "outside"),
        (Role.MENTION, "mattermost:guest", "outside"),
    ]
    assert [one.filename for one in root.attachments] == ["plan.txt", "gone.png"]
    assert (answer.participants[0].side, answer.is_bulk) == ("bot", True)
    assert aside.body == "psst"
    assert [one.message_id for one in by_kind[Kind.REACTION]] == [
        root.message_id, answer.message_id,
    ]  # fmt: skip
    sales, direct = by_kind[Kind.CONVERSATION]
    assert (sales.subject, len(sales.participants)) == ("Sales 销售", 2)
    assert "between us" in direct.body
    assert parties(by_kind[Kind.PROFILE][0]) == [
        (Role.SELF, "mattermost:ann", "staff"), (Role.ALIAS, "ann@corp.example", "staff"),
    ]  # fmt: skip
    named, loose = by_kind[Kind.FILE]
    assert (named.message_id, loose.message_id) == (root.message_id, "")


def test_system_posts_say_who_came_and_went(tmp_path: Path) -> None:
    card = {"title": "Alert", "text": "disk full", "fields": [{"title": "host", "value": "a1"}]}
    posts = [
        {**POST, "type": "system_join_channel", "message": "ann joined"},
        {**POST, "type": "system_add_to_channel", "create_at": 2, "props": {"addedUsername": "x"}},
        {**POST, "type": "system_remove_from_channel", "create_at": 3,
         "props": {"removedUsername": "x"}},
        {**POST, "type": "system_leave_channel", "create_at": 4, "user": ""},
        {**POST, "type": "slack_attachment", "create_at": 5, "message": "",
         "props": {"from_webhook": "true", "override_username": "Monitor", "attachments": [card]}},
    ]  # fmt: skip
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(line("post", **one) for one in posts))
    made = records_of(offers_in(tmp_path, "mattermost"))
    assert [one.kind for one in made] == [Kind.CHAT_EVENT] * 4 + [Kind.IM]
    assert [[role for role, *_ in parties(one)] for one in made[:4]] == [
        [Role.JOINED], [Role.FROM, Role.JOINED], [Role.FROM, Role.LEFT], [],
    ]  # fmt: skip
    assert made[4].body == "Alert\ndisk full\nhost a1"
    assert (made[4].participants[0].name, made[4].is_bulk) == ("Monitor", True)


def test_actiance_sample_is_counted_element_by_element(tmp_path: Path) -> None:
    raw = gzip.decompress((CORPUS / "mattermost-compliance/actiance_export.xml.gz").read_bytes())
    (tmp_path / "actiance_export.xml").write_bytes(raw)
    found = offers_in(tmp_path, "mattermost-compliance")
    root = ElementTree.fromstring(raw)  # noqa: S314 - a file of our own corpus
    rooms = root.findall("Conversation")
    count = {tag: len(root.findall(f"Conversation/{tag}")) for tag in (
        "Message", "ParticipantEntered", "ParticipantLeft", "FileTransferStarted",
        "FileTransferEnded",
    )}  # fmt: skip
    assert (len(rooms), count["Message"]) == (219, 1853)
    made = records_of(found)
    kinds = Counter(one.kind for one in made)
    assert kinds == {
        Kind.IM: count["Message"],
        Kind.CHAT_EVENT: count["ParticipantEntered"] + count["ParticipantLeft"],
        Kind.FILE: count["FileTransferStarted"],
        Kind.CONVERSATION: len(rooms),
    }
    assert ends_of(found)["mattermost_transfer_ended"] == count["FileTransferEnded"]
    assert [one.defects for one in made] == [()] * len(made)
    told = [
        (room.findtext("RoomID", "").rpartition(" - ")[2], *(m.findtext(tag) or "" for tag in (
            "DateTimeUTC", "LoginName", "Content",
        )))
        for room in rooms
        for m in room.findall("Message")
    ]  # fmt: skip
    messages = [one for one in made if one.kind is Kind.IM]
    read = [
        (
            one.chat.conversation.key,
            one.date_raw,
            one.participants[0].address.removeprefix("mattermost:"),
            one.body,
        )
        for one in messages
        if one.chat and one.chat.conversation
    ]
    assert read == [(*one[:3], one[3].replace("\r\n", "\n")) for one in told]
    assert len({one.fingerprint for one in messages}) == len(set(told))
    assert len({one.message_id for one in messages}) == len({one[:3] for one in told})
    raws = [raw_of(one) for one in found[:50] if one.kind == "chat"]
    assert all(one in raw for one in raws)


def test_actiance_damage_entities_and_files(tmp_path: Path) -> None:
    message = (
        b"<Message><MessageId>p1</MessageId><LoginName>ann</LoginName><DateTimeUTC>1534533541869"
        b"</DateTimeUTC><Content>\xe4\xbd\xa0 &lt;b&gt;</Content></Message>"
    )
    started = (
        b"<FileTransferStarted><LoginName>a@b.example</LoginName><DateTimeUTC>1534533541870"
        b"</DateTimeUTC><UserFileName>a.txt</UserFileName><FileName>x/a.txt</FileName>"
        b"</FileTransferStarted>"
    )
    failed = started.replace(b"Started", b"Ended").replace(
        b"</FileName>", b"</FileName><Status>Failed</Status>"
    )
    head = (
        b"<Conversation Perspective='R'><RoomID>public - r1</RoomID><StartTimeUTC>1</StartTimeUTC>"
    )
    whole = b"<FileDump>" + head + message + started + failed + b"</Conversation></FileDump>"
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.txt").write_bytes(b"content")
    (tmp_path / "metadata.json").write_bytes(b"{}")
    (tmp_path / "a.xml").write_bytes(whole)
    found = offers_in(tmp_path, "mattermost-compliance")
    assert ends_of(found) == {"mattermost.element": 4, "file": 1, "mattermost_bookkeeping": 1}
    room, said, file, came, broke = records_of(found)
    assert (room.kind, room.subject, room.message_id) == (Kind.CONVERSATION, "R", "mattermost:r1")
    assert (said.message_id, said.body) == ("mattermost:p1", "你 <b>")
    assert said.participants[0].address == "mattermost:ann"
    assert (file.kind, came.message_id, broke.subject) == (Kind.FILE, file.message_id, "Failed")
    (tmp_path / "a.xml").write_bytes(whole[:-40])
    cut = offers_in(tmp_path, "mattermost-compliance")
    assert ends_of(cut)["mattermost.element"] == 3
    assert [one.facts.note[:11] for one in cut if one.kind == "unknown"] == ["damaged:xml"]
    bomb = b"<!DOCTYPE FileDump [<!ENTITY a 'aaaa'>]>" + whole.replace(b"&lt;", b"&a;")
    (tmp_path / "a.xml").write_bytes(bomb)
    last = offers_in(tmp_path, "mattermost-compliance")[0]
    assert (last.kind, last.facts.note) == ("unknown", "damaged:xml: it defines entities")
    with pytest.raises(NotXml):
        list(elements(b"<a><b></a>", {"b"}))


@pytest.mark.parametrize(
    ("raw", "context"),
    [
        (b"<Message/>", '{"channel":"mattermost"}'),
        (b"<Message>&a;</Message>", '{"room":{"key":"r"}}'),
        (b"<Conversation/>", ""),
        (b"<Conversation><RoomID/></Conversation>", ""),
        (b"<Other/>", '{"room":{"key":"r"}}'),
    ],
)
def test_element_that_is_none_is_kept_as_text(raw: bytes, context: str) -> None:
    record = parse_form("mattermost.element", FormItem(raw, context))
    assert record.defects[0].code == "form_damaged"
    assert record.body == raw.decode().replace("\r", "\n")


def table(*rows: dict[str, str]) -> bytes:
    common = {"Channel Id": "c1", "Channel Display Name": "Sales", "Channel Type": "public",
              "User Email": "ann@corp.example", "Username": "ann", "Post Type": "message",
              "Post Creation Time": "1768916201357"}  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for row in rows:
        writer.writerow({**common, **row})
    return text.getvalue().encode()


def test_table_of_posts_gives_versions_deletions_and_moves(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/plan.txt").write_bytes(b"the plan")
    rows = table(
        {"Post Id": "p1", "Post Message": 'two\nlines, "quoted"'},
        {"Post Id": "o2", "Post Message": "old", "Updated Type": "EditedOriginalMsg",
         "Update Time": "1768916299999", "EditedNewMsgId": "p2"},
        {"Post Id": "p2", "Post Message": "new", "Updated Type": "EditedNewMsg",
         "Update Time": "1768916299999"},
        {"Post Id": "p3", "Post Message": "gone", "Updated Type": "Deleted",
         "Update Time": "1768916300000", "Replied to Post Id": "p1"},
        {"Post Id": "p4", "Post Message": "same", "Updated Type": "UpdatedNoMsgChange"},
        {"Post Id": "p1", "Post Message": "plan.txt", "Post Type": "attachment"},
        {"Post Id": "p5", "Post Message": "lost.txt", "Post Type": "attachment",
         "Updated Type": "FileDeleted", "Update Time": "1768916301000"},
        {"Post Message": "User joined", "Post Type": "enter"},
        {"Post Message": "", "Post Type": "leave", "User Email": "", "User Type": "guest"},
        {"Post Message": "", "Post Type": "previously-joined"},
        {"Post Id": "p6", "Post Message": "beep", "User Type": "bot"},
    )  # fmt: skip
    (tmp_path / "posts.csv").write_bytes(b"\xef\xbb\xbf" + rows)
    found = offers_in(tmp_path, "mattermost-compliance")
    told = list(csv.DictReader(io.StringIO(rows.decode())))
    assert ends_of(found) == {"mattermost.row": len(told) + 1, "file": 1}
    made = records_of(found)
    assert [one.defects for one in made] == [()] * len(made)
    seen = [(one.kind.value, one.message_id.removeprefix("mattermost:"), one.body) for one in made]
    assert seen[:8] == [
        ("im", "p1", 'two\nlines, "quoted"'), ("im", "p2", "old"), ("im", "p2", "new"),
        ("im", "p3", "gone"), ("deletion", "p3", ""), ("im", "p4", "same"),
        ("file", "p1", "plan.txt"), ("file", "p1", ""),
    ]  # fmt: skip
    versions = [one.chat.version_at for one in made[:6] if one.chat]
    assert [at is not None for at in versions] == [False, False, True, False, False, False]
    assert made[3].chat is not None
    assert made[3].chat.answers == "mattermost:p1"
    assert made[8].kind is Kind.CHAT_EVENT
    assert [parties(one)[0] for one in made[9:12]] == [
        (Role.JOINED, "ann@corp.example", ""),
        (Role.LEFT, "mattermost:ann", "outside"),
        (Role.MEMBER, "ann@corp.example", ""),
    ]
    assert made[12].is_bulk


def test_table_damage_ends_where_it_stands(tmp_path: Path) -> None:
    good = table({"Post Id": "p1", "Post Message": "fine"})
    (tmp_path / "posts.csv").write_bytes(good + b'short,row\r\n\r\n1,2,3,4,5,6,7,8,9,10,"open\n')
    made = records_of(offers_in(tmp_path, "mattermost-compliance"))
    assert made[0].message_id == "mattermost:p1"
    told = [[d.code for d in one.defects][:1] for one in made]
    assert told == [[], ["form_damaged"], ["date_implausible"]]
    (tmp_path / "posts.csv").write_bytes(b"")
    assert export_of(chat_directory(tmp_path, "", ChatRules())) is None


@pytest.mark.parametrize(
    ("form", "raw", "context"),
    [
        ("mattermost.post", b'{"type":"post","post":{"create_at":1,"user":"a"}}', ""),
        ("mattermost.post", b'{"create_at":0}', '{"room":{"key":"r"}}'),
        ("mattermost.reaction", b"{}", ""),
        ("mattermost.user", b'{"type":"user","user":{}}', ""),
        ("mattermost.room", b'{"type":"channel","channel":{}}', ""),
        ("mattermost.row", b"a,b", '{"extra":{"headers":["post id"]}}'),
        ("mattermost.row", b'"a\nb', ""),
        ("mattermost.row", b"a\rb,c", ""),
        ("mattermost.row", b"1,2,,4", '{"extra":{"headers":["post id","username","channel id"]}}'),
        ("mattermost.room", b'{"type":"channel","channel":{}}', '{"room":{"key":""}}'),
    ],
)
def test_what_is_no_such_item_is_kept_as_text(form: str, raw: bytes, context: str) -> None:
    record = parse_form(form, FormItem(raw, context))
    assert record.defects[0].code == "form_damaged"
    assert record.body == raw.decode().replace("\r", "\n")

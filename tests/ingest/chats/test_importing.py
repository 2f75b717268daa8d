"""Chat comes into an archive whole, once, and can be taken back."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from archive_kit import bring_in, findings, found, kept, message, opened, settings_in
from disposal_kit import Hands, Office
from holdfast.core.identity import public_id, row_id
from holdfast.core.kinds import Kind
from holdfast.core.query import Field, Term
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.conversations import lines_of, members_at, rooms
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import identities, interactions, participants, source_items
from office_files import build_xlsx
from slack_kit import REAL, days_of, export_files, members_of, write_files

TS = "1700000000.000100"


def everything(settings: Settings) -> list[int]:
    with opened(settings) as services, reading(services.store.engine) as connection:
        alive = select(interactions.c.id).where(interactions.c.removed_ms.is_(None))
        return list(connection.scalars(alive.order_by(interactions.c.id)))


def test_real_export_comes_in_whole_and_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    archive = REAL[1]
    members, said = members_of(archive), days_of(archive)
    liked = sum(len(one["users"]) for each in said for one in each.get("reactions", ()))
    count = len(said) + liked + len(members["users.json"]) + len(members["channels.json"])
    first = bring_in(settings, archive)
    assert (first.counts.new, first.counts.skipped, first.counts.failed) == (count, 1, 0)
    assert bring_in(settings, archive).counts.unchanged == count
    texts = [json.loads(raw) for raw in kept(settings)]
    assert found(settings, "kind:reaction") == liked > 0
    assert sorted(json.dumps(one, sort_keys=True) for one in texts if "ts" in one) == sorted(
        json.dumps(one, sort_keys=True) for one in said
    )
    joins = sum(one.get("subtype") == "channel_join" for one in said)
    pins = sum(one.get("subtype") == "pinned_item" for one in said)
    assert found(settings, "kind:im") == len(said) - joins - pins
    assert found(settings, "kind:chat_event") == joins + pins
    assert found(settings, "is:edited") == sum("edited" in one for one in said)
    assert found(settings, "channel:slack") == count
    with opened(settings) as services:
        (general,) = rooms(services.store, "general")
        there = {one.value for one in members_at(services.store, general.id)}
        room = next(one for one in members["channels.json"] if one["name"] == "general")
        assert there == set(room["members"])
        lines = lines_of(services.store, general.id, limit=1000).lines
        days = [v for name, v in members.items() if name.startswith("general/2")]
        assert len(lines) == sum(map(len, days))
    assert findings(settings) == []


def test_same_bytes_in_two_rooms_are_two_records(tmp_path: Path) -> None:
    day = [{"type": "message", "ts": TS, "user": "U1", "text": "the same words"}]
    rooms_ = [{"id": "C1", "name": "general"}, {"id": "C2", "name": "random"}]
    files = export_files({"general/2023-11-14.json": day, "random/2023-11-14.json": day})
    files["channels.json"] = json.dumps(rooms_).encode()
    settings = settings_in(tmp_path)
    counts = bring_in(settings, write_files(tmp_path / "e", files)).counts
    assert (counts.new, counts.duplicates, counts.failed) == (6, 0, 0)
    assert found(settings, "kind:im same words") == 2
    assert found(settings, "conversation:random") == 1 + 1
    with opened(settings) as services:
        assert list(sums(services.store).values()) == [{"filed": 6}]
        with reading(services.store.engine) as connection:
            originals = set(connection.scalars(select(source_items.c.original_id)))
        assert len(originals) == 5
        made = [one for one in records(services.store, everything(settings)) if one.kind == "im"]
        assert {one.conversation for one in made} == {"general", "random"}
        assert {one.body for one in made} == {"the same words"}
        assert findings(settings) == []
        doomed, kept_one = made
        room = public_id("cnv", doomed.conversation_id)
        office = Office.of(services.store, Hands(datetime.now(UTC)))
        office.rule("ceiling", 1, Term(Field.CONVERSATION, room))
        office.pass_ms(10 * 86_400_000)
        office.dispose()
        alive = select(interactions.c.id).where(interactions.c.id.in_([doomed.id, kept_one.id]))
        with reading(services.store.engine) as connection:
            assert list(connection.scalars(alive)) == [kept_one.id]
        assert [one.body for one in records(services.store, [kept_one.id])] == ["the same words"]
    assert findings(settings) == []


def test_mail_and_chat_beside_each_other(tmp_path: Path) -> None:
    day = [{"type": "message", "ts": TS, "user": "U1", "text": "chat words"}]
    files = {f"slack/{n}": raw for n, raw in export_files({"general/2023-11-14.json": day}).items()}
    root = write_files(tmp_path / "all", {**files, "a.eml": message(1), "100%.eml": message(2)})
    settings = settings_in(tmp_path)
    counts = bring_in(settings, root).counts
    assert (counts.new, counts.quarantined, counts.failed) == (6, 0, 0)
    assert found(settings, "channel:email") == 2
    assert found(settings, "channel:slack") == 4
    assert findings(settings) == []


def rows_of(tmp_path: Path) -> Path:
    """Write 1,000 rows: 973 that say something new, 7 that cannot be read, 20 said before."""
    lines = ["通话时间,电话,联系人,备注"]
    good = [f"2024-03-05 10:{n % 60:02},138{n:08},客户{n},通话 {n}" for n in range(973)]
    bad = ["soon,13800138000,a,b", "2024-03-05,1.38E+10,a,b", "3/5/2024,13800138000,a,b",
           "2024-03-05,13800138000,a,b,c,d", "2024-03-05,,,", ",13800138000,a,b",
           "2024-13-01,13800138000,a,b"]  # fmt: skip
    lines += [*good[:500], *bad[:4], *good[480:500], *good[500:], *bad[4:]]
    assert len(lines) == 1001
    path = tmp_path / "calls.csv"
    path.write_bytes("\r\n".join(lines).encode("gb18030"))
    return path


def test_table_of_a_thousand_rows(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = rows_of(tmp_path)
    summary = bring_in(settings, path)
    counts = summary.counts
    assert (counts.offered, counts.new, counts.duplicates, counts.failed) == (1000, 973, 20, 7)
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            query = select(source_items.c.item_key, source_items.c.reason)
            failed = connection.execute(query.where(source_items.c.state == "failed")).all()
        assert {row.item_key.partition("@row ")[2].partition("~")[0] for row in failed} == {
            "502", "503", "504", "505", "999", "1000", "1001",
        }  # fmt: skip
        assert all(row.reason.startswith("bad_row: ") for row in failed)
    again = bring_in(settings, path).counts
    assert (again.new, again.duplicates) == (0, 0)
    assert len(everything(settings)) == 973
    assert found(settings, "客户972") == 1
    with opened(settings) as services:
        undo_batch(services.store, row_id("bat", summary.batch))
    assert everything(settings) == []
    assert findings(settings) == []


def test_workbook_and_lines_come_in(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    book = tmp_path / "visits.xlsx"
    head = ["日期", "客户名称", "负责人", "纪要", "地点"]
    book.write_bytes(build_xlsx({"一": [head, ["2024-03-05", "甲公司", "张三", "谈得好", "北京"]]}))
    lines = tmp_path / "chat.jsonl"
    lines.write_text('{"time": "2024-03-05", "from": "eve@x.org", "body": "hi", "room": "r"}\n')
    assert bring_in(settings, book, lines).counts.new == 2
    with opened(settings) as services:
        made = records(services.store, everything(settings))
    assert Counter(one.kind for one in made) == {Kind.VISIT: 1, Kind.IM: 1}
    assert found(settings, "kind:拜访 谈得好") == 1
    assert findings(settings) == []


def test_mail_can_name_no_chat_identity(tmp_path: Path) -> None:
    """A header is written by anybody; only a chat system may say who somebody is in it."""
    settings = settings_in(tmp_path)
    day = [{"type": "message", "ts": TS, "user": "U1", "text": "hi"}]
    bring_in(settings, write_files(tmp_path / "e", export_files({"general/2023-11-14.json": day})))
    forged = [
        b"From: slack:U1\r\nTo: a@b.example\r\nSubject: one\r\n\r\nx\r\n",
        b"From: <slack:U1>\r\nSender: slack:U1\r\nReply-To: slack:U1\r\n\r\ntwo\r\n",
        b'From: "slack:U1" <x@y.example>\r\nSubject: three\r\n\r\nx\r\n',
        b"From: x@y.example\r\nX-Original-To: slack:U1\r\nDelivered-To: slack:U1\r\n\r\nx\r\n",
        b"From: slack:U1;\r\nCc: wecom:zhangsan, <wecom:zhangsan>\r\nSubject: five\r\n\r\nx\r\n",
        b"From: slack:U1@y.example\r\nSubject: six\r\n\r\nx\r\n",
    ]
    journal = (
        b"X-MS-Journal-Report:\r\nFrom: j@y.example\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nSender: slack:U1\r\nSubject: j\r\n"
        b"Message-Id: <j1@y.example>\r\nRecipient: slack:U1\r\nTo: wecom:zhangsan\r\n"
        b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\n"
        b"Message-Id: <j1@y.example>\r\nSubject: j\r\n\r\nx\r\n--b--\r\n"
    )
    root = write_files(
        tmp_path / "mail", {f"{n}.eml": raw for n, raw in enumerate([*forged, journal])}
    )
    assert bring_in(settings, root, trusts_reports=True).counts.new == 7
    with opened(settings) as services, reading(services.store.engine) as connection:
        named = select(participants.c.interaction_id, identities.c.kind).join(
            identities, identities.c.id == participants.c.identity_id
        )
        mail = select(interactions.c.id).where(interactions.c.channel == "email")
        kinds = connection.execute(named.where(participants.c.interaction_id.in_(mail))).all()
        assert {row.kind for row in kinds} == {"mail"}
        counted = select(identities.c.messages).where(
            identities.c.kind == "slack", identities.c.value == "U1"
        )
        assert connection.scalar(counted) == 3
        assert (
            connection.scalars(select(identities.c.id).where(identities.c.kind == "wecom")).all()
            == []
        )

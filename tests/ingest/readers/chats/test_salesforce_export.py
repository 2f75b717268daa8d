"""Activities of a Salesforce data export: calls, tasks, meetings and notes of mail."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

from chat_kit import offers_in, parsed_of, parties
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.parsers.chat.salesforce import whole_id

CORPUS = Path(__file__).resolve().parents[3] / "corpus/chat/crm"
TASK = {
    "Id": "00T5g00000AbCdF", "WhoId": "0035g00000XyZabAAB", "Subject": "Send the offer",
    "ActivityDate": "2024-03-05", "Status": "Open", "OwnerId": "0055g000001AbcDAAS",
    "Description": "报价\nsecond line", "TaskSubtype": "Task",
}  # fmt: skip


def records(folder: Path, **rules: str) -> list[Parsed]:
    return [parsed_of(one) for one in offers_in(folder, "salesforce", **rules)]


def table(*rows: dict[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_sample_is_a_call_and_a_note_of_mail() -> None:
    mail, call = records(CORPUS)
    assert (call.kind, call.message_id) == (Kind.CALL, "salesforce:00T5g00000AbCdEEAV")
    assert call.sent_at == datetime(2024, 3, 5, 1, 7, 1, tzinfo=UTC)
    assert call.body == "Left voicemail\nLeft Message\n65 s\nCompleted"
    assert parties(call) == [
        (Role.FROM, "salesforce:0055g000001AbcDAAS", "staff"),
        (Role.OWNER, "salesforce:0055g000001AbcDAAS", "staff"),
        (Role.TO, "salesforce:0035g00000XyZabAAB", "outside"),
    ]
    assert call.chat is not None
    assert call.chat.version_at == datetime(2024, 3, 5, 1, 8, tzinfo=UTC)
    assert (mail.kind, mail.subject, mail.body) == (Kind.NOTE, "Re: Quote", "Hello")
    assert [address for _, address, _ in parties(mail)] == [
        "alice@example.com", "bob@example.com", "carol@example.com",
    ]  # fmt: skip
    assert dict(mail.headers)["Salesforce-Message-Id"] == "<m1@example.com>"
    assert (call.defects, mail.defects) == ((), ())


def test_tasks_events_and_other_tables(tmp_path: Path) -> None:
    inbound = {**TASK, "TaskSubtype": "Call", "CallType": "Inbound", "Id": "00T5g00000AbCdGEAV"}
    email = {**TASK, "TaskSubtype": "Email", "Id": "00T5g00000AbCdHEAV", "IsDeleted": "true",
             "WhoId": "", "OwnerId": ""}  # fmt: skip
    columns = {"CallType": "", "IsDeleted": "", "CreatedDate": "2024-03-05T01:00:00.000Z"}
    (tmp_path / "Task.csv").write_bytes(
        table(*({**columns, **one} for one in (TASK, inbound, email)))
    )
    event = {"Id": "00U5g00000AbCdEEAV", "WhoId": "", "Subject": "Review",
             "StartDateTime": "2024-03-06T02:00:00.000Z", "EndDateTime": "2024-03-06T03:00:00.000Z",
             "OwnerId": "0055g000001AbcDAAS", "Location": "Room 3", "Description": ""}  # fmt: skip
    (tmp_path / "Event.csv").write_bytes(table(event))
    html = {"Id": "02s5g00000AAAAB", "FromAddress": "", "ToAddress": "a@b.example; ",
            "Incoming": "false", "MessageDate": "", "HtmlBody": "<p>Hi <b>there</b></p>",
            "ReplyToEmailMessageId": "02s5g00000AAAAAEA5"}  # fmt: skip
    (tmp_path / "EmailMessage.csv").write_bytes(table(html))
    (tmp_path / "Account.csv").write_bytes(b"Id,Name\n1,Ann\n")
    (tmp_path / "Empty.csv").write_bytes(b"")
    (tmp_path / "readme.txt").write_bytes(b"x")
    made = records(tmp_path, zone="Asia/Shanghai")
    kinds = [one.kind for one in made]
    assert kinds == [
        Kind.FILE, Kind.NOTE, Kind.FILE, Kind.MEETING, Kind.TASK, Kind.CALL, Kind.NOTE, Kind.FILE,
    ]  # fmt: skip
    _, mail, _, meeting, task, call, gone, _ = made
    assert mail.body.split() == ["Hi", "there"]
    assert mail.chat is not None
    assert mail.chat.answers == "salesforce:02s5g00000AAAAAEA5"
    assert meeting.body.split("\n")[1] == "Room 3"
    assert task.sent_at == datetime(2024, 3, 5, 1, tzinfo=UTC)
    assert task.body == "报价\nsecond line\nOpen"
    assert [role for role, *_ in parties(call)] == [Role.TO, Role.OWNER, Role.FROM]
    assert dict(gone.headers)["Salesforce-Deleted"] == "true"
    assert parties(gone) == []


def test_day_without_a_clock_counts_in_its_zone(tmp_path: Path) -> None:
    (tmp_path / "Task.csv").write_bytes(table(TASK))
    (here,) = records(tmp_path, zone="Asia/Shanghai")
    assert (here.sent_at, here.defects) == (datetime(2024, 3, 4, 16, tzinfo=UTC), ())
    (nowhere,) = records(tmp_path)
    assert [one.code for one in nowhere.defects] == ["date_no_zone"]
    (tmp_path / "Task.csv").write_bytes(table({**TASK, "Id": ""}))
    assert records(tmp_path)[0].defects[0].code == "form_damaged"


def test_short_ids_are_completed() -> None:
    assert whole_id("00T5g00000AbCdE") == "00T5g00000AbCdEEAV"
    assert whole_id("0035g00000XyZab") == "0035g00000XyZabAAF"  # X is the first, Z the third: 1 + 4
    assert whole_id("0055g000001AbcDAAS") == "0055g000001AbcDAAS"
    assert whole_id("short") == "short"

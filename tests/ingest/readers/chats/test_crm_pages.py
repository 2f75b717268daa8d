"""Pages of a CRM's API: activities of HubSpot, notes of Zoho."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chat_kit import offers_in, parsed_of, parties
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed
from holdfast.ingest.readers.offers import Offered

MADE, LATER = "2024-03-05T01:07:00.000Z", "2024-03-06T02:00:00.000Z"
CALL = {
    "hs_timestamp": MADE, "hs_call_title": "First call", "hs_call_body": "<p>wants <b>500</b></p>",
    "hs_call_direction": "INBOUND", "hs_call_duration": "65000", "hubspot_owner_id": "42",
    "hs_call_from_number": "+86 138 0013 8000", "hs_call_to_number": "+861088886666",
    "hs_call_status": "COMPLETED",
}  # fmt: skip
MAIL = {
    "hs_timestamp": "1709600820000", "hs_email_subject": "Re: Quote", "hs_email_text": "Hello",
    "hs_email_html": "<p>not this</p>", "hs_email_direction": "INCOMING_EMAIL",
    "hs_email_headers": json.dumps({
        "from": {"email": "ann@jia.example", "firstName": "Ann", "lastName": "Li"},
        "to": [{"email": "sales1@our.example"}], "cc": [{"email": "carol@our.example"}], "bcc": [],
    }),
}  # fmt: skip
NOTE = {
    "id": "3652397000001", "Note_Title": "拜访", "Note_Content": "1. 介绍新品\n2. 客户关心价格",
    "Created_Time": "2024-03-05T09:07:00+08:00", "Modified_Time": "2024-03-06T09:00:00+08:00",
    "Parent_Id": {"name": "王敏", "id": "3652397000558", "module": {"api_name": "Contacts"}},
    "Created_By": {"name": "Zhang", "id": "7", "email": "zhang@our.example"},
    "Owner": {"name": "Li", "id": "8"},
}  # fmt: skip


def activity(key: str, properties: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"id": key, "properties": properties, "createdAt": MADE, "updatedAt": MADE, **more}


def offers(folder: Path, name: str, *pages: Any) -> list[Offered]:
    for number, one in enumerate(pages):
        text = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
        (folder / f"{number}.json").write_text(text, encoding="utf-8")
    return offers_in(folder, name)


def records(folder: Path, name: str, *pages: Any) -> list[Parsed]:
    return [parsed_of(one) for one in offers(folder, name, *pages)]


def test_call_of_hubspot_tells_numbers_owner_contact_and_length(tmp_path: Path) -> None:
    of = {"contacts": {"results": [{"id": "151", "type": "call_to_contact"}] * 2},
          "companies": {"results": [{"id": "9"}]}}  # fmt: skip
    whole = activity("5001", CALL, updatedAt=LATER, associations=of, archived=True)
    (call,) = records(tmp_path, "hubspot", {"results": [whole], "paging": {"next": {}}})
    assert (call.kind, call.message_id) == (Kind.CALL, "hubspot:call/5001")
    assert call.sent_at == datetime(2024, 3, 5, 1, 7, tzinfo=UTC)
    assert (call.subject, call.body) == ("First call", "wants 500\n65 s")
    assert parties(call) == [
        (Role.OWNER, "hubspot:owner/42", "staff"),
        (Role.FROM, "phone:+8613800138000", ""),
        (Role.TO, "phone:+861088886666", ""),
        (Role.FROM, "hubspot:151", "outside"),
    ]
    assert call.chat is not None
    assert call.chat.version_at == datetime(2024, 3, 6, 2, tzinfo=UTC)
    headers = dict(call.headers)
    assert headers["HubSpot-Companies"] == "9"
    assert (headers["HubSpot-Status"], headers["HubSpot-Archived"]) == ("COMPLETED", "true")


def test_call_from_a_hidden_number_names_the_other_alone(tmp_path: Path) -> None:
    hidden = {**CALL, "hs_call_from_number": "anonymous", "hubspot_owner_id": ""}
    (call,) = records(tmp_path, "hubspot", [activity("1", hidden)])
    assert parties(call) == [(Role.TO, "phone:+861088886666", "")]


def test_mail_of_hubspot_is_a_note_of_whom_it_names(tmp_path: Path) -> None:
    plain = {"hs_timestamp": MADE, "hs_email_subject": "x", "hs_email_to_email": "a@x.org;b@x.org"}
    pages = {"results": [activity("1", MAIL)]}, [activity("2", plain)]
    mail, other = records(tmp_path, "hubspot", *pages)
    assert (mail.kind, mail.subject, mail.body) == (Kind.NOTE, "Re: Quote", "Hello")
    assert mail.sent_at == datetime(2024, 3, 5, 1, 7, tzinfo=UTC)
    assert parties(mail) == [
        (Role.FROM, "ann@jia.example", ""), (Role.TO, "sales1@our.example", ""),
        (Role.CC, "carol@our.example", ""),
    ]  # fmt: skip
    assert mail.participants[0].name == "Ann Li"
    assert mail.chat is not None
    assert mail.chat.version_at is None
    assert [address for _, address, _ in parties(other)] == ["a@x.org", "b@x.org"]


@pytest.mark.parametrize(
    ("properties", "kind", "body"),
    [
        ({"hs_note_body": "saw <i>him</i>"}, Kind.NOTE, "saw him"),
        ({"hs_task_subject": "s", "hs_task_body": "send"}, Kind.TASK, "send"),
        ({"hs_communication_channel_type": "WHATS_APP", "hs_communication_body": "hi"}, Kind.NOTE,
         "hi"),
        ({"hs_meeting_body": "b", "hs_internal_meeting_notes": "n", "hs_meeting_start_time": MADE,
          "hs_meeting_end_time": LATER, "hs_meeting_location": "Room 1"}, Kind.MEETING,
         f"b\nn\n{MADE} - {LATER}\nRoom 1"),
    ],
)  # fmt: skip
def test_other_activities_of_hubspot(
    tmp_path: Path, properties: dict[str, str], kind: Kind, body: str
) -> None:
    (one,) = records(tmp_path, "hubspot", {"results": [activity("1", properties)]})
    assert (one.kind, one.body, one.sent_at) == (kind, body, datetime(2024, 3, 5, 1, 7, tzinfo=UTC))


def test_activity_that_cannot_be_read_is_kept_and_says_so(tmp_path: Path) -> None:
    good = activity("1", {"hs_note_body": "x"})
    for_none = {"properties": {"hs_note_body": "no id"}}
    other = activity("2", {"hs_postal_mail_body": "of a kind that is not known"})
    found = records(tmp_path, "hubspot", {"results": [good, for_none, other, 5]})
    assert [bool(one.defects) for one in found] == [False, True, True, True]


def test_note_of_zoho_tells_parent_and_writer(tmp_path: Path) -> None:
    (note,) = records(tmp_path, "zoho", {"data": [NOTE], "info": {"more_records": False}})
    assert (note.kind, note.message_id) == (Kind.NOTE, "zoho:note/3652397000001")
    assert (note.subject, note.body) == (NOTE["Note_Title"], NOTE["Note_Content"])
    assert note.sent_at == datetime(2024, 3, 5, 1, 7, tzinfo=UTC)
    assert parties(note) == [
        (Role.FROM, "zhang@our.example", "staff"), (Role.OWNER, "zoho:user/8", "staff"),
        (Role.TO, "zoho:3652397000558", "outside"),
    ]  # fmt: skip
    assert dict(note.headers)["Zoho-Parent"] == "Contacts 3652397000558 王敏"
    assert note.chat is not None
    assert note.chat.version_at == datetime(2024, 3, 6, 1, tzinfo=UTC)


def test_note_on_a_deal_has_no_person_outside(tmp_path: Path) -> None:
    deal = {**NOTE, "Parent_Id": {"id": "5", "name": "Deal"}, "$se_module": "Deals"}
    (note,) = records(tmp_path, "zoho", [deal])
    assert "outside" not in {side for _, _, side in parties(note)}


def test_note_of_nobody_on_nothing(tmp_path: Path) -> None:
    bare = {"Note_Content": "alone"}
    note, nameless = records(tmp_path, "zoho", [{"id": 5, **bare}, bare])
    assert (bool(note.defects), bool(nameless.defects)) == (True, True)
    assert (note.message_id, note.body, parties(note)) == ("zoho:note/5", "alone", [])


def test_page_that_ends_early_gives_what_came_before(tmp_path: Path) -> None:
    whole = json.dumps({"data": [NOTE, NOTE]}, ensure_ascii=False)
    found = offers(tmp_path, "zoho", whole[:-40], {"something": "else"})
    assert [bool(one.facts.form) for one in found] == [True, False, False]
    assert [one.facts.note.partition(":")[0] for one in found[1:]] == [
        "damaged",
        "zoho_file_unknown",
    ]

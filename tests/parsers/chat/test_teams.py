"""What a chatMessage of Teams becomes: text, people, versions, deletions, events."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chat_kit import CORPUS, codes, people, read
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, TextState
from holdfast.parsers.chat.values import Context, Person

PAGE = json.loads((CORPUS / "teams-graph" / "page-1.json").read_bytes())["value"]
TOOL = json.loads(next((CORPUS / "teams" / "users").glob("fa*/messages_*.json")).read_bytes())
PAIR = "19:0a0a0a0a-0000-4000-8000-00000000000a_0b0b0b0b-0000-4000-8000-00000000000b"


def graph(number: int, form: str = "teams.message", context: Context | None = None) -> Parsed:
    return read(form, json.dumps(PAGE[number - 1]).encode(), context)


def tool(number: int) -> Parsed:
    return read("teams.message", json.dumps(TOOL[number]).encode())


def message(**changed: Any) -> Parsed:
    return read("teams.message", json.dumps(PAGE[1] | changed).encode())


def upper(value: Any) -> Any:
    """The same object with the keys that the tool writes."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: upper(one) for key, one in value.items()}
    return [upper(one) for one in value] if isinstance(value, list) else value


def test_text_is_text_and_markup_becomes_text() -> None:
    assert graph(2).body == "报价 120 万 <含税>"
    assert tool(2).body.splitlines()[:4] == [
        "This project seems to be proceeding well; I'm looking forward to testing it out soon.",
        "milk",
        "eggs",
        "bread",
    ]
    assert graph(2).sent_at == datetime(2026, 3, 2, 8, 2, tzinfo=UTC)


def test_keys_of_both_cases_give_the_same_record() -> None:
    for one in PAGE:
        lower = read("teams.message", json.dumps(one).encode())
        assert read("teams.message", json.dumps(upper(one)).encode()) == lower


def test_runs_of_one_mention_are_one_person() -> None:
    record = tool(3)
    assert record.body == "@Cordelia Lear's Daughter"
    named = people(record, Role.MENTION)
    assert [(one.name, one.address) for one in named] == [
        ("Cordelia Lear's Daughter", "teams:51325b33-43db-4b2c-ab2d-b5e24135b4bc")
    ]
    assert record.chat is not None
    assert record.chat.version_at == datetime(2025, 8, 5, 13, 25, 50, 913000, tzinfo=UTC)


def test_two_people_named_in_a_row_stay_two_and_a_room_is_nobody() -> None:
    mentions = [
        {"id": number, "mentionText": name, "mentioned": {"user": {"id": name}}}
        for number, name in enumerate(("Ann", "Ben"))
    ]
    body = {"contentType": "html", "content": '<at id="0">Ann</at> <at id="1">Ben</at>'}
    record = message(body=body, mentions=mentions)
    assert record.body == "@Ann @Ben"
    assert [one.name for one in people(record, Role.MENTION)] == ["Ann", "Ben"]
    assert people(tool(4), Role.MENTION) == []
    assert tool(4).body == "@Everyone"
    repeated = [mentions[0], mentions[0] | {"id": 1}]
    again = message(body=body, mentions=repeated)
    assert [one.name for one in people(again, Role.MENTION)] == ["Ann"]
    assert message(body=body).body == "@Ann @Ben"


def test_emoji_keep_their_sign() -> None:
    assert tool(5).body == "🪪@Othello the Moor of Venice"
    assert graph(11).body == "🙂 tab\nWiki"
    plain = {"contentType": "html", "content": "<emoji id='x'></emoji><emoji id=\"y\">z"}
    assert message(body=plain).body == "z"


def test_quotes_and_forwarded_messages_are_shown_with_their_writers() -> None:
    record = graph(6)
    assert record.body == "> 王芳\n> 报价 120 万 <含税>\nagreed"
    assert record.chat is not None
    assert record.chat.answers == "teams:19:meeting_Zm9v@thread.v2/1772438400002"
    forwarded = tool(6).body.splitlines()
    assert forwarded[0] == "sending this to a group"
    assert forwarded[-1] == "> funny cat"
    assert "2025-08-05T13:22:04" in forwarded[1]
    assert tool(6).subject == "cat mic"
    loose = PAGE[5] | {"body": {"contentType": "html", "content": "<p>agreed</p>"}}
    assert read("teams.message", json.dumps(loose).encode()).body == (
        "agreed\n> 王芳\n> 报价 120 万 <含税>"
    )


def test_quote_is_shown_once_however_often_it_is_placed() -> None:
    content = '<attachment id="1772438400002"></attachment>' * 3
    again = PAGE[5] | {"body": {"contentType": "html", "content": content}}
    record = read("teams.message", json.dumps(again).encode())
    assert record.body == "> 王芳\n> 报价 120 万 <含税>"


def test_quote_without_readable_content_breaks_nothing() -> None:
    broken = {"id": "q", "contentType": "messageReference", "content": "{no json"}
    record = message(body={"contentType": "html", "content": "hi"}, attachments=[broken])
    assert record.body == "hi"
    assert record.chat is not None
    assert record.chat.answers.endswith("/q")


def test_files_are_named_and_lie_apart() -> None:
    (file,) = graph(7).attachments
    assert (file.filename, file.content_id) == ("合同.docx", "a-1")
    assert file.text_state is TextState.APART
    address = "https://g.example/hostedContents/YWJj/$value"
    pictures = f'<img alt="a &amp; b" src="{address}"><img src="{address}"><img src="x">'
    (picture,) = message(body={"contentType": "html", "content": pictures}).attachments
    assert (picture.filename, picture.content_id) == ("a & b", "YWJj")
    unnamed = f'<img src="{address}">'
    (picture,) = message(body={"contentType": "html", "content": unnamed}).attachments
    assert picture.filename == "image"
    by_type = {"contentType": "image/png", "contentUrl": "https://x.example/a.png", "name": None}
    (file,) = message(attachments=[by_type]).attachments
    assert (file.content_id, file.declared_type) == ("https://x.example/a.png", "image/png")


def test_cards_are_read_however_deep() -> None:
    assert graph(8).body == "Build 12 failed\nBranch\nmain"
    assert graph(8).is_bulk
    card: Any = {"text": "end"}
    for _ in range(80):
        card = {"items": [card], "title": "<b>t</b>"}
    kind = "application/vnd.microsoft.card.hero"
    deep = message(attachments=[{"contentType": kind, "content": json.dumps(card), "name": "n"}])
    assert deep.body.splitlines()[1] == "n"
    assert "t" in deep.body
    assert "end" not in deep.body


def test_deletion_is_a_record_of_the_message() -> None:
    gone = graph(5)
    assert gone.kind is Kind.DELETION
    assert gone.sent_at == datetime(2026, 3, 2, 10, 1, tzinfo=UTC)
    assert gone.message_id == "teams:19:meeting_Zm9v@thread.v2/1772438400005"
    assert people(gone, Role.FROM)[0].name == "王芳"
    still_there, its_deletion = graph(4), graph(4, "teams.deletion")
    assert (still_there.kind, its_deletion.kind) == (Kind.IM, Kind.DELETION)
    assert still_there.message_id == its_deletion.message_id
    assert still_there.body == "taken back"
    assert dict(still_there.headers)["Deleted"] == "2026-03-02T10:00:00Z"
    by_nobody = read("teams.deletion", json.dumps(PAGE[3] | {"from": None}).encode())
    assert by_nobody.participants == ()


def test_events_name_who_came_and_went() -> None:
    came, went, call = graph(1), graph(10), graph(9)
    assert {one.kind for one in (came, went, call)} == {Kind.CHAT_EVENT}
    assert [one.name for one in people(came, Role.JOINED)] == ["李娜", ""]
    assert [one.name for one in people(came, Role.FROM)] == ["王芳"]
    assert [one.name for one in people(went, Role.LEFT)] == ["李娜"]
    assert (came.subject, went.subject, call.subject) == (
        "membersAdded",
        "membersDeleted",
        "callEnded",
    )
    assert "callDuration: PT12M" in call.body
    assert [one.name for one in people(call, Role.MENTION)] == ["李娜"]


def test_event_of_the_tool_is_named_by_the_key_that_is_not_null() -> None:
    detail: dict[str, Any] = {"Initiator": {"User": {"Id": "a"}}, "ChatRenamed": None}
    silent = read("teams.message", json.dumps({"Id": "1", "EventDetail": detail}).encode())
    assert (silent.kind, silent.subject) == (Kind.CHAT_EVENT, "systemEvent")
    detail["ChatRenamed"] = {"ChatDisplayName": "Offer"}
    renamed = read("teams.message", json.dumps({"Id": "1", "EventDetail": detail}).encode())
    assert (renamed.subject, renamed.body) == ("chatRenamed", "chatDisplayName: Offer")
    odd = {"id": "1", "eventDetail": {"@odata.type": "#x.EventMessageDetail"}, "from": {"user": {}}}
    assert read("teams.message", json.dumps(odd).encode()).subject == "systemEvent"
    named = {"id": "1", "messageType": "typing", "from": {"id": "b", "displayName": "B"}}
    assert people(read("teams.message", json.dumps(named).encode()), Role.FROM)[0].name == "B"


def test_headers_keep_what_people_may_ask_for() -> None:
    headers = graph(11).headers
    assert ("Importance", "urgent") in headers
    assert ("Policy-Violation", "blockAccess") in headers
    assert ("On-Behalf-Of", "李娜") in headers
    assert "Reaction" not in dict(headers)  # of an export they are records of their own
    noticed = read("teams.message", json.dumps(PAGE[10]).encode(), Context(received_ms=1))
    assert ("Reaction", f"custom (shipit) {PAGE[0]['eventDetail']['members'][0]['id']} "
            "2026-03-02T08:20:00Z") in noticed.headers  # fmt: skip
    history = [value for name, value in tool(5).headers if name == "History"]
    assert history == [
        "reactionAdded 😮 pieter kwok 2025-08-05T13:15:29+00:00",
        "reactionRemoved 😮 pieter kwok 2025-08-05T13:15:34+00:00",
    ]


def test_chat_of_two_goes_to_the_other() -> None:
    room = PAIR + "@unq.gbl.spaces"
    other = "0b0b0b0b-0000-4000-8000-00000000000b"
    known = Context(people={other: Person("李娜", "", "staff")}, room={"key": "another"})
    raw = json.dumps(PAGE[1] | {"chatId": room}).encode()
    (to,) = people(read("teams.message", raw, known), Role.TO)
    assert (to.name, to.address, to.side) == ("李娜", f"teams:{other}", "staff")
    assert people(message(chatId=room, **{"from": None}), Role.TO) == []
    assert people(message(chatId=room, **{"from": None}), Role.FROM) == []


def test_room_comes_from_the_message_else_from_beside_it() -> None:
    beside = Context(room={"key": "r", "name": "Room"})
    alone = read("teams.message", b'{"id":"1"}', beside)
    assert alone.message_id == "teams:r/1"
    assert read("teams.message", b'{"id":"1"}').message_id == "teams:/1"
    assert "form_damaged" in codes(read("teams.message", b'{"chatId":"1"}'))


def test_sides() -> None:
    def side(**whom: Any) -> str:
        record = message(**{"from": whom})
        return people(record, Role.FROM)[0].side

    assert side(device={"id": "d"}) == "bot"
    assert side(user={"id": "u"}) == ""
    assert side(user={"id": "u", "userIdentityType": "phoneUser"}) == "outside"
    assert side(conversation={"id": "u"}) == ""


def test_users_are_profiles_that_lead_to_mail() -> None:
    guest = {
        "id": "g",
        "displayName": "G",
        "mail": "g@client.example",
        "userPrincipalName": "g_client.example#EXT#@own.example",
        "userType": "Guest",
        "businessPhones": ["1", "2"],
        "mobilePhone": "2",
    }
    record = read("teams.user", json.dumps(guest).encode())
    assert [one.address for one in people(record, Role.ALIAS)] == ["g@client.example"]
    assert people(record, Role.SELF)[0].side == "outside"
    assert record.body == "G\n2\n1"
    assert "form_damaged" in codes(read("teams.user", b"{}"))


def test_rooms_have_members() -> None:
    chat = {"id": "c", "topic": "T", "members": [{"userId": "u", "displayName": "U"}, {"id": "v"}]}
    record = read("teams.room", json.dumps(chat).encode())
    assert [one.address for one in people(record, Role.MEMBER)] == ["teams:u", "teams:v"]
    assert record.chat is not None
    assert record.chat.conversation is not None
    assert record.chat.conversation.name == "T"
    assert "form_damaged" in codes(read("teams.room", b"{}"))


def test_meetings_have_hosts_and_guests() -> None:
    meeting = json.loads(next(CORPUS.glob("teams/users/*/meetings_*.json")).read_bytes())[0]
    record = read("teams.meeting", json.dumps(meeting).encode())
    assert record.kind is Kind.MEETING
    assert record.sent_at == datetime(2025, 8, 8, 9, tzinfo=UTC)
    assert people(record, Role.FROM)[0].address == "host@elsewhere.example"
    assert people(record, Role.TO)[0].address == "pieterkwok@lemonstand.onmicrosoft.com"
    meeting["Start"]["TimeZone"] = "SE Asia Standard Time"
    assert "date_zone_unknown" in codes(read("teams.meeting", json.dumps(meeting).encode()))
    assert "form_damaged" in codes(read("teams.meeting", b"{}"))

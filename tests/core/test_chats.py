"""What chat has that mail has not: addresses of systems, and names of files with originals."""

from __future__ import annotations

import pytest

from holdfast.core.chats import address_key, chat_address, is_chat_address
from holdfast.core.custody import original_suffix
from holdfast.core.records import CaptureFacts
from query_kit import sample_record


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("ZhangSan", "wecom:ZhangSan"),
        (" a b ", "wecom:a%20b"),
        ("a@b", "wecom:a%40b"),
        ("100%", "wecom:100%25"),
        ("王", "wecom:王"),
        ("", ""),
    ],
)
def test_address_of_chat_holds_nothing_that_mail_could_name(value: str, address: str) -> None:
    assert chat_address("wecom", value) == address
    assert is_chat_address(address) is bool(address)


@pytest.mark.parametrize("text", ["ann@x.org", "wecom:ann@x.org", "Ann", "a:b", "wecom:"])
def test_other_text_is_no_address_of_chat(text: str) -> None:
    assert not is_chat_address(text)


def test_key_keeps_the_case_of_chat_and_folds_mail() -> None:
    assert address_key(" wecom:ZhangSan ") == "wecom:ZhangSan"
    assert address_key("Ann@X.org") == "ann@x.org"


@pytest.mark.parametrize(
    ("form", "context", "suffix"),
    [
        ("", "", ".eml"),
        ("table.row", '{"extra":{"encoding":"utf-8"}}', ".csv"),
        ("table.row", "{}", ".json"),
        ("slack.message", "", ".json"),
        ("mattermost.row", "", ".csv"),
        ("salesforce.task", "", ".csv"),
        ("mattermost.element", "", ".xml"),
        ("whatsapp.message", "", ".txt"),
        ("file", "", ".bin"),
    ],
)
def test_suffix_of_an_original_tells_what_it_is(form: str, context: str, suffix: str) -> None:
    assert original_suffix(CaptureFacts(form=form, context=context)) == suffix


@pytest.mark.parametrize(
    ("channel", "subject", "room", "body", "title"),
    [
        ("email", "Re: 合同", "", "text", "Re: 合同"),
        ("email", "", "", "text", ""),
        ("slack", "", "general", "hello\n  there", "#general hello there"),
        ("slack", "", "", "hello", "hello"),
        ("slack", " ", "general", "", "#general"),
        ("salesforce", "Call", "", "text", "Call"),
    ],
)
def test_title_is_the_subject_or_the_room_and_how_it_begins(
    channel: str, subject: str, room: str, body: str, title: str
) -> None:
    record = sample_record(channel=channel, subject=subject, conversation=room, body=body)
    assert record.title == title

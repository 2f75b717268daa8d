from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.index import mail
from holdfast.core.kinds import Role
from holdfast.core.records import RecordAttachment, RecordParticipant
from holdfast.indexer.documents import (
    Analysed,
    analyse_original,
    analyse_record,
    complete,
    unix_ms,
)
from holdfast.indexer.facets import MAX_FACET_CHARS, ranked
from records import make_record


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_document_is_the_same_when_its_texts_were_cut_in_another_process(
    rnd: random.Random,
) -> None:
    record = make_record(rnd, 7)
    wire = msgspec.msgpack.encode(analyse_original(record))
    facts = replace(
        record,
        subject="",
        body="",
        headers=(),
        attachments=tuple(replace(one, text="") for one in record.attachments),
    )
    assert complete(msgspec.msgpack.decode(wire, type=Analysed), facts) == analyse_record(record)


def test_positions_of_words_runs_and_accents_are_spelled_out() -> None:
    document = analyse_record(mail(1, "Café 中国人 ok"))
    marked = "\x02\x02\x02中国 \x02\x02\x02国人 \x02\x02\x02人"
    assert document.tokens["body"] == [f"café\x1fcafe {marked} ok"]


def test_each_text_of_a_field_stays_apart() -> None:
    people = (
        RecordParticipant(Role.FROM, "Anna", "a@x.example"),
        RecordParticipant(Role.SENDER, "Anna", "a@x.example"),
        RecordParticipant(Role.REPLY_TO, "", "b@x.example"),
    )
    files = (RecordAttachment("one.pdf", "application/pdf", "first"),) * 2
    document = analyse_record(mail(1, participants=people, attachments=files))
    assert document.tokens["people_from"] == ["anna a x example"]
    assert document.tokens["people"] == ["anna a x example", "b x example"]
    assert document.tokens["attachment"] == ["first", "first"]
    assert document.tokens["filename"] == ["one pdf", "one pdf"]
    assert "body" not in document.tokens


def test_phones_and_pinyin_are_kept_with_the_field_they_are_in() -> None:
    people = (RecordParticipant(Role.TO, "张伟", "zw@x.example"),)
    document = analyse_record(mail(1, "+86 138-0013-8000", participants=people))
    assert document.terms["phone"] == ["body\x018613800138000", "body\x0113800138000"]
    assert "people_to\x01zhangwei" in document.terms["pinyin"]
    assert "people\x01zw" in document.terms["pinyin"]


def test_words_of_trace_headers_are_left_out() -> None:
    headers = (("Received", "from mx by mail"), ("X-Note", "hello"), ("X Odd", ""))
    document = analyse_record(mail(1, headers=headers))
    assert document.terms["header"] == [
        "received\x01",
        "x-note\x01 x-note\x01hello",
        "x\x1eodd\x01",
    ]


def test_facet_values_are_distinct_and_bounded() -> None:
    people = (
        RecordParticipant(Role.FROM, "", "Anna@Example.com"),
        RecordParticipant(Role.TO, "", "berta@example.com"),
        RecordParticipant(Role.TO, "", "no address"),
    )
    files = (
        RecordAttachment("a.pdf", "application/pdf", ""),
        RecordAttachment("b.pdf", "application/pdf", ""),
    )
    other = (RecordAttachment("c.bin", "application/octet-stream", ""),)
    document = analyse_record(
        mail(1, participants=people, attachments=files, tags=("x" * (MAX_FACET_CHARS + 5),))
    )
    assert document.facets["sender"] == ("anna@example.com",)
    assert document.facets["domain"] == ("example.com",)
    assert document.facets["filetype"] == ("pdf",)
    assert document.facets["tag"] == ("x" * MAX_FACET_CHARS,)
    assert "company" not in document.facets
    assert analyse_record(mail(2, attachments=other)).facets["filetype"] == (
        "application/octet-stream",
    )


def test_ranked_puts_the_most_frequent_first_and_ties_by_value() -> None:
    assert ranked({"b": 1, "a": 1, "c": 2}, 2) == (("c", 2), ("a", 1))


def test_milliseconds_round_down_before_1970_too() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert unix_ms(epoch - timedelta(microseconds=1)) == -1
    assert unix_ms(epoch + timedelta(microseconds=1999)) == 1

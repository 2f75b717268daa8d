"""Journal reports of all makers, and bytes that only pretend to be one."""

from __future__ import annotations

import hashlib
import mmap
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.core.kinds import Role
from holdfast.core.records import NO_TRUST, Participant, Trust
from holdfast.parsers import rfc822
from holdfast.parsers.addresses import MAX_ADDRESSES
from holdfast.parsers.journal import (
    MAX_WRAPPINGS,
    NotAJournalReport,
    attachment_bytes,
    parse,
    parse_from,
    split_journal,
)
from holdfast.parsers.journal_envelope import MAX_RECIPIENTS, read_envelope
from holdfast.parsers.mime_tree import MAX_UNPACKED_BYTES
from journal_checks import (
    CORPUS,
    ENVELOPE,
    INNER,
    believes_fields_of_trusted_sources_alone,
    believes_reports_of_trusted_sources_alone,
    every_report_of_a_report_counts,
    is_the_message_inside,
    leaves_the_message_unaltered,
    names_who_was_meant,
    people_in,
    reads_as_a_person_expects,
    report,
)

FILES = sorted(CORPUS.glob("*.eml"))


def people(raw: bytes) -> list[tuple[str, str]]:
    return people_in(parse(raw))


def codes(raw: bytes) -> list[str]:
    return [defect.code for defect in parse(raw).defects]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_report_reads_as_a_person_expects(path: Path) -> None:
    reads_as_a_person_expects(path)


def test_everything_but_the_people_is_that_of_the_inner_message() -> None:
    is_the_message_inside()


def test_times_label_and_mailbox_are_given_as_written() -> None:
    raw = (CORPUS / "exchange_on_behalf_and_times.eml").read_bytes()
    envelope = split_journal(raw).envelope
    assert (envelope.sender, envelope.on_behalf_of) == (
        "assistant@contoso.com", "alice@contoso.com",
    )  # fmt: skip
    assert envelope.label == "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    assert envelope.mailbox == "alice@contoso.com"
    assert (envelope.sent_utc, envelope.received_utc) == (
        "2024-03-05T01:07:00Z", "2024-03-05T01:07:02Z",
    )  # fmt: skip


def test_writer_on_whose_behalf_it_was_sent_is_known() -> None:
    names_who_was_meant()


def test_address_of_an_expanded_list_stays_with_its_member() -> None:
    raw = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()
    first = split_journal(raw).envelope.recipients[0]
    assert (first.role, first.address) == (Role.TO, "bob@contoso.com")
    assert (first.redirection, first.redirected_from) == (Role.EXPANDED, "dl@contoso.com")


def test_subject_of_another_charset_is_read() -> None:
    for name in ("base64_gb2312", "quoted_printable_utf8"):
        envelope = split_journal((CORPUS / f"{name}.eml").read_bytes()).envelope
        assert envelope.subject == "四十二台水泵的报价"


def test_original_is_a_slice_of_the_report() -> None:
    leaves_the_message_unaltered()


def test_mapped_file_gives_the_same_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "report.eml"
    path.write_bytes(report())
    with (
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
    ):
        assert parse(mapped) == parse(report())


def test_attachment_of_the_inner_message_is_found_by_its_path() -> None:
    inner = (
        b"Subject: x\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ntext\r\n--i\r\n"
        b"Content-Type: application/pdf; name=a.pdf\r\n\r\n%PDF\r\n--i--\r\n"
    )
    raw = report(inner=inner)
    (item,) = parse(raw).attachments
    assert item.filename == "a.pdf"
    assert attachment_bytes(raw, item.path) == b"%PDF"
    assert attachment_bytes(inner, item.path) == b"%PDF"
    assert item.sha256 == hashlib.sha256(b"%PDF").digest()


def test_recipient_that_the_message_names_itself_is_not_listed_twice() -> None:
    raw = report(
        "Sender: A@X.example\r\nTo: <B@x.example>\r\n", INNER[:-8] + b"To: b@x.example\r\n\r\nt"
    )
    assert people(raw) == [("from", "a@x.example"), ("to", "b@x.example")]


def test_envelope_without_sender_is_read() -> None:
    assert people(report("Sender: <>\r\nRecipient: b@x.example\r\n")) == [
        ("from", "a@x.example"), ("recipient", "b@x.example"),
    ]  # fmt: skip


def test_line_that_is_no_field_is_counted() -> None:
    raw = report(ENVELOPE + "what is this\r\nTo: just words\r\n")
    assert [(one.code, one.detail) for one in parse(raw).defects] == [
        ("date_missing", ""), ("journal_line_unread", "2"),
    ]  # fmt: skip


def test_more_recipients_than_are_listed_are_said() -> None:
    lines = "".join(f"Bcc: p{number}@x.example\r\n" for number in range(MAX_RECIPIENTS + 5))
    raw = report(ENVELOPE + lines)
    assert len(parse(raw).participants) == MAX_ADDRESSES
    assert "address_limit" in codes(raw)
    assert read_envelope(lines).is_cut


def test_every_report_of_a_report_counts() -> None:
    every_report_of_a_report_counts()


def test_mail_of_a_stranger_that_looks_like_a_report_does_not_hide_who_got_it() -> None:
    forged = report("Sender: ceo@x.example\r\nTo: cfo@x.example\r\n", boundary="forged")
    told = "Sender: stranger@y.example\r\nTo: victim@x.example\r\nBcc: other@x.example\r\n"
    found = people(report(told, forged, boundary="true"))
    assert {("sender", "stranger@y.example"), ("to", "victim@x.example")} < set(found)
    assert ("bcc", "other@x.example") in found


def test_fields_of_other_archives_name_who_they_say() -> None:
    names = (
        "X-REAL-MAILFROM",
        "X-REAL-RCPTTO",
        "X-Piler-Envelope-To",
        "X-Gm-Original-To",
        "Return-Path",
    )
    values = (
        "bounce@x.example",
        "one@x.example",
        "two@x.example",
        "three@x.example",
        "<b@y.example>",
    )
    fields = "".join(f"{name}: {value}\r\n" for name, value in zip(names, values, strict=True))
    raw = fields.encode() + INNER
    found = people_in(parse_from(raw, Trust(fields=tuple(name.lower() for name in names))))
    added = found[len(people_in(parse_from(raw, NO_TRUST))) :]
    recipients = [("recipient", f"{number}@x.example") for number in ("one", "two", "three")]
    assert added == [("sender", "bounce@x.example"), *recipients]


def test_reports_nested_without_end_are_opened_so_far() -> None:
    raw = report(boundary="b0")
    for level in range(1, MAX_WRAPPINGS + 3):
        raw = report("Sender: j@x.example\r\n", raw, boundary=f"b{level}")
    assert ("sender", "j@x.example") in people(raw)


def test_inner_message_that_only_pretends_to_be_a_report_stays_the_message() -> None:
    inner = b"From: a@x.example\r\nX-MS-Journal-Report:\r\nSubject: inside\r\n\r\nplain\r\n"
    parsed = parse(report(inner=inner))
    assert parsed.subject == "inside"
    assert parsed.inner_sha256 == hashlib.sha256(inner).digest()
    assert "journal_damaged" in [defect.code for defect in parsed.defects]


def test_bounce_that_returns_something_else_stays_a_bounce() -> None:
    head = b"Subject: failed\r\nContent-Type: multipart/report; boundary=n\r\n\r\n"
    head += b"--n\r\n\r\nno\r\n--n\r\n"
    for returned in (b"Content-Type: message/rfc822\r\n\r\n" + INNER, b"\r\nnothing"):
        parsed = parse(head + returned + b"\r\n--n--\r\n")
        assert (parsed.subject, parsed.inner_sha256) == ("failed", b"")


def test_encoded_message_too_large_to_be_decoded_stays_closed() -> None:
    raw = report(
        inner=b"A" * (MAX_UNPACKED_BYTES + 1), part="Content-Transfer-Encoding: base64\r\n"
    )
    with pytest.raises(NotAJournalReport, match="too large"):
        split_journal(raw)


def test_mail_without_the_mark_is_plain_mail() -> None:
    raw = report().replace(b"X-MS-Journal-Report:", b"X-Other:")
    assert parse(raw) == rfc822.parse(raw)
    with pytest.raises(NotAJournalReport, match="mark"):
        split_journal(raw)


def test_mark_far_down_a_long_header_is_seen() -> None:
    trace = b"".join(b"X-Trace-%d: %s\r\n" % (at, b"v" * 900) for at in range(100))
    assert ("bcc", "boss@x.example") in people(trace + report())


PIECES = st.sampled_from(
    [
        b"X-MS-Journal-Report:\r\n", b"Content-Identifer: ExJournalReport\r\n", b"\r\n", b"\n",
        b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n", b"--b--\r\n",
        b"Content-Type: multipart/report; boundary=b\r\n", b"Content-Type: message/rfc822\r\n",
        b"Content-Type: text/plain; charset=utf-7\r\n", b"Content-Transfer-Encoding: base64\r\n",
        b"Sender: a@b\r\n", b"Bcc: <c@d>,\r\n\tExpanded: ,,<e@f\r\n",
        b"Recipients:\r\n g@h;i@j\r\n", b"To: /o=x, y\r\n", b"Subject: =?utf-8?b?5Q==?=\r\n",
        b"\xff\x00", b"From: k@l\r\n",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=20), max_size=30).map(b"".join))
@example(report())
def test_any_bytes_are_parsed_and_what_is_split_off_is_a_slice(raw: bytes) -> None:
    assert len(parse(raw).fingerprint) == 32
    try:
        found = split_journal(raw)
    except NotAJournalReport:
        return
    assert found.original in raw or b"base64" in raw


@given(st.text(max_size=200), st.binary(max_size=200).filter(lambda raw: b"--=b=" not in raw))
def test_inner_bytes_come_back_whatever_the_envelope_says(text: str, inner: bytes) -> None:
    raw = report(ENVELOPE + text.replace("--=b=", ""), inner)
    assert split_journal(raw).original == inner


@given(st.text(max_size=400))
def test_any_envelope_text_is_read_and_no_unknown_role_becomes_to(text: str) -> None:
    found = read_envelope("Recipient: x@y\n" + text)
    assert found.recipients[0].role is Role.RECIPIENT
    assert all(isinstance(one.role, Role) for one in found.recipients)
    assert Participant(found.recipients[0].role, "", "x@y").key == "x@y"


def test_report_of_a_source_that_is_not_trusted_is_plain_mail() -> None:
    believes_reports_of_trusted_sources_alone()


def test_fields_of_a_plain_copy_count_only_where_the_source_sets_them() -> None:
    believes_fields_of_trusted_sources_alone()

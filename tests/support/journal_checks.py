"""What must hold of how journal reports are read; readers that are broken must fail the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from holdfast.core.records import NO_TRUST, Parsed, Trust
from holdfast.parsers import journal, rfc822
from holdfast.parsers.registry import parser_for

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "journal"
TRUSTED = Trust(reports=True)
ENVELOPE = "Sender: a@x.example\r\nMessage-ID: <1@x.example>\r\nBcc: boss@x.example\r\n"
INNER = b"From: a@x.example\r\nSubject: inside\r\nMessage-ID: <1@x.example>\r\n\r\ntext\r\n"
COPY = (
    b"X-Envelope-From: <bounce@x.example>\r\nX-Envelope-To: boss@x.example\r\n"
    b"X-Envelope-To: journal@archive.example\r\nDelivered-To: other@x.example\r\n" + INNER
)
"""A plain copy of mail, whose envelope stands in fields."""


def report(
    envelope: str = ENVELOPE, inner: bytes = INNER, *, part: str = "", boundary: str = "=b="
) -> bytes:
    """Return a journal report of a message."""
    head = (
        "From: <journal@x.example>\r\nTo: <j@archive.example>\r\nX-MS-Journal-Report:\r\n"
        f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n--{boundary}\r\n'
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{envelope}\r\n--{boundary}\r\n"
        f"Content-Type: message/rfc822\r\n{part}\r\n"
    )
    return head.encode() + inner + f"\r\n--{boundary}--\r\n".encode()


def people_in(parsed: Parsed) -> list[tuple[str, str]]:
    """Return role and address of everybody."""
    return [(one.role.value, one.address) for one in parsed.participants]


def reads_as_a_person_expects(path: Path) -> None:
    """A report of the corpus gives what somebody wrote down who had read it."""
    expected: dict[str, Any] = json.loads(Path(f"{path}.expect.json").read_text(encoding="utf-8"))
    raw = path.read_bytes()
    parsed = parser_for(raw).parse(raw, TRUSTED)
    found = {
        "kind": parsed.kind.value,
        "subject": parsed.subject,
        "message_id": parsed.message_id,
        "people": [[one.role.value, one.name, one.address] for one in parsed.participants],
        "inner_sha256": parsed.inner_sha256.hex(),
        "defects": sorted({one.code for one in parsed.defects}),
    }
    wrong = sorted(name for name, value in expected.items() if found[name] != value)
    assert found == expected, f"read otherwise: {wrong}"


def is_the_message_inside() -> None:
    """Thread, fingerprint, subject and body are those of the message, whatever reports it."""
    raw = (CORPUS / "exchange_bcc_and_list.eml").read_bytes()
    parsed, inner = journal.parse(raw), rfc822.parse(journal.split_journal(raw).original)
    is_same = (parsed.fingerprint, parsed.message_id, parsed.base_subject, parsed.headers) == (
        inner.fingerprint, inner.message_id, inner.base_subject, inner.headers,
    )  # fmt: skip
    assert is_same, "it is another message"
    assert parsed.body == inner.body, "it is another message"
    assert parsed.participants[: len(inner.participants)] == inner.participants


def leaves_the_message_unaltered() -> None:
    """What is taken out of a report is what was put in, to the byte."""
    folded = b"Received: from a.example by b.example " + b"with a long line " * 8 + b"\r\n"
    for inner in (b"\x00\xff binary \r\n\r\nbody without an end", folded + INNER[:-2]):
        found = journal.split_journal(report(inner=inner)).original
        assert found == inner, "the message was altered"
        named = journal.parse(report(inner=inner)).inner_sha256
        assert named == hashlib.sha256(inner).digest(), "the message was altered"


def believes_reports_of_trusted_sources_alone() -> None:
    """Whoever can send mail could add people to any message otherwise."""
    raw = report()
    parsed = journal.parse_from(raw, NO_TRUST)
    said = people_in(parsed)
    assert said == [("from", "journal@x.example"), ("to", "j@archive.example")], "it was believed"
    defects = [one.code for one in parsed.defects if one.code.startswith("journal")]
    assert defects == ["journal_not_trusted"], "nobody is told"
    assert parsed.inner_sha256 == b""
    message = parsed.attachments[-1]
    found = journal.attachment_bytes_from(raw, message.path, NO_TRUST)
    assert found == INNER.rstrip(b"\r\n") + b"\r\n"
    assert journal.parse_from(raw, TRUSTED) == journal.parse(raw)


def believes_fields_of_trusted_sources_alone() -> None:
    """X-Envelope-To and its like count where the source sets them, and beside no report."""
    plain = people_in(journal.parse_from(COPY, NO_TRUST))
    assert not {"recipient", "sender"} & {role for role, _ in plain}, "a field was believed"
    fields = ("x-envelope-from", "x-envelope-to")
    trust = Trust(reports=True, fields=fields, own=("journal@archive.example",))
    found = people_in(journal.parse_from(COPY, trust))
    added = [("sender", "bounce@x.example"), ("recipient", "boss@x.example")]
    assert found == [*plain, *added], "other people"
    for value in (b"undisclosed:;", b"Nobody <>"):
        nobody = b"X-Envelope-To: " + value + b"\r\n" + INNER
        assert journal.parse_from(nobody, Trust(fields=fields)) == rfc822.parse(nobody)
    beside = b"X-Envelope-To: <evil@x.example>\r\n" + report()
    read = journal.parse_from(beside, Trust(reports=True, fields=("x-envelope-to",)))
    assert read == journal.parse(beside), "a field beside a report was believed"


def every_report_of_a_report_counts() -> None:
    """A journal's journal tells the people of the message, and whom the reports around it name."""
    raw = report(boundary="b0")
    for level in range(1, 4):
        raw = report("Sender: j@x.example\r\n", raw, boundary=f"b{level}")
    parsed = journal.parse(raw)
    own = [("from", "a@x.example"), ("bcc", "boss@x.example")]
    assert people_in(parsed)[:2] == own, "the message's own report is passed over"
    assert people_in(parsed)[2:] == [("sender", "j@x.example")], "an outer report is passed over"
    assert "journal_nested" in {one.code for one in parsed.defects}


def names_who_was_meant() -> None:
    """For whom an assistant wrote is a writer, also where the message itself does not say so."""
    envelope = "Sender: a@x.example\r\nOn-Behalf-Of: <chair@x.example>\r\nTo: b@x.example\r\n"
    people = people_in(journal.parse(report(envelope)))
    expected = [("from", "a@x.example"), ("from", "chair@x.example"), ("to", "b@x.example")]
    assert people == expected, "nobody knows for whom"

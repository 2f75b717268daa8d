"""Readers of journal reports that are broken on purpose: the good one's checks find them out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest

from holdfast.core.kinds import Role
from holdfast.core.records import Parsed, Trust
from holdfast.parsers import journal, journal_envelope, rfc822
from holdfast.parsers.defects import Defects
from holdfast.parsers.journal_envelope import Envelope, JournalRecipient, JournalReport
from holdfast.parsers.mime_tree import Part, is_message
from holdfast.parsers.transfer import Buffer
from journal_checks import (
    CORPUS,
    believes_fields_of_trusted_sources_alone,
    believes_reports_of_trusted_sources_alone,
    every_report_of_a_report_counts,
    is_the_message_inside,
    leaves_the_message_unaltered,
    names_who_was_meant,
    reads_as_a_person_expects,
)

pytestmark = pytest.mark.unmeasured

Plant = pytest.MonkeyPatch
Bug = Callable[[Plant], None]


def marked(pattern: bytes) -> Bug:
    """Other fields mark a report."""
    return lambda plant: plant.setattr(journal, "_MARK", re.compile(pattern, re.I))


def read_ascii(plant: Plant) -> None:
    """The envelope is read as it lies there, whatever its part says of charset and encoding."""

    def text_of(part: Part) -> str:
        return part.buffer[part.start : part.end].decode("ascii", "replace")

    plant.setattr(journal, "_text_of", text_of)


def leave_encoded(plant: Plant) -> None:
    """A message that its part encodes is taken as it lies there."""
    plant.setattr(journal, "_content", lambda part: bytes(part.buffer[part.start : part.end]))


def leave_bounces(plant: Plant) -> None:
    """What a delivery failure returns is not looked into."""
    plant.setattr(journal, "_returned", lambda raw, defects: raw)


def wrapped_once(plant: Plant) -> None:
    """A report inside a report is its message."""
    plant.setattr(journal, "MAX_WRAPPINGS", 1)


def take_the_last(plant: Plant) -> None:
    """Where a report has a clear copy as well, that is its message."""
    split = journal.split_journal

    def splitting(raw: Buffer) -> JournalReport:
        found = split(raw)
        messages = [part for part in journal._outer_parts(raw) if is_message(part)]
        return replace(found, original=journal._content(messages[-1]))

    plant.setattr(journal, "split_journal", splitting)


def call_everybody_to(plant: Plant) -> None:
    """A role that the report does not know is guessed."""
    named = journal_envelope._recipients

    def guessing(name: str, value: str) -> list[JournalRecipient]:
        found = named(name, value)
        return [replace(one, role=Role.TO if _is_unknown(one) else one.role) for one in found]

    plant.setattr(journal_envelope, "_recipients", guessing)


def _is_unknown(one: JournalRecipient) -> bool:
    return one.role is Role.RECIPIENT


def forget_lists(plant: Plant) -> None:
    """What the sender wrote to is forgotten where it was expanded or forwarded."""
    plant.setattr(journal_envelope, "_REDIRECTION", re.compile(r",\s*(never)[ \t]*:"))


def line_by_line(plant: Plant) -> None:
    """A line that continues another is one of its own."""

    def lines(text: str) -> Iterator[str]:
        yield from filter(None, (one.strip() for one in text.splitlines()))

    plant.setattr(journal_envelope, "_unfolded", lines)


def as_the_grammar_spells_it(plant: Plant) -> None:
    """Names of fields in another case are not known."""
    pattern = "(" + "|".join(
        ["Sender", "On-Behalf-Of", "Subject", "Message-ID", "Label", "Mailbox", "SentUtc",
         "ReceivedUtc", "To", "Cc", "Bcc", "Recipients?"]
    ) + r")[ \t]*:[ \t]*(.*)"  # fmt: skip
    plant.setattr(journal_envelope, "_FIELD", re.compile(pattern, re.DOTALL))


def in_the_order_of_the_grammar(first: str, second: str) -> Bug:
    """The envelope is over where a field stands that was to come later."""

    def plant_it(plant: Plant) -> None:
        read = journal_envelope.read_envelope

        def reading(text: str) -> Envelope:
            low = text.lower()
            early, late = low.find(f"\n{second}:"), low.find(f"\n{first}:")
            return read(text[:early] if -1 < early < late else text)

        plant.setattr(journal, "read_envelope", reading)

    return plant_it


def forget_who_was_meant(plant: Plant) -> None:
    """For whom a sender wrote is left out."""
    named = journal._named

    def naming(envelope: Envelope) -> Any:
        return named(replace(envelope, on_behalf_of=""))

    plant.setattr(journal, "_named", naming)


def say_nothing_of_damage(plant: Plant) -> None:
    """A report that cannot be read is plain mail like any other."""
    innermost = journal._innermost
    plant.setattr(journal, "_innermost", lambda raw, defects: innermost(raw, Defects()))


NEEDS_A_VALUE = rb"\n(?:x-(?:ms|wm)-journal-report:[ \t]*\S|content-identifi?er:\s*exjournalreport)"
CORPUS_BUGS: dict[str, tuple[Bug, str]] = {
    "a mark needs a value": (marked(NEEDS_A_VALUE), "exchange_bcc_and_list"),
    "WorkMail is not known": (marked(rb"\nx-ms-journal-report"), "workmail"),
    "its misspelling is not known": (
        marked(rb"\nx-ms-journal-report|\ncontent-identifier:\s*exjournalreport"),
        "exchange_2003",
    ),
    "Exchange 2003 is not known": (marked(rb"\nx-ms-journal-report"), "exchange_2003_identifier"),
    "envelope in base64": (read_ascii, "base64_gb2312"),
    "envelope in quoted-printable": (read_ascii, "quoted_printable_utf8"),
    "message in base64": (leave_encoded, "inner_base64"),
    "returned report": (leave_bounces, "returned_in_bounce"),
    "nested report": (wrapped_once, "nested"),
    "clear copy": (take_the_last, "clear_copy"),
    "unknown role": (call_everybody_to, "exchange_unverified_recipients"),
    "list": (forget_lists, "exchange_bcc_and_list"),
    "forwarding": (forget_lists, "exchange_unverified_recipients"),
    "folded lines": (line_by_line, "folded_upper_case"),
    "upper case": (as_the_grammar_spells_it, "folded_upper_case"),
    "Message-ID first": (
        in_the_order_of_the_grammar("subject", "message-id"), "exchange_unverified_recipients",
    ),
    "Subject first": (
        in_the_order_of_the_grammar("message-id", "subject"), "exchange_bcc_and_list",
    ),
    "no message": (say_nothing_of_damage, "damaged_no_message"),
    "no envelope": (say_nothing_of_damage, "damaged_no_envelope"),
}  # fmt: skip


@pytest.mark.parametrize("trap", CORPUS_BUGS)
def test_reader_that_falls_into_a_trap_of_reports_is_found_out(
    monkeypatch: Plant, trap: str
) -> None:
    bug, name = CORPUS_BUGS[trap]
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="read otherwise"):
        reads_as_a_person_expects(CORPUS / f"{name}.eml")


def read_the_report_itself(plant: Plant) -> None:
    """Subject, body and thread are those of the report."""
    parse = journal.parse

    def parsing(raw: Buffer) -> Parsed:
        found, outer = parse(raw), rfc822.parse(raw)
        return replace(outer, participants=found.participants, inner_sha256=found.inner_sha256)

    plant.setattr(journal, "parse", parsing)


def write_anew(plant: Plant) -> None:
    """The message is what a library makes of it."""
    content = journal._content

    def written(part: Part) -> bytes:
        return bytes(message_from_bytes(content(part), policy=policy.SMTP))

    plant.setattr(journal, "_content", written)


def believe_anybody(plant: Plant) -> None:
    """A report is a report, whoever sent it."""
    parse_from = journal.parse_from
    plant.setattr(
        journal, "parse_from", lambda raw, trust: parse_from(raw, replace(trust, reports=True))
    )


def say_nothing_of_it(plant: Plant) -> None:
    """A report of a source that is not trusted is plain mail like any other."""
    parse_from = journal.parse_from

    def quiet(raw: Buffer, trust: Trust) -> Parsed:
        parsed = parse_from(raw, trust)
        rest = tuple(one for one in parsed.defects if one.code != "journal_not_trusted")
        return replace(parsed, defects=rest)

    plant.setattr(journal, "parse_from", quiet)


FIELDS = ("x-envelope-from", "x-envelope-to")


def believe_fields_of_anybody(plant: Plant) -> None:
    """Fields of the envelope count in mail of any source."""
    parse_from = journal.parse_from
    plant.setattr(
        journal, "parse_from", lambda raw, trust: parse_from(raw, replace(trust, fields=FIELDS))
    )


def count_the_journal_itself(plant: Plant) -> None:
    """The journal's own address is a recipient like another."""
    parse_from = journal.parse_from
    plant.setattr(journal, "parse_from", lambda raw, trust: parse_from(raw, replace(trust, own=())))


def believe_fields_beside_reports(plant: Plant) -> None:
    """Fields of the outer header count even where a report has an envelope of its own."""
    parse_from = journal.parse_from

    def reading(raw: Buffer, trust: Trust) -> Parsed:
        parsed = parse_from(raw, trust)
        if not parsed.inner_sha256 or not trust.fields:
            return parsed
        outer = rfc822.parse(raw)
        with_fields = journal._with_fields(replace(parsed, headers=outer.headers), trust)
        return replace(with_fields, headers=parsed.headers)

    plant.setattr(journal, "parse_from", reading)


def take_the_first_envelope(plant: Plant) -> None:
    """The outermost of nested reports tells the people."""
    innermost = journal._innermost

    def outermost(raw: Buffer, defects: Any) -> JournalReport | None:
        found = innermost(raw, defects)
        return found and replace(found, envelope=journal.split_journal(raw).envelope)

    plant.setattr(journal, "_innermost", outermost)


def take_the_last_envelope(plant: Plant) -> None:
    """Whom the reports around the innermost one name is forgotten."""
    plant.setattr(journal, "joined", lambda inner, _outer: inner)


Check = Callable[[], None]
BUGS: list[tuple[Bug, Check, str]] = [
    (write_anew, leaves_the_message_unaltered, "the message was altered"),
    (believe_anybody, believes_reports_of_trusted_sources_alone, "it was believed"),
    (say_nothing_of_it, believes_reports_of_trusted_sources_alone, "nobody is told"),
    (believe_fields_of_anybody, believes_fields_of_trusted_sources_alone, "a field was believed"),
    (count_the_journal_itself, believes_fields_of_trusted_sources_alone, "other people"),
    (
        believe_fields_beside_reports,
        believes_fields_of_trusted_sources_alone,
        "beside a report was believed",
    ),
    (take_the_first_envelope, every_report_of_a_report_counts, "own report is passed over"),
    (take_the_last_envelope, every_report_of_a_report_counts, "an outer report is passed over"),
    (forget_who_was_meant, names_who_was_meant, "nobody knows for whom"),
    (read_the_report_itself, is_the_message_inside, "it is another message"),
]


@pytest.mark.parametrize(
    ("bug", "check", "words"), BUGS, ids=lambda value: getattr(value, "__name__", "")
)
def test_reader_that_believes_or_alters_too_much_is_found_out(
    monkeypatch: Plant, bug: Bug, check: Check, words: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check()

"""Which lines of a body are quoted or a signature, in many languages and by many programs."""

from __future__ import annotations

import email
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.html_text import html_to_text
from holdfast.parsers.quoting import find_spans

CORPUS = Path(__file__).parent.parent / "corpus"
SETS = (
    "quotes-constructed",
    "reply-alfonsrv",
    "reply-zapier",
    "reply-talon",
    "jetbrains-quote-parser",
)
EXPECTED = json.loads((CORPUS / "quotes.expect.json").read_text(encoding="utf-8"))


def body_of(path: Path) -> str:
    raw = path.read_bytes()
    if path.suffix == ".eml":
        plain = [
            p for p in email.message_from_bytes(raw).walk() if p.get_content_subtype() == "plain"
        ]
        content = plain[0].get_payload(decode=True) if plain else b""
        raw = content if isinstance(content, bytes) else b""
    text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
    return html_to_text(text) if path.suffix == ".html" else text


def described(body: str) -> list[list[str]]:
    """Return kind, first and last line of each span."""
    found = []
    for span in find_spans(body):
        lines = body[span.start : span.end].strip().split("\n")
        found.append([span.kind, lines[0], lines[-1]])
    return found


def test_every_sample_is_expected() -> None:
    samples = {
        path.relative_to(CORPUS).as_posix()
        for name in SETS
        for path in (CORPUS / name).rglob("*")
        if path.is_file()
    }
    assert set(EXPECTED) == samples


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_quotes_and_signatures_of_sample(name: str) -> None:
    assert described(body_of(CORPUS / name)) == EXPECTED[name]


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "发自我的iPhone",
        "Von meinem iPhone gesendet",
        "Get Outlook for Android<https://aka.ms/x>",
    ],
)
def test_line_of_a_device_is_a_signature_at_the_end_alone(line: str) -> None:
    assert described(f"Yes.\n\n{line}\n") == [["signature", line, line]]
    assert described(f"{line}\n\nis what it says below all of his mails.\n") == []


@pytest.mark.parametrize("closing", ["祝好", "此致", "Best regards,", "Mit freundlichen Grüßen"])
def test_closing_with_a_name_is_a_signature_and_inside_a_text_is_not(closing: str) -> None:
    assert described(f"Yes.\n\n{closing}\nAnn\n") == [["signature", closing, "Ann"]]
    assert described(f"{closing}\n{'A long sentence follows. ' * 8}\n") == []


def test_footer_of_a_mailing_list_is_a_signature() -> None:
    rule = "_" * 47
    body = f"Yes.\n{rule}\nUsers mailing list\nhttps://example.org/listinfo/users\n"
    assert described(body) == [["signature", rule, "https://example.org/listinfo/users"]]


def test_rule_without_a_list_is_no_signature() -> None:
    assert described(f"Yes.\n{'_' * 60}\nNo.\n") == []


def test_signature_delimiter_far_above_the_end_is_none() -> None:
    assert described("a\n-- \n" + "text\n" * 40) == []


def test_verb_without_date_needs_a_quoted_line_below() -> None:
    assert described("John wrote:\nsomething else\n") == []
    assert described("John wrote:\n> x\n") == [["quote", "John wrote:", "> x"]]


def test_attribution_longer_than_any_program_writes_is_text() -> None:
    assert described(f"On 5 May {'word ' * 80}wrote:\n> x\n") == [["quote", "> x", "> x"]]


def test_attribution_above_belongs_to_no_earlier_quote() -> None:
    assert described("> On 5 May\nAnn <a@b.c> wrote:\n> x") == [
        ["quote", "> On 5 May", "> On 5 May"],
        ["quote", "Ann <a@b.c> wrote:", "> x"],
    ]


def test_header_block_with_folded_recipients_is_a_quote() -> None:
    block = "From: Ann\nTo: Bob <b@c.d>,\n Eve <e@f.g>\nSubject: x\n\nold"
    assert described(f"new\n{block}") == [["quote", "From: Ann", "old"]]


def test_label_lines_without_a_sender_are_text() -> None:
    assert described("Date: today\nSubject: x\nTo: all\n") == []
    assert described("From: us\n\n\n\nSubject: x\n\n\nTo: you\n") == []


LINES = st.sampled_from(
    [
        "> q",
        "",
        "text",
        "On 1 May, A wrote:",
        "From: a@b.c",
        "To: d",
        "Subject: e",
        "-- ",
        "祝好",
        "-----Original Message-----",
        "________________________________",
        "Sent from my iPhone",
        "发件人：甲",
        "主题：乙",
        "收件人：丙",
        " > q",
        "wrote:",
        "Begin forwarded message:",
        "a@b.c 1:23>:",
    ]
)


@given(st.one_of(st.text(), st.lists(LINES).map("\n".join)))
def test_spans_are_sorted_apart_and_within_the_body(body: str) -> None:
    end = 0
    for span in find_spans(body):
        assert span.kind in ("quote", "signature")
        assert end <= span.start < span.end <= len(body)
        assert span.start == 0 or body[span.start - 1] == "\n"
        end = span.end


@given(st.lists(LINES).map("\n".join))
def test_quoted_lines_are_always_inside_a_quote(body: str) -> None:
    quotes = [span for span in find_spans(body) if span.kind == "quote"]
    at = 0
    for line in body.split("\n"):
        if line.startswith(">"):
            assert any(span.start <= at and at + len(line) <= span.end for span in quotes)
        at += len(line) + 1


HOSTILE = [
    ">\nx\n",
    "On 1 a wrote\n\n",
    "x wrote:\n\n\n\n",
    "From: a\n",
    "--\n",
    "regards\n",
    "\n",
    "On 1\n",
    "9:",
    " ",
    "-",
    "From: a\nDate:b\nTo: c\n",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_f37_hostile_body_of_many_lines_is_read_to_its_end(piece: str) -> None:
    """With work that grew by the square of the lines this would take minutes."""
    body = piece * 20_000 + "wrote:"
    assert all(span.end <= len(body) for span in find_spans(body))


def test_divider_of_wecom_mail_begins_the_quote() -> None:
    quote = (
        "----------回复的邮件信息----------\n李<li@a.example> 在 2024年3月4日 9:00写道：\n\n旧文"
    )
    assert described(f"好\n\n{quote}") == [["quote", quote.split("\n")[0], "旧文"]]


@pytest.mark.parametrize(
    "divider",
    [
        "------------------&nbsp;原始邮件&nbsp;------------------",
        "------------------&nbsp;Original&nbsp;------------------",
    ],
)
def test_divider_of_qq_mail_in_plain_text_begins_the_quote(divider: str) -> None:
    quote = f'{divider}\n发件人:&nbsp;"Li"<li@a.example&gt;;\n主题:&nbsp;合同\n\n旧文'
    assert described(f"好的。\n\n{quote}") == [["quote", divider, "旧文"]]

"""Turn one interaction into the tokens, exact values and facets that every engine stores.

It cuts text only through `core.analysis` and knows no engine. The work is in two halves:

* `analyse_original(record: Record | Unfiled) -> Analysed`: the expensive half, all that the
  original itself gives; needs no id, runs where the message is parsed; `Analysed` holds only dicts,
  lists and strings, so msgspec (and pickle) carry it between processes as it is;
* `complete(analysed: Analysed, filed: FiledFacts | Record) -> Document`: the cheap half, for the
  writer: what only the catalogue knows.

`analyse_record(record: Record) -> Document` is both, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from holdfast.core.analysis import Tokens, analyse, ascii_tokens, name_keys
from holdfast.core.kinds import Role
from holdfast.core.numbers import number_claims
from holdfast.core.phones import digit_chains, tokens_in
from holdfast.core.ports import Document
from holdfast.core.record_terms import (
    HIDING,
    Unfiled,
    filed_terms,
    hidden_in,
    joined_terms,
    own_terms,
)
from holdfast.core.records import FiledFacts, Record
from holdfast.core.scripts import UNSPACED
from holdfast.indexer.facets import filed_facets, own_facets

SUBJECT = "subject"
BODY = "body"
ATTACHMENT = "attachment"
FILENAME = "filename"
PEOPLE = "people"
PEOPLE_FIELDS = {
    "from": "people_from",
    "to": "people_to",
    "cc": "people_cc",
    "bcc": "people_bcc",
    "envelope": "people_envelope",
    "expanded": "people_expanded",
    "open_with": "people_open",
}
"""Part of the query → field of participants in that role; all of them are in `PEOPLE` too. The last
is filled for mail that hides recipients alone."""

MARK = "\x02"
"""In no text that has been cut."""

RUN_MARK = MARK * 3
"""Stands before each token of a script written without spaces. Three characters, so that such a
token is never within two edits of a word: fuzzy and wildcard queries walk words alone."""

ALTERNATIVE = "\x1f"
"""Joins the tokens of one position: a word and its form without accents."""

SEPARATOR = "\x01"
"""Between the name and the value in an exact token."""

UNREPEATED_HEADERS = frozenset(
    {"Date", "Subject", "Message-ID", "Message-Id", "In-Reply-To", "References", "X-Received"}
)
"""Fields whose values hardly come again, as most write their names: not worth remembering."""

UNINDEXED_HEADERS = frozenset(
    {
        "received", "x-received", "dkim-signature", "domainkey-signature",
        "x-google-dkim-signature", "authentication-results", "arc-seal", "arc-message-signature",
        "arc-authentication-results",
        "received-spf", "x-ms-exchange-antispam-messagedata", "x-microsoft-antispam-message-info",
        "x-forefront-antispam-report", "x-exchange-antispam-report-cfa-test", "x-gm-message-state",
        "x-ms-exchange-antispam-messagedata-0", "x-microsoft-antispam", "x-spam-report",
        "x-ms-exchange-crosstenant-network-message-id", "autocrypt", "x-face", "face",
    }
)  # fmt: skip
"""Trace and cryptographic fields, lower case: long, never typed by a person. That they exist is
indexed, their words are not; a query for their words is refused."""

MAX_REMEMBERED_CHARS = 300
"""Longer participants and header fields are cut each time."""

MAX_HEADER_NAME = 200
"""Longer names of header fields are not indexed, and a query for one is refused."""

_SPACE = re.compile(r"\s")
# Neighbouring tokens of runs, taken together: a call for each token would cost as much as cutting.
_RUN_TOKENS = re.compile(rf"[{UNSPACED}]+(?: [{UNSPACED}]+)*")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_ROLE_FIELDS = {
    Role.FROM: "people_from",
    Role.SENDER: "people_from",
    Role.TO: "people_to",
    Role.CC: "people_cc",
    Role.BCC: "people_bcc",
    Role.RECIPIENT: "people_envelope",
    Role.EXPANDED: "people_expanded",
    Role.FORWARDED: "people_expanded",
}
_FIELDS = {
    role: (PEOPLE, _ROLE_FIELDS[role]) if role in _ROLE_FIELDS else (PEOPLE,) for role in Role
}
_FIELDS_WHERE_HIDDEN = _FIELDS | {
    role: (*_FIELDS[role], PEOPLE_FIELDS["open_with"]) for role in Role if role not in HIDING
}
"""Role → the fields that hold a participant."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """What one original gives to its document; plain values only."""

    tokens: dict[str, list[str]]
    """As `Document.tokens`."""
    exact: dict[str, list[str]]
    """Its `own_terms`; and `header`, `phone` and `pinyin` → tokens with `SEPARATOR` inside, those
    of one header field joined by spaces."""
    facets: dict[str, tuple[str, ...]]
    """Its `own_facets`."""


def analyse_record(record: Record, version: int = 0) -> Document:
    """Return the document of a record, all at once: for re-indexing and tests."""
    return complete(analyse_original(record), record, version)


def unix_ms(at: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (at - EPOCH) // MILLISECOND


def header_key(name: str) -> str:
    """Return the form in which names of header fields are compared; without white space."""
    return _SPACE.sub("\x1e", name.casefold())


_known_key = lru_cache(maxsize=4096)(header_key)


class _Cut(NamedTuple):
    """One text as it is stored."""

    string: str
    """As `spaced` gives it."""
    phones: tuple[str, ...]
    """Digits of the numbers in it."""
    claims: frozenset[str]
    """Its `number_claims`."""


_NONE: frozenset[str] = frozenset()


def _cut(text: str) -> _Cut:
    tokens = analyse(text)
    chains = tuple(digit_chains(tokens.normalised))
    if not chains:
        return _Cut(spaced(tokens), (), _NONE)
    phones = tokens_in(tokens.normalised, chains)
    return _Cut(spaced(tokens), phones, number_claims(tokens.normalised, chains))


_known_person = lru_cache(maxsize=1 << 14)(_cut)


def spaced(tokens: Tokens) -> str:
    """Return one string for an engine: positions separated by spaces, runs marked, and the
    alternatives of one position joined by `ALTERNATIVE`.
    """  # noqa: D205
    joined = tokens.joined
    if joined.isascii():
        return joined
    if tokens.extra:
        positions = joined.split(" ")
        for position, form in tokens.extra:
            positions[position] += ALTERNATIVE + form
        joined = " ".join(positions)
    return _RUN_TOKENS.sub(_marked, joined)


def _marked(tokens: re.Match[str]) -> str:
    return RUN_MARK + tokens[0].replace(" ", " " + RUN_MARK)


def analyse_original(record: Record | Unfiled) -> Analysed:
    """Cut every text and fold every value of a message: the expensive half of a document.

    Args:
        record: Its texts cut to `MAX_INDEXED_CHARS` each by the parser.
    """
    tokens: dict[str, list[str]] = {}
    phones: dict[str, None] = {}
    claims = _NONE
    hidden = hidden_in(record)
    for fields, text in _located(record, hides=bool(hidden)):
        is_person = PEOPLE in fields and len(text) <= MAX_REMEMBERED_CHARS
        string, numbers, claimed = _known_person(text) if is_person else _cut(text)
        if not string:
            continue
        claims |= claimed
        for name in fields:
            tokens.setdefault(name, []).append(string)
            for digits in numbers:
                phones[f"{name}{SEPARATOR}{digits}"] = None
    own = own_terms(record, claims, hidden)
    exact = {name: list(values) for name, values in own.items()}
    exact["header"] = _header_tokens(record.headers)
    exact["phone"] = list(phones)
    exact["pinyin"] = _pinyin_tokens(record, hides=bool(hidden))
    exact = {name: values for name, values in exact.items() if values}
    return Analysed(tokens, exact, own_facets(record, own))


def complete(analysed: Analysed, filed: FiledFacts | Record, version: int = 0) -> Document:
    """Add what the catalogue knows: ids, times, exact values, facets.

    Args:
        analysed: Of the same interaction.
        filed: Its record will do; nothing of the original is read from it.
        version: As `Document.version`.
    """
    return Document(
        id=filed.id,
        at_ms=unix_ms(filed.at),
        captured_ms=unix_ms(filed.captured_at),
        size_bytes=filed.size_bytes,
        tokens=analysed.tokens,
        terms=joined_terms(analysed.exact, filed_terms(filed)),
        facets={**analysed.facets, **filed_facets(filed)},
        thread_id=filed.thread_id,
        message_id=filed.message_id,
        version=version,
    )


def _located(texts: Record | Unfiled, *, hides: bool) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text with the fields that hold it; in each field once."""
    yield (SUBJECT,), texts.subject
    yield (BODY,), texts.body
    for attachment in texts.attachments:
        yield (ATTACHMENT,), attachment.text
        yield (FILENAME,), attachment.filename
    fields: dict[str, tuple[str, ...]] = {}
    own_fields = _FIELDS_WHERE_HIDDEN if hides else _FIELDS
    for person in texts.participants:
        text, own = f"{person.name} <{person.address}>", own_fields[person.role]
        into = fields.setdefault(text, own)
        if into is not own:
            fields[text] = tuple(dict.fromkeys(into + own))
    for text, names in fields.items():
        yield names, text


def _pinyin_tokens(record: Record | Unfiled, *, hides: bool) -> list[str]:
    tokens: dict[str, None] = {}
    own_fields = _FIELDS_WHERE_HIDDEN if hides else _FIELDS
    for person in record.participants:
        if person.name.isascii():
            continue
        for key in name_keys(person.name):
            for name in own_fields[person.role]:
                tokens[f"{name}{SEPARATOR}{key}"] = None
    return list(tokens)


def _header_tokens(headers: Sequence[tuple[str, str]]) -> list[str]:
    """Return a string for each header field: a token that says it is there, then its words.

    Engines join them to one row. Only neighbours within a run are ever asked for, and a run ends in
    a token that no other can follow in a query: so an accent-stripped form stands after its word.
    """
    return [row for name, value in headers if (row := _row_of(name, value))]


def _row_of(name: str, value: str) -> str:
    if (trace := _TRACE_ROWS.get(name)) is not None:  # of every message, and never twice the same
        return trace
    if name in UNREPEATED_HEADERS or len(name) + len(value) > MAX_REMEMBERED_CHARS:
        return _header_row(name, value)
    return _known_row(name, value)


def _header_row(name: str, value: str) -> str:
    """Return the string of one field; empty where its name is too long."""
    if len(name) > MAX_HEADER_NAME or len(key := _known_key(name)) > MAX_HEADER_NAME:
        return ""
    prefix = f" {key}{SEPARATOR}"
    words = () if key in UNINDEXED_HEADERS else _header_words(value)
    return prefix.join((prefix[1:], *words))


_known_row = lru_cache(maxsize=8192)(_header_row)
_TRACE_ROWS = {name: _header_row(name, "") for name in ("Received", "DKIM-Signature")}


def _header_words(value: str) -> Sequence[str]:
    if value.isascii():
        return ascii_tokens(value)
    return spaced(analyse(value)).replace(ALTERNATIVE, " ").split()

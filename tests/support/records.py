"""Made-up records and query trees in several scripts, from any source of randomness.

Every function takes a `random.Random`: a seeded one for rounds of known length, or Hypothesis's own
(`st.randoms()`), which shrinks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.core.errors import Refused
from holdfast.core.field_values import fold_value
from holdfast.core.hidden_recipients import open_people
from holdfast.core.holds import leaves
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.mailboxes import Mailbox
from holdfast.core.query import (
    And,
    Dates,
    Field,
    Fuzzy,
    Header,
    Knowers,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.core.record_terms import hidden_in, part_texts, record_terms
from holdfast.core.records import (
    HeldBy,
    OpenFacts,
    Record,
    RecordAttachment,
    RecordParticipant,
    TextState,
)
from holdfast.core.text_matching import compile_pattern

ASKED_PARTS = tuple(one for one in Part if not one.startswith("open_"))
START = datetime(2024, 1, 1, tzinfo=UTC)

WORDS = (
    "a", "of", "contract", "contracts", "invoice", "invocie", "Meeting", "meet", "ABC", "abc",
    "café", "cafe", "résumé", "resume", "Straße", "strasse", "naïve", "Øre", "ore", "Ærø",
    "договор", "Договоры", "й", "и", "Ελλάδα", "ελλαδα", "עברית", "عقد", "हिन्दी", "हिन्दि",
    "2024", "0017", "INV", "x1", "ﬁne", "fine", "ＡＢＣ", "co\u00adoperate", "cooperate",
    "iPhone15",
)  # fmt: skip
RUNS = (
    "中", "国", "中国", "中国人", "国中国", "合同", "合同法", "同", "發票", "发票", "發",
    "人民中国", "カタカナ", "ひらがな", "カ", "ガ", "ｶﾞ", "한국어", "국",
    "ภาษาไทย", "ไทย", "ລາວ", "မြန်မာ", "ខ្មែរ", "々", "𠮷野",
)  # fmt: skip
PHONES = ("+86 138-0013-8000", "13800138000", "138 0013 8000", "(021) 555-0199", "0215550199",
          "+1 212 555 0199", "2125550199", "1234567")  # fmt: skip
JOINS = (" ", " ", " ", " ", "", "\n", "\r\n", ", ", "-", ".", "。", "/", " <", "_", "\u200b", "'")
NAMES = ("张伟", "張偉", "李 娜", "José Ruiz", "Jose Ruiz", "Anna Müller", "", "zhangwei", "陈重")
ADDRESSES = (
    "zhang.wei@example.com", "ANNA@mail.example.com", "jose@example.org", "not an address", "",
    "li.na@公司.cn", "info@sub.example.org",
)  # fmt: skip
HEADERS = ("X-Mailer", "x-mailer", "Subject", "X-Note", "Received", "List-Id", "X Odd", "Bcc")
FILES = (("合同.pdf", "application/pdf"), ("a b.DOCX", "application/octet-stream"),
         ("", "image/png"), ("data.tar.gz", "application/gzip"))  # fmt: skip
HOLDS = (
    HeldBy(5, "prices", 3, "案件 7"),
    HeldBy(6, "Mail of Ann", 3, "案件 7"),
    HeldBy(7, "x", 4, "K"),
)
EXACT = (
    Field.KIND, Field.CHANNEL, Field.DIRECTION, Field.SOURCE, Field.CUSTODIAN, Field.FOLDER,
    Field.LABEL, Field.LIST, Field.THREAD, Field.ID, Field.MESSAGE_ID, Field.DOMAIN, Field.ADDRESS,
    Field.COMPANY, Field.TYPE, Field.EXTENSION, Field.DEFECT, Field.TAG, Field.LANG, Field.HAS,
    Field.IS, Field.MATTER, Field.HOLD, Field.CONTACT,
)  # fmt: skip


def make_text(rnd: random.Random, most: int) -> str:
    """Return up to `most` words, runs and numbers, joined in several ways."""
    pieces: list[str] = []
    for _ in range(rnd.randrange(most + 1)):
        kind = rnd.randrange(12)
        stock: Sequence[str] = PHONES if kind == 0 else RUNS if kind < 6 else WORDS
        pieces += [rnd.choice(stock), rnd.choice(JOINS)]
    return "".join(pieces)


def make_record(rnd: random.Random, id_: int) -> Record:
    """Return a record with this id; others made with it share words, threads, dates and sizes."""
    made = _boxed(rnd, _made(rnd, id_))
    if not hidden_in(made):
        return made
    contacts = tuple(dict.fromkeys(p.contact_id for p in open_people(made) if p.contact_id))
    companies = tuple(one for one in made.companies if rnd.random() < 0.5)
    facts = OpenFacts(companies, contacts, rnd.choice(("in", "internal", "unknown")))
    return replace(made, open_facts=facts)


def _boxed(rnd: random.Random, made: Record) -> Record:
    """Return a record whose captures are those of its custodians, and perhaps some of nobody's."""
    names = [*made.custodians, *([""] if rnd.random() < 0.3 else [])]
    if not made.custodians:
        return made
    filed = rnd.choice((*names, None))
    boxes = tuple(
        Mailbox(
            one,
            sources=tuple(rnd.sample(made.sources, rnd.randrange(len(made.sources) + 1))),
            folders=tuple(rnd.sample(made.folders, rnd.randrange(len(made.folders) + 1))),
            labels=tuple(rnd.sample(made.labels, rnd.randrange(len(made.labels) + 1))),
            is_filed=one == filed,
        )
        for one in names
    )  # fmt: skip
    return replace(
        made,
        mailboxes=boxes,
        sources=_joined(one.sources for one in boxes),
        folders=_joined(one.folders for one in boxes),
        labels=_joined(one.labels for one in boxes),
    )


def _joined(values: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in values for one in some))


def _made(rnd: random.Random, id_: int) -> Record:
    return Record(
        id=id_,
        kind=rnd.choice(("email", "calendar")),
        channel="email",
        subject=make_text(rnd, 4),
        body=make_text(rnd, 14),
        participants=_participants(rnd),
        attachments=tuple(_attachment(rnd) for _ in range(rnd.choice((0, 0, 1, 2)))),
        at=START + timedelta(days=rnd.randrange(60), seconds=rnd.randrange(2)),
        captured_at=START + timedelta(days=60 + rnd.randrange(3)),
        size_bytes=rnd.randrange(8) * 1000,
        headers=tuple((rnd.choice(HEADERS), make_text(rnd, 4)) for _ in range(rnd.randrange(4))),
        message_id=rnd.choice(("", "a@x", "b@x", f"{id_}@x")),
        list_id=rnd.choice(("", "News <news.example.org>")),
        thread_id=rnd.choice((0, 1, 2, id_ + 100)),
        direction=rnd.choice(("in", "out", "unknown")),
        sources=tuple(rnd.sample(("imap", "mbox", "邮箱"), rnd.randrange(3))),
        custodians=tuple(rnd.sample(("Anna", "Zhang Wei", "josé"), rnd.randrange(3))),
        folders=tuple(rnd.sample(("INBOX", "Archive/2024/合同", "a b/c"), rnd.randrange(3))),
        labels=tuple(rnd.sample(("Urgent", "to do"), rnd.randrange(3))),
        companies=tuple(rnd.sample(("example.com", "example.org"), rnd.randrange(3))),
        defects=rnd.choice(((), ("mime_depth_limit",))),
        tags=tuple(rnd.sample(("key", "a tag"), rnd.randrange(3))),
        held_by=tuple(rnd.sample(HOLDS, rnd.choice((0, 0, 1, 2)))),
        lang=rnd.choice(("", "en", "zh")),
        is_bulk=rnd.random() < 0.3,
        is_truncated=rnd.random() < 0.2,
        is_duplicate=rnd.random() < 0.2,
        shares_message_id=rnd.random() < 0.2,
    )


def make_records(rnd: random.Random, number: int) -> list[Record]:
    """Return records with rising ids, with gaps; the last one larger than 62 bits."""
    ids = sorted(rnd.sample(range(1, number * 10), number))
    return [make_record(rnd, id_) for id_ in [*ids[:-1], (1 << 62) + ids[-1]]]


CONTACTS = {"zhang.wei@example.com": 5, "jose@example.org": 6, "info@sub.example.org": 7}
"""Whose the addresses are; of others nobody is known."""


def make_knowers(rnd: random.Random, records: Sequence[Record]) -> Knowers:
    """Return some of those who may be hidden, with what they reach by a deliberate grant."""
    people = rnd.sample([one for one in ADDRESSES if one], rnd.randrange(3))
    theirs = rnd.sample(sorted(CONTACTS), rnd.randrange(2))
    authors = frozenset(fold_value(Field.ADDRESS, one) for one in people)
    known = [CONTACTS[one] for one in (*people, *theirs) if one in CONTACTS]
    return Knowers(
        wide=askable_query(rnd, records, 1) if rnd.random() < 0.2 else Or(()),
        authors=authors,
        addresses=authors | {fold_value(Field.ADDRESS, one) for one in theirs},
        contacts=frozenset(public_id("con", one) for one in known),
        mailboxes=frozenset(rnd.sample(("anna", "zhang wei"), rnd.randrange(2))),
    )


def askable_query(rnd: random.Random, records: Sequence[Record], depth: int = 3) -> Node:
    """Make a query as `make_query` does, none of whose expressions is refused."""
    while True:
        node = make_query(rnd, records, depth)
        try:
            for leaf in leaves(node):
                if isinstance(leaf, Regex):
                    compile_pattern(leaf.pattern)
        except Refused:
            continue
        return node


def make_query(rnd: random.Random, records: Sequence[Record], depth: int = 3) -> Node:
    """Return a tree of all kinds of nodes; most leaves are taken from the records' own texts."""
    kind = rnd.randrange(10)
    if depth == 0 or kind < 5:
        return make_leaf(rnd, records)
    if kind == 5:
        return Not(make_query(rnd, records, depth - 1))
    children = tuple(make_query(rnd, records, depth - 1) for _ in range(rnd.randrange(4)))
    return And(children) if kind < 8 else Or(children)


def make_leaf(rnd: random.Random, records: Sequence[Record]) -> Node:
    """Return one leaf of any kind."""
    kind = rnd.choices(range(len(_LEAVES)), weights=[weight for weight, _ in _LEAVES])[0]
    return _LEAVES[kind][1](rnd, records)


def _participants(rnd: random.Random) -> tuple[RecordParticipant, ...]:
    """Return up to four; an address is of one contact, or none, in whatever roles it stands."""
    made = [_participant(rnd) for _ in range(rnd.randrange(5))]
    contacts = {one.address: one.contact_id for one in made}
    return tuple(replace(one, contact_id=contacts[one.address]) for one in made)


def _participant(rnd: random.Random) -> RecordParticipant:
    role = rnd.choice(tuple(Role))
    address = rnd.choice(ADDRESSES)
    contact_id = CONTACTS.get(address, 0) if rnd.random() < 0.8 else 0
    return RecordParticipant(role, rnd.choice(NAMES), address, contact_id)


def _attachment(rnd: random.Random) -> RecordAttachment:
    name, media_type = rnd.choice(FILES)
    state = rnd.choice((TextState.EXTRACTED, TextState.FAILED, TextState.TRUNCATED))
    return RecordAttachment(name, media_type, make_text(rnd, 6), 10, state)


def _part(rnd: random.Random) -> Part:
    parts: tuple[Part, ...] = (Part.ANY, Part.ANY, Part.CONTENT, *ASKED_PARTS)
    return rnd.choice(parts)


def _piece(rnd: random.Random, records: Sequence[Record], part: Part) -> str:
    """Return a stretch of a stored text, cut anywhere or at words; or some other text."""
    texts = [text for text in part_texts(rnd.choice(records), part) if text] if records else []
    if not texts or rnd.random() < 0.2:
        return make_text(rnd, 2) or rnd.choice(RUNS)
    text = rnd.choice(texts)
    if rnd.random() < 0.5:
        start = rnd.randrange(len(text))
        return _respaced(rnd, text[start : start + rnd.randint(1, 12)])
    words = re.split(r"(\s+)", text)
    start = rnd.randrange(len(words))
    return "".join(words[start : start + rnd.randint(1, 5)])


def _respaced(rnd: random.Random, piece: str) -> str:
    """Return the piece, sometimes with a space more or without any."""
    change = rnd.randrange(6)
    at = rnd.randrange(len(piece) + 1)
    return (
        f"{piece[:at]} {piece[at:]}"
        if change == 0
        else piece.replace(" ", "" if change == 1 else " ")
    )


def _stored_word(rnd: random.Random, record: Record, part: Part) -> str:
    """Return one word of a text of the part; words of several calls may be of different texts."""
    words = [word for text in part_texts(record, part) for word in text.split()]
    return rnd.choice(words) if words else _word(rnd)


def _word(rnd: random.Random) -> str:
    return rnd.choice(WORDS if rnd.random() < 0.9 else RUNS)


def _phrase(rnd: random.Random, records: Sequence[Record]) -> Node:
    part = _part(rnd)
    if rnd.random() < 0.1:
        return Phrase(rnd.choice((*PHONES, "zhangwei", "zw", "chenchong", "chenzhong", "")), part)
    return Phrase(_piece(rnd, records, part), part)


def _wildcard(rnd: random.Random, _: Sequence[Record]) -> Node:
    word = list(_word(rnd))
    for _wild in range(rnd.randint(1, 2)):
        at = rnd.randrange(len(word) + 1)
        word[at : at + rnd.randrange(2)] = [rnd.choice("**?")]
    return Wildcard("".join(word), _part(rnd))


def _fuzzy(rnd: random.Random, _: Sequence[Record]) -> Node:
    word = list(_word(rnd))
    at = rnd.randrange(len(word))
    change = rnd.randrange(4)
    if change == 0:
        del word[at]
    elif change == 1:
        word.insert(at, rnd.choice("aéи中"))
    elif change == 2:
        word[at] = rnd.choice("aéи中")
    else:
        word[at : at + 2] = reversed(word[at : at + 2])
    return Fuzzy("".join(word), rnd.randrange(3), _part(rnd))


def _regex(rnd: random.Random, _: Sequence[Record]) -> Node:
    pattern = rnd.choice(
        ("c.+t", "inv(oice|ocie)", "[a-c]+", "[^a-z]+", "\\d{4}", "\\w+", ".", "caf.", "\\D{2,3}",
         "(?:meet)(ing)?", "д.*", "\\S*?e", "中.*", ".*中", "", "a|of|\\x", "[[:alpha:]]+")
    )  # fmt: skip
    return Regex(pattern, _part(rnd))


def _near(rnd: random.Random, records: Sequence[Record]) -> Node:
    part = _part(rnd)
    record = rnd.choice(records)
    phrases = tuple(
        Phrase(_word(rnd) if rnd.random() < 0.3 else _stored_word(rnd, record, part), part)
        for _ in range(rnd.choice((1, 2, 2, 2, 3)))
    )
    return Near(phrases, rnd.choice((0, 1, 2, 3, 8)), rnd.random() < 0.4)


def _term(rnd: random.Random, records: Sequence[Record]) -> Node:
    field = rnd.choice(EXACT)
    values = record_terms(rnd.choice(records)).get(field.value, ()) if records else ()
    value = rnd.choice(values) if values else rnd.choice(("no such value", "example.org", "anna"))
    return Term(field, value.upper() if rnd.random() < 0.3 else value)


def _header(rnd: random.Random, _: Sequence[Record]) -> Node:
    name = rnd.choice(HEADERS)
    text = "" if rnd.random() < 0.3 or name == "Received" else make_text(rnd, 2)
    return Header(name, text)


def _dates(rnd: random.Random, _: Sequence[Record]) -> Node:
    clock = rnd.choice(("at", "captured"))
    start = START + timedelta(days=rnd.randrange(64))
    ends = (start + timedelta(days=rnd.randrange(30), seconds=rnd.randrange(2)), None)
    return Dates(rnd.choice((start, None)), rnd.choice(ends), clock)


def _sizes(rnd: random.Random, _: Sequence[Record]) -> Node:
    low = rnd.randrange(8) * 1000
    return Sizes(rnd.choice((low, None)), rnd.choice((low + rnd.randrange(4) * 1000, None)))


_LEAVES = (
    (10, _phrase), (3, _wildcard), (3, _fuzzy), (2, _regex), (4, _near), (4, _term), (2, _header),
    (1, _dates), (1, _sizes),
)  # fmt: skip

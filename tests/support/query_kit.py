"""Records and query trees for tests: samples, and Hypothesis strategies; no index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from holdfast.core.analysis import query_atoms
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.query import (
    And,
    Dates,
    Field,
    Fuzzy,
    Header,
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
from holdfast.core.records import Record, RecordAttachment, RecordParticipant, TextState

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ASKED_PARTS = tuple(one for one in Part if not one.startswith("open_"))
"""Those that somebody can ask for."""
NOW = datetime(2024, 3, 15, 4, 0, tzinfo=UTC)


def sample_record(**changes: Any) -> Record:
    """Return a small mail; `changes` replace its fields."""
    values: dict[str, Any] = {
        "id": 1,
        "kind": "email",
        "channel": "email",
        "subject": "",
        "body": "",
        "participants": (),
        "attachments": (),
        "at": NOW,
        "captured_at": NOW,
        "size_bytes": 1000,
    }
    return Record(**(values | changes))


_SNIPPETS = (
    *("contract", "café", "cafe", "résumé", "INV-2024-0017", "colour", "color", "brown", "a", "b"),
    *("合同", "编号", "合同编号", "與說", "卡拉OK", "价格", "8.5", "折", "ภาษาไทย", "한국어"),
    *("+86 138-0013-8000", "13800138000", "a.b@example.com", "\n", "。", "，"),
)
WORDS = st.sampled_from(_SNIPPETS)
TEXTS = st.lists(WORDS, max_size=12).flatmap(
    lambda words: st.sampled_from([" ", " ", ""]).map(lambda glue: glue.join(words))
)
_SHOWN_TEXTS = TEXTS.filter(lambda text: bool(query_atoms(text)))
PEOPLE = st.builds(
    RecordParticipant,
    role=st.sampled_from(Role),
    name=st.sampled_from(["张伟", "Zhang Wei", "Müller, José", "", "曾国藩"]),
    address=st.sampled_from(["zw@mail.example.com", "jose@example.org", "broken", ""]),
    contact_id=st.sampled_from([0, 5]),
)
FILES = st.builds(
    RecordAttachment,
    filename=st.sampled_from(["报价单.pdf", "q1 report.XLSX", "noname", ""]),
    media_type=st.sampled_from(["application/pdf", "image/png", ""]),
    text=TEXTS,
    text_state=st.sampled_from(TextState),
)
_INSTANTS = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))
RECORDS: SearchStrategy[Record] = st.builds(
    Record,
    id=st.integers(1, 9),
    kind=st.sampled_from(["email", "calendar"]),
    channel=st.just("email"),
    subject=TEXTS,
    body=TEXTS,
    participants=st.lists(PEOPLE, max_size=3).map(tuple),
    attachments=st.lists(FILES, max_size=2).map(tuple),
    at=_INSTANTS,
    captured_at=_INSTANTS,
    size_bytes=st.integers(0, 5000),
    headers=st.lists(st.tuples(st.sampled_from(["X-Mailer", "x-foo"]), TEXTS), max_size=2).map(
        tuple
    ),
    folders=st.sampled_from([(), ("Archive/2024",), ("收件箱",)]),
    defects=st.sampled_from([(), ("header_8bit",)]),
    is_bulk=st.booleans(),
)

PARTS = st.sampled_from(ASKED_PARTS)
PHRASES = st.builds(Phrase, _SHOWN_TEXTS, PARTS)
_STEMS = st.sampled_from(["caf", "col", "co", "résumé", "1380", "brown"])
TERMS = st.sampled_from(
    [
        Term(Field.KIND, "email"),
        Term(Field.DOMAIN, "example.com"),
        Term(Field.FOLDER, "Archive"),
        Term(Field.TYPE, "pdf"),
        Term(Field.HAS, "attachment"),
        Term(Field.IS, "bulk"),
        Term(Field.ID, public_id("msg", 5)),
        Term(Field.CONTACT, public_id("con", 5)),
        Term(Field.TAG, 'odd "tag" \\ “here”'),
        Term(Field.DEFECT, "header_8bit"),
    ]
)


def _near(drawn: tuple[list[str], Part, int, bool]) -> Near:
    texts, part, distance, is_ordered = drawn
    return Near(tuple(Phrase(text, part) for text in texts), distance, is_ordered)


def _dates(drawn: tuple[datetime, int, int, str]) -> Dates:
    start, seconds, micros, clock = drawn
    end = start + timedelta(seconds=seconds, microseconds=micros)
    return Dates(start, end, clock)


WILDCARDS: SearchStrategy[Node] = st.builds(
    Wildcard,
    st.one_of(_STEMS.map(lambda stem: f"{stem}*"), st.sampled_from(["*af?", "c*r", "?afé"])),
    PARTS,
)
FUZZIES: SearchStrategy[Node] = st.builds(
    Fuzzy, st.sampled_from(["colour", "cafe", "brwon"]), st.sampled_from([1, 2]), PARTS
)
REGEXES: SearchStrategy[Node] = st.builds(
    Regex, st.sampled_from(["col.*r", "[0-9]+", "a/b\\\\", "caf."]), PARTS
)
NEARS: SearchStrategy[Node] = st.tuples(
    st.lists(_SHOWN_TEXTS, min_size=2, max_size=3), PARTS, st.integers(0, 6), st.booleans()
).map(_near)
LEAVES: SearchStrategy[Node] = st.one_of(
    PHRASES,
    st.builds(Phrase, WORDS.filter(lambda text: bool(query_atoms(text))), PARTS),
    WILDCARDS,
    FUZZIES,
    REGEXES,
    NEARS,
    TERMS,
    st.builds(Header, st.just("x-mailer"), st.one_of(st.just(""), _SHOWN_TEXTS)),
    st.tuples(
        _INSTANTS,
        st.integers(1, 200_000),
        st.sampled_from([0, 5]),
        st.sampled_from(["at", "captured"]),
    ).map(_dates),
    st.builds(Dates, st.none(), _INSTANTS),
    st.builds(Sizes, st.one_of(st.none(), st.integers(0, 2000)), st.integers(2000, 5000)),
    st.just(And(())),
    st.just(Or(())),
)
WORD_LEAVES: SearchStrategy[Node] = st.one_of(WILDCARDS, FUZZIES, REGEXES, NEARS)
"""Leaves whose every match is a place in a text."""
NODES: SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda nodes: st.one_of(
        st.lists(nodes, min_size=2, max_size=4).map(lambda some: And(tuple(some))),
        st.lists(nodes, min_size=2, max_size=4).map(lambda some: Or(tuple(some))),
        nodes.map(Not),
    ),
    max_leaves=8,
)

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.core.query import (
    EVERYTHING,
    NOTHING,
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
from holdfast.indexer.explain import explain, to_text
from holdfast.indexer.query_language.words import FIELDS, OPERATORS, PARTS
from holdfast.indexer.query_parser import ParsedQuery, QueryError, parse_query
from query_kit import NODES

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2024, 3, 15, 4, 30, tzinfo=UTC)
"""A Friday, half past twelve in Shanghai."""
RECIPIENTS = (Part.TO, Part.CC, Part.BCC, Part.ENVELOPE)
ID = "0000000000005"


def parse(text: str) -> ParsedQuery:
    return parse_query(text, now=NOW, zone=ZONE)


def phrase(text: str, part: Part = Part.ANY) -> Phrase:
    return Phrase(text, part)


def days(start: tuple[int, int, int] | None, end: tuple[int, int, int] | None) -> Dates:
    return Dates(
        datetime(*start, tzinfo=ZONE).astimezone(UTC) if start else None,
        datetime(*end, tzinfo=ZONE).astimezone(UTC) if end else None,
    )


_MANY = " ".join("a" * length for length in range(1, 21))
A, B, C = phrase("a"), phrase("b"), phrase("c")
ATTACHED = Term(Field.HAS, "attachment")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", EVERYTHING),
        ("  \n ", EVERYTHING),
        ("*", EVERYTHING),
        ("{}", NOTHING),
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a b AND c", And((A, B, C))),
        ("a OR b", Or((A, B))),
        ("a OR b AND c", Or((A, And((B, C))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("（a OR b）　c", And((Or((A, B)), C))),
        ("{a b}", Or((A, B))),
        ("{a OR b} c", And((Or((A, B)), C))),
        ("{a}", A),
        ("-a", Not(A)),
        ("--a", Not(Not(A))),
        ("NOT a b", And((Not(A), B))),
        ("a -(b OR c)", And((A, Not(Or((B, C)))))),
        ("a AND NOT b", And((A, Not(B)))),
        ("((a))", A),
        ('"a b"', phrase("a b")),
        ("“a b”", phrase("a b")),
        (r'"say \"a\" \\ now"', phrase('say "a" \\ now')),
        ("合同", phrase("合同")),
        ("价格 8.5 折", And((phrase("价格"), phrase("8.5"), phrase("折")))),
        ("+86-13800138000", phrase("+86-13800138000")),
        ("http://example.com/a", phrase("http://example.com/a")),
        ("12:30", phrase("12:30")),
        ("x=1", phrase("x=1")),
        ("from:zhang", phrase("zhang", Part.FROM)),
        ("FROM: zhang", phrase("zhang", Part.FROM)),
        ("发件人：张伟", phrase("张伟", Part.FROM)),
        ("收件人：张伟", phrase("张伟", Part.TO)),
        ("抄送:a", phrase("a", Part.CC)),
        ("密送:a", phrase("a", Part.BCC)),
        ("with:a", phrase("a", Part.WITH)),
        ("participants:a", phrase("a", Part.WITH)),
        ("recipients:a", Or(tuple(phrase("a", part) for part in RECIPIENTS))),
        ("envelope:a", phrase("a", Part.ENVELOPE)),
        ("经群组:a", phrase("a", Part.EXPANDED)),
        ('主题："合同 编号"', phrase("合同 编号", Part.SUBJECT)),
        ("正文:a", phrase("a", Part.BODY)),
        ("intext:a", phrase("a", Part.ATTACHMENT)),
        ("attachmentnames:a", phrase("a", Part.FILENAME)),
        ("filename:*.pdf", Term(Field.EXTENSION, "pdf")),
        ("attachment:a", Or((phrase("a", Part.FILENAME), phrase("a", Part.ATTACHMENT)))),
        ("subject:(a OR b)", Or((phrase("a", Part.SUBJECT), phrase("b", Part.SUBJECT)))),
        ("subject:(a -b)", And((phrase("a", Part.SUBJECT), Not(phrase("b", Part.SUBJECT))))),
        ("-from:a", Not(phrase("a", Part.FROM))),
        ("in:body a", phrase("a", Part.BODY)),
        ("a in:正文 from:b", And((phrase("a", Part.BODY), phrase("b", Part.FROM)))),
        ("has:attachment", ATTACHED),
        ("hasattachment:true", ATTACHED),
        ("hasattachment:false", Not(ATTACHED)),
        ("附件：有", ATTACHED),
        ("附件：无", Not(ATTACHED)),
        ("filetype:pdf", Term(Field.TYPE, "pdf")),
        ("mimetype:image/*", Term(Field.TYPE, "image/*")),
        ("cat*", Wildcard("cat*")),
        ("*cat", Wildcard("*cat")),
        ("c?t", Wildcard("c?t")),
        ("cat＊", Wildcard("cat*")),
        ("subject:cat*", Wildcard("cat*", Part.SUBJECT)),
        ("合同*", phrase("合同")),
        ("*合同*", phrase("合同")),
        ("colour~", Fuzzy("colour", 1)),
        ("colour~2", Fuzzy("colour", 2)),
        ("from:jon~", Fuzzy("jon", 1, Part.FROM)),
        ("re:/a.*b/", Regex("a.*b")),
        ("re: /a b/", Regex("a b")),
        (r"re:/a\/b\\/", Regex(r"a/b\\")),
        ("subject:re:/x/", Regex("x", Part.SUBJECT)),
        ("in:body re:/x/", Regex("x", Part.BODY)),
        ("a NEAR b", Near((A, B), 8)),
        ("a NEAR(5) b", Near((A, B), 5)),
        ("a ONEAR(5) b", Near((A, B), 5, is_ordered=True)),
        ("a PRE/5 b", Near((A, B), 5, is_ordered=True)),
        ("a AROUND 5 b", Near((A, B), 5)),
        ("a AROUND(5) b", Near((A, B), 5)),
        ("a W(5) b", Near((A, B), 5)),
        ("a W/5 b", Near((A, B), 5)),
        ("a NEAR(2) b NEAR(2) c", Near((A, B, C), 2)),
        ("a NEAR(2) b c", And((Near((A, B), 2), C))),
        ("(a OR b) NEAR(2) c", Or((Near((A, C), 2), Near((B, C), 2)))),
        ("subject:(a NEAR(1) b)", Near((phrase("a", Part.SUBJECT), phrase("b", Part.SUBJECT)), 1)),
        ('"a b"~5', Near((A, B), 5)),
        ('subject:"a b"~0', Near((phrase("a", Part.SUBJECT), phrase("b", Part.SUBJECT)), 0)),
        ("W", phrase("W")),
        ("header:X-Mailer", Header("x-mailer", "")),
        ("header:x-mailer=fox", Header("x-mailer", "fox")),
        ('header:x-mailer:"fox mail" a', And((Header("x-mailer", "fox mail"), A))),
        ("kind:邮件", Term(Field.KIND, "email")),
        ("direction:收", Term(Field.DIRECTION, "in")),
        ("mailbox:wang", Term(Field.CUSTODIAN, "wang")),
        ('folder:"Archive/2024"', Term(Field.FOLDER, "Archive/2024")),
        ("tag:(hot OR cold)", Or((Term(Field.TAG, "hot"), Term(Field.TAG, "cold")))),
        ('matter:"case 7"', Term(Field.MATTER, "case 7")),
        ("案件:甲", Term(Field.MATTER, "甲")),
        ("保全:hld_0000000000005", Term(Field.HOLD, "hld_0000000000005")),
        (f"id:MSG_{ID}", Term(Field.ID, f"msg_{ID}")),
        (f"thread:thr_{ID}", Term(Field.THREAD, f"thr_{ID}")),
        (f"contact:con_{ID}", Term(Field.CONTACT, f"con_{ID}")),
        ("id:<a@b>", Term(Field.MESSAGE_ID, "<a@b>")),
        ("rfc822msgid:a@b", Term(Field.MESSAGE_ID, "a@b")),
        ("sha256:" + "AB" * 32, Term(Field.SHA256, "AB" * 32)),
        ("is:重复", Term(Field.IS, "duplicate")),
        ("larger:10M", Sizes(10 << 20, None)),
        ("smaller:1.5K", Sizes(None, 1536)),
        ("size:1M..5mb", Sizes(1 << 20, 5 << 20)),
        ("size:..5", Sizes(None, 5)),
        ("size:5..", Sizes(5, None)),
        ("size>26214400", Sizes(26214401, None)),
        ("size>=1", Sizes(1, None)),
        ("size<=1", Sizes(None, 1)),
        ("size<1", Sizes(None, 0)),
        ("size=1", Sizes(1, 1)),
        ("大小：>1", Sizes(2, None)),
        ("after:2024-01-31", days((2024, 1, 31), None)),
        ("before:2024/1/31", days(None, (2024, 1, 31))),
        ("until:2024.01.31", days(None, (2024, 2, 1))),
        ("on:20240229", days((2024, 2, 29), (2024, 3, 1))),
        ("date:2024", days((2024, 1, 1), (2025, 1, 1))),
        ("date:2024-12", days((2024, 12, 1), (2025, 1, 1))),
        ("日期：2024年3月", days((2024, 3, 1), (2024, 4, 1))),
        ("日期：2024年3月5日", days((2024, 3, 5), (2024, 3, 6))),
        ("date:2024-01-01..2024-01-31", days((2024, 1, 1), (2024, 2, 1))),
        ("date:..2024-01-31", days(None, (2024, 2, 1))),
        ("date:2024-01-31..", days((2024, 1, 31), None)),
        ("sent>=2021-06-01", days((2021, 6, 1), None)),
        ("received>2021-06-01", days((2021, 6, 2), None)),
        ("sent<2021-06-01", days(None, (2021, 6, 1))),
        ("sent:<=2021-06-01", days(None, (2021, 6, 2))),
        ("date=2021-06-01", days((2021, 6, 1), (2021, 6, 2))),
        ("date:today", days((2024, 3, 15), (2024, 3, 16))),
        ("date:昨天", days((2024, 3, 14), (2024, 3, 15))),
        ('date:"last week"', days((2024, 3, 4), (2024, 3, 11))),
        ("date:last_month", days((2024, 2, 1), (2024, 3, 1))),
        ("日期：上周", days((2024, 3, 4), (2024, 3, 11))),
        ("日期：上个月", days((2024, 2, 1), (2024, 3, 1))),
        ("date:上季度", days((2023, 10, 1), (2024, 1, 1))),
        ("date:去年", days((2023, 1, 1), (2024, 1, 1))),
        ("date:this-year..today", days((2024, 1, 1), (2024, 3, 16))),
        ("older_than:2d", Dates(None, datetime(2024, 3, 13, 4, 30, tzinfo=UTC))),
        ("newer_than:3小时", Dates(datetime(2024, 3, 15, 1, 30, tzinfo=UTC), None)),
        ("newer_than:1m", Dates(datetime(2024, 2, 15, 4, 30, tzinfo=UTC), None)),
        ("newer_than:2weeks", Dates(datetime(2024, 3, 1, 4, 30, tzinfo=UTC), None)),
        (
            "date:2024-01-01T10:00Z",
            Dates(datetime(2024, 1, 1, 10, tzinfo=UTC), datetime(2024, 1, 1, 10, 1, tzinfo=UTC)),
        ),
        (
            'captured:"2024-01-01 10:00:00.5"',
            Dates(
                datetime(2024, 1, 1, 2, 0, 0, 500_000, UTC),
                datetime(2024, 1, 1, 2, 0, 0, 600_000, UTC),
                "captured",
            ),
        ),
    ],
)
def test_query_means(text: str, node: Node) -> None:
    parsed = parse(text)
    assert parsed.node == node
    assert parsed.zone == "Asia/Shanghai"
    assert parsed.text == text
    assert parse(to_text(node)).node == node
    assert explain(node, ZONE)


@pytest.mark.parametrize(
    ("text", "position", "hint"),
    [
        ("form:bob", 0, "from:"),
        ("a 主提:b", 2, "主题"),
        ("C:\\x", 0, '"C:'),
        ("合同编号：HT-1", 0, "quotes"),
        ("(a", 0, ""),
        ("a)", 1, ""),
        ("(a}", 2, ""),
        ("{a", 0, ""),
        ('a "b', 2, '"'),
        ('"b\\"', 0, ""),
        ('"a b"~', 5, "~5"),
        ('"合同"~5', 0, ""),
        ("AND a", 0, "quotes"),
        ("a OR", 2, ""),
        ("a OR OR b", 5, ""),
        ("NOT", 0, ""),
        ("()", 1, ""),
        ("a NEAR", 2, ""),
        ("a NEAR -b", 7, ""),
        ("a NEAR cat*", 7, ""),
        ("a NEAR(1) b NEAR(2) c", 2, ""),
        ("a NEAR subject:b", 2, "subject:("),
        ("- a", 0, "leave them out"),
        ("!!!", 0, ""),
        ('""', 0, ""),
        ("a & b", 2, ""),
        ("from:", 0, ""),
        ("from: )", 0, ""),
        ("from:subject:a", 5, "quotes"),
        ("subject:(from:a)", 9, ""),
        ("subject=a", 7, "subject:"),
        ("subject:*", 0, ""),
        ("inv-20*", 0, "quotes"),
        ("合同a*", 0, ""),
        ("http://x/?a", 0, "quotes"),
        ("合?同", 0, ""),
        ("合同~", 0, ""),
        ("a-b~", 0, ""),
        ("colour~3", 0, ""),
        ("ab~2", 0, ""),
        ("x" * 65 + "~", 0, ""),
        ("re:foo", 3, "slashes" and "quotes"),
        ("re:/foo", 3, ""),
        ("re:/(/", 0, ""),
        ("re://", 0, ""),
        ("re:/(?=a)/", 0, ""),
        ("tag:re:/a/", 0, ""),
        ("saved:x", 0, "out"),
        ("reviewer:x", 0, ""),
        ("kind:banana", 0, ""),
        ("has:foo", 0, ""),
        ("is:starred", 0, ""),
        ("id:1", 0, "Copy"),
        ("thread:msg_0000000000005", 0, ""),
        ("sha256:ab", 0, ""),
        ("tag:a*", 0, "OR"),
        ("mimetype:*", 0, ""),
        ("msgid:<>", 0, ""),
        ('tag:" "', 0, ""),
        ("hasattachment:maybe", 0, ""),
        ("header:=a", 0, "x-mailer"),
        ("header:", 0, ""),
        ("header:x=a*", 0, ""),
        ('header:x="!"', 0, ""),
        ("date:03/15/2024", 0, "2024-03-15"),
        ("date:2024-02-30", 0, ""),
        ("date:2024-00", 0, ""),
        ("date:2024-01-00", 0, ""),
        ("date:0000", 0, ""),
        ("date:9999-12-31", 0, ""),
        ("date:2024-01-01T25:00", 0, ""),
        ("date:2025..2024", 0, ""),
        ("sent>=", 0, ""),
        ("after:7d", 0, ""),
        ("older_than:soon", 0, ""),
        ("older_than:99999y", 0, ""),
        ("older_than:99999m", 0, ""),
        ("size:big", 0, "larger:10M"),
        ("size:5..1", 0, ""),
        ("size>99999999999999T", 0, ""),
        ("size:..x", 0, ""),
        ("in:inbox", 0, "folder:"),
        ("in:body", 0, ""),
        ("-in:body a", 1, ""),
        ("a OR in:body", 5, ""),
        ("in:body in:subject a", 8, ""),
        (f"{{{_MANY}}} NEAR {{{_MANY}}}", len(_MANY) + 3, ""),
    ],
)
def test_query_is_refused_where_it_goes_wrong(text: str, position: int, hint: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    error = refused.value
    assert error.position == position
    assert hint in error.suggestion + error.cause
    assert error.exit_status == 2
    caret = error.caret.split("\n")[1]
    assert caret.strip() == "^"
    assert error.facts["position"] == position


def test_caret_stands_under_the_place_also_after_wide_characters() -> None:
    with pytest.raises(QueryError) as refused:
        parse("合同 e\u0301 ) a")
    assert refused.value.caret == "合同 e\u0301 ) a\n       ^"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a or b", "OR"),
        ("a and b", "AND"),
        ("not a", "NOT"),
        ("a b OR c", "(a b) OR c"),
        ('"cat*"', "wildcard"),
        ("really?", "one character"),
        ("size:5", "larger"),
        ("上周 合同", "date:上周"),
    ],
)
def test_what_is_easily_misread_is_said(text: str, word: str) -> None:
    assert word in " ".join(parse(text).warnings)


_PLAIN = ["a AND b OR c", "(a b) OR c", "subject:or a", "or", '"or" a', "c?t", "a b", "date:上周"]


@pytest.mark.parametrize("text", _PLAIN)
def test_what_is_plain_is_not_warned_of(text: str) -> None:
    assert parse(text).warnings == ()


@given(NODES)
def test_canonical_text_reads_back_as_the_same_tree(node: Node) -> None:
    text = to_text(node)
    assert parse(text).node == node
    assert parse_query(text, now=datetime(2030, 1, 1, tzinfo=UTC), zone=UTC).node == node
    assert len(explain(node).splitlines()) >= 1


_SIGNS = ["AND", "OR", "NOT", "NEAR(2)", "W/3", "AROUND 5", "re:/", "..", *"()（）{}“”/~*?-:="]
_VALUES = ["2024-01-01", "10M", "合同", "a", "café", "上周", "~2", *'"\\<>.：\u3000']
_PIECES = st.sampled_from([*OPERATORS, *_SIGNS, *_VALUES, *"      "])


@given(st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=60)))
@example("a AND in:body")
@example("{OR a}")
@example("{ }")
@example("NOT {}")
@example('header:x=y"z"')
@example("date:9999-12-31T23:59:59.999999Z")
@example("date:0001-01-01")
@example("size:999999999999999T")
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        parsed = parse(text)
    except QueryError as error:
        refused = error
    else:
        assert parse(to_text(parsed.node)).node == parsed.node
        return
    assert 0 <= refused.position <= len(text)
    assert refused.caret


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "a" + ")" * 5000,
        "-" * 5000 + "a",
        "NOT " * 5000 + "a",
        "subject:" + "(" * 61 + "a",
        "{" * 5000,
        "-(" * 61 + "a",
        "a" * 100_001,
    ],
)
def test_nesting_and_length_have_limits(text: str) -> None:
    with pytest.raises(QueryError, match=r"(?i)more than"):
        parse(text)


def test_deepest_and_longest_queries_are_understood() -> None:
    deep = "-(" * 30 + "a" + ")" * 30
    assert parse(to_text(parse(deep).node)).node == parse(deep).node
    terms = [f"term{n}" for n in range(5_000)]
    assert parse(" OR ".join(terms)).node == Or(tuple(map(Phrase, terms)))


def test_every_operator_has_a_meaning() -> None:
    values = {
        "re": "/a/", "sha256": "a" * 64, "id": f"msg_{ID}", "thread": f"thr_{ID}",
        "contact": f"con_{ID}", "hasattachment": "yes", "kind": "email", "channel": "email",
        "direction": "in", "has": "text", "is": "bulk", "in": "body a", "older_than": "1d",
        "newer_than": "1d", "size": "1..2", "larger": "1", "smaller": "1",
    }  # fmt: skip
    dated = {"date", "captured", "after", "before", "until", "on"}
    for alias, name in OPERATORS.items():
        value = "2024" if name in dated else values.get(name, "a")
        parse(f"{alias}:{value}")
        parse(f"{alias.upper()}：{value}")
    assert set(PARTS) | set(FIELDS) <= set(OPERATORS.values())


def test_zone_decides_where_a_day_begins() -> None:
    berlin = parse_query("date:2024-03-31", now=NOW, zone=ZoneInfo("Europe/Berlin")).node
    assert berlin == Dates(
        datetime(2024, 3, 30, 23, tzinfo=UTC), datetime(2024, 3, 31, 22, tzinfo=UTC)
    )


def test_last_day_of_a_shorter_month_stands_for_the_missing_one() -> None:
    now = datetime(2024, 3, 31, 4, tzinfo=UTC)
    node = parse_query("newer_than:1m", now=now, zone=UTC).node
    assert node == Dates(datetime(2024, 2, 29, 4, tzinfo=UTC), None)

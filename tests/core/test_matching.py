from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.matching import Reading, matches
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
from holdfast.core.records import HeldBy, Record, RecordAttachment, RecordParticipant, TextState
from holdfast.core.text_matching import is_within_edits, matches_glob
from query_kit import NODES, NOW, RECORDS, sample_record


def finds(text: str, query: str) -> bool:
    return matches(Phrase(query), sample_record(body=text))


_RUNS = {
    "han": "合同编号價格說明发票人民币与與后後",
    "kana": "カラオケひらがなー々",
    "hangul": "한국어가각힣",
    "thai": "ภาษาไทยน้ำ",
    "lao": "ພາສາລາວ",
    "khmer": "ភាសាខ្មែរ",
    "myanmar": "မြန်မာဘာသာ",
}


@pytest.mark.parametrize("script", _RUNS)
@given(data=st.data())
def test_every_piece_of_up_to_twelve_characters_of_a_run_is_found(
    script: str, data: st.DataObject
) -> None:
    run = data.draw(st.text(alphabet=_RUNS[script], min_size=1, max_size=40))
    before, after = data.draw(st.tuples(*[st.sampled_from(["", "ok ", "。", "Re: ", "2024"])] * 2))
    start = data.draw(st.integers(0, len(run) - 1))
    piece = run[start : start + data.draw(st.integers(1, 12))]
    assert finds(before + run + after, piece)


@given(
    st.lists(st.text(alphabet="abcé1", min_size=1, max_size=4), min_size=1, max_size=12), st.data()
)
def test_every_series_of_whole_words_is_found(words: list[str], data: st.DataObject) -> None:
    text = "".join(word + data.draw(st.sampled_from([" ", ", ", "\n", "-", "_"])) for word in words)
    start = data.draw(st.integers(0, len(words) - 1))
    some = words[start : start + data.draw(st.integers(1, 12))]
    assert finds(text, " ".join(some))


@given(
    st.text(alphabet="合同编号 。", max_size=30),
    st.text(alphabet="合同编号", min_size=1, max_size=4),
)
def test_piece_of_chinese_is_found_only_where_it_stands(text: str, piece: str) -> None:
    assert finds(text, piece) == (piece in text)


@given(st.text(alphabet="ab ,", max_size=20), st.text(alphabet="ab ", min_size=1, max_size=6))
def test_words_are_found_only_as_whole_words_in_order(text: str, query: str) -> None:
    words = query.split()
    assume(words)
    pattern = r"(?<![ab])" + r"[ ,]+".join(words) + r"(?![ab])"
    assert finds(text, query) == bool(re.search(pattern, text))


@pytest.mark.parametrize(
    ("text", "query", "is_found"),
    [
        ("合同编号", "合同 编号", True),
        ("合同 编号", "合同编号", False),
        ("合同 编号", "合同 编号", True),
        ("合同\n编号", "同编", True),
        ("合同\r\n编号", "同编", True),
        ("合同\n\n编号", "同编", False),
        ("去卡拉OK唱歌", "卡拉OK", True),
        ("卡拉 OK", "卡拉OK", True),
        ("卡 拉OK", "卡拉OK", False),
        ("去OK卡拉", "卡拉OK", False),
        ("與貴方說明", "与贵方说明", True),
        ("与贵方说明", "與貴方說明", True),
        ("ＡＢＣ公司", "abc", True),
        ("abc", "ＡＢＣ", True),
        ("the café", "cafe", True),
        ("the café", "CAFÉ", True),
        ("the cafe", "café", False),
        ("the cafè", "café", False),
        ("cafe\u0301", "café", True),
        ("a.b@c.com", "b@c", True),
        ("INV-2024-0017", "inv 2024", True),
        ("INV-2024-0017", "INV-2024-001", False),
        ("co\u00adoperate", "cooperate", True),
        ("call +86 138-0013-8000.", "13800138000", True),
        ("call +86 138-0013-8000.", "+8613800138000", True),
        ("call 13800138000.", "+86 138-0013-8000", True),
        ("call 138 0013 8000.", "138-0013-8000", True),
        ("call 13800138001.", "13800138000", False),
        ("", "a", False),
        ("a", "...", False),
    ],
)
def test_meaning_of_a_phrase(text: str, query: str, is_found: bool) -> None:  # noqa: FBT001
    assert finds(text, query) is is_found


_RECORD = sample_record(
    id=7,
    subject="Alpha 合同",
    body="Beta quick brown fox café résumé",
    participants=(
        RecordParticipant(Role.FROM, "张伟", "zw.boss@mail.example.com", 5),
        RecordParticipant(Role.TO, "Bob", "bob@example.org"),
        RecordParticipant(Role.CC, "Carol", "carol@example.net"),
        RecordParticipant(Role.BCC, "Dan", "dan@example.edu"),
        RecordParticipant(Role.DELIVERED_TO, "", "eve@example.info"),
        RecordParticipant(Role.REPLY_TO, "", "broken"),
    ),
    attachments=(
        RecordAttachment(
            "报价单.PDF", "application/pdf", "Gamma ray", text_state=TextState.EXTRACTED
        ),
        RecordAttachment("photo", "image/png", "", text_state=TextState.FAILED),
        RecordAttachment("a.docx", "application/octet-stream", "", text_state=TextState.TRUNCATED),
    ),
    headers=(("X-Mailer", "Foxmail 7 邮件"), ("x-mailer", "second"), ("X-Empty", "")),
    message_id="<ABC@Example.com>",
    list_id="Announce <news.lists.example.org>",
    thread_id=9,
    direction="in",
    sources=("Journal",),
    custodians=("王敏",),
    folders=("Archive/2024/合同",),
    labels=("Important",),
    companies=("example.com",),
    sha256s=("AB" * 32,),
    defects=("header_8bit",),
    tags=("hot",),
    held_by=(HeldBy(5, "Prices", 3, "Case 7"),),
    lang="zh",
    is_bulk=True,
    is_duplicate=True,
    shares_message_id=True,
)


@pytest.mark.parametrize(
    "node",
    [
        Phrase("alpha", Part.SUBJECT),
        Phrase("beta", Part.BODY),
        Phrase("gamma", Part.ATTACHMENT),
        Phrase("gamma", Part.CONTENT),
        Phrase("报价单", Part.FILENAME),
        Phrase("报价单"),
        Phrase("zw.boss@mail.example.com", Part.FROM),
        Phrase("example.com", Part.FROM),
        Phrase("zhangwei", Part.FROM),
        Phrase("ZW", Part.WITH),
        Phrase("bob", Part.TO),
        Phrase("carol", Part.CC),
        Phrase("dan", Part.BCC),
        Phrase("eve", Part.WITH),
        Phrase("bob bob@example.org"),
        Wildcard("qu*"),
        Wildcard("?ro*"),
        Wildcard("cafe"),
        Wildcard("RÉS*É"),
        Fuzzy("qiuck"),
        Fuzzy("cafes"),
        Fuzzy("brwn", 1, Part.BODY),
        Regex("br.wn"),
        Regex("b[a-z]+", Part.TO),
        Near((Phrase("beta"), Phrase("brown")), 1),
        Near((Phrase("brown"), Phrase("beta")), 1),
        Near((Phrase("beta"), Phrase("quick brown"), Phrase("fox")), 0, is_ordered=True),
        Near((Phrase("alpha"),), 0),
        Term(Field.KIND, "EMAIL"),
        Term(Field.DIRECTION, "in"),
        Term(Field.SOURCE, "journal"),
        Term(Field.CUSTODIAN, "王敏"),
        Term(Field.FOLDER, "archive"),
        Term(Field.FOLDER, "Archive/2024/合同/"),
        Term(Field.LABEL, "important"),
        Term(Field.LIST, "news.lists.example.org"),
        Term(Field.THREAD, public_id("thr", 9)),
        Term(Field.ID, public_id("msg", 7)),
        Term(Field.CONTACT, public_id("con", 5)),
        Term(Field.MESSAGE_ID, "abc@example.com"),
        Term(Field.SHA256, "ab" * 32),
        Term(Field.DOMAIN, "example.com"),
        Term(Field.DOMAIN, "@mail.example.com"),
        Term(Field.ADDRESS, "BOB@example.org"),
        Term(Field.COMPANY, "example.com"),
        Term(Field.TYPE, "pdf"),
        Term(Field.TYPE, "application/pdf"),
        Term(Field.TYPE, "image"),
        Term(Field.TYPE, "图片"),
        Term(Field.TYPE, "image/*"),
        Term(Field.TYPE, "word"),
        Term(Field.TYPE, ".docx"),
        Term(Field.EXTENSION, ".pdf"),
        Term(Field.DEFECT, "header_8bit"),
        Term(Field.TAG, "hot"),
        Term(Field.MATTER, "case 7"),
        Term(Field.MATTER, public_id("mat", 3)),
        Term(Field.HOLD, "PRICES"),
        Term(Field.HOLD, public_id("hld", 5)),
        Term(Field.LANG, "zh"),
        Term(Field.HAS, "attachment"),
        Term(Field.HAS, "defect"),
        Term(Field.HAS, "text"),
        Term(Field.IS, "duplicate"),
        Term(Field.IS, "truncated"),
        Term(Field.IS, "bulk"),
        Term(Field.IS, "unreadable"),
        Term(Field.IS, "conflict"),
        Header("X-MAILER", ""),
        Header("x-mailer", "foxmail second 邮件"),
        Header("x-empty", ""),
        Dates(NOW, NOW + timedelta(seconds=1)),
        Dates(None, None, "captured"),
        Sizes(1000, 1000),
        Sizes(None, None),
        EVERYTHING,
        Not(NOTHING),
        And((Phrase("alpha"), Or((Phrase("none"), Phrase("beta"))), Not(Phrase("none")))),
    ],
)
def test_record_is_found_by(node: Node) -> None:
    assert matches(node, _RECORD)
    assert not matches(Not(node), _RECORD)


@pytest.mark.parametrize(
    "node",
    [
        Phrase("alpha", Part.BODY),
        Phrase("beta", Part.SUBJECT),
        Phrase("alpha 合同 beta"),
        Phrase("zhangwei"),
        Phrase("zhangwei", Part.SUBJECT),
        Phrase("zw boss zhang", Part.FROM),
        Phrase("bob", Part.FROM),
        Phrase("eve", Part.TO),
        Phrase("张", Part.CONTENT),
        Wildcard("合*"),
        Wildcard("qu"),
        Wildcard("c*é", Part.SUBJECT),
        Fuzzy("qiukkc", 1),
        Regex("bro"),
        Near((Phrase("beta"), Phrase("brown")), 0),
        Near((Phrase("brown"), Phrase("beta")), 1, is_ordered=True),
        Near((Phrase("beta"), Phrase("beta")), 5),
        Near((Phrase("alpha"), Phrase("beta")), 99),
        Near((Phrase("alpha", Part.SUBJECT), Phrase("beta")), 99),
        Near((), 5),
        Near((Phrase("..."), Phrase("beta")), 9),
        Term(Field.DOMAIN, "ample.com"),
        Term(Field.TYPE, "excel"),
        Term(Field.TAG, ""),
        Term(Field.FOLDER, "2024"),
        Header("x-other", ""),
        Header("x-mailer", "foxmail third"),
        Dates(NOW + timedelta(seconds=1), None),
        Dates(None, NOW),
        Dates(None, NOW, "captured"),
        Sizes(1001, None),
        Sizes(None, 999),
        NOTHING,
        And((EVERYTHING, NOTHING)),
        Or((NOTHING, NOTHING)),
    ],
)
def test_record_is_not_found_by(node: Node) -> None:
    assert not matches(node, _RECORD)
    assert matches(Not(node), _RECORD)


def test_one_number_and_another_are_asked_of_one_text() -> None:
    record = sample_record(body="138-0013-8000 or 138-0013-9000")
    node = And((Phrase("13800138000"), Phrase("13800139000"), Not(Phrase("13800137000"))))
    assert matches(node, record)


def test_record_without_anything_has_no_claims() -> None:
    empty = sample_record(lang="")
    for field in (Field.HAS, Field.IS, Field.THREAD, Field.TYPE, Field.LIST, Field.LANG):
        for value in ("attachment", "text", "bulk", "truncated", public_id("thr", 0), ""):
            assert not matches(Term(field, value), empty)


@given(NODES, RECORDS)
def test_matching_is_total_and_negation_is_its_opposite(node: Node, record: Record) -> None:
    reading = Reading(record)
    assert matches(node, reading) is matches(node, record)
    assert matches(Not(node), reading) is not matches(node, reading)


@given(st.lists(NODES, max_size=4), RECORDS)
def test_and_or_mean_all_and_any(nodes: list[Node], record: Record) -> None:
    each = [matches(node, record) for node in nodes]
    assert matches(And(tuple(nodes)), record) is all(each)
    assert matches(Or(tuple(nodes)), record) is any(each)


def test_very_deep_tree_is_evaluated() -> None:
    node: Any = Phrase("alpha")
    for _ in range(50_000):
        node = Not(And((node,)))
    assert matches(node, _RECORD)


@pytest.mark.parametrize("pattern", ["(", "a{100000}", "((a{900}){900}){9}", "x" * 5000, "(?=a)"])
def test_expression_that_is_wrong_or_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(Refused):
        matches(Regex(pattern), _RECORD)


def test_expression_that_others_choke_on_is_answered() -> None:
    record = sample_record(body="a" * 7000)
    assert not matches(Regex("(a*)*b"), record)
    assert matches(Regex("(a|aa)+"), record)


def _edits(one: str, other: str) -> int:
    """The definition, without shortcuts."""
    table = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            best = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, table[i - 2, j - 2] + 1)
            table[i, j] = best
    return table[len(one), len(other)]


_SHORT = st.text(alphabet="abc", max_size=7)


@given(_SHORT, _SHORT, st.integers(0, 3))
def test_edits_are_counted_as_defined(one: str, other: str, distance: int) -> None:
    assert is_within_edits(one, other, distance) == (_edits(one, other) <= distance)


def test_edits_of_long_words_are_counted_near_the_diagonal_alone() -> None:
    word = "x" * 20_000  # cell by cell this takes minutes
    assert is_within_edits("f" + word, "e" + word, 1)
    assert is_within_edits(word + "ab", word + "ba", 1)
    assert not is_within_edits("fg" + word, "hi" + word, 1)


@given(st.text(alphabet="ab*?", max_size=7), st.text(alphabet="ab", max_size=8))
def test_wildcards_mean_what_the_expression_means(pattern: str, word: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern)
    assert matches_glob(pattern, word) == bool(re.fullmatch(expression, word))


@given(
    st.text(alphabet="abc ", max_size=24),
    st.lists(st.text(alphabet="abc", min_size=1, max_size=1), min_size=2, max_size=3),
    st.integers(0, 3),
    st.booleans(),
)
def test_nearness_is_as_defined(
    text: str,
    words: list[str],
    distance: int,
    is_ordered: bool,  # noqa: FBT001
) -> None:
    places = text.split()

    def reachable(start: int, rest: list[str]) -> bool:
        if not rest:
            return True
        return any(
            word == rest[0] and 0 <= gap - 1 <= distance and reachable(at, rest[1:])
            for at, word in enumerate(places)
            if (gap := at - start if is_ordered else abs(at - start)) > 0
        )

    expected = any(word == words[0] and reachable(at, words[1:]) for at, word in enumerate(places))
    node = Near(tuple(Phrase(word) for word in words), distance, is_ordered)
    assert matches(node, sample_record(body=text)) == expected

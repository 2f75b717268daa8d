from __future__ import annotations

import pytest
from hypothesis import given

from holdfast.core.kinds import Role
from holdfast.core.matching import matches
from holdfast.core.query import And, Fuzzy, Near, Node, Not, Or, Part, Phrase, Regex, Wildcard
from holdfast.core.records import Record, RecordAttachment, RecordParticipant
from holdfast.indexer.highlight import MAX_CHARS, MAX_MARKS, highlight, snippets
from query_kit import NODES, RECORDS, WORD_LEAVES, sample_record


def marked(node: Node, body: str) -> list[str]:
    """Return the pieces of the body that are marked."""
    found = highlight(node, sample_record(body=body))
    return [one.text[start:end] for one in found for start, end in one.marks]


@pytest.mark.parametrize(
    ("node", "body", "pieces"),
    [
        (Phrase("fox"), "The Fox, the fox.", ["Fox", "fox"]),
        (Phrase("与说"), "他與說了", ["與說"]),
        (Phrase("abc"), "＜ＡＢＣ＞", ["ＡＢＣ"]),
        (Phrase("cafe"), "Cafe\u0301 x", ["Cafe\u0301"]),
        (Phrase("cooperate"), "we co\u00adoperate", ["co\u00adoperate"]),
        (Phrase("合同编号"), "见合同\n编号。", ["合同\n编号"]),
        (Phrase("ok 12"), "ﬁle OK ⑫", ["OK ⑫"]),
        (Phrase("strasse"), "Große Straße!", ["Straße"]),
        (Phrase("13800138000"), "tel +86 138-0013-8000!", ["86 138-0013-8000"]),
        (Phrase("13800138000"), "020-8765-4321, 138 0013 8000", ["138 0013 8000"]),
        (Phrase("1"), "½ x", ["½"]),
        (Phrase("ffi"), "oﬃce ﬃ", ["ﬃ"]),
        (Wildcard("br*"), "brown bread, abroad", ["brown", "bread"]),
        (Fuzzy("colour"), "Color me", ["Color"]),
        (Regex("[a-c]+"), "abc xyz cab", ["abc", "cab"]),
        (Near((Phrase("a"), Phrase("b")), 1), "a x b, x x a x x x b", ["a", "b"]),
        (Near((Phrase("a"), Phrase("b")), 1), "a x x b", []),
        (Or((Phrase("a b"), Phrase("b c"))), "a b c", ["a b c"]),
        (And((Phrase("a"), Not(Phrase("b")))), "a b", ["a"]),
        (Phrase("a", Part.SUBJECT), "a", []),
    ],
)
def test_marks_are_the_words_as_written(node: Node, body: str, pieces: list[str]) -> None:
    assert marked(node, body) == pieces


def test_each_part_is_marked_by_itself() -> None:
    record = sample_record(
        subject="alpha",
        attachments=(RecordAttachment("alpha.txt", "text/plain", "some alpha"),),
        participants=(
            RecordParticipant(Role.TO, "Alpha", "x@example.com"),
            RecordParticipant(Role.REPLY_TO, "Alpha", "y@example.com"),
        ),
    )
    found = highlight(Phrase("alpha"), record)
    assert [(one.part, one.index) for one in found] == [
        (Part.SUBJECT, 0),
        (Part.FILENAME, 0),
        (Part.ATTACHMENT, 0),
        (Part.TO, 0),
        (Part.WITH, 1),
    ]
    assert [one.part for one in highlight(Phrase("alpha", Part.CONTENT), record)] == [
        Part.SUBJECT,
        Part.ATTACHMENT,
    ]
    assert len(highlight(Phrase("alpha", Part.WITH), record)) == 2


@given(NODES, RECORDS)
def test_marks_are_ordered_places_of_the_original(node: Node, record: Record) -> None:
    for one in highlight(node, record):
        upto = 0
        for start, end in one.marks:
            assert upto <= start < end <= len(one.text)
            upto = end
        for snippet in snippets([one], limit=5):
            assert one.text[snippet.start :].startswith(snippet.text)
            assert snippet.marks
            for start, end in snippet.marks:
                at = (start + snippet.start, end + snippet.start)
                assert at in one.marks


@given(WORD_LEAVES, RECORDS)
def test_words_that_match_are_marked_and_others_are_not(node: Node, record: Record) -> None:
    assert bool(highlight(node, record)) is matches(node, record)


def test_huge_text_is_marked_as_far_as_is_looked_and_says_so() -> None:
    found = highlight(Phrase("é"), sample_record(body="é " * MAX_CHARS))
    (one,) = found
    assert one.is_cut
    assert len(one.marks) == MAX_MARKS
    (late,) = highlight(Phrase("a"), sample_record(body="a " + "b " * MAX_CHARS))
    assert late.is_cut
    assert late.marks == ((0, 1),)


def test_snippets_stand_around_marks_and_are_few() -> None:
    body = ("word " * 40 + "needle ") * 9
    found = snippets(highlight(Phrase("needle"), sample_record(body=body)), limit=3)
    assert len(found) == 3
    assert all("needle" in one.text and len(one.text) < 140 for one in found)
    assert not any(one.text.startswith("ord") for one in found)
    assert snippets([]) == []


def test_neighbouring_marks_share_a_snippet() -> None:
    (one,) = snippets(highlight(Phrase("b"), sample_record(body="a b c b d")))
    assert (one.text, one.marks) == ("a b c b d", ((2, 3), (6, 7)))

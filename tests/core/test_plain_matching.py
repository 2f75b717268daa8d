"""Phrases found in a plain text are those that cutting the text finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.analysis import MAX_WORD_CHARS, normalise, query_atoms
from holdfast.core.plain_matching import is_plain, phrase_spans
from holdfast.core.text_matching import CutText

PIECES = [
    "a", "b", "ab", "a1", "的", "合", "同", "ア", "ー", "ไ", "ท", "\u0e48", " ", "\n", "\r\n", "\r",
    "_", "-", ".", "“", "’", "…", "、", "。", "中文", "é", "e\u0301", "ß", "Ж", "ﬁ", "Ａ", "½",
    "\u00ad", "\u200b", "😀", "𠀀", "\u3099", "\uff9e", "가", "#",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def cut_spans(normalised: str, text: str) -> list[tuple[int, int]]:
    cut, phrase = CutText.of_normalised(normalised), query_atoms(text)
    last = len(phrase) - 1
    return [(cut.spans[at][0], cut.spans[at + last][1]) for at in cut.starts(phrase)]


@given(TEXTS, st.one_of(TEXTS, st.text(alphabet="ab合同 \n", min_size=1, max_size=3)))
def test_plain_text_gives_what_cutting_gives(text: str, query: str) -> None:
    normalised = normalise(text)
    if is_plain(normalised):
        found = list(phrase_spans(normalised, query_atoms(query)))
        assert found == cut_spans(normalised, query)


@pytest.mark.parametrize(
    ("text", "query", "spans"),
    [
        ("the fox, fox-like foxes", "fox", [(4, 7), (9, 12)]),
        ("a a a", "a a", [(0, 3), (2, 5)]),
        ("“合同”的 abc合\r\n同", "合同", [(1, 3), (9, 13)]),
        ("abc合", "abc 合", [(0, 4)]),
        ("合 同", "合同", []),
        ("anything", "", []),
    ],
)
def test_places_of_phrases(text: str, query: str, spans: list[tuple[int, int]]) -> None:
    assert is_plain(text)
    assert list(phrase_spans(text, query_atoms(query))) == spans == cut_spans(text, query)


@pytest.mark.parametrize(
    "text", ["café", "cafe\u0301", "Ж", "𠀀", "a" * (MAX_WORD_CHARS + 1), "ไท\u0e48 ß"]
)
def test_text_that_must_be_cut_is_told(text: str) -> None:
    assert not is_plain(text)


def test_long_text_of_short_words_is_plain() -> None:
    assert is_plain("word " * MAX_WORD_CHARS)

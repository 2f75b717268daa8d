from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.analysis import (
    MAX_MARKS,
    MAX_WORD_CHARS,
    Atom,
    analyse,
    atoms,
    name_keys,
    normalise,
    normalise_with_offsets,
    query_atoms,
    query_phones,
    strip_accents,
)
from holdfast.core.han_folding import SIMPLIFIED, TRADITIONAL

# Letters that compose, expand, fold or vanish, and enough of everything else.
_LETTERS = (
    "aAéÉßﬁﬀŁøİıςΣ　：（！ｱﾞｶﾟがｶﾞ한한ﾡￂ각Ⅷ①½ﷺ㍿㌀𝕬"
    "\u0301\u0327\u0345\u00ad\u200b\u200d\ufeff\ufe0f與說的合同卡ーラๆทำນໍາຳខ្មែរမြန်မာ葛"
    "\U000e0100漢\uf900⻓⼀々〇〆ヶ\u3099\u1160\u11a8\r\n\t _-.@0123٣๓\U00020000\U0001f600कि\u093f"
)
TRICKY = st.sampled_from([*_LETTERS, "e\u0301", "\r\n", "❤\ufe0f", "कि"])
TEXTS = st.lists(st.one_of(TRICKY, st.characters(exclude_categories=["Cs"])), max_size=40).map(
    "".join
)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("Straße", "strasse"),
        ("與說", "与说"),
        ("co\u00adoperate", "cooperate"),
        ("合\u200b同", "合同"),
        ("ﬁle", "file"),
        ("ｶﾞｽ", "ガス"),
        ("葛\U000e0100", "葛"),
        ("Café", "café"),
    ],
)
def test_forms_of_writing_fold_to_one(written: str, form: str) -> None:
    assert normalise(written) == form


@given(TEXTS)
def test_normalising_again_changes_nothing_that_is_searched(text: str) -> None:
    once = normalise(text)
    assert [a for *_, a in atoms(normalise(once))] == [a for *_, a in atoms(once)]


@given(TEXTS)
def test_offsets_give_the_same_text_and_point_into_the_original(text: str) -> None:
    normalised, offsets = normalise_with_offsets(text)
    assert normalised == normalise(text)
    assert len(offsets) == len(normalised)
    assert offsets == sorted(offsets)
    assert all(0 <= at < len(text) for at in offsets)


@pytest.mark.parametrize("marks", [1, 3, 4, 5, 40])
def test_letter_under_many_marks_keeps_its_place(marks: int) -> None:
    text = "b" + "a" + "\u0301" * marks + "合"
    normalised, offsets = normalise_with_offsets(text)
    assert normalised == normalise(text)
    assert (offsets[0], set(offsets[1:-1]), offsets[-1]) == (0, {1}, marks + 2)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_cut_alike_on_both_paths(text: str) -> None:
    fast = analyse(text)
    slow = analyse(f"{text} 合")
    assert f"{fast.joined} 合".strip() == slow.joined
    assert fast.words == slow.words


@given(TEXTS)
def test_each_position_has_one_token_and_extras_stand_at_positions(text: str) -> None:
    tokens = analyse(text)
    found = [atom for *_, atom in atoms(normalise(text))]
    following = [atom.text if atom.is_joined else "" for atom in found[1:]] + [""]
    pairs = [atom.text + after for atom, after in zip(found, following, strict=bool(found))]
    assert tokens.joined == " ".join(pairs)
    for position, token in tokens.extra:
        assert token == strip_accents(found[position].text) != found[position].text


def test_run_gives_overlapping_pairs_and_its_last_character() -> None:
    assert analyse("合同编号").joined == "合同 同编 编号 号"
    assert analyse("卡拉OK").joined == "卡拉 拉 ok"
    assert analyse("人").joined == "人"


def test_hard_wrapped_run_is_one_run() -> None:
    assert analyse("合同\n编号").joined == analyse("合同\r\n编号").joined == "合同 同编 编号 号"
    assert analyse("合同\n\n编号").joined == "合同 同 编号 号"
    assert analyse("合同 \n编号").joined == "合同 同 编号 号"


def test_accented_word_also_gives_its_plain_form() -> None:
    tokens = analyse("Le café, łódź")
    assert tokens.joined == "le café łódź"
    assert tokens.extra == ((1, "cafe"), (2, "lodz"))
    assert tokens.words == ("le", "café", "cafe", "łódź", "lodz")


def test_underscore_punctuation_and_emoji_separate_and_take_no_position() -> None:
    assert analyse("a_b❤\ufe0fc · d").joined == "a b c d"


@pytest.mark.parametrize(
    "text", ["ภาษาไทย", "ພາສາລາວ", "ខ្មែរ", "မြန်မာ", "한국어", "カラオケー", "人々"]
)
def test_scripts_without_spaces_are_runs(text: str) -> None:
    found = query_atoms(text)
    assert not any(atom.is_word for atom in found)
    assert "".join(atom.text for atom in found) == normalise(text)


def test_query_atoms_say_which_characters_are_neighbours() -> None:
    assert query_atoms("卡拉OK 号") == (
        Atom("卡", is_word=False, is_joined=False),
        Atom("拉", is_word=False, is_joined=True),
        Atom("ok", is_word=True, is_joined=False),
        Atom("号", is_word=False, is_joined=False),
    )


@pytest.mark.parametrize("letter", ["a", "é"])
def test_endless_word_is_cut_alike_in_text_and_query(letter: str) -> None:
    text = letter * (2 * MAX_WORD_CHARS + 5)
    pieces = [letter * MAX_WORD_CHARS] * 2 + [letter * 5]
    assert analyse(text).joined == " ".join(pieces)
    assert [atom.text for atom in query_atoms(text)] == pieces


def test_flood_of_combining_marks_takes_no_time() -> None:
    text = "a" + "\u0301\u0327\u0323\U0001d165" * 100_000
    started = time.process_time()
    found = analyse(text)
    assert time.process_time() - started < 20  # quadratic sorting would take hours
    assert len(found.words) == 2
    assert len(unicodedata.normalize("NFD", found.words[0])) <= MAX_MARKS + 2


def test_folding_table_is_one_to_one_stable_and_has_no_chains() -> None:
    folding = dict(zip(TRADITIONAL, SIMPLIFIED, strict=True))
    assert len(folding) == len(TRADITIONAL) > 4000
    assert not set(folding) & set(SIMPLIFIED)
    assert unicodedata.normalize("NFKC", SIMPLIFIED) == SIMPLIFIED


def test_chinese_names_are_known_by_pinyin() -> None:
    assert name_keys("张伟") == ("zhangwei", "zw")
    assert name_keys("張偉 (Sales)") == ("zhangwei", "zw")
    assert {"zengguofan", "zgf"} <= set(name_keys("曾国藩"))
    assert name_keys("Bob") == name_keys("") == name_keys("王") == ()
    assert name_keys("关于合同编号的说明") == ()


def test_query_for_a_number_knows_its_forms() -> None:
    assert query_phones("+86 138-0013-8000") == ("8613800138000", "13800138000")
    assert query_phones("１３８００１３８０００") == ("13800138000",)
    assert query_phones("call 13800138000") == ()
    assert query_phones("12345") == ()


@given(st.integers(0, MAX_WORD_CHARS), st.integers(-2, MAX_WORD_CHARS + 2), st.booleans())
def test_word_too_long_is_cut_wherever_it_stands_in_a_long_text(
    before: int,
    over: int,
    is_ascii: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    word = "x" * (MAX_WORD_CHARS + over)
    text = (
        f"{'a b ' * (before // 4)}{' ' * (before % 4)}{word} {'c ' * 100}{'' if is_ascii else 'é'}"
    )
    tokens = analyse(text).joined.split(" ")
    pieces = [token for token in tokens if "x" in token]
    assert "".join(pieces) == word
    assert [len(piece) for piece in pieces[:-1]] == [MAX_WORD_CHARS] * (len(pieces) - 1)
    assert 0 < len(pieces[-1]) <= MAX_WORD_CHARS


def test_ascii_words_between_typographic_marks_are_cut_as_such() -> None:
    cut = analyse("\u201cFair winds\u201d \u2014 she wrote\u2026")
    assert cut.joined == "fair winds she wrote"
    assert cut.extra == ()

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.phones import phone_forms, phone_spans, phone_tokens


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("+86 138-0013-8000", "8613800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("电话138-0013-8000号", "13800138000"),
        ("13800138000", "13800138000"),
        ("(020) 8765-4321", "02087654321"),
        ("+1 (212) 555-0100", "12125550100"),
        ("+1 (212) 555-0100", "2125550100"),
        ("+(852) 2123 4567", "21234567"),
        ("138.0013.8000", "13800138000"),
        ("tel 138-0013-8000 020-87654321", "13800138000"),
        ("tel 138-0013-8000 020-87654321", "02087654321"),
        ("+44 20 7946 0958", "2079460958"),
        ("+998 71 123 45 67", "711234567"),
    ],
)
def test_number_gives_its_digits(text: str, token: str) -> None:
    assert token in phone_tokens(text)


@pytest.mark.parametrize(
    "text", ["12345", "a1234567", "1234567b", "1234567890123456", "1  2  3  4  5  6  7", ""]
)
def test_what_is_no_number_gives_nothing(text: str) -> None:
    assert phone_tokens(text) == ()
    assert phone_forms(text) == ()


def test_groups_glued_to_letters_do_not_count() -> None:
    assert phone_tokens("x12-138-0013-8000") == ("13800138000",)
    assert phone_tokens("138-0013-8000-12x") == ("13800138000",)
    assert phone_tokens("x1234567y") == ()


def test_national_part_that_is_too_short_is_left_out() -> None:
    assert phone_forms("+99812345") == ("99812345",)


@given(st.text(alphabet="0123456789 -.()+ax合", max_size=80))
def test_every_token_is_the_digits_of_its_place(text: str) -> None:
    for start, end, tokens in phone_spans(text):
        digits = "".join(letter for letter in text[start:end] if letter.isdigit())
        assert tokens[0] == digits
        assert all(digits.endswith(token) for token in tokens)
        assert 7 <= len(digits) <= 15


@given(st.text(alphabet="0123456789", min_size=7, max_size=15), st.data())
def test_number_is_found_with_any_separators_by_any_other(digits: str, data: st.DataObject) -> None:
    separator = st.sampled_from(["", "-", " ", ".", " - ", ") "])

    def written() -> str:
        tail = "".join(data.draw(separator) + digit for digit in digits[1:])
        return digits[0] + tail

    assert set(phone_forms(written())) & set(phone_tokens(f"x {written()}, y"))


@given(st.text(alphabet="0123456789 -.()+ax", max_size=80))
def test_long_text_gives_the_numbers_that_short_text_gives(text: str) -> None:
    rest = ", " + "many words " * 100
    assert phone_tokens(text + rest) == phone_tokens(f"{text}, many words")
    assert list(phone_spans(text + rest)) == list(phone_spans(f"{text}, many words"))


@given(st.lists(st.sampled_from("0123456789"), min_size=1, max_size=20), st.data())
def test_digits_without_a_space_between_them_are_one_number(
    digits: list[str], data: st.DataObject
) -> None:
    separator = st.sampled_from(["", "-", ".", ")", ".-", "\u2013"])
    text = digits[0] + "".join(data.draw(separator) + digit for digit in digits[1:])
    whole = "".join(digits)
    assert phone_tokens(f"at {text}, please") == ((whole,) if 7 <= len(whole) <= 15 else ())

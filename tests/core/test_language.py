"""Language: told by script, and not guessed where the script does not tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.language import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("合同已经签字，请查收。", "zh"),
        ("契約書に署名しました。", "ja"),
        ("계약서에 서명했습니다.", "ko"),
        ("Договор подписан.", "ru"),
        ("وقعنا العقد", "ar"),
        ("חתמנו על החוזה", "he"),
        ("Η σύμβαση υπογράφηκε", "el"),
        ("अनुबंध पर हस्ताक्षर", "hi"),
        ("ลงนามในสัญญาแล้ว", "th"),
        ("Wir haben den Vertrag für Köln unterschrieben – naïve façade", ""),
        ("The contract is signed.", ""),
        ("Budget of 王敏", ""),
    ],
)
def test_script_tells_the_language_where_it_can(text: str, code: str) -> None:
    assert language_of(text) == code


@given(st.text(max_size=60))
def test_latin_text_around_does_not_change_what_the_script_tells(text: str) -> None:
    assert language_of(f"FW: {text} (2024) é") == language_of(text)


@given(st.text(alphabet="a \u00e9\u2019\u3042\u4e2d\uac00\u0439\u03c9\u0e01\u05d0", max_size=30))
def test_what_stands_between_the_letters_does_not_count(text: str) -> None:
    assert language_of("\u00e9\u2014 ".join(text)) == language_of(text)

"""What only one of two alternatives says is in the text, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.analysis import analyse
from holdfast.parsers.alternatives import text_of_alternatives
from holdfast.parsers.html_text import html_to_text
from holdfast.parsers.rfc822 import parse

HEAD = "Content-Type: multipart/alternative; boundary=b\n\n"


def body(plain: str, html: str) -> str:
    parts = [
        f"--b\nContent-Type: text/{kind}; charset=utf-8\n\n{text}\n"
        for kind, text in (("plain", plain), ("html", html))
    ]
    return parse((HEAD + "".join(parts) + "--b--\n").encode()).body


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        ("Dear Li,\nthe price is 100.", "<p>Dear Li,</p><p>the <b>price</b> is 100.</p>"),
        ("这份合同的编号已\n经确认，谢谢", "<div>这份合同的</div><div>编号已经确认，谢谢</div>"),
        ("See the page <https://a.example/x>", "<a href='https://a.example/x'>See the page</a>"),
        (
            "On Monday Jo wrote:\n> old words",
            "On Monday Jo wrote:<blockquote>old words</blockquote>",
        ),
        ("text", ""),
    ],
)
def test_same_words_stand_once(plain: str, html: str) -> None:
    assert body(plain, html) == plain


def test_lines_that_only_the_html_has_follow() -> None:
    html = "<p>Dear Li,</p><p>the kickback is agreed.</p><p>Regards</p>"
    assert body("Dear Li,\nRegards", html) == "Dear Li,\nRegards\n\nthe kickback is agreed."


def test_excuse_for_missing_html_does_not_hide_the_letter() -> None:
    found = body("Your mail program cannot show this message.", "<p>合同编号已经确认</p>")
    assert found == "Your mail program cannot show this message.\n\n合同编号已经确认"


def test_blank_plain_text_gives_way() -> None:
    assert body(" \n", "<p>only here</p>") == "only here"


def test_character_that_ends_a_run_elsewhere_is_known() -> None:
    assert text_of_alternatives("合同编号", ["<p>合同</p>"]) == "合同编号"
    assert text_of_alternatives("über alles", ["<p>ü</p>"]) == "über alles\n\nü"


@given(
    st.text("ab 合同é\n", max_size=30),
    st.lists(st.text("abc 合同编é", max_size=12), max_size=4),
)
def test_every_word_of_both_is_in_the_text(plain: str, lines: list[str]) -> None:
    html = "".join(f"<p>{line}</p>" for line in lines)
    found = text_of_alternatives(plain, [html])
    kept = set(analyse(found).joined.split())
    kept |= {word[0] for word in kept}
    for text in (plain, *html_to_text(html).split("\n")):
        assert kept >= set(analyse(text).joined.split())

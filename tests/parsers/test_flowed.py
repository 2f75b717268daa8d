"""Soft line breaks of RFC 3676 with `delsp=yes` leave no space inside a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.flowed import join_lines
from holdfast.parsers.rfc822 import parse


def body(parameters: str, text: str) -> str:
    head = f"Content-Type: text/plain; charset=utf-8{parameters}\n\n"
    return parse((head + text).encode()).body


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("这份合同的 \n编号已经确认。\n", "这份合同的编号已经确认。\n"),
        ("这份 \n合同 \n编号", "这份合同编号"),
        ("word  \nnext", "word next"),
        ("> 旧的 \n> 合同\n新的", "> 旧的合同\n新的"),
        (">> 旧的 \n> 合同", ">> 旧的 \n> 合同"),
        ("正文 \n\n段落", "正文\n段落"),
        ("正文\n-- \n张三\n", "正文\n-- \n张三\n"),
        ("> 旧\n> -- \n> 张三", "> 旧\n> -- \n> 张三"),
        ("a \n >b", "a>b"),
        ("> 旧\n> \n> 文", "> 旧\n> \n> 文"),
        ("end ", "end "),
        ("", ""),
    ],
)
def test_soft_breaks_are_undone(text: str, joined: str) -> None:
    assert body("; format=flowed; delsp=yes", text) == joined


@pytest.mark.parametrize("parameters", ["", "; format=flowed", "; delsp=yes", "; format=fixed"])
def test_other_text_keeps_its_lines(parameters: str) -> None:
    assert body(parameters, "这份合同的 \n编号") == "这份合同的 \n编号"


def test_html_is_not_joined() -> None:
    raw = "Content-Type: text/html; charset=utf-8; format=flowed; delsp=yes\n\n<pre>a \nb</pre>"
    assert parse(raw.encode()).body == "a\nb"


@given(st.text(" >a中-\n", max_size=60))
def test_joining_takes_nothing_but_breaks_marks_and_spaces(text: str) -> None:
    def kept(one: str) -> str:
        return one.translate(dict.fromkeys(map(ord, " >\n")))

    assert kept(join_lines(text)) == kept(text)

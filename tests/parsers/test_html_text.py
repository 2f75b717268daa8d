"""HTML as text: what stays, what goes, and that hostile markup costs little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.html_strip import strip_tags
from holdfast.parsers.html_text import MAX_QUOTE_DEPTH, html_to_text, is_costly


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one<p>two", "one\ntwo"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ("<div>a</div>b<div>c</div>", "a\nb\nc"),
        ("<b>bold</b>face, <i>it</i> alic", "boldface, it alic"),
        ("a \n\t b", "a b"),
        ("a&nbsp;b&amp;&lt;&#20013;&#x6587;", "a b&<中文"),
        ("<a href='https://example.com/x'>the link</a>", "the link"),
        ("<table><tr><td>1<td>2<tr><td>3<td><td>5</table>", "1\t2\n3\t\t5"),
        ("<ul><li>x<li>y</ul>", "x\ny"),
        ("<pre>a\n  b\n</pre>c", "a\n  b\nc"),
        ("a<hr>b", "a\n________________________________\nb"),
        ("<blockquote>q<br>r</blockquote>own", "> q\n> r\nown"),
        ("<blockquote>q<blockquote>r</blockquote></blockquote>", "> q\n> > r"),
        ("<blockquote class='webkit-indent-blockquote'>own</blockquote>", "own"),
        ("ok <img alt='👍' src=x> fine", "ok 👍 fine"),
        ("<img src=x><p> </p>end", "end"),
        ("<div style='display:none'>preheader</div>shown", "preheader\nshown"),
        ("<head><title>t</title><style>s{}</style></head><script>x()</script>body", "body"),
        ("<!-- hidden -->a<!--[if mso]>b<![endif]-->c", "ac"),
        ("<p><o:p>&nbsp;</o:p></p>x", "x"),
        ("<textarea>typed\ntext</textarea>", "typed\ntext"),
        ("x &#xd800; y \ud800 z", "x \ufffd y ? z"),
        ("unclosed <b", "unclosed"),
        ('<?xml version="1.0"?><p>a<?xml:namespace prefix="o" ?>b<?php echo "c" ?>', "ab"),
        ("<f><frameset>&not\n<frame>word", "¬\nword"),
        (f"m<?a?{'b' * 300}>n<?{'c?' * 300}", "mn"),
    ],
)
def test_markup_becomes(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two <b>bold</b></p>", "one\ntwo bold"),
        ("a<script>if (a < b) {}</script>b<STYLE>x</style >c", "a\nb\nc"),
        ("a<script>never closed", "a"),
        ("a<script></scr </script>b", "a\nb"),
        (
            "1 < 2 <!-- no --> &amp; <br/>x",
            "1 <\n2\n& \nx".replace("<\n2", "< 2").replace("& ", "&"),
        ),
        ("open <tag without end", "open <tag without end"),
        ("open <!-- without end", "open <!-- without end"),
        ("<a-b>c</a-b><averyveryverylongname>d", "c\nd"),
        ("&#xd800;", "\ufffd"),
    ],
)
def test_stripped_tags_become(html: str, text: str) -> None:
    assert strip_tags(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 40_000 + "word",
        "<span><b>" * 30_000 + "word",
        "".join(f"<b a={n}>" for n in range(3_000)) + "<p>x" * 3_000 + "word",
        "<div>x</div>" * 110_000 + "word",
        "<" * 210_000 + " word",
    ],
)
def test_f39_costly_nesting_gives_all_text_without_a_tree(html: str) -> None:
    assert is_costly(html)
    assert "word" in html_to_text(html)


@pytest.mark.parametrize(
    "html", ["<!--" * 100_000, "<style>" * 50_000, "<script></" * 50_000, "<p a='" * 50_000]
)
def test_f39_unclosed_markup_is_read_to_its_end(html: str) -> None:
    assert isinstance(html_to_text(html), str)
    assert isinstance(strip_tags(html), str)


def test_nested_quotes_do_not_multiply_the_text() -> None:
    text = html_to_text("<blockquote>" * 500 + "x<br>y")
    assert text == "\n".join("> " * MAX_QUOTE_DEPTH + letter for letter in "xy")


def test_ordinary_long_mail_is_not_costly() -> None:
    assert not is_costly("<table><tr><td><p><b>cell</b></p></td></tr></table>" * 2_000)
    assert not is_costly("<p>" * 2_000 + "</b></p>" * 1_000)


MARKUP = st.lists(
    st.sampled_from(
        [
            "<p>",
            "</p>",
            "<table>",
            "<td>",
            "<tr>",
            "</table>",
            "<blockquote>",
            "</blockquote>",
            "<pre>",
            "</pre>",
            "<br>",
            "<hr>",
            "<img alt=x>",
            "<b>",
            "</b>",
            "<select><option>",
            "<template>t",
            "<svg><title>",
            "<!--",
            "-->",
            "<?a",
            "<![CDATA[",
            "<frameset>",
            "&not",
            "]]>",
            "<!doctype ",
            "?",
            ">",
            "long" * 80,
            "\x00",
            "�",
            "&#0;",
            " ",
            "\n",
            "word",
        ]
    )
).map("".join)


@given(st.one_of(st.text(), MARKUP))
def test_any_markup_gives_clean_text(html: str) -> None:
    for text in (html_to_text(html), strip_tags(html)):
        assert text.encode("utf-8").decode("utf-8") == text


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1))
def test_every_word_between_tags_is_kept_in_order(words: list[str]) -> None:
    html = "<div><p>" + "</p><td><p>".join(words) + "</p></div>"
    assert html_to_text(html).split() == words
    assert strip_tags(html).split() == words

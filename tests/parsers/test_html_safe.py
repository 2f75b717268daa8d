from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers import html_safe
from holdfast.parsers.html_safe import MAX_NAMED_HOSTS, picture_address, safe_html
from hostile_html import EVIL, PAYLOADS, WRAPPERS, assert_harmless

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_f39_nothing_hostile_is_left(payload: str, wrapper: str) -> None:
    html = WRAPPERS[wrapper].replace("{0}", PAYLOADS[payload]).replace("{}", PAYLOADS[payload])
    assert_harmless(safe_html(html, {}).html)


@given(st.lists(st.sampled_from([*PAYLOADS.values(), "</p>", "<table>", '"', "'", "<", "x"])))
def test_f39_nothing_hostile_is_left_of_any_mixture(pieces: list[str]) -> None:
    once = safe_html("".join(pieces), {}).html
    assert_harmless(once)
    assert_harmless(safe_html(once, {}).html)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("img-remote", "https://evil.example/p.png"),
        ("style-attribute", "url"),
        ("table-background", "background"),
    ],
)
def test_f39_attributes_that_are_not_filtered_are_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str, left: str
) -> None:
    monkeypatch.setattr(html_safe._Filter, "keep", lambda _self, _tag, _name, value: value)
    monkeypatch.setattr(html_safe, "_STYLES", frozenset({"background"}))
    with pytest.raises(AssertionError, match=left):
        assert_harmless(safe_html(PAYLOADS[name], {}).html)


@pytest.mark.parametrize("name", ["svg", "form", "iframe"])
def test_f39_tag_that_is_let_through_is_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(html_safe, "_TAGS", html_safe._TAGS | {name})
    with pytest.raises(AssertionError, match=f"left: \\['{name}'"):
        assert_harmless(safe_html(f"<{name}>x</{name}>", {}).html)


def test_layout_stays() -> None:
    html = (
        '<table border="1"><tbody><tr><td colspan="2" style="color:red;text-align:left">'
        "<b>x</b></td></tr></tbody></table>"
    )
    assert safe_html(html, {}).html == html


def test_links_say_where_they_lead_and_do_not() -> None:
    shown = safe_html('<a href="https://far.example/?a=1&amp;b=&quot;">x</a>', {}).html
    assert shown == '<a title="https://far.example/?a=1&amp;b=&quot;">x</a>'
    styled = safe_html('<a style="color:red" href="https://far.example/">x</a>', {}).html
    assert styled == '<a style="color:red" title="https://far.example/">x</a>'
    tricked = safe_html("""<p lang='<a href="'>x</p>&lt;a href="y"&gt;""", {}).html
    assert "title=" not in tricked
    assert safe_html('<a href="javascript:x">x</a>', {}).html == "<a>x</a>"


def test_remote_pictures_are_counted_once_and_named() -> None:
    html = (
        f'<img src="https://{EVIL}/a.png"><img src="https://{EVIL}/a.png">'
        '<img src="//other.example/b"><img src="c.png"><img src="//[bad/x">'
        f'<img srcset="https://{EVIL}/d 1x, ,https://third.example/e 2x">'
        '<table background="https://fourth.example/t"></table>'
        "<p style=\"background:url('https://fifth.example/u')\">x</p>"
        '<p style="background:url(data:image/png;base64,AA)">x</p>'
    )
    shown = safe_html(html, {})
    assert shown.blocked == 8
    assert shown.hosts == (
        EVIL, "fifth.example", "fourth.example", "other.example", "third.example",
    )  # fmt: skip
    assert "example" not in shown.html


def test_no_more_hosts_are_named_than_fit() -> None:
    many = "".join(f'<img src="https://h{n}.example/">' for n in range(MAX_NAMED_HOSTS + 5))
    shown = safe_html(many, {})
    assert (shown.blocked, len(shown.hosts)) == (MAX_NAMED_HOSTS + 5, MAX_NAMED_HOSTS)


def test_pictures_of_the_message_itself_are_shown() -> None:
    address = picture_address(GIF)
    shown = safe_html('<img src="CID:&lt;a@b&gt;" alt="dot"><img src="cid:none">', {"a@b": address})
    assert shown.html == f'<img src="{address}" alt="dot"><img>'
    assert (shown.blocked, shown.hosts) == (0, ())
    own = "data:image/png;base64,iVBORw0KGgo="
    assert safe_html(f'<img src="{own}">', {}).html == f'<img src="{own}">'
    assert safe_html('<img src="data:image/svg+xml,x">', {}).html == "<img>"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (GIF, "gif"),
        (b"\x89PNG\r\n\x1a\n..", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
    ],
)
def test_pictures_that_browsers_draw_safely_have_an_address(raw: bytes, kind: str) -> None:
    encoded = base64.b64encode(raw).decode()
    assert picture_address(raw) == f"data:image/{kind};base64,{encoded}"


@pytest.mark.parametrize("raw", [b"", b"<svg xmlns='x'/>", b"RIFF\0\0\0\0WAVE", b"%PDF", b"BM"])
def test_other_things_have_none(raw: bytes) -> None:
    assert picture_address(raw) == ""

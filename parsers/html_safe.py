"""Make the HTML of a message safe to look at: no script, no link that opens, nothing from outside.

Total but not bounded: deep nesting costs time by the square, so it runs in the jail. The page that
shows the result forbids everything once more (sandbox, Content-Security-Policy).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import nh3

MAX_NAMED_HOSTS = 20
"""Hosts of blocked pictures that are named."""
MAX_INLINE_BYTES = 4 << 20
"""Of all pictures of one message that are shown within it, decoded."""

_TAGS = frozenset(
    (
        "a", "abbr", "address", "b", "bdi", "big", "blockquote", "br", "caption", "center",
        "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em",
        "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header",
        "hr", "i", "img", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p", "pre", "q", "s",
        "samp", "section", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody",
        "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr",
    )
)  # fmt: skip
"""Never svg, math, style, link, meta, base, form, frames: RUSTSEC-2025-0071, RUSTSEC-2026-0193."""
_REMOTE_ATTRIBUTES = frozenset({"background", "srcset"})
"""Let through to the filter, which counts what they fetch and drops them."""
_LAYOUT = frozenset({"align", "valign", "bgcolor", "color", "dir", "lang", "width", "height"})
_ATTRIBUTES = {
    "*": {"style", *_REMOTE_ATTRIBUTES, *_LAYOUT},
    "a": {"href"},
    "img": {"src", "alt"},
    "font": {"face", "size"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
}
_STYLES = frozenset(
    (
        "background-color", "border", "border-bottom", "border-collapse", "border-color",
        "border-left", "border-radius", "border-right", "border-spacing", "border-style",
        "border-top", "border-width", "color", "direction", "font", "font-family", "font-size",
        "font-style", "font-variant", "font-weight", "height", "letter-spacing", "line-height",
        "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right",
        "margin-top", "max-width", "min-width", "padding", "padding-bottom", "padding-left",
        "padding-right", "padding-top", "text-align", "text-decoration", "text-indent",
        "text-transform", "vertical-align", "white-space", "width", "word-break", "word-spacing",
    )
)  # fmt: skip
"""Nothing that fetches (background, content, cursor), and nothing that leaves its place."""
_FETCHING = re.compile(r"url|image|src|expression|@|\\", re.I)
_URL = re.compile(r"url\(\s*['\"]?([^'\")]{1,2000})", re.I)
_OWN_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*")
_LINK = re.compile("<a [^>]*>")
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
)


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """What may be shown."""

    html: str
    blocked: int
    """Pictures that would have been fetched from elsewhere."""
    hosts: tuple[str, ...]
    """Where from, sorted, at most `MAX_NAMED_HOSTS`."""


@dataclass(slots=True)
class _Filter:
    pictures: Mapping[str, str]
    remote: set[str] = field(default_factory=set)

    def keep(self, tag: str, name: str, value: str) -> str | None:
        """Return what becomes of an attribute; None drops it."""
        if name == "style":
            self.remote.update(_URL.findall(value))
            return None if _FETCHING.search(value) else value
        if name in _REMOTE_ATTRIBUTES:
            self.remote.update(_fetched(name, value))
            return None
        if (tag, name) == ("img", "src"):
            return self._picture(value.strip())
        return value

    def _picture(self, address: str) -> str | None:
        if address.lower().startswith("cid:"):
            return self.pictures.get(address[4:].strip("<>"))
        if _OWN_PICTURE.fullmatch(address):
            return address
        self.remote.add(address)
        return None


def safe_html(html: str, pictures: Mapping[str, str]) -> SafeHtml:
    """Return the HTML as it may be shown.

    Links do not open: where they lead is their title. Pictures are those that the message carries.

    Args:
        html: As the sender wrote it.
        pictures: Content-ID → `data:` address, from `picture_address`.
    """
    chosen = _Filter(pictures)
    cleaned = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=chosen.keep,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        filter_style_properties=set(_STYLES),
        link_rel=None,
    )
    # The serialiser escapes `"`, `<` and `>` in values and `<` in texts: these are the links' own.
    shown = _LINK.sub(lambda link: link[0].replace(' href="', ' title="'), cleaned)
    remote = {one for one in chosen.remote if not one.lower().startswith(("data:", "cid:"))}
    hosts = sorted({host for one in remote if (host := _host(one))})
    return SafeHtml(shown, len(remote), tuple(hosts[:MAX_NAMED_HOSTS]))


def picture_address(raw: bytes) -> str:
    """Return a picture as a `data:` address; empty where it is none that browsers draw safely."""
    kind = next((name for magic, name in _MAGIC if raw.startswith(magic)), "")
    if not kind and raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        kind = "webp"
    return f"data:image/{kind};base64,{base64.b64encode(raw).decode()}" if kind else ""


def _fetched(name: str, value: str) -> list[str]:
    if name != "srcset":
        return [value.strip()]
    return [piece.split()[0] for piece in value.split(",") if piece.strip()]


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

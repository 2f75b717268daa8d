"""Tags stripped from hostile HTML in one pass; must not build a tree, must not lose text."""

from __future__ import annotations

from html import unescape

RAW_TEXT = ("script", "style")
"""Elements whose content is not text for people; it ends at their own end tag alone."""
_INLINE = "a abbr b big em font i mark q s small span strong sub sup tt u"
INLINE = frozenset(_INLINE.split())
MAX_NAME_CHARS = 16


def strip_tags(html: str) -> str:
    """Return the text between tags, entities decoded, a line for each run of block tags.

    Linear: every character is looked at a fixed number of times. A tag that never ends is text.
    """
    pieces: list[str] = []
    at = 0
    while (tag := html.find("<", at)) >= 0:
        pieces.append(html[at:tag])
        at = _after_tag(html, tag)
        if at < 0:
            pieces.append(html[tag:])
            at = len(html)
        elif at == tag + 1:
            pieces.append("<")
        else:
            pieces.append("" if _name(html, tag) in INLINE else "\n")
    pieces.append(html[at:])
    text = unescape("".join(pieces)).encode("utf-8", "replace").decode("utf-8")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _name(html: str, tag: int) -> str:
    start = tag + 1 + (html[tag + 1 : tag + 2] == "/")
    name = html[start : start + MAX_NAME_CHARS]
    for stop, character in enumerate(name):
        if not character.isalnum():
            return name[:stop].lower()
    return name.lower()


def _after_tag(html: str, tag: int) -> int:
    """Return where the text goes on after a `<`; -1 when the tag never ends."""
    following = html[tag + 1 : tag + 2]
    if not (following.isalpha() or following in {"/", "!", "?"}):
        return tag + 1
    if html.startswith("<!--", tag):
        end = html.find("-->", tag + 4)
        return end + 3 if end >= 0 else -1
    end = html.find(">", tag)
    if end < 0:
        return -1
    name = _name(html, tag)
    if name in RAW_TEXT and following != "/":
        return _find_close(html, name, end)
    return end + 1


def _find_close(html: str, name: str, at: int) -> int:
    """Return where the end tag of a raw text element begins; the end of the text without one."""
    while (close := html.find("</", at)) >= 0:
        if html[close + 2 : close + 2 + len(name)].lower() == name:
            return close
        at = close + 2
    return len(html)

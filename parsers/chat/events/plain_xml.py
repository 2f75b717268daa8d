"""Reads the small XML documents of callbacks; refuses what XML can do beyond elements and text."""

from __future__ import annotations

from lxml import etree

MAX_BYTES = 2 * 1024 * 1024
_DEEPEST = 50


class NotPlainXml(ValueError):
    """It is no XML, or has a document type, or is nested to do harm."""


def parsed(content: bytes) -> etree._Element:
    """Return the root of a document.

    Raises:
        NotPlainXml: As it says; the text names the cause and no content.
    """
    if len(content) > MAX_BYTES:
        raise NotPlainXml("it is too long")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise NotPlainXml("it is not well-formed") from None
    if root.getroottree().docinfo.doctype:
        raise NotPlainXml("it has a document type")
    level = [root]
    for _ in range(_DEEPEST):
        level = [below for one in level for below in one]
        if not level:
            return root
    raise NotPlainXml("it is nested too deeply")


def child_text(element: etree._Element, name: str) -> str:
    """Return the text of a child; empty without it."""
    return (element.findtext(name) or "").strip()

"""Every defect code and every class of difference is explained, and none is explained in vain."""

from __future__ import annotations

import re
from pathlib import Path

from differential import CLASSES

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/parsing.md").read_text(encoding="utf-8")
_CODE = re.compile(
    r'"((?:address|base64|carried|charset|content_type|conversion|date|defect|encoded_word|header|journal|leading|'
    r"line_ends|message|mime|nul|parameter|parse|pgp|references|smime|text|tnef|transfer_encoding|"
    r'uuencode)(?:_[a-z0-9]+)*)"'
)
_NOT_CODES = {"charset", "uuencode", "date", "address", "references", "message", "text", "base64"}
MODULES = (
    "addresses", "carried", "charsets", "contents", "dates", "defects", "headers", "journal",
    "mime_tree", "parameters", "rfc822", "sealed_mail", "transfer", "wire_form",
)  # fmt: skip


def documented(heading: str) -> set[str]:
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([a-z0-9_]+)` \|", section, re.MULTILINE))


def test_every_defect_code_is_explained() -> None:
    sources = [(ROOT / f"parsers/{name}.py").read_text(encoding="utf-8") for name in MODULES]
    used = {code for text in sources for code in _CODE.findall(text)} - _NOT_CODES
    assert used == documented("Defects")


def test_every_class_of_difference_is_explained() -> None:
    labels = {label for label, _ in CLASSES} | {"oracle_raised"}
    assert labels == documented("Where others read differently")

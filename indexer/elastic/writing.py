"""Turn a document into the JSON that Elasticsearch indexes; it sends nothing.

The engine's `whitespace` analyser counts positions, puts one token at each and cuts it after 255
characters. So words stand without accents; where a text has accents, a second field of equal
positions holds the written forms. A longer word is named by its hash, and kept whole in a field
without positions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from holdfast.core.ports import Document
from holdfast.indexer.documents import ALTERNATIVE, RUN_MARK, SEPARATOR
from holdfast.indexer.elastic.mapping import (
    DEGRADED,
    REMOVED,
    VERSION,
    forms_field,
    long_field,
)
from holdfast.indexer.fields import (
    EXACT_FIELDS,
    HEADER,
    MAX_EXACT_CHARS,
    TERMS,
    facet_field,
    message_group,
)

RUN = "___"
"""Stands for `RUN_MARK`, which JSON would write in eighteen characters; no word has an underscore.
Three of them, so that no token of a run is within two edits of a word."""

HEADER_END = ":"
"""Stands for `SEPARATOR` in tokens of header fields; no word has a colon."""

MAX_TOKEN_CHARS = 120
"""Of at most two UTF-16 units each, which is how the engine counts to 255."""
MAX_KEY_CHARS = 40
"""Longer names of header fields are named by their hash."""
MAX_HEADER_WORD_CHARS = 80

_LONG = re.compile(rf"[^ ]{{{MAX_TOKEN_CHARS + 1},}}")
_LONG_HEADER = re.compile(rf"[^ ]{{{MAX_KEY_CHARS},}}")
_ROW_SPACE = "\x1e"
"""Stands for white space in names of header fields; the engine takes it for white space too."""
_NAME_SPACE = "\x02"


def engine_document(document: Document) -> dict[str, Any]:
    """Return the whole document."""
    made = envelope(document)
    for name, texts in document.tokens.items():
        _add_texts(made, name, texts)
    for name in EXACT_FIELDS:
        if values := document.terms.get(name):
            made[name] = list(values)
    if rows := document.terms.get(HEADER):
        made[HEADER] = header_text(" ".join(rows))
    return made


def envelope(document: Document) -> dict[str, Any]:
    """Return the document without what was cut from texts."""
    made = numbers(document)
    made[TERMS] = [
        exact_token(name, value)
        for name, values in document.terms.items()
        if name != HEADER and name not in EXACT_FIELDS
        for value in values
    ]
    for facet, values in document.facets.items():
        made[facet_field(facet)] = list(values)
    return made


def degraded(document: Document) -> list[dict[str, Any]]:
    """Return what is indexed of a document that the engine refuses: as much as it takes."""
    return [{**envelope(document), DEGRADED: True}, {**numbers(document), DEGRADED: True}]


def numbers(document: Document) -> dict[str, Any]:
    """Return the numbers alone."""
    # An id stands for a group of its own; negative, so that it is no other document's group.
    alone = -1 - document.id
    return {
        "id": document.id,
        "at": document.at_ms,
        "captured": document.captured_ms,
        "size": document.size_bytes,
        "thread": document.thread_id or alone,
        "message": message_group(document.message_id) or alone,
        VERSION: document.version,
    }


def tombstone(id_: int, version: int) -> dict[str, Any]:
    """Return what stands for a removed document."""
    return {"id": id_, VERSION: version, REMOVED: True}


def exact_token(field: str, value: str) -> str:
    """Return the token of a folded exact value; a long one is named by its hash."""
    return f"{field}:{short(value, MAX_EXACT_CHARS)}"


def short(token: str, limit: int = MAX_TOKEN_CHARS) -> str:
    """Return a token that the engine takes: itself, or its name when it is too long."""
    if len(token) <= limit:
        return token
    return RUN + hashlib.sha256(token.encode()).hexdigest()


def header_text(row: str) -> str:
    """Return the tokens of header fields, as the engine takes them."""
    text = row.replace(RUN_MARK, RUN).replace(_ROW_SPACE, _NAME_SPACE)
    if _LONG_HEADER.search(text) is not None:
        text = " ".join(
            header_token(*token.rpartition(SEPARATOR)[::2]) for token in text.split(" ")
        )
    return text.replace(SEPARATOR, HEADER_END)


def header_token(key: str, word: str) -> str:
    """Return the token of one word of a header field; `key` as `documents.header_key` gives it."""
    key = short(key.replace(_ROW_SPACE, _NAME_SPACE), MAX_KEY_CHARS)
    return key + HEADER_END + short(word, MAX_HEADER_WORD_CHARS)


def _add_texts(made: dict[str, Any], name: str, texts: Sequence[str]) -> None:
    plain = [text.replace(RUN_MARK, RUN) for text in texts]
    if any(_LONG.search(text) is not None for text in plain):
        found: dict[str, None] = {}
        plain = [_shortened(text, found) for text in plain]
        made[long_field(name)] = list(found)
    if any(ALTERNATIVE in text for text in plain):
        made[forms_field(name)] = [_forms(text) for text in plain]
        plain = [_bare(text) for text in plain]
    made[name] = plain


def _shortened(text: str, found: dict[str, None]) -> str:
    """Name the long words of a text, and note them as they are."""

    def name(token: re.Match[str]) -> str:
        forms = token[0].split(ALTERNATIVE)
        found.update(dict.fromkeys(form for form in forms if len(form) > MAX_TOKEN_CHARS))
        return ALTERNATIVE.join(map(short, forms))

    return _LONG.sub(name, text)


def _forms(text: str) -> str:
    """Return the words that have accents at their positions, and nothing anywhere else."""
    return " ".join(
        token.split(ALTERNATIVE)[0] if ALTERNATIVE in token else RUN for token in text.split(" ")
    )


def _bare(text: str) -> str:
    return " ".join(token.rpartition(ALTERNATIVE)[2] for token in text.split(" "))

"""Turn a document into the embedded engine's own, as cheaply as it allows; it writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import tantivy
from tantivy import PreTokenizedString, Token

from holdfast.core.ports import Document
from holdfast.indexer.documents import ALTERNATIVE, MARK, RUN_MARK
from holdfast.indexer.fields import (
    EXACT_FIELDS,
    HEADER,
    MAX_EXACT_CHARS,
    TERMS,
    TEXT_GAP,
    facet_field,
    message_group,
)

_GAP = PreTokenizedString("", [Token(RUN_MARK, TEXT_GAP, 0, 0)])

_JOINED = frozenset({HEADER, *EXACT_FIELDS})
UNGROUPED = 1 << 63
"""Set in the group of a document that has none, with its id: a group of its own."""


def engine_document(document: Document) -> tantivy.Document:
    """Return the engine's document."""
    made = tantivy.Document(**_exact_texts(document))  # at once: a call for each costs more
    for name, texts in document.tokens.items():
        _add_texts(made, name, texts)
    made.add_unsigned("id", document.id)
    made.add_integer("at", document.at_ms)
    made.add_integer("captured", document.captured_ms)
    made.add_integer("size", document.size_bytes)
    made.add_unsigned("thread", document.thread_id or document.id | UNGROUPED)
    made.add_unsigned("message", message_group(document.message_id) or document.id | UNGROUPED)
    return made


def _exact_texts(document: Document) -> dict[str, list[str]]:
    found = {facet_field(facet): list(values) for facet, values in document.facets.items()}
    terms = found[TERMS] = []
    for name, values in document.terms.items():
        if name in _JOINED:
            found[name] = [" ".join(values)]
        else:
            terms += [
                f"{name}:{value}" if len(value) <= MAX_EXACT_CHARS else exact_token(name, value)
                for value in values
            ]
    return found


def exact_token(field: str, value: str) -> str:
    """Return the token of a folded exact value; a long one is named by its hash."""
    if len(value) > MAX_EXACT_CHARS:
        value = MARK + hashlib.sha256(value.encode()).hexdigest()
    return f"{field}:{value}"


def _add_texts(made: tantivy.Document, name: str, texts: Sequence[str]) -> None:
    for at, text in enumerate(texts):
        if at:
            made.add_pre_tokenized_text(name, _GAP)
        if ALTERNATIVE in text:
            made.add_pre_tokenized_text(name, _placed(text))
        else:
            made.add_text(name, text)


def _placed(text: str) -> PreTokenizedString:
    """Return the tokens with their positions: alternatives share one."""
    tokens = [
        Token(token, position, 0, 0)
        for position, alternatives in enumerate(text.split(" "))
        for token in alternatives.split(ALTERNATIVE)
    ]
    return PreTokenizedString("", tokens)

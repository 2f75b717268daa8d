"""The fields of the embedded index, their kinds and their version; it opens no files."""

from __future__ import annotations

import tantivy

from holdfast.indexer.facets import FACETS, OPEN_FACETS
from holdfast.indexer.fields import (
    COLLAPSE_FIELDS,
    EXACT_FIELDS,
    HEADER,
    TERMS,
    TEXT_FIELDS,
    facet_field,
)

SCHEMA_VERSION = 5
"""Raised when a field is added, dropped or filled in another way."""


def build_schema() -> tantivy.Schema:
    """Return the schema; equal for equal `SCHEMA_VERSION`."""
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_FIELDS, HEADER):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in EXACT_FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field(TERMS, tokenizer_name="raw", index_option="basic")
    for facet in (*FACETS, *OPEN_FACETS.values()):
        builder.add_text_field(
            facet_field(facet), tokenizer_name="raw", index_option="basic", fast=True
        )
    builder.add_unsigned_field("id", indexed=True, fast=True)
    for name in ("at", "captured", "size"):
        builder.add_integer_field(name, fast=True)
    for name in COLLAPSE_FIELDS.values():
        builder.add_unsigned_field(name, indexed=True, fast=True)
    return builder.build()

"""The fields of the embedded index, their kinds and their version; it opens no files."""

from __future__ import annotations

import tantivy

from holdfast.core.query import Part
from holdfast.indexer.documents import ATTACHMENT, BODY, FILENAME, PEOPLE, PEOPLE_FIELDS, SUBJECT
from holdfast.indexer.facets import FACETS

SCHEMA_VERSION = 1
"""Raised when a field is added, dropped or filled in another way."""

TEXT_FIELDS = (SUBJECT, BODY, ATTACHMENT, FILENAME, PEOPLE, *PEOPLE_FIELDS.values())
"""Fields with positions."""

HEADER = "header"
"""One row of tokens with positions."""

EXACT_FIELDS = ("phone", "pinyin")
"""Fields of tokens without positions, joined by single spaces."""

TERMS = "terms"
"""One `field:value` for each exact value."""

FIELDS_OF_PART = {
    Part.ANY: (SUBJECT, BODY, ATTACHMENT, FILENAME, PEOPLE),
    Part.CONTENT: (SUBJECT, BODY, ATTACHMENT),
    Part.SUBJECT: (SUBJECT,),
    Part.BODY: (BODY,),
    Part.ATTACHMENT: (ATTACHMENT,),
    Part.FILENAME: (FILENAME,),
    Part.WITH: (PEOPLE,),
    Part.FROM: (PEOPLE_FIELDS["from"],),
    Part.TO: (PEOPLE_FIELDS["to"],),
    Part.CC: (PEOPLE_FIELDS["cc"],),
    Part.BCC: (PEOPLE_FIELDS["bcc"],),
}

COLLAPSE_FIELDS = {"thread": "thread", "message_id": "message"}


def facet_field(facet: str) -> str:
    """Return the name of the field that holds a facet's values."""
    return f"facet_{facet}"


def build_schema() -> tantivy.Schema:
    """Return the schema; equal for equal `SCHEMA_VERSION`."""
    builder = tantivy.SchemaBuilder()
    for name in (*TEXT_FIELDS, HEADER):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in EXACT_FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field(TERMS, tokenizer_name="raw", index_option="basic")
    for facet in FACETS:
        builder.add_text_field(
            facet_field(facet), tokenizer_name="raw", index_option="basic", fast=True
        )
    builder.add_unsigned_field("id", indexed=True, fast=True)
    for name in ("at", "captured", "size"):
        builder.add_integer_field(name, fast=True)
    for name in COLLAPSE_FIELDS.values():
        builder.add_unsigned_field(name, indexed=True, fast=True)
    return builder.build()

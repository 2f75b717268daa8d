"""The fields of an Elasticsearch index, its settings and its version; it opens no connection."""

from __future__ import annotations

from typing import Any

from holdfast.core.analysis import FULL_VERSION
from holdfast.indexer.facets import FACETS, OPEN_FACETS
from holdfast.indexer.fields import (
    COLLAPSE_FIELDS,
    EXACT_FIELDS,
    HEADER,
    TERMS,
    TEXT_FIELDS,
    TEXT_GAP,
    facet_field,
)

MAPPING_VERSION = 5
"""Raised when a field is added, dropped or filled in another way."""

REMOVED = "removed"
"""Set in what stands for a removed document, so that no late write brings it back."""
DEGRADED = "degraded"
"""Set in a document whose texts the engine refused."""
VERSION = "version"
NUMBERS = ("id", "at", "captured", "size", VERSION, *COLLAPSE_FIELDS.values())

MAX_WINDOW = 20_000
"""Hits of one answer; a page and one more fit."""
MAX_REGEX_CHARS = 20_000
MAX_VALUES = 65_536
"""The engine's own limit of values in one `terms` query."""


def forms_field(name: str) -> str:
    """Return the field of words as they are written, where that differs from their plain form."""
    return f"{name}_forms"


def long_field(name: str) -> str:
    """Return the field of words that are too long for the engine's analyser."""
    return f"{name}_long"


def properties() -> dict[str, Any]:
    """Return the fields; equal for equal `MAPPING_VERSION`."""
    text = {
        "type": "text",
        "analyzer": "whitespace",
        "norms": False,
        "position_increment_gap": TEXT_GAP,
    }
    exact = {"type": "keyword", "doc_values": False, "norms": False}
    fields: dict[str, Any] = {HEADER: text, TERMS: exact}
    for name in TEXT_FIELDS:
        fields |= {name: text, forms_field(name): text, long_field(name): exact}
    fields |= dict.fromkeys(EXACT_FIELDS, exact)
    fields |= {
        facet_field(facet): {"type": "keyword"} for facet in (*FACETS, *OPEN_FACETS.values())
    }
    fields |= {name: {"type": "long"} for name in NUMBERS}
    flag = {"type": "boolean", "doc_values": False}
    return fields | {REMOVED: flag, DEGRADED: flag}


def template(shards: int, replicas: int) -> dict[str, Any]:
    """Return what the engine makes each new index by."""
    return {
        "settings": {
            "number_of_shards": shards,
            "number_of_replicas": replicas,
            # Made visible by `commit` alone.
            "refresh_interval": "-1",
            "max_result_window": MAX_WINDOW,
            "max_regex_length": MAX_REGEX_CHARS,
        },
        "mappings": {
            "dynamic": "strict",
            # Nothing is read back: what is indexed is made from the catalogue.
            "_source": {"enabled": False},
            "properties": properties(),
        },
    }


def versions() -> dict[str, Any]:
    """Return what an index notes about how it is filled."""
    return {"analysis": FULL_VERSION, "mapping": MAPPING_VERSION}

"""Say which values of one interaction each facet counts; it counts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from holdfast.core.file_types import TYPE_GROUPS
from holdfast.core.kinds import Role
from holdfast.core.query import Field
from holdfast.core.record_terms import HIDING, Unfiled
from holdfast.core.records import FiledFacts, Record

FACETS = (
    "sender",
    "domain",
    "company",
    "custodian",
    "channel",
    "source",
    "month",
    "filetype",
    "tag",
    "matter",
    "hold",
)
"""What a search may be broken down by."""

OPEN_FACETS = {"domain": "open_domain", "company": "open_company"}
"""Facet → where its values are counted without recipients that mail hides; only such mail has any.
For `indexer.withheld` alone."""

MAX_FACET_CHARS = 1000
"""Longer values are counted under their beginning."""


def own_facets(
    record: Record | Unfiled, terms: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the values that the original itself gives: distinct, sorted, none left empty.

    `sender` is the address of From, `domain` that of any participant, whole; `filetype` are the
    groups of the attachments' types, or the media types where none has a group.

    Args:
        record: Its texts are not read.
        terms: Its `own_terms`.
    """
    people = record.participants
    seen = [p for p in people if p.role not in HIDING] if Field.OPEN.value in terms else []
    return _distinct(
        {
            "sender": [_known_ends(p.address)[0] for p in people if p.role is Role.FROM],
            "domain": [_known_ends(p.address)[1] for p in people],
            "channel": (record.channel,),
            "filetype": _file_types(terms.get(Field.TYPE.value, ())),
            OPEN_FACETS["domain"]: [_known_ends(p.address)[1] for p in seen],
        }
    )


def filed_facets(filed: FiledFacts | Record) -> dict[str, tuple[str, ...]]:
    """Return the values that only the catalogue knows; `month` is `YYYY-MM` of the sent time."""
    return _distinct(
        {
            "company": filed.companies,
            "custodian": filed.custodians,
            "source": filed.sources,
            "month": (f"{filed.at.year:04}-{filed.at.month:02}",),
            "tag": filed.tags,
            "matter": [one.matter for one in filed.held_by],
            "hold": [one.hold for one in filed.held_by],
            OPEN_FACETS["company"]: filed.open_facts.companies if filed.open_facts else (),
        }
    )


def _distinct(values: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    distinct: dict[str, tuple[str, ...]] = {}
    for facet, given in values.items():
        ones = {one[:MAX_FACET_CHARS] for one in given if one}
        if ones:
            distinct[facet] = tuple(sorted(ones) if len(ones) > 1 else ones)
    return distinct


def ranked(counts: Mapping[str, int], limit: int) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values first, ties by value."""
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(order[:limit])


def _ends(address: str) -> tuple[str, str]:
    """Return an address as it is counted, and its domain."""
    folded = address.strip().casefold()
    return folded, folded.rpartition("@")[2] if "@" in address else ""


_known_ends = lru_cache(maxsize=1 << 13)(_ends)


def _file_types(types: Sequence[str]) -> list[str]:
    groups = [one for one in types if one in TYPE_GROUPS]
    return groups or [one for one in types if "/" in one and not one.endswith("/*")]

"""Say which values of one interaction each facet counts; it counts nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from holdfast.core.query import Field
from holdfast.core.record_terms import TYPE_GROUPS
from holdfast.core.records import Record, Role

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
)
"""What a search may be broken down by."""


MAX_FACET_CHARS = 1000
"""Longer values are counted under their beginning."""


def facet_values(record: Record, terms: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return the distinct values of each facet, sorted; facets without a value are left out.

    `sender` is the address of From, `month` is `YYYY-MM` of the sent time in UTC, `domain` that of
    any participant, whole; `filetype` are the groups of the
    attachments' types, or the media types where none has a group.

    Args:
        record: Its texts are not read.
        terms: Its `record_terms`.
    """
    values: dict[str, Iterable[str]] = {
        "sender": (
            p.address.strip().casefold() for p in record.participants if p.role is Role.FROM
        ),
        "domain": (_domain(p.address) for p in record.participants),
        "company": record.companies,
        "custodian": record.custodians,
        "channel": (record.channel,),
        "source": record.sources,
        "month": (f"{record.at:%Y-%m}",),
        "filetype": _file_types(terms.get(Field.TYPE.value, ())),
        "tag": record.tags,
    }
    distinct = {
        facet: tuple(sorted({one[:MAX_FACET_CHARS] for one in given if one}))
        for facet, given in values.items()
    }
    return {facet: given for facet, given in distinct.items() if given}


def ranked(counts: Mapping[str, int], limit: int) -> tuple[tuple[str, int], ...]:
    """Return the most frequent values first, ties by value."""
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(order[:limit])


def _domain(address: str) -> str:
    return address.strip().casefold().rpartition("@")[2] if "@" in address else ""


def _file_types(types: Sequence[str]) -> list[str]:
    groups = [one for one in types if one in TYPE_GROUPS]
    return groups or [one for one in types if "/" in one and not one.endswith("/*")]

"""Write queries and addresses of result pages: the whole state of a search is in its URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from holdfast.core.query import EVERYTHING, And, Dates, Field, Not, Or, Part, Phrase, Term
from holdfast.indexer.explain import explain, to_text

if TYPE_CHECKING:
    from datetime import tzinfo

    from holdfast.core.query import Node
    from holdfast.indexer.query_parser import ParsedQuery

_FIELDS = {
    "domain": Field.DOMAIN,
    "company": Field.COMPANY,
    "custodian": Field.CUSTODIAN,
    "channel": Field.CHANNEL,
    "source": Field.SOURCE,
    "filetype": Field.TYPE,
    "tag": Field.TAG,
}
MAX_CHIPS = 50
AROUND = 60


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what a result page shows."""

    q: str = ""
    sort: str = "newest"
    collapse: str = ""
    cursor: str = ""
    open: str = ""
    """Public id of the message that is seen beside the list."""

    def url(self, path: str = "/search", **changes: Any) -> str:
        """Return the address of this state with changes; what is by default is left out."""
        wanted = replace(self, **changes)
        plain = State()
        kept = {
            name: value
            for name in ("q", "sort", "collapse", "cursor", "open")
            if (value := getattr(wanted, name)) != getattr(plain, name)
        }
        return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition of a query as it was understood."""

    label: str
    meaning: str
    """In a sentence, English."""
    without: str
    """The query without it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a query fails, with what stands around it."""

    before: str
    at: str
    """One character; a space at the end of the query."""
    after: str


def place_of(text: str, position: int) -> Place:
    """Return the surroundings of a place in a query."""
    start = max(position - AROUND, 0)
    after = text[position + 1 : position + 1 + AROUND]
    return Place(text[start:position], text[position : position + 1] or " ", after)


def chips(node: Node, zone: tzinfo) -> list[Chip]:
    """Return the conditions that must all hold; none for a query that asks for everything."""
    parts = node.children if isinstance(node, And) else (node,)
    shown = []
    for index, part in enumerate(parts[:MAX_CHIPS]):
        rest = And((*parts[:index], *parts[index + 1 :]))
        shown.append(Chip(label_of(part, zone), explain(part, zone), written(rest)))
    return shown


def label_of(node: Node, zone: tzinfo) -> str:
    """Return a condition as the query language writes it; dates in the asker's zone."""
    if not isinstance(node, Dates):
        return to_text(node)
    name = "captured" if node.clock == "captured" else "date"
    start, end = _day(node.start, zone), _day(node.end, zone)
    return f"{name}:{start}..<{end}" if end else f"{name}:{start}.."


def _day(at: datetime | None, zone: tzinfo) -> str:
    if at is None:
        return ""
    local = at.astimezone(zone)
    is_whole = local == local.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{local:%Y-%m-%d}" if is_whole else f"{local:%Y-%m-%dT%H:%M}"


def written(node: Node) -> str:
    """Return a tree as a query; one that asks for everything is empty."""
    if isinstance(node, And) and len(node.children) == 1:
        node = node.children[0]
    return "" if node == EVERYTHING else to_text(node)


def narrowed(parsed: ParsedQuery, node: Node) -> str:
    """Return the query with a further condition, otherwise as it was written."""
    text = parsed.text.strip()
    if not text:
        return to_text(node)
    if isinstance(parsed.node, Or):
        text = f"({text})"
    return f"{text} {to_text(node)}"


def facet_node(facet: str, value: str) -> Node:
    """Return the condition that a value of a facet stands for."""
    if facet == "sender":
        return Phrase(value, Part.FROM)
    if facet == "month":
        year, _, month = value.partition("-")
        start = datetime(int(year), int(month), 1, tzinfo=UTC)
        months = start.year * 12 + start.month
        return Dates(start, datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC))
    return Term(_FIELDS[facet], value)


def facet_urls(state: State, parsed: ParsedQuery, facet: str, value: str) -> tuple[str, str]:
    """Return the addresses of only this value, and of all others."""
    node = facet_node(facet, value)
    fresh = replace(state, cursor="", open="")
    only, others = narrowed(parsed, node), narrowed(parsed, Not(node))
    return fresh.url(q=only), fresh.url(q=others)

"""Searches and what they find."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from holdfast.api.shapes.common import MAX_PAGE, Shape
from holdfast.api.shapes.records import RecordShape
from holdfast.discovery.reach import MOST_LINES


class Sort(StrEnum):
    """Order of results; ties by id."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    CAPTURED = "captured"


class Collapse(StrEnum):
    """Of what only the first hit is shown."""

    NONE = ""
    THREAD = "thread"
    MESSAGE_ID = "message_id"


class SearchOrder(Shape):
    """One search; an empty query finds everything in the scope."""

    query: str = Field("", max_length=100_000, examples=['from:wang 价格 "8.5 折" has:attachment'])
    limit: int = Field(50, ge=0, le=MAX_PAGE)
    cursor: str = Field("", max_length=2000)
    sort: Sort = Sort.NEWEST
    collapse: Collapse = Collapse.NONE
    facets: list[str] = Field(default=[], max_length=20, examples=[["sender", "month"]])
    facet_limit: int = Field(20, ge=1, le=1000)
    zone: str = Field("", max_length=64, examples=["Asia/Shanghai"])
    """Of the dates in the query; empty: the archive's."""
    reach: int = Field(0, ge=0, le=MOST_LINES)
    """In chat, the words may be spread over so many consecutive lines of a room; 0: over none."""
    matter_id: str = Field("", max_length=40)
    """The matter that it is made for, noted in the audit log."""


class SnippetShape(Shape):
    """A piece of a text around what was found."""

    part: str = Field(examples=["body"])
    index: int
    text: str
    marks: list[tuple[int, int]]
    """Ranges of `text`, in characters."""


class HitShape(Shape):
    """One found interaction."""

    record: RecordShape
    collapsed: int
    """Hits of its group that this one stands for."""
    snippets: list[SnippetShape]


class FacetShape(Shape):
    """How many of the results have a value."""

    value: str
    count: int


class SearchAnswer(Shape):
    """One page of an exact result."""

    query: str
    canonical: str
    tree: list[str]
    """The query as it was understood, drawn as a tree."""
    zone: str
    warnings: list[str]
    total: int
    total_relation: str = "eq"
    groups: int
    hits: list[HitShape]
    facets: dict[str, list[FacetShape]]
    not_indexed: int
    """Filed, and not in the index yet: not searched."""
    not_fully_indexed: int
    """In the scope, with a text that could not be read whole."""
    guarded: list[str]
    """Parts of the query that were not looked for in messages with masked numbers."""
    next: str | None
    """Cursor of the next page."""

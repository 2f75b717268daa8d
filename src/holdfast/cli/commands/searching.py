"""`search`: find interactions and show why they were found; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.safe_text import safe_line
from holdfast.cli.screen import ACCENT, QUIET, WARNING, Column, amount, styled

if TYPE_CHECKING:
    from rich.text import Text

    from holdfast.cli.session import Session
    from holdfast.core.ports import Page, SearchRequest
    from holdfast.core.query import Node
    from holdfast.core.records import Record
    from holdfast.indexer.highlight import Snippet
    from holdfast.indexer.query_parser import ParsedQuery
    from holdfast.wiring.archive import Services


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    IDS = "ids"


class Sort(StrEnum):
    """Order of results."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    CAPTURED = "captured"


class Collapse(StrEnum):
    """What of a group is shown."""

    NONE = "none"
    THREAD = "thread"
    MESSAGE_ID = "message_id"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "search", search, SearchOptions)


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """Options of `search`."""

    query: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY", show_default=False,
            help="Words, phrases and operators, as in: from:wang after:2024-03-01 price NOT draft.",
        ),
    ] = None  # fmt: skip
    explain: Annotated[
        bool, flag("--explain", text="Print how the query was understood, and search nothing.")
    ] = False
    count: Annotated[bool, flag("--count", text="Print only how many match.")] = False
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="Length of a page.")
    ] = 20
    sort: Annotated[Sort, typer.Option("--sort", help="Order of the results.")] = Sort.NEWEST
    cursor: Annotated[
        str, typer.Option("--cursor", help="From the page before.", show_default=False)
    ] = ""
    reach: Annotated[
        int,
        typer.Option(
            "--reach", metavar="N", min=0, max=100, show_default=False,
            help="In chat, let the words be spread over N consecutive lines of a room.",
        ),
    ] = 0  # fmt: skip
    facets: Annotated[
        str,
        typer.Option(
            "--facets", metavar="NAMES", show_default=False,
            help="Count by sender, domain, company, custodian, channel, source, month, filetype, "
            "tag, matter or hold; several with commas.",
        ),
    ] = ""  # fmt: skip
    collapse: Annotated[
        Collapse, typer.Option("--collapse", help="Show only the first of each thread or message.")
    ] = Collapse.NONE
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE


def search(session: Session, options: SearchOptions) -> None:
    """Find messages by words, people, dates and much more, in any language.

    One query language for everything: AND OR NOT, "exact phrases", a NEAR(5) b, wild* cards,
    from: to: with: subject: filename: filetype: has:attachment after: before: date:a..b larger: and
    others, in English and Chinese (发件人: 主题: 上周). The total is exact. Write -- before a query
    that begins with a minus sign.
    """
    from holdfast.cli.trail import note_search
    from holdfast.indexer.explain import to_text

    text = " ".join(options.query or ())
    parsed = _parsed(session, text)
    if options.explain:
        _explain(session, parsed, options.output)
        return
    with session.archive() as services:
        request = _request(session, options, _reaching(session, services, options, parsed.node))
        page = services.index.search(request)
        asked = {"query": text, "canonical": to_text(parsed.node), "total": page.total}
        note_search(services, asked | {"sort": options.sort.value, "cursor": options.cursor})
        if options.count:
            _print_count(session, page, options.output)
        else:
            _print_page(session, services, _Answer(parsed, request, page), options)
        _note_limits(session, services, request)


def _reaching(session: Session, services: Services, options: SearchOptions, node: Node) -> Node:
    if options.reach < 2:
        return node
    from holdfast.core.query import Scope
    from holdfast.discovery.reach import reaching
    from holdfast.indexer.hits import every_hit
    from holdfast.storage.catalogue.conversations import room_lines

    scope = Scope.whole_archive(session.actor)
    return reaching(
        node,
        options.reach,
        lambda one: every_hit(services.index, one, scope),
        lambda ids: room_lines(services.store, ids),
    )


def _parsed(session: Session, text: str) -> ParsedQuery:
    from datetime import UTC, datetime

    from holdfast.indexer.query_parser import parse_query

    parsed = parse_query(text, now=datetime.now(UTC), zone=session.settings.zone)
    for warning in parsed.warnings:
        session.screen.warn("{warning}", warning=session.screen.told(warning))
    return parsed


def _explain(session: Session, parsed: ParsedQuery, output: Format) -> None:
    from holdfast.indexer.explain import explain, to_text

    drawing = explain(parsed.node, session.settings.zone)
    canonical = to_text(parsed.node)
    screen = session.screen
    if output in {Format.JSON, Format.JSONL}:
        shown = {"query": parsed.text, "canonical": canonical, "tree": drawing.splitlines()}
        shown |= {"zone": parsed.zone, "warnings": list(parsed.warnings)}
        screen.json({"schema": "holdfast.query/1", **shown})
        return
    screen.show(drawing)
    screen.note("In full: {canonical}", canonical=canonical)
    screen.note("Dates are read in {zone}.", zone=parsed.zone)


def _request(session: Session, options: SearchOptions, node: Node) -> SearchRequest:
    from holdfast.core.ports import SearchRequest
    from holdfast.core.query import Scope

    return SearchRequest(
        query=node,
        scope=Scope.whole_archive(session.actor),
        limit=0 if options.count else options.limit,
        cursor=options.cursor,
        sort=options.sort.value,
        facets=tuple(name.strip() for name in options.facets.split(",") if name.strip()),
        collapse="" if options.collapse is Collapse.NONE else options.collapse.value,
    )


def _print_count(session: Session, page: Page, output: Format) -> None:
    if output in {Format.JSON, Format.JSONL}:
        session.screen.json({"schema": "holdfast.count/1", "total": page.total})
    else:
        session.screen.result("{total}", total=page.total)


@dataclass(frozen=True, slots=True)
class _Answer:
    parsed: ParsedQuery
    request: SearchRequest
    page: Page


def _print_page(
    session: Session, services: Services, answer: _Answer, options: SearchOptions
) -> None:
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue.reading import records

    page, screen = answer.page, session.screen
    ids = [hit.id for hit in page.hits]
    if options.output is Format.IDS:
        for one in ids:
            screen.plain(public_id("msg", one))
    else:
        found = {record.id: record for record in records(services.store, ids)}
        if options.output is Format.TABLE:
            _print_table(session, answer, found)
        else:
            _print_json(session, answer, found, options.output)
    if options.output is not Format.JSON:
        if not page.total:
            _say_what_emptied_it(session, services, answer)
        if page.cursor:
            screen.hint("Next page: --cursor {cursor}", cursor=page.cursor)


def _print_table(session: Session, answer: _Answer, found: dict[int, Record]) -> None:
    from holdfast.cli.lists import beneath, heading, width_beneath
    from holdfast.core.query import Part
    from holdfast.indexer.highlight import highlight, snippets

    screen, page = session.screen, answer.page
    for hit in page.hits:
        record = found.get(hit.id)
        if record is None:  # removed since the index was written
            continue
        marked = highlight(answer.parsed.node, record)
        subject = next((one.marks for one in marked if one.part is Part.SUBJECT), ())
        line = heading(record, screen, session.settings.zone, marks=subject)
        screen.show(line)
        if hit.collapsed > 1:
            more = screen.words("and {count} more of it", count=amount(hit.collapsed - 1))
            screen.show(beneath(styled(more, QUIET), screen))
        for piece in snippets([one for one in marked if one.part is not Part.SUBJECT], limit=1):
            screen.show(beneath(_snippet_line(piece, record, width_beneath(screen)), screen))
    _print_facets(session, page)
    _print_total(session, page, len(found))


def _snippet_line(piece: Snippet, record: Record, width: int) -> Text:
    from holdfast.cli.lists import around, label_of

    label = label_of(piece, record)
    line = styled("").append_text(styled(safe_line(label), ACCENT))
    text, marks = around(piece.text, piece.marks, max(width - len(label), 10))
    line.append_text(styled(safe_line(text), QUIET, marks=marks))
    return line


def _print_facets(session: Session, page: Page) -> None:
    for name, values in page.facets.items():
        session.screen.result()
        columns = [Column(name, style=""), Column("Messages", is_number=True)]
        session.screen.table(columns, [(value, amount(count)) for value, count in values])


def _print_total(session: Session, page: Page, shown: int) -> None:
    screen = session.screen
    if not page.total:
        return
    groups = ""
    if page.groups and page.groups != page.total:
        groups = screen.counted(page.groups, " in one group", " in {count} groups")
    screen.note(
        "{messages}{groups}, {shown} shown. Dates are in {zone}.",
        messages=screen.counted(page.total, "1 message", "{count} messages"),
        groups=groups,
        shown=amount(shown),
        zone=session.settings.zone.key,
    )


def _print_json(
    session: Session, answer: _Answer, found: dict[int, Record], output: Format
) -> None:
    from holdfast.cli.lists import record_value
    from holdfast.indexer.explain import to_text
    from holdfast.indexer.highlight import highlight, snippets

    page = answer.page
    hits = []
    for hit in page.hits:
        if hit.id in found:
            record = found[hit.id]
            pieces = snippets(highlight(answer.parsed.node, record))
            shown = [
                {"part": p.part.value, "index": p.index, "text": p.text, "marks": p.marks}
                for p in pieces
            ]
            hits.append({**record_value(record), "collapsed": hit.collapsed, "snippets": shown})
    if output is Format.JSONL:
        for value in hits:
            session.screen.json({"schema": "holdfast.hit/1", **value})
        return
    facets = {
        name: [{"value": value, "count": count} for value, count in values]
        for name, values in page.facets.items()
    }
    body = {
        "query": answer.parsed.text, "canonical": to_text(answer.parsed.node),
        "zone": answer.parsed.zone, "warnings": list(answer.parsed.warnings),
        "total": page.total, "groups": page.groups, "cursor": page.cursor, "facets": facets,
    }  # fmt: skip
    session.screen.json({"schema": "holdfast.search/1", **body, "hits": hits})


def _say_what_emptied_it(session: Session, services: Services, answer: _Answer) -> None:
    from holdfast.indexer.emptying import what_emptied
    from holdfast.indexer.explain import to_text

    screen = session.screen
    parts = what_emptied(services.index, answer.request)
    if not parts:
        query = to_text(answer.request.query)
        screen.note("Nothing matches {query}.", style=WARNING, query=query)
        return
    screen.note("Nothing matches all of it.", style=WARNING)
    for one in parts:
        term = to_text(one.part)
        if one.alone:
            screen.note(
                "  {term} matches {alone}; without it {rest}",
                style="",
                term=term,
                alone=amount(one.alone),
                rest=amount(one.without),
            )
        else:
            screen.note("  {term} matches nothing", style="", term=term)


def _note_limits(session: Session, services: Services, request: SearchRequest) -> None:
    """Say what a search cannot have seen, so that nobody takes silence for absence."""
    from holdfast.core.query import NOT_READ_WHOLE
    from holdfast.indexer.emptying import total_of

    screen = session.screen
    waiting = services.desk.feed.waiting()
    if waiting:
        screen.warn("{count} not yet indexed.", count=amount(waiting))
    unread = total_of(services.index, request, NOT_READ_WHOLE)
    if unread:
        screen.warn(
            "{count} not fully indexed (is:truncated OR is:unreadable).", count=amount(unread)
        )

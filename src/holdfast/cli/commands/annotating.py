"""`tag add|remove|list` and `annotate`: what people add to messages; originals stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, Column, amount
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.annotations.bulk import Bulk
    from holdfast.storage.annotations.values import Change
    from holdfast.wiring.archive import Services

_IDS = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID", help="Messages, as a search shows them.", show_default=False),
]
_QUERY = Annotated[
    str,
    typer.Option(
        "--query", metavar="QUERY", help="All messages that it finds.", show_default=False
    ),
]
_DRY_RUN = Annotated[bool, flag("--dry-run", text="Only say how many messages are meant.")]
_JSON = Annotated[bool, flag("--json", text="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Tag messages, by id or by query.")
    add(group, "add", add_tag, TagOptions)
    add(group, "remove", remove_tag, TagOptions)
    add(group, "list", list_tags, ListOptions)
    app.add_typer(group, name="tag")
    add(app, "annotate", run, AnnotateOptions, (0, 1, 2, 4, 5, 6, 7))


@dataclass(frozen=True, slots=True)
class TagOptions:
    """Options of `tag add` and `tag remove`."""

    tag: Annotated[str, typer.Argument(metavar="TAG", help="The tag; upper or lower case alike.")]
    ids: _IDS = None
    query: _QUERY = ""
    dry_run: _DRY_RUN = False
    as_json: _JSON = False


def add_tag(session: Session, options: TagOptions) -> None:
    """Tag messages: those that are named, or all that a query finds."""
    from holdfast.storage.annotations.values import Change

    _change_all(session, options, Change(add_tags=(options.tag,)))


def remove_tag(session: Session, options: TagOptions) -> None:
    """Take a tag off messages: those that are named, or all that a query finds."""
    from holdfast.storage.annotations.values import Change

    _change_all(session, options, Change(remove_tags=(options.tag,)))


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `tag list`."""

    as_json: _JSON = False


def list_tags(session: Session, options: ListOptions) -> None:
    """List all tags, with how many messages have them."""
    from holdfast.storage.catalogue.tags import tags_counted

    with session.archive() as services:
        counted = tags_counted(services.store)
    if options.as_json:
        tags = [{"tag": tag, "messages": count} for tag, count in counted]
        session.screen.json({"schema": "holdfast.tags/1", "tags": tags})
    elif counted:
        columns = [Column("Tag", ratio=1), Column("Messages", is_number=True)]
        session.screen.table(columns, [(tag, amount(count)) for tag, count in counted])
    else:
        session.screen.note("There are no tags.")


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """Options of `annotate`."""

    ids: _IDS = None
    query: _QUERY = ""
    note: Annotated[
        list[str] | None,
        typer.Option("--note", metavar="TEXT", help="Add a note; may be repeated."),
    ] = None
    remove_note: Annotated[
        list[str] | None,
        typer.Option("--remove-note", metavar="TEXT", help="Remove the notes of this text."),
    ] = None
    link: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="LINK", help="Add a link; may be repeated."),
    ] = None
    remove_link: Annotated[
        list[str] | None, typer.Option("--remove-link", metavar="LINK", help="Remove a link.")
    ] = None
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="NAME", help="Who looks after it; empty: nobody."),
    ] = None
    summary: Annotated[
        str | None, typer.Option("--summary", metavar="TEXT", help="Its summary; empty: none.")
    ] = None
    retain_from: Annotated[
        str | None,
        typer.Option(
            "--retain-from", metavar="DATE",
            help="Count retention from this day instead of its receipt; empty: from its receipt.",
        ),
    ] = None  # fmt: skip
    expect: Annotated[
        int | None,
        typer.Option(
            "--expect", metavar="VERSION", min=0,
            help="Refuse when this is not its version any more; for one message.",
        ),
    ] = None  # fmt: skip
    undo: Annotated[
        str,
        typer.Option(
            "--undo", metavar="JOB", show_default=False,
            help="Take back all that a job (job_…) changed, where nobody changed it since.",
        ),
    ] = ""  # fmt: skip
    dry_run: _DRY_RUN = False
    as_json: _JSON = False


def run(session: Session, options: AnnotateOptions) -> None:
    """Change what people have added to messages: notes, links, owner, summary.

    Each change is a version of its own ('holdfast versions'); the original is never touched.
    """
    if options.undo:
        _undo(session, options)
    elif options.expect is not None:
        _change_one(session, options)
    else:
        _change_all(session, options, _change(session, options))


def _change(session: Session, options: AnnotateOptions) -> Change:
    from holdfast.storage.annotations.values import KEEP, Change

    at = session.instant(options.retain_from) if options.retain_from else None
    from_ms = int(at.timestamp() * 1000) if at else None
    return Change(
        add_notes=tuple(options.note or ()),
        remove_notes=tuple(options.remove_note or ()),
        add_links=tuple(options.link or ()),
        remove_links=tuple(options.remove_link or ()),
        owner=options.owner,
        summary=options.summary,
        retain_from_ms=KEEP if options.retain_from is None else from_ms,
    )


def _change_one(session: Session, options: AnnotateOptions) -> None:
    from holdfast.storage.annotations.writing import annotate
    from holdfast.storage.catalogue.reading import find_interaction

    if options.query or len(options.ids or ()) != 1 or options.dry_run:
        raise Refused("--expect is for one message.", next_step="Name one, by its id.")
    with session.archive() as services:
        (named,) = options.ids or ("",)
        found = find_interaction(services.store, named)
        state = annotate(services.store, found, _change(session, options), options.expect)
        services.desk.feed.drain()
    if options.as_json:
        session.screen.json({"schema": "holdfast.annotated/1", "version": state.version})
    else:
        session.screen.result("It is at version {version}.", style=GOOD, version=state.version)


def _change_all(session: Session, options: TagOptions | AnnotateOptions, change: Change) -> None:
    from holdfast.storage.annotations.bulk import annotate_many
    from holdfast.storage.annotations.values import checked

    checked(change)
    with session.archive() as services:
        meant = _meant(session, services, options.ids or (), options.query)
        if options.dry_run:
            _say_meant(session, len(meant), as_json=options.as_json)
            return
        done = annotate_many(services.store, meant, change, str(services.store.ids.take()))
        services.desk.feed.drain()
    _say_done(session, done, as_json=options.as_json)


def _meant(session: Session, services: Services, names: Sequence[str], query: str) -> list[int]:
    from holdfast.storage.catalogue.reading import find_interaction

    if bool(names) == bool(query):
        raise Refused("Which messages is not clear.", next_step="Give ids, or --query, not both.")
    if names:
        return [find_interaction(services.store, one) for one in names]
    return _found(session, services, query)


def _found(session: Session, services: Services, query: str) -> list[int]:
    """Return everything that the query finds; the search stands in the audit log."""
    from datetime import UTC, datetime

    from holdfast.cli.trail import note_search
    from holdfast.core.query import Scope
    from holdfast.indexer.explain import to_text
    from holdfast.indexer.hits import every_hit
    from holdfast.indexer.query_parser import parse_query

    parsed = parse_query(query, now=datetime.now(UTC), zone=session.settings.zone)
    for warning in parsed.warnings:
        session.screen.warn("{warning}", warning=session.screen.told(warning))
    scope = Scope.whole_archive(session.actor)
    found = [one for page in every_hit(services.index, parsed.node, scope) for one in page]
    asked = {"query": query, "canonical": to_text(parsed.node), "total": len(found)}
    note_search(services, asked)
    return found


def _say_meant(session: Session, count: int, *, as_json: bool) -> None:
    if as_json:
        session.screen.json({"schema": "holdfast.annotated/1", "meant": count})
        return
    messages = session.screen.counted(count, "1 message", "{count} messages")
    session.screen.result("{messages} are meant.", messages=messages)
    session.screen.note("Nothing was changed.")


def _say_done(session: Session, done: Bulk, *, as_json: bool) -> None:
    from holdfast.core.identity import public_id

    screen, job = session.screen, public_id("job", done.job_id)
    if as_json:
        counts = {"changed": done.changed, "unchanged": done.unchanged, "missing": done.missing}
        screen.json({"schema": "holdfast.annotated/1", "job": job, **counts, "kept": done.kept})
        return
    screen.result(
        "{changed} changed, {unchanged} were so already.",
        style=GOOD,
        changed=amount(done.changed),
        unchanged=amount(done.unchanged),
    )
    if done.missing:
        screen.warn("{count} are not in the archive any more.", count=amount(done.missing))
    if done.kept:
        screen.warn("{count} keep what others set since.", count=amount(done.kept))
    if done.changed:
        screen.hint("To take it back: holdfast annotate --undo {job}", job=job)


def _undo(session: Session, options: AnnotateOptions) -> None:
    from holdfast.core.identity import row_id
    from holdfast.storage.annotations.bulk import made_by, undo_many

    job_id = row_id("job", options.undo)
    with session.archive() as services:
        if options.dry_run:
            _say_meant(session, len(made_by(services.store, job_id)), as_json=options.as_json)
            return
        done = undo_many(services.store, job_id)
        services.desk.feed.drain()
    _say_done(session, done, as_json=options.as_json)

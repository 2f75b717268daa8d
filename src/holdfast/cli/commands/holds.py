"""`hold place|list|show|set|sweep`: keep what a matter needs from disposal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands import hold_notices, hold_release
from holdfast.cli.commands.hold_shown import print_hold, print_holds, say_what_goes, value_of
from holdfast.cli.commands.matters import MATTER
from holdfast.cli.screen import GOOD, amount
from holdfast.core.errors import Refused, Unavailable

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.holds import HoldTerms
    from holdfast.indexer.query_parser import ParsedQuery
    from holdfast.storage.governance.disposals import Underway
    from holdfast.storage.governance.holds import Hold
    from holdfast.storage.governance.sweeping import HoldCounts
    from holdfast.wiring.archive import Services

HOLD = typer.Argument(metavar="HOLD", help="A hold: its name, or hld_….", show_default=False)
CHANGES = (0, 1, 2, 4, 5, 7)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Place and release holds, tell custodians.")
    add(group, "place", place, PlaceOptions, CHANGES)
    add(group, "list", list_all, ListOptions)
    add(group, "show", show, ShowOptions)
    add(group, "set", set_one, SetOptions, CHANGES)
    add(group, "sweep", sweep, SweepOptions)
    hold_release.register(group)
    hold_notices.register(group)
    app.add_typer(group, name="hold")


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """Options of `hold place`."""

    matter: Annotated[str, MATTER]
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)
    ]
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = ""
    custodian: Annotated[
        list[str] | None,
        typer.Option(
            "--custodian", metavar="NAME", show_default=False,
            help="Whose mail; may be repeated. Without: everybody's.",
        ),
    ] = None  # fmt: skip
    begin: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Sent then or later.", show_default=False)
    ] = ""
    end: Annotated[
        str, typer.Option("--before", metavar="DATE", help="Sent before.", show_default=False)
    ] = ""
    query: Annotated[
        str, typer.Option("--query", metavar="QUERY", help="And found by this.", show_default=False)
    ] = ""
    everything: Annotated[bool, flag("--everything", text="All that there is and comes.")] = False
    exact: Annotated[
        bool, flag("--exact", text="Leave out what is not fully indexed and may match.")
    ] = False
    dry_run: Annotated[bool, flag("--dry-run", text="Count what it would hold; place none.")] = (
        False
    )
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def place(session: Session, options: PlaceOptions) -> None:
    """Place a hold: what matches it cannot be disposed of, now and when it comes later.

    Custodian and dates and query must match; what these custodians have that is not fully indexed
    is held too, whatever its date and words. Dates are read in the zone of the archive and are not
    rounded. The hold is in force at once; then what is there already is shown as held.
    """
    from holdfast.storage.governance.disposals import underway
    from holdfast.storage.governance.holds import NewHold, check_terms, place_hold
    from holdfast.storage.governance.matters import find_matter

    parsed = _parsed(session, options.query)
    terms = _terms(session, options, parsed)
    check_terms(terms)
    with session.archive() as services:
        matter = find_matter(services.store, options.matter)
        _warn_of_unknown(session, services, terms)
        if options.dry_run:
            _preview(session, services, terms, as_json=options.as_json)
            return
        canonical = _canonical(parsed) if parsed else ""
        new = NewHold(matter.id, options.name, options.reason, terms, options.query, canonical)
        hold = place_hold(services.store, new)
        gone = underway(services.store, hold.placed_ms)
        counts = swept(session, services, hold)
        shown = value_of(hold, services.store.now_ms())
    for one in gone:
        _warn_of_gone(session, one)
    if options.as_json:
        session.screen.json({"schema": "holdfast.hold/1", **shown, **_counted(counts)})
        return
    session.screen.result(
        "Placed {name} ({id}) for {matter}.",
        style=GOOD, name=hold.name, id=hold.public, matter=hold.matter,
    )  # fmt: skip
    _say_counts(session, counts)
    session.screen.hint("Next: holdfast hold notify {id}", id=hold.public)


def _terms(session: Session, options: PlaceOptions, parsed: ParsedQuery | None) -> HoldTerms:
    from holdfast.core.holds import HoldTerms
    from holdfast.core.query import EVERYTHING

    said = bool(options.custodian or options.begin or options.end or options.query)
    if said == options.everything:
        raise Refused(
            "What is to be held?",
            next_step="Give --custodian, --from, --before or --query; or --everything alone.",
        )
    return HoldTerms(
        custodians=tuple(name.strip() for name in options.custodian or () if name.strip()),
        from_at=session.instant(options.begin) if options.begin else None,
        to_at=session.instant(options.end) if options.end else None,
        query=parsed.node if parsed else EVERYTHING,
        spares_unindexed=not options.exact,
    )


def _parsed(session: Session, text: str) -> ParsedQuery | None:
    from datetime import UTC, datetime

    from holdfast.indexer.query_parser import parse_query

    if not text.strip():
        return None
    parsed = parse_query(text, now=datetime.now(UTC), zone=session.settings.zone)
    for warning in parsed.warnings:
        session.screen.warn("{warning}", warning=session.screen.told(warning))
    return parsed


def _canonical(parsed: ParsedQuery) -> str:
    from holdfast.indexer.explain import to_text

    return to_text(parsed.node)


def _warn_of_unknown(session: Session, services: Services, terms: HoldTerms) -> None:
    from holdfast.storage.governance.holds import unknown_custodians

    for name in unknown_custodians(services.store, terms.custodians):
        session.screen.warn("Nobody is called {name} yet; what comes is held.", name=name)


def _warn_of_gone(session: Session, one: Underway) -> None:
    from holdfast.cli.commands.disposing import when
    from holdfast.core.identity import public_id

    session.screen.warn(
        "{id} is being carried out: {messages} went before this hold, the last on {when}.",
        id=public_id("dsp", one.disposal_id),
        messages=session.screen.counted(one.destroyed, "1 message", "{count} messages"),
        when=when(session, one.last_ms),
    )


def _preview(session: Session, services: Services, terms: HoldTerms, *, as_json: bool) -> None:
    from holdfast.core.holds import hold_predicate
    from holdfast.ingest.hold_care import find_in
    from holdfast.storage.governance.sweeping import preview_hold

    counts = preview_hold(services.store, hold_predicate(terms), find_in(services.home))
    if as_json:
        session.screen.json({"schema": "holdfast.hold-preview/1", **_counted(counts)})
        return
    session.screen.result(
        "It would hold {messages}, of which {partly} are not fully indexed.",
        messages=session.screen.counted(counts.held, "1 message", "{count} messages"),
        partly=amount(counts.not_fully_indexed),
    )


def swept(session: Session, services: Services, hold: Hold) -> HoldCounts:
    """Show as held what the hold holds already, in the index too; return what it is."""
    from holdfast.cli.progress import Counter
    from holdfast.ingest.hold_care import find_in
    from holdfast.storage.governance.sweeping import preview_hold, sweep_hold

    find = find_in(services.home)
    total = preview_hold(services.store, hold.node, find).held
    done = 0
    with Counter(session.screen, "Holding") as counter:

        def show(more: int) -> None:
            nonlocal done
            done += more
            counter.show(done, max(total, done))

        counts = sweep_hold(services.store, hold, find, show)
    show_in_index(session, services)
    return counts


def show_in_index(session: Session, services: Services) -> None:
    """Let searches find what changed; where somebody else feeds the index it follows by itself."""
    try:
        services.desk.feed.drain()
    except Unavailable:
        session.screen.warn("{count} not yet indexed.", count=amount(services.desk.feed.waiting()))


def _say_counts(session: Session, counts: HoldCounts) -> None:
    session.screen.result(
        "It holds {messages}, of which {partly} are not fully indexed.",
        messages=session.screen.counted(counts.held, "1 message", "{count} messages"),
        partly=amount(counts.not_fully_indexed),
    )


def _counted(counts: HoldCounts) -> dict[str, Any]:
    return {"held": counts.held, "not_fully_indexed": counts.not_fully_indexed}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `hold list`."""

    matter: Annotated[
        str, typer.Option("--matter", metavar="MATTER", help="Of this one.", show_default=False)
    ] = ""
    ended: Annotated[bool, flag("--ended", text="Those that have ended too.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def list_all(session: Session, options: ListOptions) -> None:
    """List the holds: whose mail, what of it, how each stands."""
    from holdfast.storage.governance.holds import list_holds
    from holdfast.storage.governance.matters import find_matter

    with session.archive() as services:
        store = services.store
        matter_id = find_matter(store, options.matter).id if options.matter else None
        found = list_holds(store, matter_id=matter_id, with_ended=options.ended)
        now_ms = store.now_ms()
    if options.as_json:
        shown = [value_of(one, now_ms) for one in found]
        session.screen.json({"schema": "holdfast.holds/1", "holds": shown})
    elif found:
        print_holds(session, found, now_ms)
    else:
        session.screen.note("There is no hold. Next: holdfast hold place MATTER NAME")


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `hold show`."""

    hold: Annotated[str, HOLD]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show a hold, what it holds, and what would become deletable when it is released."""
    from holdfast.storage.governance.holds import find_hold
    from holdfast.storage.governance.releasing import freed_by
    from holdfast.storage.governance.sweeping import count_held

    with session.archive() as services:
        store = services.store
        hold = find_hold(store, options.hold)
        counts, freed = count_held(store, hold.id), freed_by(store, hold.id)
        now_ms = store.now_ms()
    if options.as_json:
        shown = {**value_of(hold, now_ms), **_counted(counts), "held_by_no_other": freed.free}
        session.screen.json({"schema": "holdfast.hold/1", **shown})
        return
    print_hold(session, hold, counts, freed)
    say_what_goes(session, hold, freed, now_ms)


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `hold set`."""

    hold: Annotated[str, HOLD]
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why.", show_default=False)
    ] = None
    custodian: Annotated[
        list[str] | None,
        typer.Option(
            "--custodian", metavar="NAME", show_default=False,
            help="Whose mail too; may be repeated.",
        ),
    ] = None  # fmt: skip
    begin: Annotated[
        str, typer.Option("--from", metavar="DATE", help="From earlier on.", show_default=False)
    ] = ""
    end: Annotated[
        str, typer.Option("--before", metavar="DATE", help="Until later.", show_default=False)
    ] = ""
    any_words: Annotated[bool, flag("--any-words", text="Whatever the words are.")] = False
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", help="Only if it is still of this version."),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def set_one(session: Session, options: SetOptions) -> None:
    """Widen a hold, or change its reason. To hold less, place a new one and release this one."""
    from holdfast.storage.governance.holds import change_hold, find_hold

    with session.archive() as services:
        store = services.store
        hold = find_hold(store, options.hold)
        terms = _widened(session, hold.terms, options)
        if terms is None and options.reason is None:
            raise Refused("What is to be changed?", next_step="See holdfast hold set --help.")
        version = hold.version if options.version is None else options.version
        changed = change_hold(store, hold.id, version, reason=options.reason, terms=terms)
        counts = swept(session, services, changed)
        shown = value_of(changed, store.now_ms())
    if options.as_json:
        session.screen.json({"schema": "holdfast.hold/1", **shown, **_counted(counts)})
        return
    session.screen.result("Changed {name}.", style=GOOD, name=changed.name)
    _say_counts(session, counts)


def _widened(session: Session, terms: HoldTerms, options: SetOptions) -> HoldTerms | None:
    from holdfast.core.query import EVERYTHING

    changes: dict[str, Any] = {}
    if options.custodian:
        if not terms.custodians:
            raise Refused("It is on everybody's mail already.", next_step="Leave --custodian out.")
        changes["custodians"] = tuple(dict.fromkeys((*terms.custodians, *options.custodian)))
    if options.begin:
        changes["from_at"] = session.instant(options.begin)
    if options.end:
        changes["to_at"] = session.instant(options.end)
    if options.any_words:
        changes["query"] = EVERYTHING
    return replace(terms, **changes) if changes else None


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """Options of `hold sweep`."""

    hold: Annotated[str, HOLD]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def sweep(session: Session, options: SweepOptions) -> None:
    """Show as held all that a hold holds; to be repeated where it was interrupted."""
    from holdfast.storage.governance.holds import find_hold

    with session.archive() as services:
        hold = find_hold(services.store, options.hold)
        if not hold.is_active:
            raise Refused("The hold has ended.", next_step="Place a new one.")
        counts = swept(session, services, hold)
    if options.as_json:
        session.screen.json(
            {"schema": "holdfast.hold-sweep/1", "id": hold.public, **_counted(counts)}
        )
        return
    _say_counts(session, counts)

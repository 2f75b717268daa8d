"""`source test|sync|backfill`: the way to a mailbox, and what it gives; it keeps no settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from holdfast.cli.command import explain, flag
from holdfast.cli.commands.source_care import BackfillOptions, wanted
from holdfast.cli.screen import BAD, GOOD, WARNING, amount, size, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.cli.session import Session
    from holdfast.ingest.folder.taking import Taken
    from holdfast.ingest.imap.syncing import Synced
    from holdfast.ingest.source_kinds import Synced as AnySynced
    from holdfast.ingest.sources.bench import Ask

PARTIAL = 3
SOURCE_NAME = typer.Argument(metavar="NAME", help="Name of the source.", show_default=False)


@dataclass(frozen=True, slots=True)
class TestOptions:
    """Options of `source test`."""

    name: Annotated[str, SOURCE_NAME]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


_STEPS = {
    "address": "Address",
    "connection": "Connection",
    "sign-in": "Signing in",
    "capabilities": "Capabilities",
    "folders": "Folders",
    "samples": "Newest subjects",
    "folder": "Folder",
    "files": "Files",
    "rooms": "May be moved to",
    "keys": "Versions of keys",
    "secrets": "File of secrets",
    "bridge": "Bridge",
}


def test_source(session: Session, options: TestOptions) -> int:
    """Walk the way to a source: name, encryption, sign-in, folders, three subjects.

    Nothing is taken in, and nothing is changed at the server. In a watched folder the folders that
    it needs are made.
    """
    from holdfast.ingest.source_kinds import source_of
    from holdfast.storage.catalogue.accounts import StoredSecret, find_account

    with session.archive() as services:  # open to the end: a token that is renewed is kept
        kept = find_account(services.store, options.name)
        stored = StoredSecret(services.store, kept.source_id)
        steps = list(source_of(kept.kind).trial(kept.settings, stored))
    error = steps[-1].error
    if options.as_json:
        shown = [
            {"step": one.name, "ok": one.error is None, "found": one.found,
             "cause": one.error.cause if one.error else "",
             "next_step": one.error.next_step if one.error else ""}
            for one in steps
        ]  # fmt: skip
        session.screen.json({"schema": "holdfast.source-test/1", "steps": shown})
        return error.exit_status if error else 0
    words = session.screen.words
    session.screen.facts(
        (_STEPS[one.name], one.found if one.error is None else styled(words("failed"), BAD))
        for one in steps
    )
    if error is not None:
        explain(session.screen, error)
        return error.exit_status
    session.screen.hint("Next: holdfast source sync {name}", name=options.name)
    return 0


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Options of `source sync`."""

    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME…", help="Sources; else all.", show_default=False),
    ] = None
    reconcile: Annotated[
        bool,
        flag("--reconcile", text="Compare sizes of all that is kept as well; fetch what differs."),
    ] = False
    processes: Annotated[
        int,
        typer.Option(
            "-j", "--processes", metavar="N", min=0, show_default=False,
            help="Processes that parse; else as many as there are cores.",
        ),
    ] = 0  # fmt: skip
    as_json: Annotated[bool, flag("--json", text="Print the summary as JSON.")] = False


def sync(session: Session, options: SyncOptions) -> int:
    """Take what the source has and the archive has not; it is searchable when the command ends.

    Nothing is changed at a server: no flag, no folder. What is deleted there stays in the archive.
    Files of a watched folder are moved when they are kept. May be interrupted and repeated at any
    time.
    """
    from holdfast.ingest.sources.asking import reconcile_ask
    from holdfast.ingest.sources.bench import Ask

    if options.processes:
        session.choose({"work.processes": options.processes})
    ask = reconcile_ask() if options.reconcile else Ask("command")
    return _run(session, options.names or (), ask, as_json=options.as_json)


def backfill(session: Session, options: BackfillOptions) -> int:
    """Take a range of days, or folders, that the rules leave out; or ask again for what failed.

    The rules stay as they are. What is taken is taken once, as by any run.
    """
    from holdfast.ingest.sources.asking import backfill_ask

    ask = backfill_ask(wanted(options))
    return _run(session, (options.name,), ask, as_json=options.as_json)


def _run(session: Session, names: Sequence[str], ask: Ask, *, as_json: bool) -> int:
    from holdfast.cli.progress import ImportDisplay
    from holdfast.wiring.runs import sync_sources

    with ImportDisplay(session.screen, 0) as display:
        done = list(sync_sources(session.settings, session.actor, names, display.show, ask))
    if as_json:
        shown = [summary(one) for one in done]
        session.screen.json({"schema": "holdfast.source-sync/1", "sources": shown})
    else:
        for one in done:
            show(session, one)
    if not done:
        session.screen.note("No source is pulled. Next: holdfast source add imap NAME")
    return _status(done)


def _status(done: list[AnySynced]) -> int:
    statuses = {_status_of(one) for one in done} or {0}
    return statuses.pop() if len(statuses) == 1 else PARTIAL


def _status_of(one: AnySynced) -> int:
    from holdfast.ingest.folder.taking import Taken

    if one.error is not None:
        return one.error.exit_status
    if one.is_whole:
        return 0
    return one.status if isinstance(one, Taken) else PARTIAL


_COUNTS = ("offered", "new", "duplicates", "unchanged", "skipped", "gone", "quarantined", "failed")


def summary(one: AnySynced) -> dict[str, Any]:
    """Return what a run came to, for programs."""
    from holdfast.ingest.folder.taking import Taken
    from holdfast.ingest.wecom.pulling import Pulled

    if isinstance(one, Pulled):
        own = {"cursor": one.cursor, "closed": one.closed, "is_cut": one.is_cut}
    else:
        own = _folder_facts(one) if isinstance(one, Taken) else _mailbox_facts(cast("Synced", one))
    return {
        "source": one.source,
        "batch": one.batch,
        **{name: getattr(one.counts, name) for name in _COUNTS},
        "with_defects": one.counts.with_defects,
        "bytes": one.counts.bytes_done,
        **own,
        "recovered": one.recovered,
        "not_indexed": one.not_indexed,
        "error": one.error.cause if one.error else "",
        "next_step": one.error.next_step if one.error else "",
    }


def _mailbox_facts(one: Synced) -> dict[str, Any]:
    found = one.found
    return {
        "folders": found.folders,
        "at_server": found.at_server,
        "expunged": found.expunged,
        "flagged": found.flagged,
        "differing": found.differing,
        "renumbered": found.resets,
        "vanished": found.vanished,
        "troubled": found.troubled,
        "unmatched": found.unmatched,
        "lack": found.lack,
    }


def _folder_facts(one: Taken) -> dict[str, Any]:
    return {"files": dict(one.files), "left": dict(one.left)}


def show(session: Session, one: AnySynced) -> None:
    """Print what a run came to."""
    from holdfast.ingest.folder.taking import Taken
    from holdfast.ingest.wecom.pulling import Pulled

    screen, counts = session.screen, one.counts
    lacking = counts.failed + counts.quarantined
    screen.result(
        "{new} new messages from {source}", style=GOOD, new=amount(counts.new), source=one.source
    )
    lines = [
        *_lines(one),
        ("Duplicates", counts.duplicates),
        ("Skipped by rule", counts.skipped),
        ("Gone", counts.gone),
        ("Failed", counts.failed),
        ("Not readable", counts.quarantined),
        ("With defects", counts.with_defects),
        ("Finished for an earlier run", one.recovered),
    ]
    always = ("Files", "Folders", "At the server", "Fetched")
    facts = [(name, amount(count)) for name, count in lines if count or name in always]
    screen.facts([*facts, ("Size", size(counts.bytes_done))])
    if isinstance(one, Taken):
        _warn_of_files(session, one)
    elif isinstance(one, Pulled):
        for reason, count in sorted(one.closed.items()):
            screen.warn("Kept encrypted: {count} ({reason})", count=amount(count), reason=reason)
    else:
        _warn_of_folders(session, cast("Synced", one))
    if lacking:
        screen.note(
            "Some items failed. Next: holdfast ledger --failed --source {source!r}",
            style=WARNING,
            source=one.source,
        )
    if one.not_indexed:
        screen.warn("{count} are not indexed yet.", count=amount(one.not_indexed))
    if one.error is not None:
        explain(screen, one.error)


def _lines(one: AnySynced) -> list[tuple[str, int]]:
    from holdfast.ingest.folder.taking import Taken
    from holdfast.ingest.wecom.pulling import Pulled

    if isinstance(one, Pulled):
        return [("Offered", one.counts.offered)]
    return _folder_lines(one) if isinstance(one, Taken) else _mailbox_lines(cast("Synced", one))


def _mailbox_lines(one: Synced) -> list[tuple[str, int]]:
    counts, found = one.counts, one.found
    lacking = counts.failed + counts.quarantined
    return [
        ("Folders", found.folders),
        ("At the server", found.at_server),
        ("Fetched", counts.offered - counts.skipped - counts.gone - lacking),
        ("Deleted at the server since", found.expunged),
        ("Other flags since", found.flagged),
    ]


def _warn_of_folders(session: Session, one: Synced) -> None:
    screen, found = session.screen, one.found
    if found.lack:
        screen.warn("{cause}", cause=screen.told(found.lack))
    for folder in found.resets:
        screen.warn("{folder}: the server numbered it anew; all was compared.", folder=folder)
    for folder in found.vanished:
        screen.warn("{folder}: the server has it no more; what it gave stays.", folder=folder)
    for folder, cause in found.troubled.items():
        screen.warn("{folder}: {cause}", folder=folder, cause=screen.told(cause))
    for folder, (counted, listed) in found.differing.items():
        screen.warn(
            "{folder}: the server counts {counted} messages and lists {listed}.",
            folder=folder, counted=amount(counted), listed=amount(listed),
        )  # fmt: skip
    for pattern in found.unmatched:
        screen.warn("No folder matches {pattern}.", pattern=pattern)


def _folder_lines(one: Taken) -> list[tuple[str, int]]:
    return [("Files", one.files.total()), ("Offered", one.counts.offered)]


def _warn_of_files(session: Session, one: Taken) -> None:
    screen = session.screen
    bad = one.files.total() - one.files["done"]
    if bad:
        screen.warn("Files not kept whole: {count}. Their results say why.", count=amount(bad))
    for reason, count in sorted(one.left.items()):
        screen.note("Left where it is: {count} ({reason})", count=amount(count), reason=reason)

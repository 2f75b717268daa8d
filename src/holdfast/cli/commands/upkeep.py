"""`reindex`, `keys` and `compact`: keep index, keys and vault in order; no original is lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import NoOptions, add, flag
from holdfast.cli.screen import GOOD, amount, size
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "reindex", reindex, ReindexOptions)
    group = typer.Typer(no_args_is_help=True, help="Look after the keys.")
    add(group, "rotate", rotate, NoOptions, (0, 1, 2, 4, 6, 7))
    add(group, "retire", retire, NoOptions, (0, 1, 2, 4, 6, 7))
    app.add_typer(group, name="keys")
    add(app, "compact", reclaim, NoOptions, (0, 1, 2, 4, 6, 7))


@dataclass(frozen=True, slots=True)
class ReindexOptions:
    """Options of `reindex`."""

    missing: Annotated[
        bool, flag("--missing", text="Only what the index lacks; so it is without options.")
    ] = False
    full: Annotated[
        bool, flag("--full", text="Everything, beside the old index, which is searched meanwhile.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def reindex(session: Session, options: ReindexOptions) -> None:
    """Bring the search index in line with the catalogue, or make it anew."""
    if options.full and options.missing:
        raise Refused("--full and --missing exclude each other.", next_step="Give one of them.")
    if options.full:
        _rebuild(session, options)
    else:
        _heal(session, options)


def _rebuild(session: Session, options: ReindexOptions) -> None:
    from holdfast.cli.progress import Counter
    from holdfast.wiring.runs import rebuild_index

    with Counter(session.screen, "Indexing") as counter:
        held = rebuild_index(session.settings, session.actor, counter.show)
    if options.as_json:
        session.screen.json({"schema": "holdfast.reindex/1", "indexed": held})
        return
    session.screen.result(
        "The new index holds {messages}.",
        style=GOOD,
        messages=session.screen.counted(held, "1 message", "{count} messages"),
    )


def _heal(session: Session, options: ReindexOptions) -> None:
    from holdfast.ingest.rebuild import heal

    with session.archive() as services:
        found = heal(services.desk.feed)
    counts = {"queued": found.drained, "missing": len(found.missing), "extra": len(found.extra)}
    if options.as_json:
        session.screen.json({"schema": "holdfast.reindex/1", **counts})
        return
    session.screen.result(
        "The index agrees with the catalogue: {queued} waited, {missing} were missing, "
        "{extra} were too many.",
        style=GOOD,
        **{name: amount(count) for name, count in counts.items()},
    )


def rotate(session: Session, _options: NoOptions) -> None:
    """Make a new key and wrap the key of every original with it; no original is written again.

    An interrupted rotation is finished by the next one.
    """
    from holdfast.cli.progress import Counter
    from holdfast.storage.upkeep import rotate_keys

    with session.archive() as services, Counter(session.screen, "Wrapping") as counter:
        wrapped = rotate_keys(services.store, lambda done: counter.show(done, done))
        version = services.store.keyring.current
    session.screen.result(
        "Key {version} is in use; the keys of {count} originals are wrapped with it.",
        style=GOOD,
        version=version,
        count=amount(wrapped),
    )
    session.screen.note("Back up the keyring again. 'holdfast keys retire' destroys older keys.")


def retire(session: Session, _options: NoOptions) -> None:
    """Destroy the keys that wrap nothing any more.

    Backups of the catalogue from before the last rotation cannot be opened afterwards.
    """
    from holdfast.storage.upkeep import retire_keys

    with session.archive() as services:
        gone = retire_keys(services.store)
    session.screen.result("{count} older keys were destroyed.", style=GOOD, count=amount(gone))


def reclaim(session: Session, _options: NoOptions) -> None:
    """Rewrite segments that hold destroyed or orphaned records, and give their space back.

    Segments that changed within the last hour are left for later.
    """
    from holdfast.storage.upkeep import compact

    with session.archive() as services:
        freed = compact(services.store)
    session.screen.result("{freed} were given back.", style=GOOD, freed=size(freed))

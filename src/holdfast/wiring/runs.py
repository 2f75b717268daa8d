"""Runs what needs an archive and the jail together: imports, syncs and a new index."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from holdfast.core.errors import HoldfastError, Refused, Unavailable
from holdfast.ingest.folder.looking import Outlook
from holdfast.ingest.folder.place import KIND as FOLDER
from holdfast.ingest.folder.place import read
from holdfast.ingest.folder.taking import Taken, take
from holdfast.ingest.folder.watching import watch
from holdfast.ingest.imports import ImportOptions, ImportSummary, run_import
from holdfast.ingest.jail import Limits, Pool, PoolConfig
from holdfast.ingest.progress import Progress
from holdfast.ingest.rebuild import analysis_bench, rebuild
from holdfast.ingest.source_kinds import Synced, source_of
from holdfast.ingest.sources.bench import Ask, Bench
from holdfast.ingest.sources.leasing import RUN, holding
from holdfast.ingest.sources.leasing import Taken as Busy
from holdfast.ingest.workbench import workbench
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import accounts_of, find_account
from holdfast.storage.catalogue.source_schedule import refuse_paused
from holdfast.storage.upkeep import finish_segments
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive

_MIB = 1024 * 1024
BUSY_RETRY_S = 1.0
"""A look comes again after so long when a worker takes from the folder just now."""
WATCH_RETRY_S = 5.0
"""A look that the archive refused is repeated after so long."""


def import_paths(
    settings: Settings,
    actor: str,
    options: ImportOptions,
    on_progress: Callable[[Progress], None],
) -> ImportSummary:
    """Import into the archive of these settings, which is made when there is none.

    Raises:
        NotFound: A path does not exist.
        Unavailable: The archive cannot be written; the same import continues where it was.
    """
    with parser_pool(settings) as pool:
        create_archive(settings)
        with open_archive(settings, actor) as services:
            finish_segments(services.vault, services.store)
            return run_import(options, services.desk, pool, services.spool, on_progress)


def rebuild_index(settings: Settings, actor: str, on_progress: Callable[[int, int], None]) -> int:
    """Make the index again from the catalogue; return how many interactions it holds.

    Raises:
        NotFound: There is no archive.
        Unavailable: Another process feeds the index, or it cannot be written.
    """
    with (
        Pool(analysis_bench(), PoolConfig(settings.processes, _limits(settings))) as pool,
        open_archive(settings, actor) as services,
    ):
        return rebuild(services.home, services.desk.feed, pool, on_progress)


def sync_sources(
    settings: Settings,
    actor: str,
    names: Sequence[str],
    on_progress: Callable[[Progress], None],
    ask: Ask,
) -> Iterator[Synced]:
    """Sync sources one after another, and yield what each came to; one's trouble is no other's.

    Args:
        settings: Of the archive.
        actor: Who acts, by name.
        names: Of the sources; none means all that are not paused.
        on_progress: Is told the counts of the source at work.
        ask: What to look at.

    Raises:
        NotFound: There is no archive, or no source of a name.
        Conflict: A source that is named is paused, or another process runs one.
        Unavailable: The archive cannot be written; the same sync continues where it was.
    """
    with parser_pool(settings) as pool, open_archive(settings, actor) as services:
        store = services.store
        finish_segments(services.vault, store)
        kept = [find_account(store, name) for name in names]
        for one in kept:
            refuse_paused(one.paused_ms, one.name)
        bench = Bench(services.desk, pool, services.spool, time.sleep, on_progress)
        for one in kept or [one for one in accounts_of(store) if one.paused_ms is None]:
            yield source_of(one.kind).sync(one, bench, ask)


def watch_folder(
    settings: Settings,
    actor: str,
    name: str,
    report: Callable[[Taken | HoldfastError], None],
    is_asked: Callable[[], bool],
) -> None:
    """Take what comes into a folder until asked to end.

    Args:
        settings: Of the archive.
        actor: Who acts, by name.
        name: Of the source.
        report: Is told what each look that found something came to, and what the archive refused;
            the next look goes on from there.
        is_asked: Whether the end is asked for.

    Raises:
        NotFound: There is no archive, or no such source, or not any more.
        Refused: The source is no folder.
    """
    with parser_pool(settings) as pool, open_archive(settings, actor) as services:
        store = services.store
        finish_segments(services.vault, store)
        bench = Bench(services.desk, pool, services.spool, time.sleep)
        outlook = Outlook()

        def look() -> float | None:
            kept = find_account(store, name)
            try:
                with holding(store, f"{RUN}{kept.source_id}"):  # a worker may run it as well
                    taken = take(kept, bench, outlook, waits=False)
            except Busy:
                return BUSY_RETRY_S
            except Unavailable as error:
                report(error)
                return WATCH_RETRY_S
            if not taken.is_empty:
                report(taken)
            return taken.again_s

        kept = find_account(store, name)
        if kept.kind != FOLDER:
            raise Refused(f"The source {name!r} is no folder.", next_step="Sync it.")
        watch(read(kept.settings).folder, look, is_asked)


@contextmanager
def parser_pool(settings: Settings) -> Iterator[Pool]:
    """Start the jailed workers; do it before `open_archive`, so that they see no keys."""
    with Pool(workbench(), PoolConfig(settings.processes, _limits(settings))) as pool:
        yield pool


def _limits(settings: Settings) -> Limits:
    return Limits(
        memory_bytes=settings.limits.parse_memory_mib * _MIB,
        cpu_s=settings.limits.parse_cpu_s,
        wall_s=settings.limits.parse_wall_s,
        may_fork=True,
    )

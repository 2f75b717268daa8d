"""What a sync works with and what it is asked for; does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.progress import Progress
from holdfast.ingest.recovery import EVERYTHING, SealedRange

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.ingest.imap.scope import Range
    from holdfast.ingest.jail import Pool
    from holdfast.ingest.pipeline import Desk


MOST_TRIES = 5
"""For somebody who waits; what runs by itself comes back later instead."""
SCHEDULE = "schedule"
"""Why a run runs whose time has come."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every sync works with."""

    desk: Desk
    pool: Pool
    spool: Path
    pause: Callable[[float], None]
    """Waits so many seconds; the server asked for it."""
    on_progress: Callable[[Progress], None] = lambda progress: None
    is_over: Callable[[], bool] = lambda: False
    """The time of this run is up: it ends early, and the next one goes on."""
    tries: int = MOST_TRIES
    """So often in a row a connection is tried."""
    recovers: SealedRange = EVERYTHING
    """What an earlier run left is filed first, of these items."""
    ahead: int = 20_000
    """So many items may be sealed and not filed; then the source waits."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a run is to look at; by default all that the source's plan takes."""

    why: str = "command"
    """See `storage.catalogue.source_runs`."""
    news: frozenset[str] | None = None
    """Only what is new in the folders of these keys."""
    reconciles: bool = False
    """Compare the counts and sizes of all that is kept with the server's as well; fetch anew what
    differs."""
    backfill: Range | None = None
    """Take these days although the rules leave them out."""
    folders: tuple[str, ...] = ()
    """Patterns of the folders to look at, in place of the source's own."""
    only_failed: bool = False
    """Ask again for what failed, and for nothing else."""

    @property
    def is_partial(self) -> bool:
        """Only a part of what the plan takes is looked at."""
        return self.news is not None or self.backfill is not None or self.only_failed

"""The list of all kinds; a new one is one function, one line here, and its name in `names`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.ingest.jobs import (
    anchoring,
    backfilling,
    filing,
    importing,
    indexing,
    reminding,
    sequencing,
    settling,
    syncing,
    telling,
    verifying,
)
from holdfast.ingest.jobs.names import NAMES
from holdfast.ingest.jobs.task import JobKind

if TYPE_CHECKING:
    from collections.abc import Mapping

# One process at a time feeds an index or the log: whoever finds it busy looks again soon.
SEQUENCE = JobKind("sequence", sequencing.run, sequencing.is_waiting, longest_delay_s=5.0)
INDEX = JobKind("index", indexing.run, indexing.is_waiting, longest_delay_s=5.0)
PROCESS = JobKind("process", filing.run, filing.is_waiting)
ANCHOR = JobKind("anchor", anchoring.run, anchoring.is_waiting, longest_delay_s=120.0)
SYNC = JobKind("sync", syncing.run, waiting=syncing.waiting)
WEBHOOK = JobKind("webhook", telling.run, waiting=telling.waiting)
REMIND = JobKind("remind", reminding.run, reminding.is_waiting)
SETTLE = JobKind("settle", settling.run, settling.is_waiting)
VERIFY = JobKind("verify", verifying.run)
BACKFILL = JobKind("backfill", backfilling.run, is_long=True)
IMPORT = JobKind("import", importing.run, got_on=importing.got_on, is_long=True)
_ALL = (SEQUENCE, INDEX, PROCESS, ANCHOR, SYNC, WEBHOOK, REMIND, SETTLE, VERIFY, BACKFILL, IMPORT)
_BY_NAME = {kind.name: kind for kind in _ALL}
KINDS: Mapping[str, JobKind] = {name: _BY_NAME[name] for name in NAMES}


def chosen(names: tuple[str, ...]) -> dict[str, JobKind]:
    """Return these kinds in order of urgency; all of them when none is named.

    Raises:
        Refused: There is no such kind.
    """
    for name in names:
        known(name)
    return {name: kind for name, kind in KINDS.items() if not names or name in names}


def known(name: str, kinds: Mapping[str, JobKind] = KINDS) -> JobKind:
    """Return the kind of this name.

    Raises:
        Refused: There is none.
    """
    if name not in kinds:
        raise Refused(f"There is no kind of job {name!r}.", next_step=f"Known: {', '.join(kinds)}.")
    return kinds[name]

"""Syncs, and cuts the power of its own disk right after so many acknowledgements.

Called as `fault_syncing.py BUG ACKS CUT_AT DATA KEYS`; ACKS lies on another disk, and gets what was
acknowledged: what the catalogue has committed is never asked for again.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_acking import Notes
from fault_bugs import BUGS
from holdfast.core.errors import HoldfastError
from holdfast.ingest import recovery, taking_in
from holdfast.ingest.imap import fetching
from holdfast.ingest.sources.bench import Ask
from holdfast.settings import Settings
from holdfast.wiring.runs import sync_sources

BATCH_ITEMS = 4
"""Small group commits, so that there are many instants between them."""


def main() -> int:
    """Sync; return the exit status of the failure, or 0."""
    bug, acks, cut_at, data, keys = sys.argv[1:]
    BUGS[bug]()
    taking_in.COMMIT_ITEMS = recovery.BATCH_ITEMS = fetching.BATCH_ITEMS = BATCH_ITEMS
    settings = Settings.model_validate(
        {"data": data, "keys": {"path": keys}, "work": {"processes": 1}}
    )
    notes = Notes(Path(acks), int(cut_at), Path(data))
    try:
        list(sync_sources(settings, "tester", [], notes.write, Ask()))
    except HoldfastError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())

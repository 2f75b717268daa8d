"""Imports, and notes on another disk what was acknowledged.

Called as `fault_acking.py BUG ACKS CUT_AT DATA KEYS PATH`. With CUT_AT above 0 it cuts the power
itself, right after so many acknowledgements: the worst instant, because nothing that follows may
make up for what was missed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sqlalchemy import select

from fault_bugs import BUGS
from fault_disk import cut_power
from fault_mail import SOURCE
from holdfast.core.errors import HoldfastError
from holdfast.ingest import bulk
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.progress import Progress
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, reading
from holdfast.storage.catalogue.schema import source_items
from holdfast.wiring.places import CATALOGUE
from holdfast.wiring.runs import import_paths

BATCH_ITEMS = 8
"""Small group commits, so that there are many instants between them."""


class Notes:
    """Writes the content ids of what has been accepted since the last look."""

    def __init__(self, acks: Path, cut_at: int, data: Path) -> None:
        self._file = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._left = cut_at
        self._data = data
        self._engine = open_sqlite(data / CATALOGUE)
        self._last = 0

    def write(self, progress: Progress) -> None:
        """Note what was accepted; cut the power when it is time."""
        del progress
        query = (
            select(source_items.c.id, source_items.c.content_id)
            .where(source_items.c.id > self._last, source_items.c.original_id.is_not(None))
            .order_by(source_items.c.id)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        if not rows:
            return
        self._last = rows[-1].id
        os.write(self._file, b"".join(b"%s\n" % row.content_id.hex().encode() for row in rows))
        self._left -= 1
        if self._left == 0:
            cut_power(self._data)


def main() -> int:
    """Import; return the exit status of the failure, or 0."""
    bug, acks, cut_at, data, keys, path = sys.argv[1:]
    BUGS[bug]()
    bulk.COMMIT_ITEMS = bulk.TASK_ITEMS = BATCH_ITEMS
    settings = Settings.model_validate(
        {"data": data, "keys": {"path": keys}, "work": {"processes": 1}}
    )
    notes: list[Notes] = []

    def note(progress: Progress) -> None:
        if not notes:  # not before: the archive is made by the import
            notes.append(Notes(Path(acks), int(cut_at), Path(data)))
        notes[0].write(progress)

    try:
        import_paths(settings, "tester", ImportOptions((Path(path),), source=SOURCE), note)
    except HoldfastError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())

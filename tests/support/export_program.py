"""Export, and be killed at the n-th operation of the disk: DATA OUT STEP [BUG]."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from export_kit import exporting, order_for
from faulty_files import FaultyFiles
from holdfast.discovery import exporting as exporting_module
from holdfast.discovery.exporting import create_export
from holdfast.settings import Settings


def grow_in_place() -> None:
    """A seeded bug: the package has its name while it is not whole."""
    exporting_module._Run.part = property(lambda run: run.target)  # type: ignore[assignment]


BUGS = {"grow_in_place": grow_in_place}


def main(data: str, out: str, step: str, bug: str = "") -> None:
    """Make the export; nobody sees the end unless the step is beyond it."""
    if bug:
        BUGS[bug]()
    files = FaultyFiles()

    def count(operation: str) -> None:
        if files.steps == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    files.before = count
    settings = Settings.model_validate({"data": data, "work": {"processes": 1}})
    with exporting(settings) as (archive, asker):
        create_export(replace(archive, files=files), order_for("", Path(out)), asker)
    sys.stdout.write(str(files.steps))


if __name__ == "__main__":
    main(*sys.argv[1:])

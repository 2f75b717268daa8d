"""Export, and be killed at the n-th operation of the disk: export_program.py DATA OUT STEP."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from export_kit import exporting, order_for
from faulty_files import FaultyFiles
from holdfast.discovery.exporting import create_export
from holdfast.settings import Settings


def main(data: str, out: str, step: str) -> None:
    """Make the export; nobody sees the end unless the step is beyond it."""
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

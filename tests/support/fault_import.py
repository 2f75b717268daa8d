"""The import without its command line, for sweeps that start it hundreds of times.

Takes the words of `fault_command.import_words`, in their order; must not be used where what a
person sees is judged.
"""

from __future__ import annotations

import sys
from pathlib import Path

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imports import ImportOptions
from holdfast.settings import Settings
from holdfast.wiring.runs import import_paths


def main(words: list[str]) -> int:
    """Import; return the exit status that the command would have."""
    _, data, _, _, processes, _, source, _, *paths = words
    settings = Settings.model_validate({"data": data, "work": {"processes": int(processes)}})
    options = ImportOptions(tuple(map(Path, paths)), source=source)
    try:
        import_paths(settings, "tester", options, lambda progress: None)
    except HoldfastError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0

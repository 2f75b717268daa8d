"""The mail of a full proof: real where `CORPUS` names some, else that of the demo generator."""

from __future__ import annotations

import os
from pathlib import Path

from holdfast.ingest.demo.generating import generate

MESSAGES = 20_000
"""Of the generated corpus, where no real one is given."""


def mboxes(folder: Path, seed: int) -> list[Path]:
    """The mbox files of `CORPUS`, a file or a folder; else those of the demo generator."""
    given = os.environ.get("CORPUS", "")
    if not given:
        generate(folder, seed=seed, messages=MESSAGES)
        return sorted(folder.rglob("*.mbox"))
    path = Path(given)
    return [path] if path.is_file() else sorted(p for p in path.rglob("*.mbox*") if p.is_file())

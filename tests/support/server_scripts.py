"""Runs the scripts of deploy/dev that start servers, for the modules of single servers."""

from __future__ import annotations

import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "dev"


class Missing(Exception):
    """The server is not installed here, or this is not root."""


def told(script: str, verb: str, folder: Path, *more: str) -> dict[str, str]:
    """Run a script for the server in a folder, and return the facts that it prints.

    Raises:
        Missing: The script says that the server is missing.
        RuntimeError: It failed otherwise.
    """
    ran = subprocess.run(
        [str(FOLDER / script), verb, str(folder), *more],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    if ran.returncode:
        if "is missing" in ran.stderr:
            raise Missing(ran.stderr.strip())
        raise RuntimeError(ran.stderr)
    return dict(line.split("=", 1) for line in ran.stdout.splitlines() if "=" in line)

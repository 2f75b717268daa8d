"""Makes a copy of an archive with one bit of one original changed, for `verify` to catch."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LEFT_OUT = shutil.ignore_patterns("index", "demo-mail", "demo.json", "spool")


def tampered_copy(data: Path, keys: Path, target: Path) -> Path:
    """Copy a closed archive and its keys, then flip one bit in the middle of its largest segment.

    Args:
        data: Folder of the archive; no process may be writing to it.
        keys: Folder of its keyring.
        target: Folder of the copy; its keys go beside it, an earlier copy is replaced.

    Returns:
        The segment file that was changed.
    """
    for old in (target, target.with_name(f"{target.name}.keys")):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(data, target, ignore=_LEFT_OUT)
    (target / "spool").mkdir(mode=0o700)
    shutil.copytree(keys, target.with_name(f"{target.name}.keys"))
    segment = max((target / "segments").iterdir(), key=lambda path: path.stat().st_size)
    with segment.open("r+b") as file:
        middle = segment.stat().st_size // 2
        file.seek(middle)
        (byte,) = file.read(1)
        file.seek(middle)
        file.write(bytes([byte ^ 1]))
    return segment

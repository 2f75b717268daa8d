"""Name everything that a path holds, in a stable order; bodies are not kept in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers import mbox
from holdfast.ingest.readers.offers import Offered, portable


def plan(path: Path) -> Iterator[Offered]:
    """Yield a reference to everything that `path` holds."""
    root = path.absolute()
    fd = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        quoting = mbox.quoting_of(fd, size)
        for member in mbox.members(fd, size):
            length = member.end - member.start
            yield Offered(
                key=f"mbox:{portable(root.name)}@{member.from_offset}+{length}"
                f"~{mbox.digest(fd, member.start, member.end)}",
                container=portable(str(root)),
                kind="mbox",
                offset=member.start,
                length=length,
                facts=CaptureFacts(
                    folder=portable(root.stem),
                    member=f"{member.start}+{length}",
                    from_line=member.from_line.decode("utf-8", "replace"),
                    quoting=quoting,
                ),
            )
    finally:
        os.close(fd)

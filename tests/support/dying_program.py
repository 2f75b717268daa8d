"""The command `holdfast`, killed at its N-th durable step: `dying_program.py N WORD…`.

A step is a fsync of the vault or a commit of the catalogue; the process dies before it.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

from sqlalchemy import Engine, event

from holdfast.cli import main
from holdfast.storage import durable


def die_at(last: int) -> None:
    """Have this process killed at its `last` step, 1 for the first."""
    steps = count(1)
    flush = durable.SystemFiles.fsync

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def flushing(self: durable.SystemFiles, descriptor: int) -> None:
        step()
        flush(self, descriptor)

    durable.SystemFiles.fsync = flushing  # type: ignore[method-assign]
    event.listen(Engine, "commit", lambda connection: step())


if __name__ == "__main__":
    die_at(int(sys.argv.pop(1)))
    main()

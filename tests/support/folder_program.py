"""The command `holdfast`, killed at its n-th step: `folder_program.py STEP BUG COUNT WORD…`.

A step is a call that changes names or makes something durable; at step 0 it is not killed. How
many steps there were is written to the file COUNT. Bugs are planted from here; no product code
knows them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

TRUE_COUNTS = {"noise.bin": {"quarantined": 1}, "box.mbox": {"filed": 2, "duplicate": 1}}
"""What a result that is written too early says: in a run that is not killed it turns out true."""
STEPS = ("rename", "mkdir", "rmdir", "unlink", "fsync")


class Steps:
    """Counts steps, and kills the process instead of one of them."""

    def __init__(self, last: int) -> None:
        self.count = 0
        self._last = last
        self._lock = threading.Lock()

    def before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return the call as a step."""

        def step(*words: Any, **more: Any) -> Any:
            with self._lock:
                self.count += 1
                if self.count == self._last:
                    os.kill(os.getpid(), signal.SIGKILL)
            return act(*words, **more)

        return step


def answer_before_keeping() -> None:
    """Files are answered and moved before they are imported."""
    from holdfast.ingest.folder import claims, results, taking

    keep = taking._Run._import

    def hurried(self: Any, rooms: Any, group: Sequence[Any]) -> None:
        for copied in group:
            counts = TRUE_COUNTS.get(copied.claim.name, {"filed": 1})
            result = results.Result(
                source=self.kept.name, file=copied.claim.name,
                state="done" if "filed" in counts else "failed", exit_code=0, batch="",
                sha256=copied.sha256, size_bytes=copied.mark.size, inode=copied.mark.inode,
                modified_ns=copied.mark.modified_ns, finished_at="", counts=counts,
                interactions=0, interaction_ids=(),
            )  # fmt: skip
            claims.settle(rooms, copied.claim, result)
        keep(self, rooms, group)

    taking._Run._import = hurried  # type: ignore[method-assign]


def forget_claims() -> None:
    """What a killed run had taken out of the folder is not looked for."""
    from holdfast.ingest.folder import taking

    def nothing(rooms: Any) -> Iterator[Any]:
        return iter(())

    taking.claims_left = nothing  # type: ignore[attr-defined]


def take_twice() -> None:
    """Each run that takes a file takes it as another item."""
    import secrets
    from dataclasses import replace

    from holdfast.ingest.folder import outcomes, taking

    run = secrets.token_hex(4)

    def renamed(copied: Any) -> Iterator[Any]:
        for offered in outcomes.offers_of(copied):
            yield replace(offered, key=f"{offered.key} {run}")

    taking.offers_of = renamed  # type: ignore[attr-defined]


BUGS: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "answer_before_keeping": answer_before_keeping,
    "forget_claims": forget_claims,
    "take_twice": take_twice,
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from holdfast.cli import main

    at, bug, counted = int(sys.argv.pop(1)), sys.argv.pop(1), Path(sys.argv.pop(1))
    BUGS[bug]()
    steps = Steps(at)
    for name in STEPS:
        setattr(os, name, steps.before(getattr(os, name)))
    try:
        main()
    finally:
        counted.write_text(str(steps.count))

"""One child for one item, for a process with threads and keys; must not let a child see either.

`run_once` forks the process that calls it, with everything it holds, and is for small processes.
Here children come from a nursery, which was forked before there was anything to see.
"""

from __future__ import annotations

import threading
from functools import partial

from holdfast.ingest.jail.channel import Frame, FrameKind, send_frame
from holdfast.ingest.jail.child import Function, become_server
from holdfast.ingest.jail.confinement import Limits
from holdfast.ingest.jail.nursery import Nursery
from holdfast.ingest.jail.once import await_answer, outcome_of
from holdfast.ingest.jail.outcomes import Killed, Outcome, from_wait_status


class Errands:
    """Children that run one function each, once; to be shared by threads."""

    def __init__(self, function: Function, limits: Limits, *, at_once: int = 2) -> None:
        """Fork the nursery: call it before there are threads, databases or keys.

        Args:
            function: What each child does.
            limits: Of one item.
            at_once: Children side by side; further callers wait.
        """
        self._limits = limits
        self._nursery = Nursery(partial(become_server, function=function, limits=limits))
        self._asking = threading.Lock()  # the nursery answers one question at a time
        self._places = threading.Semaphore(at_once)

    def run(self, payload: bytes) -> Outcome:
        """Say what became of one item; nothing that the child does makes this raise.

        Raises:
            Unavailable: No child can be started.
        """
        with self._places:
            with self._asking:
                child_id, end = self._nursery.start_child()
            answer: Frame | Killed | None = None
            try:
                with end:
                    end.settimeout(self._limits.wall_s)
                    send_frame(end, FrameKind.TASK, payload)
                    answer = await_answer(end, self._limits)
            except OSError:  # it died, or did not take its task: its status says more
                answer = None
            finally:
                with self._asking:
                    status = self._nursery.end_child(child_id)
        if answer is None:
            return from_wait_status(status)
        return answer if isinstance(answer, Killed) else outcome_of(answer)

    def close(self) -> None:
        """End the nursery and with it all children; may be repeated."""
        self._nursery.close()

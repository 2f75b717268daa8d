"""Keeps the programs of one archive running together, and ends them together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.cli.session import Choices
    from holdfast.ingest.jobs.stopping import StopRequest

GLANCE_S = 0.2
LAST_S = 60
"""Programs that have not ended so long after they were asked are killed, which loses nothing."""
REST_S = 2.0
"""A program that ended by itself is started again after so long."""


@dataclass(slots=True)
class ProcessGroup:
    """Programs that run side by side until they are asked to end."""

    programs: Mapping[str, Sequence[str]]
    """Name → words of the command, without the program itself."""
    note: Callable[[Mapping[str, object]], None]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)
    _due: dict[str, float] = field(default_factory=dict, init=False)

    def run(self, stop: StopRequest, is_up: Callable[[], bool] = lambda: True) -> None:
        """Keep all of them running until asked to end.

        Args:
            stop: Asks for the end.
            is_up: Looked at after each start; False ends the group.
        """
        self._due = dict.fromkeys(self.programs, 0.0)
        try:
            while not stop.is_asked and is_up():
                self._start_due()
                self._bury_dead()
                time.sleep(GLANCE_S)
        finally:
            self._end_all()

    def _start_due(self) -> None:
        for name, at in list(self._due.items()):
            if at <= time.monotonic():
                del self._due[name]
                command = [sys.executable, "-m", "holdfast", *self.programs[name]]
                self._running[name] = subprocess.Popen(command)  # noqa: S603 - our own program
                self.note({"event": "program.started", "program": name})

    def _bury_dead(self) -> None:
        for name, process in list(self._running.items()):
            status = process.poll()
            if status is not None:
                del self._running[name]
                self._due[name] = time.monotonic() + REST_S
                self.note({"event": "program.ended", "program": name, "status": status})

    def _end_all(self) -> None:
        for process in self._running.values():
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + LAST_S
        for process in self._running.values():
            try:
                process.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def words_of(choices: Choices) -> list[str]:
    """Return the options that make another program of ours see the same archive."""
    words = []
    if choices.data is not None:
        words += ["--data", str(choices.data)]
    if choices.config is not None:
        words += ["--config", str(choices.config)]
    for value in choices.values:
        words += ["--set", value]
    if choices.actor:
        words += ["--as", choices.actor]
    if choices.language:
        words += ["--lang", choices.language]
    return words

"""What became of an item that a child worked on, as values; must not raise for what a child did."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import msgspec

T = TypeVar("T")

EXIT_MEMORY = 3
"""Exit status of a child that could not get memory."""


class Reason(StrEnum):
    """Why a child was ended before it answered."""

    CPU = "cpu"
    WALL = "wall"
    MEMORY = "memory"
    OUTPUT = "output"
    """It answered more than the limit allows."""
    CRASH = "crash"
    """A signal that we did not send, or an exit without an answer."""


@dataclass(frozen=True, slots=True)
class Ok:
    """The function returned."""

    result: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The function raised; the child is unharmed."""

    message: str
    """Type and text of the exception, at most `MAX_MESSAGE_CHARS`; for people."""


@dataclass(frozen=True, slots=True)
class Killed:
    """The child died, or was ended at a limit."""

    reason: Reason
    detail: str = ""
    """Name of the signal, or the exit status."""


Outcome = Ok | Failed | Killed


def read_result(outcome: Outcome, decoder: msgspec.msgpack.Decoder[T]) -> T | Failed | Killed:
    """Return the decoded result; `Failed` when it does not fit the decoder's type.

    A child that was taken over can answer anything, so no result is used before it is checked.
    """
    if not isinstance(outcome, Ok):
        return outcome
    try:
        return decoder.decode(outcome.result)
    except msgspec.DecodeError as trouble:
        return Failed(f"unreadable result: {trouble}")


def from_wait_status(status: int) -> Killed:
    """Say why a child ended without an answer."""
    code = os.waitstatus_to_exitcode(status)
    if code == EXIT_MEMORY:
        return Killed(Reason.MEMORY, f"exit {code}")
    if code >= 0:
        return Killed(Reason.CRASH, f"exit {code}")
    name = signal.Signals(-code).name
    if -code in (signal.SIGPROF, signal.SIGXCPU):
        return Killed(Reason.CPU, name)
    return Killed(Reason.CRASH, name)

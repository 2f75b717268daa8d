"""What a walk over an account came across beside messages, and how far it came; walks nowhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.storage.catalogue.source_schedule import Settled


@dataclass(slots=True)
class Found:
    """What a walk came across, beside the messages."""

    folders: int = 0
    at_server: int = 0
    """Messages in the folders that were looked at."""
    expunged: int = 0
    """Messages that the server had the last time and has no more; what was taken of them stays."""
    flagged: int = 0
    """Messages whose flags are others than when they were last looked at."""
    resets: list[str] = field(default_factory=list)
    """Folders whose UIDs began anew."""
    vanished: list[str] = field(default_factory=list)
    """Folders that the server lists no more."""
    troubled: dict[str, str] = field(default_factory=dict)
    """Folders that could not be read, with the cause."""
    unmatched: list[str] = field(default_factory=list)
    """Patterns that no folder matches."""
    lack: str = ""
    """Why a run cannot take what it is to take, though the server answers; mostly empty."""
    differing: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Folders whose list was not as long as their count (STATUS), also when asked again: both."""

    @property
    def missing(self) -> list[str]:
        """Patterns that should match: not every server has folders for each use."""
        return [one for one in self.unmatched if not one.startswith("\\")]


@dataclass(slots=True)
class Course:
    """How far a walk came, over all its connections."""

    settled: list[Settled] = field(default_factory=list)
    """Folders that were read to their end."""
    is_cut: bool = False
    """The time was up."""
    has_new: bool = False
    """Something new came."""
    is_stopped: Event = field(default_factory=Event)
    """Nobody takes what comes."""
    lock: Lock = field(default_factory=Lock)
    """Of this and of what was found."""

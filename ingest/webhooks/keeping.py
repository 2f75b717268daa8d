"""Brings events of all webhooks to the disk together, and answers each request when its are there.

One thread looks up what is known already, keeps the rest in one group commit and settles both. It
judges no request and knows no vendor.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.records import CaptureFacts
from holdfast.ingest.smtp.committing import Gathering, GroupCommit, Letter, Reception
from holdfast.parsers.chat.values import context_text
from holdfast.storage.catalogue.ledger import known_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.smtp.alarm import Note
    from holdfast.ingest.webhooks.request import Event

LONGEST_GATHER_S = 0.05
GATHER_FACTOR = 4.0
"""Where several senders wait at once, a group waits for more, so many times as long as writing the
last one took: the busier the machine is, the fewer commits."""
CROWDED_S = 0.5
"""So long after several waited at once they are expected to; a single one waits for nobody."""


class KeyReused(Exception):
    """Another content came under the same key before."""


class _Known(Exception):
    """An item of this key is there already."""

    def __init__(self, content_id: bytes | None) -> None:
        super().__init__()
        self.content_id = content_id


@dataclass(slots=True)
class Turn:
    """One request whose events are on their way to the disk; the thread that writes settles it."""

    intake: Intake
    is_exact: bool
    """A key stands for one content for good."""
    finish: Callable[[Turn], None]
    """Is told once, in the thread that writes, when all is settled."""
    is_new: bool = field(default=False, init=False)
    """One of the events was not there before."""
    trouble: Exception | None = field(default=None, init=False)
    """Why one of them is not kept."""
    left: int = field(default=0, init=False)

    def letter(self, event: Event) -> Letter:
        """Return an event as what is written takes it."""
        facts = CaptureFacts(
            folder=event.context.room.get("name", ""),
            received_at=event.received_at,
            member=event.member,
            form=event.form,
            context=context_text(event.context),
        )
        settle = partial(self._settle, event)
        return Letter(event.raw, facts, settle, event.key, self.intake, event.opened)

    def _settle(self, event: Event, trouble: Exception | None) -> None:
        if not isinstance(trouble, _Known):
            self.is_new = True
        elif self.is_exact and _differs(trouble.content_id, event):
            trouble = KeyReused()
        else:
            trouble = None
        self.trouble = self.trouble or trouble
        self.left -= 1
        if not self.left:
            self.finish(self)


@dataclass(slots=True)
class Keeping:
    """Keeps what the webhooks of one archive bring; for many threads."""

    desk: Desk
    spool: Path
    report: Callable[[Note], None]
    _commit: GroupCommit | None = field(default=None, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _pace: Pace = field(default_factory=lambda: Pace(), init=False)

    def keep(self, turn: Turn, events: Sequence[Event]) -> None:
        """Have the events of a request kept; returns at once, `turn.finish` is told the end."""
        commit = self._committing(turn.intake)
        turn.left = len(events)
        for event in events:
            commit.hand_over(turn.letter(event))

    def close(self) -> None:
        """Settle what waits; what is kept later begins anew."""
        with self._turn:
            commit, self._commit = self._commit, None
        if commit is not None:
            commit.close()

    def _committing(self, intake: Intake) -> GroupCommit:
        found = self._commit
        if found is None:
            with self._turn:
                found = self._commit
                if found is None:
                    reception = Reception(self.desk, intake, self.spool, self.report)
                    pace = self._pace
                    gathering = Gathering(pace.is_crowded, pace.wait_s, self._sifted, pace.note)
                    found = self._commit = GroupCommit(reception, gathering)
        return found

    def _sifted(self, group: Sequence[Letter]) -> Sequence[Letter]:
        """Settle what is there already, by the key that its vendor gave it."""
        places = [(one.intake.source_id, one.key) for one in group if one.intake is not None]
        known = known_of(self.desk.store, places)
        for one, place in zip(group, places, strict=True):
            if place in known:
                one.settle(_Known(known[place]))
        return [one for one, place in zip(group, places, strict=True) if place not in known]


@dataclass(slots=True)
class Pace:
    """How long a group waits for more; for the thread that writes."""

    crowded_at: float = float("-inf")
    took_s: float = 0.0

    def is_crowded(self) -> bool:
        """Tell whether several senders wait at once."""
        return time.monotonic() - self.crowded_at < CROWDED_S

    def wait_s(self) -> float:
        """Return how long the next group may wait."""
        return min(GATHER_FACTOR * self.took_s, LONGEST_GATHER_S)

    def note(self, letters: int, took_s: float) -> None:
        """Note what a group was and how long writing it took."""
        self.took_s = took_s
        if letters > 1:
            self.crowded_at = time.monotonic()


def _differs(content_id: bytes | None, event: Event) -> bool:
    return content_id is not None and content_id != hashlib.sha256(event.raw).digest()

"""Keeps messages of all sessions together: one group commit, and only then their 250s.

A thread of its own prepares and accepts; it knows no protocol and answers nobody itself. What waits
while one group is written is the next group, so groups grow with the load.
"""

from __future__ import annotations

import queue
import secrets
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.core.custody import Offer
from holdfast.core.errors import HoldfastError
from holdfast.ingest.pipeline import accept
from holdfast.ingest.smtp.alarm import Alarm, Note
from holdfast.ingest.smtp.pressure import Pressure
from holdfast.ingest.smtp.tally import Tally
from holdfast.storage.catalogue.texts import OPENED
from holdfast.storage.frames import discard, prepare, seal_text

if TYPE_CHECKING:
    import mmap
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.core.records import CaptureFacts
    from holdfast.ingest.pipeline import Desk

GROUP_ITEMS = 128
GROUP_BYTES = 16 << 20
"""A group ends at whichever comes first; one larger message is a group of its own."""
GATHER_S = 0.005
"""So long a group waits for messages that are on their way: fewer commits, and the next group comes
in while this one is written."""


@dataclass(frozen=True, slots=True)
class Reception:
    """Where what is received goes, and who is told what happens."""

    desk: Desk
    intake: Intake
    spool: Path
    report: Callable[[Note], None]
    pressure: Pressure = field(default_factory=Pressure)
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that was received whole and is not durable yet."""

    content: bytes | mmap.mmap
    facts: CaptureFacts
    settle: Callable[[Exception | None], None]
    """Is told once, in the thread that writes: None when it is durable, else why it is not."""
    key: str = ""
    """The source's own key; empty: each one is new."""
    intake: Intake | None = None
    """Where it goes; None: where the reception says."""
    opened: bytes = b""
    """What it holds in clear, where it came encrypted; kept sealed under its own key."""


@dataclass(frozen=True, slots=True)
class Gathering:
    """How groups come together."""

    coming: Callable[[], int]
    """Tells how many messages are on their way just now; a group waits for none that is not."""
    wait_s: Callable[[], float] = lambda: GATHER_S
    """Tells how long the next group may wait."""
    sift: Callable[[Sequence[Letter]], Sequence[Letter]] = lambda group: group
    """Settles the letters of a group that need not be kept, and returns the others."""
    note: Callable[[int, float], None] = lambda _letters, _took_s: None
    """Is told of each group how many letters it had, and how long it took to settle them."""


class GroupCommit:
    """The thread that writes; `close` waits until everything handed over is settled."""

    def __init__(self, reception: Reception, gathering: Gathering) -> None:
        """Start it."""
        self._reception = reception
        self._gathering = gathering
        self._waiting: queue.SimpleQueue[Letter | None] = queue.SimpleQueue()
        self._held: Letter | None = None
        self._alarm = Alarm(reception.report)
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._thread.start()

    def hand_over(self, letter: Letter) -> None:
        """Have a message kept; returns at once."""
        self._waiting.put(letter)

    def close(self) -> None:
        """Settle what waits, then end; nothing may be handed over any more."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._next()) is not None:
            group = self._group(first)
            self._reception.pressure.note_group(len(group))
            began = time.monotonic()
            self._settle(group)
            self._gathering.note(len(group), time.monotonic() - began)
        self._alarm.end()

    def _next(self) -> Letter | None:
        held, self._held = self._held, None
        return held or self._waiting.get()

    def _group(self, first: Letter) -> list[Letter]:
        group, size = [first], len(first.content)
        until = time.monotonic() + self._gathering.wait_s()
        while len(group) < GROUP_ITEMS:
            left = max(until - time.monotonic(), 0) if self._gathering.coming() else 0
            try:
                letter = self._waiting.get(timeout=left) if left else self._waiting.get_nowait()
            except queue.Empty:
                break
            if letter is None:
                self._waiting.put(None)
                break
            size += len(letter.content)
            if size > GROUP_BYTES:
                self._held = letter
                break
            group.append(letter)
        return group

    def _settle(self, group: Sequence[Letter]) -> None:
        """Keep a group; what cannot be kept together is tried one by one."""
        try:
            group = self._gathering.sift(group)
        except Exception as error:  # noqa: BLE001 - as in `_kept`
            self._answer(group, error)
            return
        if not group:
            return
        trouble = self._kept(group)
        if trouble is not None and len(group) > 1 and not isinstance(trouble, HoldfastError):
            for letter in group:
                self._answer([letter], self._kept([letter]))
            return
        self._answer(group, trouble)

    def _answer(self, letters: Sequence[Letter], trouble: Exception | None) -> None:
        if trouble is None:
            self._alarm.well()
        else:
            self._alarm.trouble(len(letters), _cause(trouble))
        for letter in letters:
            letter.settle(trouble)

    def _kept(self, group: Sequence[Letter]) -> Exception | None:
        offers: list[Offer] = []
        try:
            for letter in group:  # each is to be discarded, also when a later one fails
                offers.append(self._offer(letter))
            accept(offers, self._reception.intake, self._reception.desk)
        # The edge: whatever it is, the senders keep their messages and are told to come again.
        except Exception as error:  # noqa: BLE001
            return error
        else:
            return None
        finally:
            for offer in offers:
                discard(offer.prepared)

    def _offer(self, letter: Letter) -> Offer:
        prepared = prepare(letter.content, spool=self._reception.spool)
        facts = letter.facts
        if letter.opened:
            facts = replace(facts, opened=seal_text(letter.opened, prepared.key, OPENED))
        return Offer(letter.key or secrets.token_hex(16), facts, prepared, "", letter.intake)


def _cause(error: Exception) -> str:
    return str(error) if isinstance(error, HoldfastError) else repr(error)

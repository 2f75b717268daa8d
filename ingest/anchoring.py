"""Puts the newest checkpoint into every outside place that is configured.

It signs and numbers nothing: what is put there is what the sequencer published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Corrupt, HoldfastError, Refused
from holdfast.storage.anchoring.anchors import (
    Anchor,
    Cast,
    Kind,
    Stamped,
    keep_anchor,
    newest,
    newest_made_ms,
)
from holdfast.storage.anchoring.places import Places
from holdfast.storage.anchoring.schedule import due
from holdfast.storage.anchoring.witness import Remembered
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.checkpoint import Checkpoint, open_checkpoint

if TYPE_CHECKING:
    from holdfast.ingest.outbound.stamping import Authority
    from holdfast.ingest.pipeline import Desk
    from holdfast.storage.store import Store
    from holdfast.storage.tlog_tiles import TileLog

ENOUGH = 2
"""Kinds that together leave nobody who could rewrite the past alone."""
_MINUTE_MS = 60_000
_KEEP = "Keep everything as it is, and run 'holdfast verify': it names the first altered entry."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one kind: an anchor, or why there is none."""

    kind: Kind
    anchor: Anchor | None = None
    error: HoldfastError | None = None


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Where the checkpoints of one archive go, and how often."""

    places: Places = field(default_factory=Places)
    authority: Authority | None = None
    every_minutes: int = 60

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is configured, in the order to make it: a witness remembers the token too."""
        ways = (
            (Kind.TOKEN, self.authority),
            (Kind.WITNESS, self.places.witness),
            (Kind.LOCK, self.places.open_copies),
        )
        return tuple(kind for kind, way in ways if way is not None)

    @property
    def every_ms(self) -> int:
        """Longest time between two anchors of a kind."""
        return self.every_minutes * _MINUTE_MS

    def due(self, store: Store) -> tuple[Kind, ...]:
        """Return the kinds to make now."""
        if not self.kinds:
            return ()
        with reading(store.engine) as connection:
            made = newest_made_ms(connection)
        return due(self.kinds, made, self.every_ms, store.now_ms())

    def make(self, desk: Desk, kinds: Sequence[Kind]) -> list[Outcome]:
        """Put the newest checkpoint into these places; one's trouble is no other's.

        Raises:
            Corrupt: The log is not the one that was anchored before; nothing was put anywhere.
            Unavailable: Log or catalogue cannot be read.
        """
        begun = self._begun(desk)
        return [begun.made(kind) for kind in kinds]

    def check(self, desk: Desk) -> None:
        """Hold the log against the newest anchor of each kind, and the witness file's last line.

        Raises:
            Corrupt: It is not the one that was anchored.
            Unavailable: Log, catalogue or witness file cannot be read.
        """
        self._begun(desk).check_witness()

    def _begun(self, desk: Desk) -> _Round:
        desk.sequencer.run()
        log = desk.sequencer.log
        log.refresh()
        begun = _Round(self, desk.store, log, log.note, log.checkpoint)
        begun.check_rows()
        return begun


@dataclass(slots=True)
class _Round:
    """One checkpoint on its way to all places."""

    anchoring: Anchoring
    store: Store
    log: TileLog
    note: bytes
    checkpoint: Checkpoint
    stamped: Stamped | None = None

    def check_witness(self) -> None:
        """Refuse a log that the witness file's last line contradicts."""
        witness = self.anchoring.places.witness
        last = None if witness is None else witness.last()
        if last is not None:
            self._check_last(last.note)

    def check_rows(self) -> None:
        """Refuse to anchor a log that anchors contradict: that would make it look right."""
        for kind in Kind:
            with reading(self.store.engine) as connection:
                last = newest(connection, kind)
            if last is not None:
                self._check_follows(Checkpoint(self.checkpoint.origin, last.size, last.root))

    def made(self, kind: Kind) -> Outcome:
        ways = {Kind.TOKEN: self._token, Kind.WITNESS: self._witness, Kind.LOCK: self._lock}
        try:
            place = ways[kind]()
            cast = Cast(kind, place, self.checkpoint, self.note)
            if kind is Kind.TOKEN:
                cast = Cast(kind, place, self.checkpoint, self.note, self.stamped)
            return Outcome(kind, keep_anchor(self.store, cast))
        except HoldfastError as error:
            return Outcome(kind, error=error)

    def _token(self) -> str:
        authority, trust = self.anchoring.authority, self.anchoring.places.trust()
        if authority is None or trust is None:
            raise Refused("No authority is set.", next_step="Set anchors.tsa_url and tsa_ca_file.")
        self.stamped = authority.stamp(self.note, trust)
        return authority.url

    def _witness(self) -> str:
        witness = self.anchoring.places.witness
        if witness is None:
            raise Refused("No witness file is set.", next_step="Set anchors.witness_file.")
        place = str(witness.path)
        with reading(self.store.engine) as connection:
            is_new = newest(connection, Kind.WITNESS, place) is None
        token = self.stamped.token if self.stamped else None
        line = Remembered(0, self.store.now_ms(), self.note, token)
        witness.add(line, self._check_last, may_begin=is_new)
        return place

    def _lock(self) -> str:
        open_copies = self.anchoring.places.open_copies
        if open_copies is None:
            raise Refused("No bucket is set.", next_step="Set anchors.lock.")
        copies = open_copies()
        copies.add(self.checkpoint, self.note)
        return copies.place

    def _check_last(self, note: bytes) -> None:
        public = self.store.keyring.signing_key().public_key()
        self._check_follows(open_checkpoint(note, public, self.checkpoint.origin))

    def _check_follows(self, kept: Checkpoint) -> None:
        if kept.size > self.log.size:  # or another process is ahead of us
            self.log.refresh()
        try:
            self.log.check_extends(kept)
        except Corrupt as error:
            raise Corrupt(error.cause, next_step=_KEEP, kept_size=kept.size) from error

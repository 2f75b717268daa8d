"""Takes what the archive of a corporation has and ours has not: page by page, then the cursor.

A page is sealed with its files before the cursor passes it. Whatever ends a run between leaves the
page to be asked for again; what was sealed of it is known by its `seq` and is not taken twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.custody import End, Unkept
from holdfast.core.errors import HoldfastError
from holdfast.core.identity import public_id
from holdfast.core.records import CaptureFacts
from holdfast.ingest.bulk import Import
from holdfast.ingest.imports import feed_index, finish_batch
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.wecom.cursor import cursor_of, keep_cursor
from holdfast.ingest.wecom.dialogue import Bridge
from holdfast.ingest.wecom.keys import Keys
from holdfast.ingest.wecom.media import MEDIA, Fetching, Wanted, wanted_of
from holdfast.ingest.wecom.messages import PageEnd, Speaker, Told
from holdfast.ingest.wecom.place import KIND, read
from holdfast.parsers.chat.values import (
    Context,
    Json,
    context_of,
    context_text,
    from_ms,
    json_of,
    mapping,
    number,
    text,
)
from holdfast.parsers.chat.wecom import CHANNEL, FORM
from holdfast.storage.catalogue.accounts import note_started
from holdfast.storage.catalogue.batches import open_account_batch
from holdfast.storage.catalogue.ledger import known_items, retryable

if TYPE_CHECKING:
    from holdfast.core.custody import Intake
    from holdfast.ingest.sources.bench import Ask, Bench
    from holdfast.storage.catalogue.accounts import KeptAccount

KEPT_DAYS = 5
"""So long WeCom keeps messages and files."""
CLOSED = "wecom_closed"
"""Kind of what is offered as the message inside one that could not be opened."""
_offered = msgspec.json.Decoder(Offered).decode


@dataclass(slots=True)
class Pulled:
    """What one run over one archive came to."""

    source: str
    counts: Progress = field(default_factory=Progress)
    batch: str = ""
    """Public id; empty when there was nothing new."""
    recovered: int = 0
    not_indexed: int = 0
    error: HoldfastError | None = None
    """Why the run ended early; what it took until then stays."""
    is_cut: bool = False
    """Its time was up; the next run goes on."""
    cursor: int = 0
    newest_ms: int = 0
    """When the newest message was written that this run took, Unix milliseconds."""
    closed: dict[str, int] = field(default_factory=dict)
    """Why messages could not be opened → how many; they are kept encrypted."""

    @property
    def folders_lacking(self) -> int:
        """None: a rooms are no folders."""
        return 0

    @property
    def is_whole(self) -> bool:
        """Everything that was offered is kept, and readable."""
        lacking = self.counts.failed + self.counts.quarantined
        return not (self.error or self.closed or lacking)


def pull(kept: KeptAccount, bench: Bench, ask: Ask) -> Pulled:
    """Take what is new, and ask again for what failed.

    Raises:
        Unavailable: The archive cannot be written. What goes wrong with the bridge is in the
            result.
    """
    desk, place = bench.desk, read(kept.settings)
    done = Pulled(kept.name, cursor=cursor_of(desk.store, kept.source_id))
    done.recovered = file_sealed(desk, bench.pool, bench.recovers)
    note_started(desk.store, kept.source_id)
    spool = bench.spool / f"wecom-{kept.source_id}"
    shutil.rmtree(spool, ignore_errors=True)  # of a run that was killed
    with Bridge(place) as bridge:
        speaker = Speaker(bridge, Keys(Path(place.keys)) if place.keys else None)
        fetching = Fetching(speaker, spool, bench.pause)
        run = _Run(kept, bench, speaker, fetching, done, place.corp)
        try:
            run.again(everything=ask.only_failed)
            if not ask.only_failed and done.error is None:
                run.pages(place.page)
        finally:
            run.close()
            shutil.rmtree(spool, ignore_errors=True)
    done.not_indexed = feed_index(desk)
    desk.sequencer.run()
    return done


@dataclass(slots=True)
class _Run:
    kept: KeptAccount
    bench: Bench
    speaker: Speaker
    fetching: Fetching
    done: Pulled
    corp: str
    intake: Intake | None = None

    def pages(self, size: int) -> None:
        """Take page after page until there are no more, or the time is up."""
        while True:
            page = _Page(self.done.cursor)
            self._import(self._guarded(self._offers(page, size)))
            if page.reached > self.done.cursor:
                keep_cursor(self.bench.desk.store, self.kept.source_id, page.reached)
                self.done.cursor = page.reached
            elif page.has_more and self.done.error is None:
                return  # a bridge that gives the same again would never end
            if self.done.error is not None or not page.has_more:
                return
            if self.bench.is_over():
                self.done.is_cut = True
                return

    def again(self, *, everything: bool) -> None:
        """Ask again for what could not be had before, while WeCom may still have it."""
        store = self.bench.desk.store
        notes = map(_offered, retryable(store, self.kept.source_id))
        oldest_ms = store.now_ms() - KEPT_DAYS * 24 * 3_600_000
        waiting = [one for one in notes if everything or _at_ms(one) >= oldest_ms]
        if waiting:
            self._import(self._guarded(self._retried(waiting)))

    def close(self) -> None:
        """End the batch, if something was offered."""
        if self.intake is not None:
            self.done.recovered += file_sealed(
                self.bench.desk, self.bench.pool, self.bench.recovers
            )
            finish_batch(self.intake, self.done.counts, self.bench.desk)

    def _guarded(self, offers: Iterator[Fetched | Unkept]) -> Iterator[Fetched | Unkept]:
        """Yield the offers; end early, and say so, where the bridge fails."""
        try:
            yield from offers
        except HoldfastError as error:
            self.done.error = error

    def _import(self, offers: Iterator[Fetched | Unkept]) -> None:
        first = next(offers, None)
        if first is None:
            return
        desk, bench = self.bench.desk, self.bench
        if self.intake is None:
            self.intake = open_account_batch(desk.store, self.kept, self.kept.name)
            self.done.batch = public_id("bat", self.intake.batch_id)
        importing = Import(
            desk, bench.pool, self.intake, bench.spool, bench.on_progress, self.done.counts
        )
        importing.run(chain((first,), offers))

    def _offers(self, page: _Page, size: int) -> Iterator[Fetched | Unkept]:
        for one in self.speaker.page(page.reached, size):
            if isinstance(one, PageEnd):
                page.ended(has_more=one.has_more)
                return
            yield from self._message(one)
            page.passed(one.seq)

    def _message(self, told: Told) -> Iterator[Fetched | Unkept]:
        key = f"seq:{told.seq:020d}"
        if not told.closed:
            yield from self._open(key, told)
            return
        said = _said(told)
        self._count_closed(told)
        yield _fetched(key, told.raw, said, self.corp)
        yield _unopened(told, said)

    def _count_closed(self, told: Told) -> None:
        reason = told.closed.partition(":")[0]
        self.done.closed[reason] = self.done.closed.get(reason, 0) + 1

    def _open(self, key: str, told: Told) -> Iterator[Fetched | Unkept]:
        """Yield a message and its files, without those that are kept already."""
        said = _said(told)
        yield _fetched(key, told.raw, said, self.corp)
        self.done.newest_ms = max(self.done.newest_ms, number(said.get("msgtime")))
        wanted = list(wanted_of(said, self.corp, told.seq))
        known = known_items(
            self.bench.desk.store, self.kept.source_id, [one.offered.key for one in wanted]
        )
        for one in wanted:
            if not known.get(one.offered.key):
                yield self.fetching.fetch(one)

    def _retried(self, waiting: list[Offered]) -> Iterator[Fetched | Unkept]:
        for one in waiting:
            if one.kind == MEDIA:
                yield self.fetching.fetch(Wanted(one))
            else:
                yield from self._reopened(one)

    def _reopened(self, one: Offered) -> Iterator[Fetched | Unkept]:
        """Ask again for a message, as where its key was missing; its files come with it."""
        seq = number(one.key.rpartition(":")[2])
        for told in self.speaker.page(seq - 1, 1):
            if not isinstance(told, Told) or told.seq != seq:
                continue
            if told.closed:
                self._count_closed(told)
            else:
                yield from self._open(one.key, told)


@dataclass(slots=True)
class _Page:
    """How far one page was taken."""

    reached: int
    """Largest `seq` up to which everything was offered."""
    has_more: bool = False
    _last: int = 0
    _largest: int = 0
    _is_ordered: bool = True

    def passed(self, seq: int) -> None:
        """Note that a message and its files were offered."""
        self._is_ordered = self._is_ordered and seq > self._last
        self._last, self._largest = seq, max(self._largest, seq)
        if self._is_ordered:  # else one that is still to come may lie before it
            self.reached = max(self.reached, seq)

    def ended(self, *, has_more: bool) -> None:
        """Note that the page is over."""
        self.reached, self.has_more = max(self.reached, self._largest), has_more


def _said(told: Told) -> Json:
    try:
        return mapping(json_of(told.raw))
    except ValueError:
        return {}


def _fetched(key: str, raw: bytes, said: Json, corp: str) -> Fetched:
    context = Context(CHANNEL, corp, item="" if said.get("msgid") else key)
    facts = CaptureFacts(
        form=FORM, context=context_text(context), received_at=from_ms(said.get("msgtime"))
    )
    return Fetched(Offered(key, "", KIND, 0, len(raw), facts), raw)


def _unopened(told: Told, said: Json) -> Unkept:
    at_ms = number(text(said.get("msgid")).partition("_")[2].partition("_")[0])
    facts = CaptureFacts(context=context_text(Context(extra={"at_ms": at_ms})))
    offered = Offered(f"open:{told.seq:020d}", "", CLOSED, 0, 0, facts)
    note = msgspec.json.encode(offered).decode()
    return Unkept(offered.key, End.FAILED, told.closed, is_retryable=True, offered=note)


def _at_ms(offered: Offered) -> int:
    return number(context_of(offered.facts.context).extra.get("at_ms"))

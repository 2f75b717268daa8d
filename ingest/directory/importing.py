"""Imports directories of people, a chunk of cards at a time; it knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import msgspec

from holdfast.core.custody import End, Intake, Unkept
from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.core.persons import Person
from holdfast.ingest.directory.cards import Card, Rules, cards_of
from holdfast.ingest.directory.report import BAD, CONFLICT, KEPT, REMARK, Problem, Report
from holdfast.ingest.readers.offers import portable
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.batches import close_batch, ensure_source, open_batch
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.ledger import known_items
from holdfast.storage.catalogue.resolving import DIRECTORY
from holdfast.storage.catalogue.unkept import note_unkept
from holdfast.storage.directory.deciding import Decision
from holdfast.storage.directory.scratch import Scratch, scratch
from holdfast.storage.directory.standing import view_of
from holdfast.storage.directory.writing import Writer
from holdfast.storage.store import Store

CHUNK = 200
"""Cards of one transaction."""
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be imported, and how."""

    paths: tuple[Path, ...]
    rules: Rules = field(default_factory=Rules)
    source: str = DIRECTORY
    """Under which the ledger keeps what could not be taken."""
    overwrites: bool = False
    """Also what a person said of a contact gives way."""
    is_trial: bool = False
    """Nothing is written; the report is that of an import."""
    paths_shown: str = ""
    """What the batch says it was made of; the paths, if empty."""


def import_directory(
    order: Order,
    store: Store,
    on_progress: Callable[[int, int], None] = lambda *_: None,
    on_problem: Callable[[Problem], None] = lambda _: None,
) -> Report:
    """Give contacts what the cards of these files say; the same files again change nothing.

    What an interrupted import wrote stays; the same import again goes on from there.

    Args:
        order: What and how.
        store: The archive.
        on_progress: Told bytes done and bytes of all.
        on_problem: Told everything that is not taken, in order.

    Raises:
        NotFound: A path does not exist.
        Unavailable: A file cannot be read, or the archive not be written.
    """
    for path in order.paths:
        if not path.is_file():
            name = portable(str(path))
            raise NotFound(f"There is no file {name}.", next_step="Check the path.")
    with scratch() as beside:
        run = _Run(order, store, beside, on_problem)
        try:
            run.all(on_progress)
        finally:
            run.close()
    return run.report


@dataclass(slots=True)
class _Run:
    order: Order
    store: Store
    beside: Scratch
    on_problem: Callable[[Problem], None]
    report: Report = field(default_factory=Report)
    intake: Intake | None = None
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self.writer = Writer(self.store, self.order.overwrites, lambda: self._opened().batch_id)

    def all(self, on_progress: Callable[[int, int], None]) -> None:
        sizes = [path.stat().st_size for path in self.order.paths]
        for number, path in enumerate(self.order.paths):
            for chunk in _chunks(cards_of(path, self.order.rules)):
                self._take(chunk)
                on_progress(sum(sizes[:number]) + min(chunk[-1].at, sizes[number]), sum(sizes))
        on_progress(sum(sizes), sum(sizes))

    def close(self) -> None:
        """End the batch, if one was begun; what it came to is in the audit log."""
        if self.intake is None:
            return
        batch_id = self.intake.batch_id
        close_batch(self.store, batch_id)
        context = canonical_digest(msgspec.to_builtins(self.report.counts))
        name, now_ms = public_id("bat", batch_id), self.store.now_ms()
        event = Event("import", name, batch_id, now_ms, self.store.actor, context)
        with writing(self.store.engine) as connection:
            record_events(connection, [event], self.store.ids)

    def _opened(self) -> Intake:
        """Return the batch; it is opened when there is something to write."""
        if self.intake is None:
            source_id = ensure_source(self.store, self.order.source, DIRECTORY)
            paths = self.order.paths_shown or "\n".join(
                portable(str(one)) for one in self.order.paths
            )
            self.intake = open_batch(self.store, source_id, paths=paths)
            self.report.batch = public_id("bat", self.intake.batch_id)
        return self.intake

    def _take(self, chunk: Sequence[Card]) -> None:
        persons = [card.person for card in chunk if card.person is not None]
        decided = iter(self._try(persons) if self.order.is_trial else self._write(persons))
        problems: list[tuple[Card, Problem]] = []
        for card in chunk:
            decision = next(decided) if card.person is not None else None
            problems += [(card, one) for one in self._count(card, decision)]
        for _, problem in problems:
            self.report.note(problem)
            self.on_problem(problem)
        if not self.order.is_trial:
            self._keep(problems)

    def _try(self, persons: Sequence[Person]) -> list[Decision | None]:
        with reading(self.store.engine) as connection:
            view = view_of(connection, persons, lambda _: ())
        self.beside.lay_over(view, persons)
        decisions = self.writer.decide(persons, view)
        self.beside.keep(view, decisions)
        return decisions

    def _write(self, persons: Sequence[Person]) -> list[Decision | None]:
        claimed = self.beside.claimed
        decisions = self.writer.plan(persons, claimed)
        if any(one and (one.new_keys or one.changes) for one in decisions):
            decisions = self.writer.write(persons, claimed)
        self.beside.claim(decisions)
        return decisions

    def _count(self, card: Card, decision: Decision | None) -> Iterator[Problem]:
        """Count one card, and yield what of it is not taken."""
        counts = self.report.counts
        counts.cards += 1
        if card.person is None:
            yield _problem(card, BAD, card.reason)
        elif decision is None:
            yield _problem(card, BAD, "nobody answers at its addresses: they are machines'")
        else:
            is_changed = bool(decision.new_keys or decision.changes)
            counts.created += decision.is_new
            counts.changed += is_changed and not decision.is_new
            counts.unchanged += not is_changed
            counts.addresses += len(decision.new_keys)
            yield from _left(card, card.person, decision)

    def _keep(self, problems: Sequence[tuple[Card, Problem]]) -> None:
        """Write down in the ledger what is not taken, each once however often it is imported."""
        items = {
            _item_key(card, one): _item(card, one) for card, one in problems if one.kind != KEPT
        }
        if not items:
            return
        source_id = ensure_source(self.store, self.order.source, DIRECTORY)
        known = known_items(self.store, source_id, list(items))
        fresh = [one for key, one in items.items() if key not in known]
        if fresh:
            note_unkept(fresh, self._opened(), self.store)


def _chunks(found: Iterator[Card]) -> Iterator[list[Card]]:
    while some := list(islice(found, CHUNK)):
        yield some


def _problem(card: Card, kind: str, reason: str, contacts: tuple[int, ...] = ()) -> Problem:
    return Problem(card.file, card.place, kind, reason, contacts, card.excerpt.text)


def _left(card: Card, person: Person, decision: Decision) -> Iterator[Problem]:
    for remark in person.remarks:
        yield _problem(card, REMARK, remark)
    for key in decision.machines:
        yield _problem(card, REMARK, f"nobody answers there: {key}")
    for key, owner in decision.conflicts:
        yield _problem(card, CONFLICT, f"another contact's: {key}", (decision.contact, owner))
    for name in decision.kept:
        yield _problem(card, KEPT, f"{name} stays as it is")


def _item_key(card: Card, problem: Problem) -> str:
    said = card.excerpt.digest.copy()
    said.update(b"\0" + problem.reason.encode())
    return f"{card.file}@{card.place}~{said.hexdigest()[:24]}"


def _item(card: Card, problem: Problem) -> Unkept:
    """Return what the ledger keeps: where it stood and why, without what people can be known by."""
    end = End.FAILED if problem.kind == BAD else End.SKIPPED
    about = {"file": card.file, "place": card.place, "contacts": problem.contact_names()}
    reason = f"{problem.kind}: {problem.reason.partition(': ')[0]}"[:300]
    return Unkept(_item_key(card, problem), end, reason, False, _encode(about).decode())

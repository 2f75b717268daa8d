"""What a source gives is sealed as it comes and filed behind, and nothing of it is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select, update

from archive_kit import ACTOR, findings, found, kept, message, opened, settings_in
from holdfast.core.custody import End, Unkept
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest import taking_in
from holdfast.ingest.imports import feed_index
from holdfast.ingest.jail import Pool, PoolConfig
from holdfast.ingest.pipeline import accept
from holdfast.ingest.progress import Progress
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.readers.sealed_files import SealedWriter
from holdfast.ingest.recovery import Attendance, count_sealed, file_sealed
from holdfast.ingest.sources.bench import Bench
from holdfast.ingest.taking_in import Taking
from holdfast.ingest.workbench import workbench
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import ensure_source, open_batch
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.ledger import Accepted, sums
from holdfast.storage.catalogue.schema import originals
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.founding import create_archive
from poison_kit import POISON, dying_workbench

WAIT_S = 60.0
"""Against hanging only."""


@dataclass
class Office:
    """An open archive that takes in from one source."""

    settings: Settings
    services: Services
    pool: Pool
    on_progress: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], None] = lambda: None
    ahead: int = 100
    seen: Progress = field(default_factory=Progress)
    damaged: dict[int, HoldfastError] = field(default_factory=dict)

    def take(self, offers: Iterable[Fetched | Unkept]) -> Progress:
        store = self.services.store
        intake = open_batch(store, ensure_source(store, "box", "imap"))
        services, waits = self.services, lambda seconds: None
        bench = Bench(services.desk, self.pool, services.spool, waits, self.on_progress)
        taking = Taking(replace(bench, ahead=self.ahead), intake, self.seen, self.damaged)
        counts = taking.run(offers, self.stop)
        feed_index(self.services.desk)
        return counts

    def spooled(self) -> list[str]:
        return [path.name for path in self.services.spool.iterdir()]


@contextmanager
def office(tmp_path: Path, worker: Callable[[bytes], bytes] | None = None) -> Iterator[Office]:
    settings = settings_in(tmp_path)
    with Pool(worker or workbench(), PoolConfig(size=1)) as pool:
        create_archive(settings)
        with open_archive(settings, ACTOR) as services:
            yield Office(settings, services, pool)


def given(number: int, body: str = "clean") -> Fetched:
    raw = message(number, body=body)
    return Fetched(Offered(f"box/{number}", "INBOX", "imap", number, len(raw)), raw)


def large(office: Office, number: int, raw: bytes) -> Fetched:
    path = office.services.spool / f"{number}.sealed"
    with path.open("xb") as file:
        writer = SealedWriter(path, file)
        writer.write(raw)
        return Fetched(
            Offered(f"box/{number}", "INBOX", "imap", number, len(raw)), writer.finished()
        )


def small_batches(monkeypatch: pytest.MonkeyPatch, give_way_s: float) -> None:
    monkeypatch.setattr(taking_in, "COMMIT_ITEMS", 4)
    monkeypatch.setattr(taking_in, "LOOK_S", 0.01)
    monkeypatch.setattr(taking_in, "GIVE_WAY_S", give_way_s)


def test_what_has_waited_is_filed_although_the_source_still_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, -1.0)
    filed = Event()

    def offers() -> Iterator[Fetched]:
        yield from map(given, range(4))
        assert filed.wait(WAIT_S)
        yield from map(given, range(4, 9))

    with office(tmp_path) as at:
        at.on_progress = lambda progress: filed.set() if progress.new == 4 else None
        counts = at.take(offers())
    assert (counts.offered, counts.done, counts.new) == (9, 9, 9)
    assert found(at.settings, "clean") == 9
    assert findings(at.settings) == []


def test_filing_gives_way_to_what_still_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, 3600.0)
    looks = itertools.count()
    looked = Event()

    def look(_progress: Progress) -> None:
        if next(looks) == 20:
            looked.set()

    def offers() -> Iterator[Fetched]:
        yield from map(given, range(8))
        assert looked.wait(WAIT_S)
        assert at.seen.new == 0

    with office(tmp_path) as at:
        at.on_progress = look
        assert at.take(offers()).new == 8


def test_source_waits_when_filing_is_far_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, -1.0)

    def offers() -> Iterator[Fetched]:
        for number in range(60):
            assert at.seen.offered - at.seen.new <= 40  # batches on their way
            yield given(number)

    with office(tmp_path) as at:
        at.ahead = 6
        assert at.take(offers()).new == 60


def test_message_that_kills_its_reader_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    with office(tmp_path, dying_workbench()) as at:
        counts = at.take(given(n, f"clean{n} {POISON if n == 7 else ''}") for n in range(20))
    assert counts.new == 20
    assert [found(at.settings, f"clean{n}") for n in (6, 7, 8)] == [1, 0, 1]
    assert found(at.settings, 'subject:"message number 7"') == 1


def test_run_that_is_stopped_ends_the_source_and_leaves_what_is_sealed_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, 3600.0)

    def stop(progress: Progress) -> None:
        if progress.offered > 40:
            raise Unavailable("asked to end")

    with office(tmp_path) as at:
        at.on_progress = stop
        with pytest.raises(Unavailable, match="asked to end"):
            at.take(map(given, itertools.count()))  # a source that never ends
        sealed = count_sealed(at.services.store)
        assert sealed > 0
        assert file_sealed(at.services.desk, at.pool) == sealed
        assert sums(at.services.store)["box"] == {"filed": sealed}
    assert findings(at.settings) == []


def test_batch_that_cannot_be_kept_ends_the_run_and_loses_nothing_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_batches(monkeypatch, 3600.0)
    batches = itertools.count()

    def full(*given: object) -> object:
        if next(batches) == 2:
            raise Unavailable("the disk is full")
        return accept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(taking_in, "accept", full)
    with office(tmp_path) as at:
        raw = message(99, body="large " * 2_000_000)
        offers = [*map(given, range(8)), large(at, 99, raw), *map(given, range(8, 30))]
        with pytest.raises(Unavailable, match="disk is full"):
            at.take(offers)
        assert at.spooled() == []
        assert file_sealed(at.services.desk, at.pool) == 8
    with opened(at.settings) as services:
        assert sums(services.store)["box"] == {"filed": 8}
    assert sorted(kept(at.settings)) == sorted(message(n, body="clean") for n in range(8))


def test_large_messages_leave_no_file_behind(tmp_path: Path) -> None:
    raw = message(1, body="needle " + "large " * 2_000_000)
    with office(tmp_path) as at:
        counts = at.take([large(at, 1, raw), large(at, 2, raw), given(3)])
        assert (counts.new, counts.duplicates) == (2, 1)
        assert at.spooled() == []
        at.seen = Progress()
        again = at.take([large(at, 1, raw), given(3)])
        assert (again.offered, again.done, again.unchanged) == (2, 2, 2)
        assert again.bytes_done == again.bytes_offered
        assert at.spooled() == []
    assert found(at.settings, "needle") == 1
    assert sorted(kept(at.settings)) == sorted([raw, message(3, body="clean")])


def test_ends_without_a_message_are_counted_and_sum_up(tmp_path: Path) -> None:
    gone = Unkept("box/7", End.GONE, "expunged_before_capture", False, "{}")
    with office(tmp_path) as at:
        counts = at.take([given(1), gone, given(2)])
        assert (counts.offered, counts.done, counts.new, counts.gone) == (3, 3, 2, 1)
        assert sums(at.services.store)["box"] == {"filed": 2, "gone": 1}


def test_damaged_original_holds_up_no_other(tmp_path: Path) -> None:
    with office(tmp_path) as at:
        at.on_progress = _stop_at_once
        with pytest.raises(Unavailable):
            at.take(map(given, range(5)))
        with writing(at.services.store.engine) as connection:
            ids = connection.scalars(select(originals.c.id).order_by(originals.c.id)).all()
            shifted = originals.c.offset + 1
            connection.execute(
                update(originals).where(originals.c.id == ids[2]).values(offset=shifted)
            )
        attendance = Attendance()
        assert file_sealed(at.services.desk, at.pool, attendance=attendance) == 4
        assert [error.cause for error in attendance.damaged.values()] == [
            "The record's header is damaged."
        ]
        assert sums(at.services.store)["box"] == {"filed": 4, "sealed": 1}


def _stop_at_once(progress: Progress) -> None:
    if progress.offered == 5:
        raise Unavailable("asked to end")


def test_what_another_process_files_is_counted_and_keeps_no_source_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds something sealed may file it: the listener, an import, a worker."""
    small_batches(monkeypatch, 3600.0)
    others = file_sealed

    def filed_elsewhere(*given: object) -> int:
        return others(*given[:3]) if sealing else others(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(taking_in, "file_sealed", filed_elsewhere)
    sealing = True

    def offers() -> Iterator[Fetched]:
        nonlocal sealing
        yield from map(given, range(60))
        sealing = False

    with office(tmp_path) as at:
        at.ahead = 20
        counts = at.take(offers())
    assert (counts.offered, counts.done, counts.new) == (60, 60, 60)
    assert counts.bytes_done == counts.bytes_offered


def test_damaged_original_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch, 3600.0)
    looks = itertools.count()

    def damage(*given: object) -> Accepted:
        done = accept(*given)  # type: ignore[arg-type]
        if next(looks) == 0:  # nothing is read before the first batch is counted
            with writing(at.services.store.engine) as connection:
                shifted = {"offset": originals.c.offset + 1}
                chosen = originals.c.id == done.sealed[0].original_id
                connection.execute(update(originals).where(chosen).values(shifted))
        return done

    monkeypatch.setattr(taking_in, "accept", damage)
    with office(tmp_path) as at:
        at.ahead = 1  # one that stays sealed must not keep the source waiting for ever
        counts = at.take(map(given, range(40)))
        assert (counts.offered, counts.done, counts.new) == (40, 39, 39)
        assert [one.cause for one in at.damaged.values()] == ["The record's header is damaged."]


def test_source_that_is_silent_is_ended_with_the_run(tmp_path: Path) -> None:
    ended = Event()

    def offers() -> Iterator[Fetched]:
        yield given(1)
        assert ended.wait(WAIT_S)

    def stop(progress: Progress) -> None:
        if progress.offered:
            raise Unavailable("asked to end")

    with office(tmp_path) as at:
        at.on_progress, at.stop = stop, ended.set
        with pytest.raises(Unavailable, match="asked to end"):
            at.take(offers())


def test_what_came_is_sealed_although_nothing_follows(tmp_path: Path) -> None:
    sealed = Event()

    def offers() -> Iterator[Fetched]:
        yield given(1)
        assert sealed.wait(WAIT_S)

    def look(_progress: Progress) -> None:
        if count_sealed(at.services.store) or at.seen.new:
            sealed.set()

    with office(tmp_path) as at:
        at.on_progress = look
        assert at.take(offers()).new == 1

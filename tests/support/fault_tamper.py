"""Alters an archive at rest, one bit at a time, and tells whether a verification says so."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pysqlite3
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from archive_kit import ACTOR, bring_in, opened, settings_in
from fault_mail import offering
from holdfast.core.errors import Corrupt, HoldfastError
from holdfast.core.ports import Hit, SearchIndex, SearchRequest
from holdfast.core.query import EVERYTHING as ANYTHING
from holdfast.core.query import Node, Phrase, Scope
from holdfast.indexer.facets import FACETS
from holdfast.ingest.verification import index_check
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, reading
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import metadata, originals
from holdfast.storage.checkpoint import open_checkpoint
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.verify import EVERYTHING, Check, Tally, Verification
from holdfast.storage.verifying.log import check_log
from holdfast.storage.verifying.originals import check_originals, check_segments
from holdfast.storage.verifying.report import Scope as Verified
from holdfast.wiring.archive import Services
from holdfast.wiring.places import CATALOGUE, CHECKPOINT, LOG

OPERATIONAL = (
    "accounts",
    "index_queue",
    "index_versions",
    "jobs",
    "clock_marks",
    "leases",
    "mailboxes",
    "source_runs",
    "writers",
)
"""Tables that say nothing about what was kept: work to do, and who is at it."""
PARTS = ("segments", "log", CATALOGUE, "index")
_WORDS = ("body", "message", "number", "reader", "sender1", "other", "word7", "example.com")


@dataclass(slots=True)
class FlipFigures:
    """What became of single flipped bits, by the part of the archive that they hit."""

    flips: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    """A finding, or the refusal to open with what is damaged."""
    harmless: Counter[str] = field(default_factory=Counter)
    """All that the archive says is the same: unused space, or a counter of the engine."""
    missed: list[str] = field(default_factory=list)
    """The archive says something else, and the verification nothing."""
    crashed: list[str] = field(default_factory=list)
    """Noticed by an error that nobody translated."""


@dataclass(frozen=True, slots=True)
class Victim:
    """An archive that is altered and put back; nothing else may use it."""

    settings: Settings
    rows: dict[str, frozenset[str]]
    """Table → its rows, before."""
    shown: tuple[object, ...]
    """What the index answers, before."""
    records: list[object]
    """What the vault holds, before."""

    def files(self, part: str) -> list[Path]:
        """Return the files of one part: one of `PARTS`."""
        place = self.settings.data / part
        if place.is_file():
            return [place]
        return sorted(path for path in place.rglob("*") if path.is_file() and path.stat().st_size)

    def copy_to(self, folder: Path) -> Settings:
        """Copy data and keys."""
        shutil.copytree(self.settings.data.parent, folder)
        return settings_in(folder)


def new_victim(folder: Path, messages: int = 40) -> Victim:
    """Make a small archive; its segments are complete and its catalogue has no open journal."""
    settings = settings_in(folder / "victim")
    bring_in(settings, offering(folder / "offer", messages).folder)
    with opened(settings) as services:
        shown, records = answers(services.index), records_of(services)
    return Victim(settings, rows_of(settings), shown, records)


def findings_of(settings: Settings) -> list[str]:
    """Open and verify as the command does; return findings, or the refusal to open."""
    try:
        with opened(settings) as services:
            also = (index_check(services.home),)
            found = Verification(services.store, services.log, also=also).run(Tally())
            return [f"{one.part} {one.name}: {one.cause}" for one in found]
    except Corrupt as error:
        return [str(error)]


def segment(settings: Settings) -> Path:
    """Return the file of an archive's only segment."""
    (path,) = (settings.data / "segments").iterdir()
    return path


def truncated_segment_is_named(copy: Settings) -> None:
    """F42: cut the end off a segment.

    Raises:
        AssertionError: The verification names no original.
    """
    path = segment(copy)
    path.write_bytes(path.read_bytes()[:-2000])
    found = findings_of(copy)
    assert any(one.startswith("original") for one in found), f"nothing is named: {found}"


def other_segment_is_named(copy: Settings, folder: Path, *, is_ours: bool) -> None:
    """F42: put a valid segment in the place of another, of this archive or of a stranger's.

    Raises:
        AssertionError: The verification names no original.
    """
    spare = offering(folder / "more", 3, first=900)
    other = copy if is_ours else settings_in(folder / "other")
    bring_in(other, spare.folder)
    replaced, *_ = sorted((copy.data / "segments").iterdir())
    valid = max((other.data / "segments").iterdir())
    replaced.write_bytes(valid.read_bytes())
    found = findings_of(copy)
    assert any(one.startswith("original") for one in found), f"nothing is named: {found}"


def deleted_segment_is_named(copy: Settings, folder: Path) -> None:
    """F42: delete a segment; there is a second one, for an empty vault is none at all.

    Raises:
        AssertionError: The verification does not name it as missing.
    """
    bring_in(copy, offering(folder / "more", 3, first=900).folder)
    first = min((copy.data / "segments").iterdir())
    first.unlink()
    found = findings_of(copy)
    said = [one for one in found if "missing" in one and first.stem in one]
    assert said, f"nothing is named: {found}"


def record_in_the_place_of_another_is_named(copy: Settings) -> None:
    """F42: put a valid record of a segment in the place of another of the same length.

    Raises:
        AssertionError: The verification does not name the original that is gone.
    """
    with opened(copy) as services, services.store.engine.connect() as connection:
        rows = connection.execute(select(originals).order_by(originals.c.offset)).all()
    same = [(a, b) for a in rows for b in rows if a.length == b.length and a.offset < b.offset]
    first, second = same[0]
    raw = bytearray(segment(copy).read_bytes())
    other = raw[second.offset : second.offset + second.length]
    raw[first.offset : first.offset + first.length] = other
    segment(copy).write_bytes(raw)
    found = findings_of(copy)
    assert any(first.content_id.hex() in one for one in found), f"nothing is named: {found}"


def rows_of(settings: Settings) -> dict[str, frozenset[str]]:
    """Return every row of the catalogue as text; whatever cannot be read is not there."""
    engine = open_sqlite(settings.data / CATALOGUE)
    rows = {}
    for table in metadata.sorted_tables:
        try:
            with reading(engine) as connection:
                rows[table.name] = frozenset(map(repr, connection.execute(select(table))))
        except (HoldfastError, SQLAlchemyError, ValueError, TypeError):
            rows[table.name] = frozenset()
    with reading(engine) as connection:
        version = connection.execute(text("SELECT * FROM alembic_version"))
        rows["alembic_version"] = frozenset(map(repr, version))
    engine.dispose()
    return rows


def records_of(services: Services) -> list[object]:
    """Return every record of the vault, where it is, and every original."""
    vault = services.store.vault
    records = [record for name in vault.segment_names() for record in vault.scan_segment(name)]
    with reading(services.store.engine) as connection:
        ids = connection.scalars(select(originals.c.id).order_by(originals.c.id)).all()
    return [*records, *(b"".join(original_bytes(services.store, row)) for row in ids)]


def answers(index: SearchIndex) -> tuple[object, ...]:
    """Return what an index says: every document in several orders, facets, and some words."""
    orders = tuple(_hits(index, ANYTHING, sort) for sort in ("oldest", "largest", "captured"))
    whole = Scope.whole_archive(ACTOR)
    facets = index.search(SearchRequest(ANYTHING, whole, limit=1, facets=FACETS, facet_limit=99))
    words = tuple(_hits(index, Phrase(word)) for word in _WORDS)
    threads = index.search(SearchRequest(ANYTHING, whole, limit=500, collapse="thread"))
    return orders, sorted(facets.facets.items()), words, threads.groups, threads.hits


def _hits(index: SearchIndex, node: Node, sort: str = "newest") -> tuple[Hit, ...]:
    return index.search(SearchRequest(node, Scope.whole_archive(ACTOR), limit=500, sort=sort)).hits


def flip_bits(
    victim: Victim,
    part: str,
    rounds: int,
    seed: int,
    figures: FlipFigures,
    *,
    checks: Sequence[Check] | None = None,
) -> None:
    """Flip one random bit of the part, verify, put it back; so many times.

    Verified is what reads the part: segments are read by two comparisons and by nothing else, the
    log by one and at opening, the index by its own. A bit of the catalogue gets everything, unless
    every row and every index is what it was.

    Args:
        victim: The archive.
        part: One of `PARTS`.
        rounds: How many bits.
        seed: Of the choice.
        figures: Are added to.
        checks: Instead of those that read the part.
    """
    chance = random.Random(seed)
    files = victim.files(part)
    sizes = [path.stat().st_size for path in files]
    with _Bench.of(victim, part, checks) as bench:
        for _ in range(rounds):
            path = chance.choices(files, sizes)[0]
            at, bit = chance.randrange(path.stat().st_size), 1 << chance.randrange(8)
            figures.flips[part] += 1
            bench.flipped(path, at, bit, figures)


@dataclass(slots=True)
class _Bench:
    """Verifies one part of a victim again and again; the archive stays open meanwhile."""

    victim: Victim
    part: str
    checks: Sequence[Check] | None
    services: Services
    content: object
    """Of the catalogue, before."""

    @staticmethod
    @contextmanager
    def of(victim: Victim, part: str, checks: Sequence[Check] | None) -> Iterator[_Bench]:
        """Open the archive, and let go of its files."""
        with opened(victim.settings) as services:
            services.store.engine.dispose()
            yield _Bench(victim, part, checks, services, _content(victim.settings))

    def flipped(self, path: Path, at: int, bit: int, figures: FlipFigures) -> None:
        """Flip the bit, judge, put it back with all that opening may have written."""
        catalogue = self.victim.settings.data / CATALOGUE
        before = catalogue.read_bytes()
        _flip(path, at, bit)
        try:
            self._judge(f"{path.name} byte {at} bit {bit}", path, figures)
        finally:
            if path != catalogue:
                _flip(path, at, bit)
            self.services.store.engine.dispose()
            if catalogue.read_bytes() != before:
                catalogue.write_bytes(before)
            for journal in catalogue.parent.glob(f"{CATALOGUE}-*"):
                journal.unlink()

    def _judge(self, where: str, path: Path, figures: FlipFigures) -> None:
        is_read = not _is_stale(self.victim, path)
        try:
            found = self._findings()
        except HoldfastError:
            found = ["refused"]
        except Exception as error:  # noqa: BLE001 - whatever comes out is what a person would see
            figures.crashed.append(f"{where}: {type(error).__name__}: {error}"[:300])
            return
        if found:
            figures.named[self.part] += 1
        elif said := self._changed(is_read=is_read):
            figures.missed.append(f"{where}: {said}"[:400])
        else:
            figures.harmless[self.part] += 1

    def _findings(self) -> list[str]:
        self.services.home.close()
        if self.part == "segments":
            return self._compared((check_originals, check_segments))
        if self.part == "index":
            return self._compared((index_check(self.services.home),))
        if self.part == "log":
            return self._compared((check_log,), self._opened_log())
        if _content(self.victim.settings) == self.content:
            return []  # every row and every index is what it was
        if self.checks is not None:
            return self._compared(())
        whole = Verification(self.services.store, self.services.log)
        with closing(whole.run(Tally())) as found:
            if first := next(found, None):
                return [str(first)]
        self.services.store.engine.dispose()
        return findings_of(self.victim.settings)  # it may be that opening tells

    def _opened_log(self) -> TileLog:
        """Open the log as opening the archive does."""
        settings, store = self.victim.settings, self.services.store
        signer, origin = store.keyring.signing_key(), self.services.log.checkpoint.origin
        log = TileLog(settings.data / LOG, signer, origin)
        kept = (settings.keys_folder / CHECKPOINT).read_bytes()
        log.check_extends(open_checkpoint(kept, signer.public_key(), origin))
        return log

    def _compared(self, own: Sequence[Check], log: TileLog | None = None) -> list[str]:
        scope = Verified(self.services.store, log or self.services.log, EVERYTHING)
        return [str(one) for check in self.checks or own for one in check(scope)]

    def _changed(self, *, is_read: bool) -> str:
        """Tell what an unnoticed bit has changed."""
        if self.part == CATALOGUE:
            now = rows_of(self.victim.settings)
            kept = self.victim.rows.keys() - set(OPERATIONAL)
            lost = {name: self.victim.rows[name] - now[name] for name in kept}
            return " ".join(f"{name} {sorted(rows)[:1]}" for name, rows in lost.items() if rows)
        if self.part == "index":
            self.services.home.close()
            return _difference(lambda: answers(self.services.index), self.victim.shown)
        if self.part == "segments":  # the end mark may be damaged: the next import writes it again
            return _difference(lambda: records_of(self.services), self.victim.records)
        return "it is read" if is_read else ""


def _difference(read: Callable[[], object], before: object) -> str:
    """Tell that what is read now is not what was read before, or cannot be."""
    try:
        return "" if read() == before else "it says otherwise"
    except (HoldfastError, ValueError) as error:
        return f"it cannot be read: {error}"
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the index's engine
            raise
        return f"it cannot be read: {error}"


def _content(settings: Settings) -> object:
    """Read every row past the product, and whether all indexes agree; None where it cannot be."""
    connection = pysqlite3.connect(f"file:{settings.data / CATALOGUE}?immutable=1", uri=True)
    connection.text_factory = lambda raw: (raw,)  # not what a blob of the same bytes is
    try:
        listed = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        names = [name.decode() for (kind,), (name,), _ in listed if kind == b"table"]
        rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names]  # noqa: S608
        return listed, rows, connection.execute("PRAGMA integrity_check").fetchall()
    except (pysqlite3.DatabaseError, TypeError, ValueError):  # of a list of tables that is damaged
        return None
    finally:
        connection.close()


def _flip(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ bit]))


def _is_stale(victim: Victim, path: Path) -> bool:
    """Tell whether this is a partial tile of an earlier, shorter log; nothing reads it any more."""
    if not path.parent.name.endswith(".p"):
        return False
    checkpoint = victim.settings.data / "log" / "checkpoint"
    size = checkpoint.read_text("utf-8", "replace").splitlines()[1]
    if not size.isdecimal():
        return False
    widths = {int(size) % 256, int(size) // 256 % 256, int(size) // 65536 % 256}
    return int(path.name) not in widths

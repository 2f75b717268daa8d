"""Alters an archive at rest, one bit at a time, and tells whether a verification says so."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from archive_kit import bring_in, opened, settings_in
from fault_mail import offering
from holdfast.core.errors import Corrupt, HoldfastError
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, reading
from holdfast.storage.catalogue.schema import metadata
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring import CATALOGUE

SIGNED = {
    "originals": ("content_id", "size_bytes", "segment", "offset", "length"),
    "captures": ("id", "original_id", "source_id", "batch_id", "custodian_id", "folder", "flags",
                 "captured_ms", "received_ms", "facts", "interaction_id"),
    "interactions": ("id", "subject", "message_id", "sent_ms", "kind", "date_raw", "headers"),
    "participants": ("interaction_id", "ordinal", "role", "name", "address"),
    "attachments": ("interaction_id", "ordinal", "filename", "sha256", "size_bytes"),
    "audit_events": ("id", "kind", "subject_id", "leaf", "seq"),
}  # fmt: skip
"""Columns that say what was kept, from whom, and what was done: the log commits to them."""


@dataclass(slots=True)
class FlipFigures:
    """What became of single flipped bits, by the part of the archive that they hit."""

    flips: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    """A finding, or the refusal to open with what is damaged."""
    harmless: Counter[str] = field(default_factory=Counter)
    """Nothing that the archive says is different: unused space, or a counter of the engine."""
    unsigned: Counter[str] = field(default_factory=Counter)
    """Unnoticed in what the log does not commit to: by table."""
    missed: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    """Noticed by an error that nobody translated."""


@dataclass(frozen=True, slots=True)
class Victim:
    """An archive that is altered and put back; nothing else may use it."""

    settings: Settings
    pristine: dict[str, frozenset[str]]
    """Table → its rows, before; and `signed:` table → its signed columns."""

    def files(self, part: str) -> list[Path]:
        """Return the files of one part: `segments`, `log`, `catalogue.sqlite3`, `index`."""
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
    return Victim(settings, rows_of(settings))


def findings_of(settings: Settings) -> list[str]:
    """Open and verify; return what was named, by findings or by the refusal to open."""
    try:
        with opened(settings) as services:
            found = Verification(services.store, services.log).run(Tally())
            return [f"{one.part} {one.name}: {one.cause}" for one in found]
    except Corrupt as error:
        return [str(error)]


def rows_of(settings: Settings) -> dict[str, frozenset[str]]:
    """Return every row of the catalogue as text; whatever cannot be read is not there."""
    engine = open_sqlite(settings.data / CATALOGUE)
    queries = {table.name: select(table) for table in metadata.sorted_tables}
    for name, columns in SIGNED.items():
        signed = select(*(metadata.tables[name].c[one] for one in columns))
        queries[f"signed:{name}"] = signed
    rows = {}
    for name, query in queries.items():
        try:
            with reading(engine) as connection:
                rows[name] = frozenset(map(repr, connection.execute(query)))
        except (HoldfastError, SQLAlchemyError, ValueError):
            rows[name] = frozenset()
    engine.dispose()
    return rows


def flip_bits(victim: Victim, part: str, rounds: int, seed: int, figures: FlipFigures) -> None:
    """Flip one random bit of the part, verify, put it back; so many times."""
    chance = random.Random(seed)
    for _ in range(rounds):
        path = chance.choices(*_by_size(victim.files(part)))[0]
        raw = path.read_bytes()
        at = chance.randrange(len(raw))
        altered = bytearray(raw)
        altered[at] ^= 1 << chance.randrange(8)
        keys = _contents(victim.settings.keys_folder)
        if part == CATALOGUE:  # whatever looks at a catalogue writes to it
            whole = _contents(victim.settings.data)
        else:
            whole = {**_contents(victim.settings.data / "log"), path: raw}
            whole[victim.settings.data / CATALOGUE] = (
                victim.settings.data / CATALOGUE
            ).read_bytes()
        path.write_bytes(altered)
        figures.flips[part] += 1
        _classify(victim, part, path, at, figures)
        for kept, content in {**whole, **keys}.items():
            kept.write_bytes(content)
        for journal in victim.settings.data.glob(f"{CATALOGUE}-*"):
            journal.unlink()


def _classify(victim: Victim, part: str, path: Path, at: int, figures: FlipFigures) -> None:
    where, is_stale = f"{path.name} at {at}", _is_stale(victim, path)
    try:
        if findings_of(victim.settings):
            figures.named[part] += 1
            return
    except HoldfastError:
        figures.named[part] += 1
        return
    except Exception as error:  # noqa: BLE001 - whatever comes out is what a person would see
        figures.crashed.append(f"{where}: {type(error).__name__}: {error}"[:300])
        return
    now = rows_of(victim.settings)
    changed = {name for name, rows in now.items() if victim.pristine[name] - rows}
    signed = {name for name in changed if name.startswith("signed:")}
    if part != CATALOGUE and not is_stale:
        figures.missed.append(where)
    elif signed:
        lost = [sorted(victim.pristine[one] - now[one])[:1] for one in sorted(signed)]
        figures.missed.append(f"{where}: {sorted(signed)} {lost}"[:400])
    elif changed:
        figures.unsigned.update(changed)
    else:
        figures.harmless[part] += 1


def _is_stale(victim: Victim, path: Path) -> bool:
    """Tell whether this is a partial tile of an earlier, shorter log; nothing reads it any more."""
    if not path.parent.name.endswith(".p"):
        return False
    checkpoint = (
        (victim.settings.data / "log" / "checkpoint").read_text("utf-8", "replace").splitlines()
    )
    if not checkpoint[1].isdecimal():
        return False
    size = int(checkpoint[1])
    widths = {size % 256, size // 256 % 256, size // 65536 % 256}
    return int(path.name) not in widths


def _by_size(files: list[Path]) -> tuple[list[Path], list[int]]:
    return files, [path.stat().st_size for path in files]


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

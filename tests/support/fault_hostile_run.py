"""Imports hostile input through the real command and tells what became of every item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from archive_kit import findings, kept, opened
from fault_command import PROGRAM, import_words, run
from fault_mail import sha256
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions, source_items

MAX_RSS_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one import of hostile input did."""

    status: int
    seconds: float
    peak_rss_bytes: int
    ends: Counter[str]
    unexplained: list[str]
    """Items without an end, or left out without a reason."""
    defects: list[str]
    """Of every interaction that has some."""
    originals: frozenset[str]
    problems: list[str]
    """Tracebacks, findings of verify, sums that differ, memory."""


def import_hostile(
    settings: Settings,
    source: Path,
    folder: Path,
    *,
    reads_back: bool,
    program: Sequence[str] = PROGRAM,
) -> Outcome:
    """Import and look at everything that was left; `reads_back` also reads every original."""
    ended = run(import_words(settings.data, source, program=program), folder, is_watched=True)
    problems = []
    if ended.has_traceback or ended.status not in {0, 3}:
        problems.append(f"status {ended.status}: {ended.err[-3000:]}")
        return Outcome(
            ended.status,
            ended.seconds,
            ended.peak_rss_bytes,
            Counter(),
            [],
            [],
            frozenset(),
            problems,
        )
    if ended.peak_rss_bytes > MAX_RSS_BYTES:
        problems.append(f"{ended.peak_rss_bytes // 1_000_000} MB in one process")
    with opened(settings) as services, reading(services.store.engine) as connection:
        items = connection.execute(select(source_items)).all()
        texts = connection.scalars(select(interactions.c.defects)).all()
    ends = Counter(row.state for row in items)
    if sum(ends.values()) != ended.json["offered"]:
        problems.append(f"offered {ended.json['offered']}, ended {dict(ends)}")
    unexplained = [
        row.item_key
        for row in items
        if row.state not in {"filed", "duplicate"} and (row.state == "sealed" or not row.reason)
    ]
    problems += [f"{one.part} {one.name}: {one.cause}" for one in findings(settings)]
    originals = frozenset(map(sha256, kept(settings))) if reads_back else frozenset()
    return Outcome(
        ended.status,
        ended.seconds,
        ended.peak_rss_bytes,
        ends,
        unexplained,
        [text for text in texts if text],
        originals,
        problems,
    )

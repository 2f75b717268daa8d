"""What must hold after every fault, looked at through the product and past it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from archive_kit import ACTOR, opened
from fault_mail import SOURCE, Offering
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.imports import ImportOptions, ImportSummary
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures, interactions, originals, source_items
from holdfast.storage.verify import Tally, Verification
from holdfast.wiring.archive import Services
from holdfast.wiring.places import CATALOGUE
from holdfast.wiring.runs import import_paths


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an archive after a fault; all counts are 0 in a good one."""

    lost: int
    """Acknowledged or offered originals that cannot be read back byte for byte."""
    doubled: int
    """Captures, originals or interactions beyond what was offered."""
    findings: tuple[str, ...]
    """Of a full verification, and of the comparison of catalogue and index."""
    wrong_sums: str
    """What the ledger says, where it is not what was offered."""
    added_by_repeat: int
    """What the same import, run once more, took in."""
    orphans: int = 0
    """Records of the vault that the catalogue does not know; allowed, swept later."""

    @property
    def is_good(self) -> bool:
        """Nothing is lost, doubled or damaged."""
        counts = self.lost, self.doubled, self.added_by_repeat
        return not any(counts) and not self.findings and not self.wrong_sums


def acknowledged(data: Path) -> frozenset[str]:
    """Return the originals that a dead run had accepted: what its catalogue had committed."""
    if not (data / CATALOGUE).exists():
        return frozenset()
    engine = open_sqlite(data / CATALOGUE)
    query = select(source_items.c.content_id).where(source_items.c.original_id.is_not(None))
    try:
        with reading(engine) as connection:
            return frozenset(content.hex() for content in connection.scalars(query))
    except Unavailable as error:
        if "no such table" not in str(error):
            raise
        return frozenset()
    finally:
        engine.dispose()


def settle(
    settings: Settings, offered: Offering, acked: frozenset[str]
) -> tuple[ImportSummary | None, Verdict]:
    """Repeat the import to its end, then once more, and judge the archive."""
    try:
        first = bring(settings, offered)
        second = bring(settings, offered)
    except HoldfastError as error:
        return None, broken(f"The repeated import ended with: {error}")
    added = second.counts.new + second.counts.duplicates + second.recovered
    return first, judge(settings, offered, acked, added)


def bring(settings: Settings, offered: Offering) -> ImportSummary:
    """Import as the command does, in this process and its children."""
    options = ImportOptions((offered.folder,), source=SOURCE)
    return import_paths(settings, ACTOR, options, lambda progress: None)


def judge(
    settings: Settings, offered: Offering, acked: frozenset[str], added_by_repeat: int = 0
) -> Verdict:
    """Compare the archive with what was offered and with what had been acknowledged."""
    try:
        with opened(settings) as services:
            return _judged(services, offered, acked, added_by_repeat)
    except HoldfastError as error:
        return broken(str(error))


def broken(why: str) -> Verdict:
    """Return the verdict on an archive that cannot even be opened."""
    return Verdict(0, 0, (why,), "", 0)


def _judged(
    services: Services, offered: Offering, acked: frozenset[str], added_by_repeat: int
) -> Verdict:
    store = services.store
    with reading(store.engine) as connection:
        ids = connection.scalars(select(originals.c.id)).all()
        held = set(connection.scalars(select(interactions.c.id)))
        kept_captures = connection.scalar(select(func.count()).select_from(captures)) or 0
    readable: Counter[str] = Counter()
    for row in ids:
        digest = _digest(services, row)
        readable[digest] += 1
    lost = (offered.originals | acked) - readable.keys()
    expected = offered.ends["filed"], offered.ends["filed"] + offered.ends.get("duplicate", 0)
    extra = len(ids) - expected[0], len(held) - expected[0], kept_captures - expected[1]
    ends = sums(store).get(SOURCE, {})
    run_through = Verification(store, services.log).run(Tally())
    findings = [f"{one.part} {one.name}: {one.cause}" for one in run_through]
    if (waiting := services.desk.feed.waiting()) or set(services.index.ids()) != held:
        findings.append(f"The index is not the catalogue; {waiting} wait.")
    return Verdict(
        lost=len(lost),
        doubled=sum(max(count, 0) for count in extra),
        findings=tuple(findings),
        wrong_sums="" if ends == offered.ends else f"{ends}, not {offered.ends}",
        added_by_repeat=added_by_repeat,
        orphans=sum(1 for _ in services.vault.scan()) - len(ids),
    )


def _digest(services: Services, original: int) -> str:
    try:
        pieces = original_bytes(services.store, original)
        return hashlib.sha256(b"".join(pieces)).hexdigest()
    except HoldfastError:
        return "unreadable"

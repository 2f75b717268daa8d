"""Re-reads the whole archive and names everything that is not what it was: never repairs.

Comparisons go both ways where there are two sides: originals against their names, rows against the
audit log and against each other, the log against its tiles and checkpoint, ledger against captures.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import func, select

from holdfast.core.errors import Corrupt
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.failures import translated
from holdfast.storage.catalogue.schema import captures, interactions, originals
from holdfast.storage.verifying.anchors import check_anchors
from holdfast.storage.verifying.captures import (
    check_captures,
    check_ledger,
    check_undone,
    check_variants,
)
from holdfast.storage.verifying.contacts import check_contacts, check_identities
from holdfast.storage.verifying.database import check_database
from holdfast.storage.verifying.exports import check_exports
from holdfast.storage.verifying.holds import check_governance, check_held
from holdfast.storage.verifying.interactions import check_interactions
from holdfast.storage.verifying.later import check_later
from holdfast.storage.verifying.links import check_links
from holdfast.storage.verifying.log import check_forgotten, check_log
from holdfast.storage.verifying.originals import check_originals, check_segments
from holdfast.storage.verifying.records import check_records
from holdfast.storage.verifying.report import EVERYTHING, Finding, Scope, Selection, Tally
from holdfast.storage.verifying.retention import (
    check_disposals,
    check_policies,
    check_tombstones,
)
from holdfast.storage.verifying.rights import check_rights
from holdfast.storage.verifying.threads import check_threads

if TYPE_CHECKING:
    from holdfast.storage.store import Store
    from holdfast.storage.tlog_tiles import TileLog

__all__ = ["EVERYTHING", "Check", "Finding", "Selection", "Tally", "Verification"]

Check = Callable[[Scope], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    check_database,
    check_originals,
    check_segments,
    check_interactions,
    check_captures,
    check_log,
    check_forgotten,
    check_ledger,
    check_variants,
    check_undone,
    check_later,
    check_records,
    check_rights,
    check_anchors,
    check_links,
    check_identities,
    check_contacts,
    check_threads,
    check_exports,
    check_governance,
    check_held,
    check_policies,
    check_disposals,
    check_tombstones,
)


_UNREADABLE = (TypeError, ValueError, LookupError, ArithmeticError, msgspec.MsgspecError)
"""What values of a wrong kind end in: a role that is none, an instant beyond all calendars."""


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification of one archive."""

    store: Store
    log: TileLog
    selection: Selection = EVERYTHING
    on_progress: Callable[[Tally], None] = lambda tally: None
    also: tuple[Check, ...] = ()
    """Comparisons of parts that storage does not know, as of the search index."""

    def run(self, tally: Tally) -> Generator[Finding, None, None]:
        """Yield every finding; an archive without any is intact. Counts go into `tally`."""
        scope = Scope(self.store, self.log, self.selection, tally, self.on_progress)
        tally.total = _steps(scope)
        for check in (*CHECKS, *self.also):
            for finding in _guarded(check, scope):
                tally.findings += 1
                yield finding


def _guarded(check: Check, scope: Scope) -> Iterator[Finding]:
    """Go on behind what cannot even be read: a value that is no text, or of another kind."""
    try:
        with translated():
            yield from check(scope)
    except (Corrupt, *_UNREADABLE) as error:
        name = check.__name__.removeprefix("check_")
        cause = error.cause if isinstance(error, Corrupt) else f"A row cannot be read: {error}."
        yield Finding("catalogue", name, cause)


def _steps(scope: Scope) -> int:
    with reading(scope.store.engine) as connection:
        return sum(
            connection.scalar(
                select(func.count()).select_from(table).where(*scope.selection.rows(key, clock))
            )
            or 0
            for table, key, clock in (
                (originals, originals.c.id, originals.c.sealed_ms),
                (interactions, interactions.c.id, interactions.c.captured_ms),
                (captures, captures.c.id, captures.c.captured_ms),
            )
        )

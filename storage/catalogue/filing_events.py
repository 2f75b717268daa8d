"""Makes the audit events of filing; writes none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.core.custody import End
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest
from holdfast.storage.catalogue.identities import made_digest
from holdfast.storage.catalogue.rows import filed_digest

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class FilingEvents:
    """What one filing transaction tells the audit log."""

    actor: str
    now_ms: int

    def filed(self, interaction_id: int, rows: bytes, original_id: int, thread_id: int) -> Event:
        """Return what commits to an interaction; `rows` is the digest of its draft."""
        context = filed_digest(rows, original_id, thread_id)
        return self._event("file", "msg", interaction_id, context)

    def linked(self, capture_id: int, interaction_id: int, *, is_first: bool) -> Event:
        """Return what ties a capture to an interaction that its original alone does not name.

        Args:
            capture_id: Of the capture.
            interaction_id: That another capture was filed as, or that is another one than that
                which the same bytes were filed as before.
            is_first: The latter, and the interaction is new with it.
        """
        said: list[object] = [interaction_id, self.now_ms]
        context = canonical_digest([*said, End.FILED.value] if is_first else said)
        return self._event("link", "cap", capture_id, context)

    def joined(self, loser: int, winner: int) -> Event:
        """Return what says that one thread is in another from now on."""
        return self._event("join", "thr", loser, canonical_digest([winner]))

    def met(self, rows: Sequence[dict[str, Any]]) -> list[Event]:
        """Return one event for all identities that were made; the first is its subject.

        Args:
            rows: As `Recognised.made` has them.
        """
        if not rows:
            return []
        values = [(r["id"], r["value"], r["home_id"], r["company_id"]) for r in rows]
        return [self._event("met", "idn", rows[0]["id"], made_digest(values))]

    def _event(self, kind: str, prefix: str, row_id: int, context: bytes) -> Event:
        return Event(kind, public_id(prefix, row_id), row_id, self.now_ms, self.actor, context)

"""Keeps a running archive tidy, once an hour: forgets what is done, follows the clock; no work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.storage.catalogue.jobs import forget_done
from holdfast.storage.governance.clocks import keep_up
from holdfast.storage.webhooks.deliveries import forget_told

if TYPE_CHECKING:
    from holdfast.storage.store import Store

KEEP_DONE_MS = 30 * 86_400_000
"""For so long it can be asked what a job did."""


def tend(store: Store) -> None:
    """Do what is due each hour while somebody works.

    Raises:
        Unavailable: The catalogue cannot be reached; the next hour does it.
    """
    forget_done(store, store.now_ms() - KEEP_DONE_MS)
    forget_told(store)
    keep_up(store)

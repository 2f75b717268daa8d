"""Holds the lease of a source for as long as a block runs; what is done under it, it knows not."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import Conflict, Unavailable
from holdfast.ingest.processes import is_gone, own_name
from holdfast.storage.catalogue.leases import give_lease, keep_lease, take_lease

if TYPE_CHECKING:
    from holdfast.storage.store import Store

RUN, WATCH = "source/", "watch/"
"""Begin the names of the leases under which a source is run, and its news is waited for."""
LEASE_S = 60.0
"""A holder that says nothing for so long is thought to be dead."""


class Taken(Conflict):
    """Another process holds it."""


@dataclass(slots=True)
class Held:
    """One lease in our hands."""

    name: str
    owner: str
    is_lost: bool = False
    """Another may hold it by now."""
    _over: threading.Event = field(default_factory=threading.Event)

    def keep(self, store: Store, lease_s: float) -> None:
        """Prolong it until the block is over; run in a thread."""
        while not self._over.wait(lease_s / 3):
            try:
                held = keep_lease(store, self.name, self.owner, int(lease_s * 1000))
            except Unavailable:
                continue  # the catalogue may be back before the lease is over
            if not held:
                self.is_lost = True
                return

    def end(self) -> None:
        """Stop prolonging it."""
        self._over.set()


@contextmanager
def holding(store: Store, name: str, lease_s: float = LEASE_S) -> Iterator[Held]:
    """Hold a lease for the block.

    Raises:
        Taken: Another process holds it.
        Unavailable: The catalogue cannot be used.
    """
    held = Held(name, owner_name())
    if not take_lease(store, name, held.owner, int(lease_s * 1000), is_dead):
        raise Taken("Another process runs this source now.", next_step="Wait until it has ended.")
    keeper = threading.Thread(target=held.keep, args=(store, lease_s), daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        held.end()
        keeper.join()
        with suppress(Unavailable):  # else it runs out
            give_lease(store, name, held.owner)


def owner_name() -> str:
    """Return a name for a holder in this process: others of this machine can tell if it lives."""
    return f"{own_name()}:{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """Tell whether the holder was a process of this machine that is no more."""
    return is_gone(owner.rpartition(":")[0])

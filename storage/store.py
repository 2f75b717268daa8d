"""The handles that every statement of one archive needs, opened once per process; no behaviour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from holdfast.core.identity import IdFactory
    from holdfast.core.ports import Clock, Vault
    from holdfast.storage.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Store:
    """One archive's catalogue, vault and keys, as one process uses them."""

    engine: Engine
    vault: Vault
    keyring: Keyring
    ids: IdFactory
    clock: Clock
    actor: str
    """Opaque id of who acts, for audit events."""

    def now_ms(self) -> int:
        """Return the present instant in Unix milliseconds."""
        return int(self.clock.now().timestamp() * 1000)

"""Keeps the keys that an issuer publishes, and looks again for one that is new; judges no token."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.ingest.outbound.issuers import KEPT_S

if TYPE_CHECKING:
    from holdfast.ingest.outbound.issuers import Issuer, Keys

ASK_EVERY_S = 30.0
"""Between two questions to one issuer: names of keys can be made up, and each would ask again."""
WAIT_S = 3.0
"""So long an answer that somebody else asked for is waited for."""


@dataclass(slots=True)
class RotatedKeys:
    """The keys of one issuer, as they are now; for many threads.

    A key that was taken back is good no longer than `KEPT_S`. A new one is known within
    `ASK_EVERY_S` of its first use. Where the issuer is not reached nothing is good after `KEPT_S`.
    """

    issuer: Issuer
    monotonic: Callable[[], float] = time.monotonic
    """Seconds of a clock that never goes back."""
    _kept: tuple[float, Keys] | None = field(default=None, init=False)
    """When they were had."""
    _asked_at: float = field(default=float("-inf"), init=False)
    _trouble: HoldfastError | None = field(default=None, init=False)
    """Of the last question."""
    _asking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def named(self, name: str) -> Keys:
        """Return the published keys of this name: one, or none where the issuer knows none.

        Raises:
            HoldfastError: What it publishes cannot be had now.
        """
        if found := _named(self._fresh() or (), name):
            return found
        if not self._asking.acquire(timeout=WAIT_S):
            raise Unavailable("The issuer of the keys takes long to answer.")
        try:
            return self._looked_up(name)
        finally:
            self._asking.release()

    def _looked_up(self, name: str) -> Keys:
        known = self._fresh()
        if known is not None and (found := _named(known, name)):
            return found
        if self.monotonic() - self._asked_at >= ASK_EVERY_S:
            known = self._asked()
        if known is None or self._trouble is not None:
            cause = (
                self._trouble.cause if self._trouble else "The keys of the issuer are not known."
            )
            raise Unavailable(cause)
        return _named(known, name)

    def _asked(self) -> Keys | None:
        self._asked_at = self.monotonic()
        try:
            keys = self.issuer.keys(afresh=True)
        except HoldfastError as error:
            self._trouble = error
            return None
        self._trouble, self._kept = None, (self.monotonic(), keys)
        return keys

    def _fresh(self) -> Keys | None:
        kept = self._kept
        return kept[1] if kept is not None and self.monotonic() - kept[0] < KEPT_S else None


def _named(keys: Keys, name: str) -> Keys:
    return tuple(one for one in keys if one.get("kid") == name)

"""Count requests by who makes them; beyond the limit they are told when to come again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from holdfast.api.problems import TooManyRequests


@dataclass(slots=True)
class Limiter:
    """Counts in this process alone: several services each allow as much."""

    requests_per_minute: int
    _counting: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage()), init=False
    )

    def count(self, who: str) -> None:
        """Count one request.

        Raises:
            TooManyRequests: It is one too many.
        """
        if not self.requests_per_minute:
            return
        limit = RateLimitItemPerMinute(self.requests_per_minute)
        if not self._counting.hit(limit, who):
            reset = self._counting.get_window_stats(limit, who).reset_time
            wait_s = max(int(reset - time.time()) + 1, 1)
            raise TooManyRequests(
                f"More than {self.requests_per_minute} requests in a minute.",
                next_step=f"Come again in {wait_s} s.",
                retry_after_s=wait_s,
            )

"""Lets the listener have as many files open as its clients need; opens none."""

from __future__ import annotations

import resource

SPARE = 256
"""For the archive, its segments, and messages that are too large for memory."""


def room_for(connections: int) -> int:
    """Raise the limit of open files as far as it goes, and return how many clients may come.

    Returns:
        `connections`, or fewer where the hard limit allows no more; at least one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    wanted = connections + SPARE
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(min(connections, max(soft, most) - SPARE), 1)

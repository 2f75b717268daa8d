"""When which kind of anchor is to be made; pure decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.storage.anchoring.anchors import Kind


def due(
    kinds: Sequence[Kind], newest_ms: Mapping[str, int], every_ms: int, now_ms: int
) -> tuple[Kind, ...]:
    """Return the kinds to make now, in their order; none as long as none is late.

    Once one is due, those whose half time is over come with it, so that all are over the same
    checkpoint. A time in the future is that of a clock that was wrong, and counts as due.

    Args:
        kinds: Those that are configured.
        newest_ms: When the newest of each kind was made, Unix milliseconds.
        every_ms: Longest time between two of a kind.
        now_ms: The present.
    """
    ages = {kind: now_ms - newest_ms.get(kind.value, -every_ms) for kind in kinds}
    if all(0 <= age < every_ms for age in ages.values()):
        return ()
    return tuple(kind for kind, age in ages.items() if not 0 <= age < every_ms // 2)

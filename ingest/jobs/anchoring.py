"""Anchors the newest checkpoint by schedule; whatever hinders it, it is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.ingest.jobs.task import Task, Workshop


def run(_task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Make the anchors that are due.

    Raises:
        Unavailable: One could not be made, whatever the cause: an authority that is mended, or a
            disk that is mounted again, must find somebody asking.
    """
    anchoring = workshop.anchoring
    try:
        outcomes = anchoring.make(workshop.desk, anchoring.due(workshop.store))
    except HoldfastError as error:
        raise Unavailable(error.cause, next_step=error.next_step) from error
    failed = [f"{one.kind.value}: {one.error}" for one in outcomes if one.error is not None]
    if failed:
        raise Unavailable(" ".join(failed))
    made = [one.anchor for one in outcomes if one.anchor is not None]
    return {"anchored": {one.kind: one.size for one in made}}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether an anchor is due."""
    return bool(workshop.anchoring.due(workshop.store))

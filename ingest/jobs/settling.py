"""Forgets what holds that have ended held, so that searches do not show it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.storage.governance.sweeping import is_unsettled, settle_ended

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.ingest.jobs.task import Task, Workshop


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Forget a page at a time; a run that ends half way is gone on with by the next."""
    return {"settled": settle_ended(workshop.store, lambda _: task.check())}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether a hold has ended and something says still that it holds it."""
    return is_unsettled(workshop.store)

"""Looks who fell silent, every hour, where somebody wants to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.ingest.jobs.task import Task, Workshop
from holdfast.storage.webhooks.reminders import is_time, remind

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(_task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Write down whose silence is to be told; telling is another job's business."""
    return {"reminders": remind(workshop.store)}


def is_waiting(workshop: Workshop) -> bool:
    """Tell whether it is time to look."""
    return is_time(workshop.store)

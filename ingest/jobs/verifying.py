"""Reads originals, rows and log again, or a sample, and ends as corrupt when one is altered."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from holdfast.core.errors import Corrupt
from holdfast.storage.verify import Selection, Tally, Verification
from holdfast.storage.verifying.anchors import anchor_check
from holdfast.storage.webhooks.happenings import tell_damage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.ingest.jobs.task import Task, Workshop

REPORT_EVERY_S = 5.0
NAMED = 20
"""Findings that the job names; the command `verify` names all."""


@dataclass(frozen=True, slots=True)
class VerifyOrder:
    """What to verify; everything by default."""

    since_ms: int = 0
    every: int = 1
    """One original in so many."""


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Verify, and repair nothing.

    Raises:
        Corrupt: Something is not what it was when it was kept.
    """
    order = task.read(VerifyOrder)
    sequencer = workshop.desk.sequencer
    sequencer.run()
    tally = Tally()
    reported_at = time.monotonic()

    def show(now: Tally) -> None:
        nonlocal reported_at
        task.check()
        if time.monotonic() - reported_at >= REPORT_EVERY_S:
            reported_at = time.monotonic()
            task.headway({"done": now.done, "total": now.total})

    chosen = Selection(order.since_ms, max(order.every, 1))
    also = (anchor_check(workshop.anchoring.places),)
    run_through = Verification(workshop.store, sequencer.log, chosen, show, also)
    findings = list(run_through.run(tally))
    if findings:
        tell_damage(workshop.store, len(findings))
        names = [f"{one.part} {one.name}: {one.cause}" for one in islice(findings, NAMED)]
        raise Corrupt(
            f"{len(findings)} things are not what they were: {'; '.join(names)}.",
            next_step="Run 'holdfast verify' and restore what it names from a backup.",
        )
    return asdict(tally)

"""How the anchors of one archive are, for `doctor`; it makes none and asks nobody outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.ingest.anchoring import ENOUGH, Anchoring
from holdfast.storage.anchoring.anchors import Kind, newest_made_ms
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.job_lists import list_jobs

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.storage.store import Store

LATE, LOST = 2, 24
"""An anchor older than so many times the set interval is late, or does not come any more."""
_JOB = "anchor"
_MINUTE_MS = 60_000
_MORE = "Set two of anchors.tsa_url, anchors.witness_file and anchors.lock."


@dataclass(frozen=True, slots=True)
class Condition:
    """What was seen of one kind, or of all together."""

    seen: str
    next_step: str = ""
    is_bad: bool = False
    is_good: bool = False


def conditions(anchoring: Anchoring, store: Store, data: Path) -> Iterator[Condition]:
    """Yield how each kind that is configured is, and what is missing.

    Args:
        anchoring: What is configured.
        store: Of the archive.
        data: Its data folder: a witness on the same disk goes with it.
    """
    kinds = anchoring.kinds
    if len(kinds) < ENOUGH:
        seen = (
            f"only one kind is set: {kinds[0].value}" if kinds else "no checkpoint is kept outside"
        )
        yield Condition(seen, _MORE)
    with reading(store.engine) as connection:
        made = newest_made_ms(connection)
    for kind in kinds:
        yield _age(kind, made.get(kind.value), anchoring, store)
    if anchoring.places.witness is not None:
        yield from _disk(anchoring.places.witness.path, data)


def _age(kind: Kind, made_ms: int | None, anchoring: Anchoring, store: Store) -> Condition:
    age_ms = None if made_ms is None else store.now_ms() - made_ms
    if age_ms is not None and age_ms <= LATE * anchoring.every_ms:
        return Condition(f"{kind.value}: {_minutes(age_ms)} min old", is_good=True)
    job = next(iter(list_jobs(store, kind=_JOB, limit=1)), None)
    why = f"; {job.last_error}" if job is not None and job.last_error else ""
    step = "Start 'holdfast worker', or try 'holdfast audit anchor'."
    if age_ms is None:
        return Condition(f"{kind.value}: none was made yet{why}", step)
    is_lost = age_ms > LOST * anchoring.every_ms
    return Condition(f"{kind.value}: {_minutes(age_ms)} min old{why}", step, is_bad=is_lost)


def _minutes(age_ms: int) -> str:
    return f"{max(age_ms, 0) // _MINUTE_MS:,}"


def _disk(path: Path, data: Path) -> Iterator[Condition]:
    try:
        is_same = path.parent.stat().st_dev == data.stat().st_dev
    except OSError as error:
        yield Condition(f"the folder of the witness file cannot be read: {error.strerror}")
        return
    if is_same:
        step = "Put it on another disk, best one that another administrator owns."
        yield Condition("the witness file is on the disk of the archive", step)

"""Changes the metadata of many interactions as one job, and takes the whole job back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.identity import made_ms, public_id
from holdfast.storage.annotations.values import (
    Act,
    Change,
    Metadata,
    after_change,
    applied,
    before_change,
    beginning_of,
    checked,
    is_taken_back,
    read_written,
    taken_back,
)
from holdfast.storage.annotations.writing import Decide, Outcome, change_in
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.jobs import DONE, PREFIX
from holdfast.storage.catalogue.schema import interaction_versions, jobs

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store

KIND = "annotate"
"""Of the jobs: they are done at once, by whoever asked."""
PAGE = 200
"""Interactions of one transaction."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a job did."""

    job_id: int
    changed: int
    unchanged: int
    """They were so already, or the same job had changed them before."""
    missing: int
    kept: int = 0
    """Of a job that takes another back: changed by others since, so that something stayed."""


def annotate_many(
    store: Store,
    interaction_ids: Iterable[int],
    change: Change,
    job_key: str,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Bulk:
    """Change the metadata of many interactions, some hundred in each transaction.

    Repeating it with the same key goes on where it was interrupted, and changes nothing twice.

    Args:
        store: The archive.
        interaction_ids: In any order; those that are unknown are counted as missing.
        change: The same for all of them.
        job_key: Names the job; the same key is the same job.
        on_progress: Hears how many are done.

    Raises:
        Refused: The change cannot be made.
    """
    cleaned = checked(change)
    now_ms = store.now_ms()
    job_id = _begin(store, job_key, {})

    def decide(_: int, before: Metadata) -> Metadata:
        return applied(before, cleaned, store.actor, now_ms)

    return _run(store, interaction_ids, (Act(job_id, is_job=True), decide), on_progress)


def undo_many(
    store: Store, job_id: int, on_progress: Callable[[int], None] = lambda done: None
) -> Bulk:
    """Take back all that a job changed, as far as nobody has changed it since.

    It is a job of its own, and may be taken back too. Repeating it changes nothing twice.

    Raises:
        NotFound: There is no such job, or it changed nothing.
        Corrupt: A version that it made was damaged.
    """
    made = _made_by(store, job_id)
    if not made:
        raise NotFound("No job of this name changed anything.", next_step="List the versions.")
    kept: set[int] = set()

    def decide(one: int, now: Metadata) -> Metadata:
        before, after = made[one]
        back = taken_back(before, after, now)
        if not is_taken_back(before, after, back):
            kept.add(one)
        return back

    undoing = _begin(store, f"undo {job_id}", {"undo": public_id(PREFIX, job_id)})
    act = Act(undoing, is_job=True, undoes=job_id)
    done = _run(store, made, (act, decide), on_progress)
    return replace(done, kept=len(kept))


def _begin(store: Store, key: str, payload: dict[str, str]) -> int:
    """Keep the job's row, by which the same key gives the same id; the change is not in it."""
    job_id = store.ids.take()
    now_ms = store.now_ms()
    row = {
        "id": job_id, "kind": KIND, "state": DONE, "created_ms": now_ms, "job_key": key,
        "payload": msgspec.json.encode(payload).decode(), "actor": store.actor,
        "due_ms": now_ms, "ended_ms": now_ms,
    }  # fmt: skip
    same = select(jobs.c.id).where(jobs.c.kind == KIND, jobs.c.job_key == key)

    def act(connection: Connection) -> int:
        insert_missing(connection, jobs, [row], "kind", "job_key")
        return int(connection.scalars(same).one())

    return transact(store.engine, act)


def _run(
    store: Store,
    interaction_ids: Iterable[int],
    what: tuple[Act, Decide],
    on_progress: Callable[[int], None],
) -> Bulk:
    wanted = sorted(set(interaction_ids))
    changed = unchanged = missing = 0
    for start in range(0, len(wanted), PAGE):
        some = wanted[start : start + PAGE]
        outcome = _page(store, some, what)
        changed += len(outcome.changed)
        unchanged += len(outcome.unchanged)
        missing += len(outcome.missing)
        on_progress(start + len(some))
    return Bulk(what[0].id, changed, unchanged, missing)


def _page(store: Store, some: list[int], what: tuple[Act, Decide]) -> Outcome:
    def turn(connection: Connection) -> Outcome:
        return change_in(connection, store, some, *what)

    return transact(store.engine, turn)


def _made_by(store: Store, job_id: int) -> dict[int, tuple[Metadata, Metadata]]:
    """Return the interactions that a job changed, with what it changed, before and after."""
    query = select(interaction_versions).where(
        interaction_versions.c.changed_ms >= made_ms(job_id) - _CLOCKS_MS,
        interaction_versions.c.change.startswith(beginning_of(job_id), autoescape=True),
    )
    found: dict[int, tuple[Metadata, Metadata]] = {}
    with reading(store.engine) as connection:
        for row in connection.execute(query).yield_per(1000):
            try:
                one = read_written(row.change)
                after = after_change(Metadata(), one, row.version)
                found[row.interaction_id] = before_change(after, one), after
            except msgspec.MsgspecError as error:
                name = public_id("msg", row.interaction_id)
                raise Corrupt(
                    f"Version {row.version} of {name} cannot be read.",
                    next_step="Run 'holdfast verify'.",
                ) from error
    return found


_CLOCKS_MS = 24 * 3_600_000
"""How far clocks of writers may differ: older versions are not looked at."""

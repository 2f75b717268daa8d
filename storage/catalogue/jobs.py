"""Jobs as rows with leases: the truth about all work that is to be done, whoever does it.

A claim counts as an attempt before anything is done, so a job that kills its worker is found out
(FAULTS F51); what ends in order gives the attempt back. Only the holder of the lease may end a job.
Leases are compared with the clock of whoever looks, so hosts must agree within a fraction of a
lease; should two ever work on one job, each effect is idempotent and only one of them can end it.
It must not know what a kind of job does.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, delete, or_, select, update

from holdfast.core.errors import Conflict, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import jobs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from holdfast.core.identity import IdFactory
    from holdfast.storage.catalogue.leases import IsGone
    from holdfast.storage.store import Store

READY, DONE, DEAD = "ready", "done", "dead"
STANDING = "standing"
"""Key of the one row of a kind that is roused whenever there is something to do."""
MAX_ERROR_CHARS = 2000
PREFIX = "job"
"""Of public ids."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be done once."""

    kind: str
    payload: str = "{}"
    """JSON."""
    key: str | None = None
    """What it is about, with step and version: a second job of the kind and key is the first."""
    actor: str = ""
    """Opaque id of who asked for it."""
    due_ms: int = 0
    """Not to be begun before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a kind is claimed."""

    lease_ms: int
    """How long a worker that says nothing is thought to be alive."""
    attempts: int
    """Claims that may end in disorder, without headway in between, before the job is set aside."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker, until its lease runs out."""

    id: int
    kind: str
    payload: str
    actor: str
    token: str
    """Of this claim alone."""
    attempt: int
    retries: int
    progress: str
    """JSON that an earlier claim reported last; may be empty."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a claim ended without success."""

    error: str
    retry_at_ms: int | None
    """None: never; a person must look at it."""
    counts: bool
    """Whether the job is to blame; a service that is away costs no attempt."""


def enqueue(connection: Connection, job: NewJob, ids: IdFactory, now_ms: int) -> int:
    """Write a job in the caller's transaction; return its id, or that of the same job before."""
    job_id = ids.take()
    row = {
        "id": job_id,
        "kind": job.kind,
        "payload": job.payload,
        "state": READY,
        "created_ms": now_ms,
        "job_key": job.key,
        "actor": job.actor,
        "due_ms": job.due_ms or now_ms,
    }
    insert_missing(connection, jobs, [row], "kind", "job_key")
    if job.key is None:
        return job_id
    same = select(jobs.c.id).where(jobs.c.kind == job.kind, jobs.c.job_key == job.key)
    return int(connection.scalars(same).one())


def rouse(store: Store, kind: str, key: str = STANDING, payload: str = "{}") -> bool:
    """Let a standing job be done again, unless it waits, runs or is dead already.

    Args:
        store: Of the archive.
        kind: Of the job.
        key: Which of the kind's standing jobs; most have one.
        payload: What it is told, as JSON, when it is made.
    """
    standing = and_(jobs.c.kind == kind, jobs.c.job_key == key)
    with reading(store.engine) as connection:  # most looks find it waiting already
        state = connection.scalar(select(jobs.c.state).where(standing))
    if state in {READY, DEAD}:
        return False
    now_ms = store.now_ms()
    fresh = {"state": READY, "due_ms": now_ms, "ended_ms": None, "attempts": 0, "retries": 0}
    with writing(store.engine) as connection:
        if state is None:
            enqueue(connection, NewJob(kind, payload, key), store.ids, now_ms)
        else:
            connection.execute(update(jobs).where(standing, jobs.c.state == DONE).values(fresh))
    return True


def claim(store: Store, terms: Mapping[str, Terms], owner: str, limit: int = 1) -> list[Claim]:
    """Take due jobs of these kinds, earlier kinds first, then those due longest.

    Jobs that used up their attempts are set aside as dead on the way.
    """
    with reading(store.engine) as connection:  # an idle worker must not write
        if connection.execute(_due(terms, store.now_ms(), 1)).first() is None:
            return []
    claimed: list[Claim] = []
    with writing(store.engine) as connection:
        now_ms = store.now_ms()
        while rows := _locked(connection, _due(terms, now_ms, limit - len(claimed))):
            taken = [_take(connection, row, terms[row.kind], owner, now_ms) for row in rows]
            claimed += [one for one in taken if one is not None]
            if len(claimed) == limit:
                break
    return claimed


def _due(terms: Mapping[str, Terms], now_ms: int, limit: int) -> Select[Any]:
    ranks = {kind: rank for rank, kind in enumerate(terms)}
    return (
        select(jobs)
        .where(
            jobs.c.state == READY,
            jobs.c.due_ms <= now_ms,
            jobs.c.kind.in_(list(terms)),
            or_(jobs.c.lease_until_ms.is_(None), jobs.c.lease_until_ms <= now_ms),
        )
        .order_by(case(ranks, value=jobs.c.kind), jobs.c.due_ms, jobs.c.id)
        .limit(limit)
    )


def _locked(connection: Connection, query: Select[Any]) -> Sequence[Row[Any]]:
    """Lock the rows, past those that another worker is taking; SQLite has one writer anyway."""
    return connection.execute(query.with_for_update(skip_locked=True)).all()


def _take(
    connection: Connection, row: Row[Any], terms: Terms, owner: str, now_ms: int
) -> Claim | None:
    if row.attempts >= terms.attempts:
        why = f"It ended its worker {row.attempts} times without getting on. {row.last_error}"
        _set(connection, jobs.c.id == row.id, _ended(DEAD, now_ms), last_error=_cut(why))
        return None
    token = f"{owner}/{secrets.token_hex(8)}"
    _set(
        connection,
        jobs.c.id == row.id,
        {"lease_owner": token, "lease_until_ms": now_ms + terms.lease_ms},
        attempts=row.attempts + 1,
        started_ms=now_ms,
    )
    return Claim(
        row.id,
        row.kind,
        row.payload,
        row.actor,
        token,
        row.attempts + 1,
        row.retries,
        row.progress,
    )


def keep(store: Store, claim: Claim, lease_ms: int) -> bool:
    """Prolong the lease; return whether the claim still holds."""
    return _if_held(store, claim, {"lease_until_ms": store.now_ms() + lease_ms})


def report(store: Store, claim: Claim, progress: str, lease_ms: int) -> bool:
    """Record headway that no crash undoes: earlier attempts are forgiven, the lease prolonged."""
    values = {"progress": progress, "attempts": 1, "retries": 0, "last_error": ""}
    return _if_held(store, claim, {**values, "lease_until_ms": store.now_ms() + lease_ms})


def complete(store: Store, claim: Claim, result: str) -> bool:
    """End the job well; False when the lease was lost, and another worker's end counts."""
    values = _ended(DONE, store.now_ms())
    return _if_held(store, claim, {**values, "result": result, "last_error": ""})


def fail(store: Store, claim: Claim, failure: Failure) -> bool:
    """End the claim without success: the job waits for its next time, or is dead."""
    values: dict[str, Any] = {"last_error": _cut(failure.error), "retries": jobs.c.retries + 1}
    if not failure.counts:
        values["attempts"] = jobs.c.attempts - 1
    if failure.retry_at_ms is None:
        return _if_held(store, claim, {**values, **_ended(DEAD, store.now_ms())})
    return _if_held(store, claim, {**values, **_FREE, "due_ms": failure.retry_at_ms})


def release(store: Store, claim: Claim) -> bool:
    """Give the job back in order, for any worker to go on at once."""
    return _if_held(store, claim, {**_FREE, "attempts": jobs.c.attempts - 1})


def abandon(store: Store, owner: str, *, is_in_order: bool) -> int:
    """Free what a worker that is known to be gone held; return how many jobs.

    Args:
        store: Of the archive.
        owner: Who held the claims.
        is_in_order: Whether it was ended by us; else the attempt counts against the job.
    """
    values: dict[str, Any] = {**_FREE}
    if is_in_order:
        values["attempts"] = jobs.c.attempts - 1
    held = and_(jobs.c.state == READY, jobs.c.lease_owner.startswith(f"{owner}/", autoescape=True))
    with writing(store.engine) as connection:
        return connection.execute(update(jobs).where(held).values(values)).rowcount


def free_gone(store: Store, kinds: Iterable[str], is_gone: IsGone) -> int:
    """Free what workers hold that are known to be dead, and were not ended by us.

    Their attempts count against the jobs, as where a lease runs out. Writes nothing where nothing
    is held by such a worker.

    Args:
        store: Of the archive.
        kinds: Of the jobs.
        is_gone: Takes what `claim` was told as the owner.

    Returns:
        How many jobs.
    """
    held = select(jobs.c.lease_owner).where(
        jobs.c.kind.in_(list(kinds)),
        jobs.c.state == READY,
        jobs.c.lease_until_ms > store.now_ms(),
    )
    with reading(store.engine) as connection:
        tokens = connection.scalars(held).all()
    gone = [one for one in tokens if is_gone(one.rpartition("/")[0])]
    if not gone:
        return 0
    with writing(store.engine) as connection:
        theirs = and_(jobs.c.state == READY, jobs.c.lease_owner.in_(gone))
        return connection.execute(update(jobs).where(theirs).values(_FREE)).rowcount


def put_back(store: Store, job_id: int) -> None:
    """Let a dead job be tried again, as if it were new.

    Raises:
        NotFound: There is no such job.
        Conflict: It is not dead.
    """
    fresh = {"state": READY, "attempts": 0, "retries": 0, "due_ms": store.now_ms()}
    with writing(store.engine) as connection:
        state = connection.scalar(select(jobs.c.state).where(jobs.c.id == job_id))
        if state is None:
            raise NotFound(f"There is no job {public_id(PREFIX, job_id)}.")
        if state != DEAD:
            raise Conflict(
                f"The job {public_id(PREFIX, job_id)} is {state}; only a dead one is put back.",
                next_step="Look at it with 'holdfast jobs show'.",
            )
        _set(connection, jobs.c.id == job_id, {**fresh, **_FREE}, ended_ms=None)


def forget_done(store: Store, before_ms: int) -> int:
    """Remove jobs that ended well before this; their keys may be used again."""
    old = and_(jobs.c.state == DONE, jobs.c.ended_ms < before_ms)
    with reading(store.engine) as connection:
        if connection.scalar(select(jobs.c.id).where(old).limit(1)) is None:
            return 0
    with writing(store.engine) as connection:
        return connection.execute(delete(jobs).where(old)).rowcount


_FREE: dict[str, Any] = {"lease_owner": "", "lease_until_ms": None}


def _ended(state: str, now_ms: int) -> dict[str, Any]:
    return {**_FREE, "state": state, "ended_ms": now_ms}


def _if_held(store: Store, claim: Claim, values: dict[str, Any]) -> bool:
    held = and_(jobs.c.id == claim.id, jobs.c.state == READY, jobs.c.lease_owner == claim.token)
    with writing(store.engine) as connection:
        return connection.execute(update(jobs).where(held).values(values)).rowcount == 1


def _set(
    connection: Connection, where: ColumnElement[bool], values: dict[str, Any], **more: Any
) -> None:
    connection.execute(update(jobs).where(where).values({**values, **more}))


def _cut(error: str) -> str:
    return error.replace("\r", " ").replace("\x00", "")[:MAX_ERROR_CHARS].strip()

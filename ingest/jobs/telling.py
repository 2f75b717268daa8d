"""Tells others what happened: passes happenings on to endpoints, and sends what is due to each.

A slow or dead endpoint holds up others for a slice at most, and is left alone for a while.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.identity import public_id
from holdfast.ingest.outbound.courier import Letter
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.rights.standing import standing
from holdfast.storage.webhooks.audience import Audience
from holdfast.storage.webhooks.deliveries import (
    Due,
    Outcome,
    claim,
    claim_one,
    due_endpoints,
    end_try,
    listeners,
    spread,
    unspread,
)
from holdfast.storage.webhooks.happenings import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Row

    from holdfast.ingest.jobs.task import Task, Workshop
    from holdfast.ingest.outbound.courier import Answer, Courier
    from holdfast.storage.store import Store

SPREADING = "spread"
"""Key of the job that passes on; the others have the number of an endpoint."""
SLICE_S = 20.0
LEASE_MS = 60_000
"""Longer than a try takes: one that nobody ended by then is made again."""
RETRIES_S = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Between the tries: 3 days in all, as Standard Webhooks recommends."""
_REST_FIRST_S = 5
_REST_MOST_S = 300
_encode = msgspec.json.Encoder(order="deterministic").encode
_dice = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class TellingOrder:
    """What a job is to do."""

    endpoint: int = 0
    """Whom to tell; 0: pass happenings on."""


def waiting(workshop: Workshop) -> dict[str, dict[str, object]]:
    """Return the jobs that have something to do: key → payload."""
    store = workshop.store
    found: dict[str, dict[str, object]] = {str(o): {"endpoint": o} for o in due_endpoints(store)}
    if unspread(store, 1):
        found = {SPREADING: {}, **found}
    return found


def run(task: Task, workshop: Workshop) -> Mapping[str, object]:
    """Pass on what happened, or tell one endpoint what is due, a while at a time."""
    endpoint = task.read(TellingOrder).endpoint
    if not endpoint:
        return {"spread": pass_on(workshop.store, task.check)}
    until, tried, told = time.monotonic() + SLICE_S, 0, 0
    while time.monotonic() < until:
        task.check()
        due = claim(workshop.store, endpoint, LEASE_MS)
        if due is None:
            break
        tried += 1
        told += try_once(workshop.store, workshop.courier, due).is_good
    return {"tried": tried, "told": told}


def pass_on(store: Store, check: Callable[[], None] = lambda: None) -> int:
    """Write for each endpoint what it is to be told; return how many happenings were passed on.

    Judged by what its owner may know of now: what is outside of that is told as if there were none.
    """
    done = 0
    while events := unspread(store):
        check()
        told = [pair for one in listeners(store) for pair in _told(store, one, events, check)]
        spread(store, [one.id for one in events], told)
        done += len(events)
    return done


def _told(
    store: Store, endpoint: Row[object], events: Sequence[Row[object]], check: Callable[[], None]
) -> list[tuple[int, int]]:
    kinds = endpoint.events.split()
    wanted = [one for one in events if one.kind in kinds and one.at_ms >= endpoint.created_ms]
    if not wanted:
        return []
    with reading(store.engine) as connection:
        owner = (endpoint.user_id, endpoint.key_id)
        principal = standing(connection, *owner, store.now_ms())
    if principal is None:
        return []
    may_know = Audience(store, principal, check).of(wanted)
    return [(endpoint.id, one.id) for one in wanted if one.id in may_know]


def tell_now(store: Store, courier: Courier, delivery_id: int) -> Outcome | None:
    """Make this delivery now, in this process; None: another one has it in hand."""
    due = claim_one(store, delivery_id, LEASE_MS)
    return None if due is None else try_once(store, courier, due)


def try_once(store: Store, courier: Courier, due: Due) -> Outcome:
    """Send a delivery once, and write down how it went."""
    letter = Letter(
        url=due.url,
        message_id=public_id("evt", due.event_id),
        body=payload_of(due, courier.public_url),
        secrets=due.secrets,
        at_s=store.now_ms() // 1000,
    )
    outcome = _outcome(courier.send(letter), due.attempt, store.now_ms())
    end_try(store, due, outcome)
    return outcome


def _outcome(answer: Answer, attempt: int, now_ms: int) -> Outcome:
    found = Outcome(answer.status, answer.text, answer.error)
    if found.is_good or found.is_gone:
        return found
    next_ms = None
    if attempt <= len(RETRIES_S):
        wait_s = RETRIES_S[attempt - 1] * _dice.uniform(1.0, 1.1)  # not all of them at once
        next_ms = now_ms + int(wait_s * 1000)
    rests_ms = 0
    if answer.status is None or answer.status == 429 or answer.status >= 500:
        rests_ms = now_ms + 1000 * min(_REST_FIRST_S << min(attempt - 1, 10), _REST_MOST_S)
    error = answer.error or f"It answers HTTP {answer.status}."
    return Outcome(answer.status, answer.text, error, next_ms, rests_ms)


def payload_of(due: Due, public_url: str) -> bytes:
    """Return the body: what happened, when, and where to read of it; no content, below 20 KB."""
    return payload(due.kind, due.subject_id, due.at_ms, (due.detail, public_url))


def payload(
    kind: str, subject_id: int | None, at_ms: int, more: tuple[Mapping[str, str], str]
) -> bytes:
    """Return the body of an event: see `payload_of`.

    Args:
        kind: Of the event.
        subject_id: Row id of what it is about.
        at_ms: When it happened, in Unix milliseconds.
        more: Further ids, and the address of the service that links begin with.
    """
    detail, public_url = more
    content: dict[str, object] = dict(detail)
    prefix = PREFIXES.get(kind)
    if prefix is not None and subject_id is not None:
        name = public_id(prefix, subject_id)
        links = {how: public_url.rstrip("/") + path for how, path in _links(prefix, name)}
        content = {"id": name, **content, "links": links}
    return _encode({"type": kind, "timestamp": _stamp(at_ms), "data": content})


def _links(prefix: str, name: str) -> list[tuple[str, str]]:
    return [(how, path.format(id=name)) for how, path in _PATHS.get(prefix, ())]


_PATHS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "msg": (("self", "/api/v1/records/{id}"), ("ui", "/records/{id}")),
    "con": (("self", "/api/v1/contacts/{id}"), ("timeline", "/api/v1/contacts/{id}/timeline")),
    "hld": (("self", "/api/v1/holds/{id}"),),
    "exp": (("self", "/api/v1/exports/{id}"), ("file", "/api/v1/exports/{id}/file")),
    "dsp": (("self", "/api/v1/disposals/{id}"),),
}


def _stamp(at_ms: int) -> str:
    at = time.gmtime(at_ms // 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", at) + f".{at_ms % 1000:03d}Z"

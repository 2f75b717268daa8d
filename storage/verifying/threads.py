"""Threads against their messages, and their joining against the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from holdfast.core.identity import public_id
from holdfast.storage.audit import canonical_digest
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import interactions, threads
from holdfast.storage.verifying.report import Finding, Scope, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator


def check_threads(scope: Scope) -> Iterator[Finding]:
    """Each thread reaches from its oldest to its newest message, or is in another one on record."""
    if not scope.is_whole:
        return
    spans = (
        select(
            interactions.c.thread_id,
            func.min(interactions.c.at_ms).label("oldest_ms"),
            func.max(interactions.c.at_ms).label("newest_ms"),
        )
        .group_by(interactions.c.thread_id)
        .subquery()
    )
    query = select(threads, spans.c.oldest_ms, spans.c.newest_ms).outerjoin(
        spans, spans.c.thread_id == threads.c.id
    )
    with reading(scope.store.engine) as connection:
        joins = events_of(connection, ["join"])["join"]
        for row in connection.execute(query).yield_per(500):
            told = joins.get(row.id, ())
            if any(one.commits_to(canonical_digest([row.merged_into])) for one in told):
                continue
            said, seen = (row.first_ms, row.last_ms), (row.oldest_ms, row.newest_ms)
            if told or row.merged_into is not None:
                cause = "It is in another thread than the audit log says."
            elif said != seen:
                cause = "It does not reach from its oldest to its newest message."
            else:
                continue
            yield Finding("thread", public_id("thr", row.id), cause)

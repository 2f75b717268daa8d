"""`contact follow-ups`: who waits for an answer, and whom somebody planned to be in touch with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import flag
from holdfast.cli.screen import Column

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.records import Record

LOOKED_BACK_DAYS = 90
"""How far back an unanswered message is still looked for."""
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class FollowUpOptions:
    """Options of `contact follow-ups`."""

    days: Annotated[
        int, typer.Option("--days", metavar="N", min=1, help="Unanswered for so long.")
    ] = 3
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


@dataclass(frozen=True, slots=True)
class _Due:
    reason: str
    """`planned`, or `unanswered`."""
    due_ms: int
    """When it was due; of a message when it was written."""
    record: Record
    contact_ids: tuple[int, ...]
    owner: str = ""


def follow_ups(session: Session, options: FollowUpOptions) -> None:
    """List what is due: messages that nobody answered, and follow-ups that somebody planned."""
    from holdfast.core.identity import public_id

    found = _found(session, options.days)
    if options.as_json:
        session.screen.json({"schema": "holdfast.follow-ups/1", "follow_ups": _values(found)})
        return
    if not found:
        session.screen.note("Nothing is due.")
        return
    columns = [Column("Due"), Column("Reason"), Column("Contact", ratio=1), Column("Record")]
    zone = session.settings.zone
    session.screen.table(
        [*columns, Column("Subject", ratio=2)],
        [
            (
                f"{_at(one.due_ms).astimezone(zone):%Y-%m-%d}",
                session.screen.words(one.reason),
                ", ".join(public_id("con", i) for i in one.contact_ids),
                public_id("msg", one.record.id),
                one.record.title,
            )
            for one in found
        ],
    )


def _at(ms: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC)


def _found(session: Session, days: int) -> list[_Due]:
    from holdfast.core.kinds import Role
    from holdfast.storage.catalogue.answering import last_words
    from holdfast.storage.catalogue.engine import reading
    from holdfast.storage.catalogue.follow_ups import planned
    from holdfast.storage.catalogue.reading import records

    with session.archive() as services:
        store = services.store
        now_ms = store.now_ms()
        plans = planned(store, now_ms)
        query = last_words(now_ms - LOOKED_BACK_DAYS * _DAY_MS, now_ms - days * _DAY_MS)
        with reading(store.engine) as connection:
            waiting = list(connection.scalars(query))
        ids = [*(one.interaction_id for one in plans), *waiting]
        known = {one.id: one for one in records(store, ids)}
    found = [
        _Due("planned", one.due_ms, known[one.interaction_id], one.contact_ids, one.owner)
        for one in plans
        if one.interaction_id in known
    ]
    for one in (known[i] for i in waiting if i in known and known[i].direction == "in"):
        writers = (p.contact_id for p in one.participants if p.role is Role.FROM and p.contact_id)
        at_ms = int(one.at.timestamp() * 1000)
        found.append(_Due("unanswered", at_ms, one, tuple(dict.fromkeys(writers))))
    return sorted(found, key=lambda one: (one.due_ms, one.record.id))


def _values(found: list[_Due]) -> list[dict[str, Any]]:
    from holdfast.core.identity import public_id

    return [
        {
            "reason": one.reason,
            "due_at" if one.reason == "planned" else "written_at": (
                _at(one.due_ms).isoformat().replace("+00:00", "Z")
            ),
            "record_id": public_id("msg", one.record.id),
            "channel": one.record.channel,
            "kind": one.record.kind,
            "title": one.record.title,
            "contact_ids": [public_id("con", i) for i in one.contact_ids],
            "owner": one.owner,
        }
        for one in found
    ]

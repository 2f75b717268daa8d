"""Show holds, for people and for programs; it reads and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.cli.screen import Column, amount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from holdfast.cli.session import Session
    from holdfast.storage.governance.holds import Hold
    from holdfast.storage.governance.releasing import Freed
    from holdfast.storage.governance.sweeping import HoldCounts


def print_holds(session: Session, found: Sequence[Hold], now_ms: int) -> None:
    """Print a table of holds."""
    columns = [Column("Hold", ratio=2), Column("Matter", ratio=2), Column("Custodians", ratio=2)]
    columns += [
        Column("Query", ratio=2),
        Column("State"),
        Column("Ends"),
        Column("Id", style="cyan"),
    ]
    rows = [
        (
            one.name,
            one.matter,
            _whose(session, one),
            one.query or one.canonical,
            session.screen.words(state_of(one, now_ms)),
            _local(session, one.release.ends_ms),
            one.public,
        )
        for one in found
    ]
    session.screen.table(columns, rows)


def print_hold(session: Session, one: Hold, counts: HoldCounts, freed: Freed) -> None:
    """Print a hold with what it holds and how far its release is."""
    screen, release = session.screen, one.release
    screen.facts(
        [
            ("Hold", one.name),
            ("Id", one.public),
            ("Matter", one.matter),
            ("Reason", one.reason),
            ("Custodians", _whose(session, one)),
            ("Sent from", _instant(session, one.terms.from_at)),
            ("Sent before", _instant(session, one.terms.to_at)),
            ("Query", one.query or "–"),
            ("In full", one.canonical or "–"),
            ("Placed", _local(session, one.placed_ms)),
            ("Version", str(one.version)),
            ("Held", screen.counted(counts.held, "1 message", "{count} messages")),
            ("Not fully indexed", amount(counts.not_fully_indexed)),
            ("Held by no other hold", amount(freed.free)),
            ("Release asked", _local(session, release.asked_ms)),
            ("Release reason", release.reason or "–"),
            ("Release approved", _local(session, release.approved_ms)),
            ("Ends", _local(session, release.ends_ms)),
        ]
    )


def say_what_goes(session: Session, one: Hold, freed: Freed, now_ms: int) -> None:
    """Say what becomes deletable when the hold ends, and when that is."""
    screen = session.screen
    free = screen.counted(freed.free, "1 message", "{count} messages")
    others = amount(freed.held - freed.free)
    match state_of(one, now_ms):
        case "ended":
            screen.note("It has ended and holds nothing.")
        case "ending":
            screen.warn(
                "From {when} on retention may dispose of {free}; {others} stay under other holds.",
                when=_local(session, one.release.ends_ms),
                free=free,
                others=others,
            )
        case _:
            screen.note(
                "Released now, {days} days after the approval retention may dispose of {free}; "
                "{others} stay under other holds.",
                days=session.settings.governance.release_delay_days,
                free=free,
                others=others,
            )


def state_of(one: Hold, now_ms: int) -> str:
    """Return how a hold stands: `in force`, `release asked`, `ending` or `ended`."""
    from holdfast.retention.release import Needs, still_needs

    return {
        Needs.REQUEST: "in force",
        Needs.APPROVAL: "release asked",
        Needs.DELAY: "ending",
        Needs.NOTHING: "ended",
    }[still_needs(one.release, now_ms)]


def value_of(one: Hold, now_ms: int) -> dict[str, Any]:
    """Return a hold for programs."""
    from holdfast.cli.commands.source_list import stamp
    from holdfast.core.identity import public_id

    def person(person_id: int | None) -> str | None:
        return None if person_id is None else public_id("per", person_id)

    release = one.release
    return {
        "id": one.public,
        "name": one.name,
        "matter": public_id("mat", one.matter_id),
        "matter_name": one.matter,
        "reason": one.reason,
        "custodians": list(one.terms.custodians),
        "from": _iso(one.terms.from_at),
        "before": _iso(one.terms.to_at),
        "query": one.query,
        "canonical": one.canonical,
        "holds_unindexed": one.terms.spares_unindexed,
        "analyser_version": one.analyser_version,
        "placed_at": stamp(one.placed_ms),
        "state": state_of(one, now_ms),
        "version": one.version,
        "release": {
            "reason": release.reason,
            "asked_by": person(release.asked_by),
            "asked_at": stamp(release.asked_ms),
            "approved_by": person(release.approved_by),
            "approved_at": stamp(release.approved_ms),
            "ends_at": stamp(release.ends_ms),
        },
    }


def _whose(session: Session, one: Hold) -> str:
    return ", ".join(one.terms.custodians) or session.screen.words("everybody")


def _local(session: Session, at_ms: int | None) -> str:
    from holdfast.cli.commands.source_list import local_time

    return local_time(session, at_ms)


def _instant(session: Session, at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(session.settings.zone):%Y-%m-%d %H:%M:%S}"


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")

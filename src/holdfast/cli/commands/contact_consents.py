"""How commands show what holds of being archived, channel by channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.core.consents import Consent, ConsentNow


def consent_text(session: Session, one: ConsentNow) -> str:
    """Return what holds in one channel, since when, by what; and what it overrules."""
    shown = [_shown(session, each) for each in (one.consent, one.by_hand) if each is not None]
    return " < ".join((f"{one.consent.channel}: {shown[0]}", *shown[1:]))


def _shown(session: Session, said: Consent) -> str:
    from holdfast.core.identity import public_id

    by = public_id("msg", said.record_id) if said.record_id else said.actor
    return f"{said.state} {said.at.astimezone(session.settings.zone):%Y-%m-%d} ({by})"


def consent_value(one: ConsentNow) -> dict[str, Any]:
    """Return what holds in one channel, for JSON."""
    from holdfast.core.identity import public_id

    said = one.consent
    return {
        "channel": said.channel,
        "state": said.state,
        "at": said.at.isoformat().replace("+00:00", "Z"),
        "record_id": public_id("msg", said.record_id) if said.record_id else None,
        "actor": said.actor,
        "overrules": one.by_hand.state if one.by_hand else "",
    }

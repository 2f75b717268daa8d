"""What people, and systems, say of a contact, as answers show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.api.shapes.common import Instant, Shape
from holdfast.core.identity import public_id

if TYPE_CHECKING:
    from holdfast.api.masks import Mask
    from holdfast.core.consents import ConsentNow
    from holdfast.storage.catalogue.contact_fields import Fields


class ConsentShape(Shape):
    """What holds of being archived in one channel: what was said last, by its own time."""

    channel: str
    state: str
    """`agreed`, `refused` or `withdrawn`."""
    at: Instant
    record_id: str | None
    """The record that tells it; null: a person set it, or the asker does not see everything."""
    actor: str
    """Who set it; empty for what the system told."""
    overrules: str
    """What a person had set before; empty where nothing else was."""


def consent_shape(one: ConsentNow, mask: Mask) -> ConsentShape:
    """Show what holds in one channel."""
    said = one.consent
    return ConsentShape(
        channel=said.channel,
        state=said.state,
        at=said.at,
        record_id=public_id("msg", said.record_id) if said.record_id and mask.sees_all else None,
        actor=said.actor,
        overrules=one.by_hand.state if one.by_hand else "",
    )


class FieldsShape(Shape):
    """What people said of a contact."""

    name: str
    party_type: str
    grade: str
    source: str
    roles: list[str]
    groups: list[str]
    owner: str
    consents: dict[str, str]
    """Channel → `agreed`, `refused` or `withdrawn`, as people set it."""
    consent_states: list[ConsentShape]
    """What holds in each channel, by what people set and by what the systems tell."""
    company: str
    title: str
    note: str
    version: int


def fields_shape(
    said: Fields, version: int, mask: Mask, consents: tuple[ConsentNow, ...]
) -> FieldsShape:
    """Show what is said of a contact."""
    return FieldsShape(
        name=mask.text(said.name),
        party_type=said.party_type,
        grade=said.grade,
        source=mask.text(said.source),
        roles=[mask.text(one) for one in said.roles],
        groups=[mask.text(one) for one in said.groups],
        owner=said.owner,
        consents=dict(said.consents),
        consent_states=[consent_shape(one, mask) for one in consents],
        company=mask.text(said.company),
        title=mask.text(said.title),
        note=mask.text(said.note),
        version=version,
    )

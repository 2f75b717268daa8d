"""Reads who agreed to be archived: by the records that tell it, and by what people set.

Nothing of it is written: a record that is undone, merged or given to another contact says what it
says there. What people set is the business of `contact_fields`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select

from holdfast.core.consents import Consent, ConsentNow, in_force, state_said
from holdfast.core.kinds import Kind, Role
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contact_fields import versions_of_merged
from holdfast.storage.catalogue.contacts import identities_of_contact
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.filed_facts import instant
from holdfast.storage.catalogue.homes import contact_then
from holdfast.storage.catalogue.schema import identities, interactions, participants
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.catalogue.contact_fields import FieldVersion
    from holdfast.storage.store import Store

_WHO = (Role.MENTION.value, Role.FROM.value)
"""Whom a record is about: somebody whom it names, else who wrote it."""
_MANY = 5_000
"""Of so many messages it is quicker to look through all records of consent."""
_PEOPLE = (
    select(
        participants.c.interaction_id,
        participants.c.identity_id,
        participants.c.role,
        contact_then(),
        interactions.c.channel,
        interactions.c.subject,
        interactions.c.at_ms,
    )
    .join(interactions, interactions.c.id == participants.c.interaction_id)
    .outerjoin(identities, identities.c.id == participants.c.identity_id)
    .where(
        interactions.c.kind == Kind.CONSENT.value,
        interactions.c.removed_ms.is_(None),
        participants.c.role.in_(_WHO),
    )
    .order_by(participants.c.interaction_id, participants.c.ordinal)
)


def consents_of(store: Store, contact_id: int) -> tuple[ConsentNow, ...]:
    """Return what a contact, or its winner, agreed to, by channel.

    Raises:
        NotFound: There is no such contact.
    """
    with reading(store.engine) as connection:
        mine = identities_of_contact(connection, contact_id)
        told = _told(connection, _records_of(connection, mine))
    said = [
        Consent(row.channel, state_said(row.subject), instant(row.at_ms), row.interaction_id)
        for row in told
        if row.identity_id in mine and row.contact_id is not None and state_said(row.subject)
    ]
    return in_force([*said, *_by_hand(store, contact_id)])


def _records_of(connection: Connection, mine: Sequence[int]) -> set[int]:
    """Return the records of consent that identities take part in.

    Of who is in very many messages, not each is looked at for what it is: few records are consents.
    """
    sizes = select(identities.c.messages)
    total = sum(row.messages for row in by_value(connection, sizes, identities.c.id, mine))
    met = select(participants.c.interaction_id, participants.c.identity_id).join(
        interactions, interactions.c.id == participants.c.interaction_id
    )
    # Written out, for only then the index that holds nothing else is taken.
    consents = met.where(literal_column(f"interactions.kind = '{Kind.CONSENT.value}'"))
    if total > _MANY:
        those = set(mine)
        found = connection.execute(consents)
        return {row.interaction_id for row in found if row.identity_id in those}
    few = by_value(connection, consents, participants.c.identity_id, mine)
    return {row.interaction_id for row in few}


def _told(connection: Connection, interaction_ids: Iterable[int]) -> list[Row[Any]]:
    """Return of each record the one whom it is about."""
    people: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in by_value(connection, _PEOPLE, participants.c.interaction_id, interaction_ids):
        people[row.interaction_id].append(row)
    return [min(those, key=lambda one: _WHO.index(one.role)) for those in people.values()]


def _by_hand(store: Store, contact_id: int) -> list[Consent]:
    """Return what people set and did not take back, each with when it was set last.

    What they set of a contact that was merged into this one holds too: else a refusal were lost.
    """
    histories = versions_of_merged(store, contact_id)
    return [consent for history in histories for consent in _set_last(history)]


def _set_last(history: Iterable[FieldVersion]) -> list[Consent]:
    found: dict[str, Consent] = {}
    for one in history:
        after = one.after.get("consents")
        if after is None:
            continue
        before, now = dict(one.before["consents"]), dict(after)
        found = {channel: kept for channel, kept in found.items() if channel in now}
        for channel, state in now.items():
            if before.get(channel) != state:
                at = instant(one.changed_ms)
                found[channel] = Consent(channel, state, at, actor=one.actor)
    return list(found.values())


def tell_consents(connection: Connection, store: Store, interaction_ids: Sequence[int]) -> None:
    """Tell of the contacts whose consent these records say, or said, in the transaction."""
    query = (
        select(identities.c.contact_id)
        .join(participants, participants.c.identity_id == identities.c.id)
        .join(interactions, interactions.c.id == participants.c.interaction_id)
        .where(
            interactions.c.kind == Kind.CONSENT.value,
            participants.c.role.in_(_WHO),
            identities.c.contact_id.is_not(None),
        )
    )
    rows = by_value(connection, query, interactions.c.id, interaction_ids)
    about = [About(one, one) for one in sorted({row.contact_id for row in rows})]
    if about:
        tell(connection, store, Happening.CONTACT_UPDATED, about)

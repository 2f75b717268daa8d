"""Makes participants of what a context says of people."""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.values import Context, Json, items, text

_ROLES = {role.value: role for role in Role}


def known_person(
    role: Role, scheme: str, key: str, context: Context, name: str = ""
) -> Participant:
    """Return the person whom the system calls `key`, with the name that the directory has."""
    known = context.person(key)
    address = known.address or chat_address(scheme, key)
    return Participant(role, name or known.name, address, known.side)


def receivers(scheme: str, sender: str, context: Context) -> list[Participant]:
    """Return the members of a small room except the sender, as those to whom its messages go."""
    others = (key for key in context.members if key != sender)
    return [known_person(Role.TO, scheme, key, context) for key in others]


def people_from(value: Json) -> tuple[Participant, ...]:
    """Return participants of lists of role, name, address and side; what is no such list is not."""
    return tuple(
        Participant(_ROLES[text(one[0])], text(one[1]), text(one[2]), text(one[3]))
        for one in items(value)
        if isinstance(one, list) and len(one) == 4 and text(one[0]) in _ROLES
    )


def people_listed(people: Iterable[Participant]) -> list[list[str]]:
    """Return participants as `people_from` reads them."""
    return [[one.role.value, one.name, one.address, one.side] for one in people]

"""Makes participants of what business systems write for people: numbers, addresses, ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Role
from holdfast.core.records import Participant
from holdfast.parsers.chat.table_values import read_phone
from holdfast.parsers.chat.values import Json, mapping, text

_NAMED = re.compile(r"([^<>]{0,300})<([^<>]{1,300})>")
_PHONE = re.compile(r"(\+|00)?[ (]*([0-9](?:[ ().\-]{0,3}[0-9]){6,14})")
_NO_DIGIT = re.compile(r"[^0-9]")
_ROLES = {role.value: role for role in Role} | {
    "caller": Role.FROM, "author": Role.FROM, "callee": Role.TO, "customer": Role.TO,
    "organizer": Role.FROM, "attendee": Role.TO, "agent": Role.OWNER,
}  # fmt: skip
_NAMES = ("name", "displayName", "display_name", "nickname", "realname")
_MAILS = ("email", "mail", "address")
_PHONES = ("phone", "mobile", "tel", "telephone", "number")
_IDS = ("id", "userid", "user_id", "username", "_id")
SIDES = frozenset({"staff", "outside", "bot"})


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a source names people."""

    name: str
    """Of the addresses that are neither mail nor telephone."""
    country: str = ""
    """Calling code of telephone numbers that name none."""


def phone_address(written: str, country: str) -> str:
    """Return the address of a telephone number, in E.164 where its country is known.

    Empty for what is no number. The same number gives the same address as in tables.
    """
    found = _PHONE.fullmatch(written.strip())
    if found is None:
        return ""
    if country or found[1]:
        return chat_address("phone", read_phone(written, country))
    return chat_address("phone", _NO_DIGIT.sub("", found[2]))


def address_of(written: str, scheme: Scheme) -> str:
    """Return the address that a text is: of mail, a telephone number, else an id of the system."""
    written = written.strip()
    if "@" in written:
        return written
    return phone_address(written, scheme.country) or chat_address(scheme.name, written)


def person_of(role: Role, value: Json, scheme: Scheme, side: str = "") -> Participant | None:
    """Return whom a value names: an object, a text, or `name <address>`; None for nobody."""
    known = mapping(value)
    if known:
        return _object_person(role, known, scheme, side)
    written = text(value).strip()
    named = _NAMED.fullmatch(written)
    if named is not None:
        return Participant(role, named[1].strip(' "'), address_of(named[2], scheme), side)
    return Participant(role, "", address_of(written, scheme), side) if written else None


def _object_person(
    role: Role, known: Mapping[str, Json], scheme: Scheme, side: str
) -> Participant | None:
    given = text(known.get("side"))
    role = _ROLES.get(text(known.get("role")).lower(), role)
    name = _first(known, _NAMES)
    address = (
        _first(known, _MAILS)
        or phone_address(_first(known, _PHONES), scheme.country)
        or chat_address(scheme.name, _first(known, _IDS))
    )
    side = given if given in SIDES else side
    return Participant(role, name, address, side) if name or address else None


def _first(known: Mapping[str, Json], names: Iterable[str]) -> str:
    return next((text(known[one]).strip() for one in names if text(known.get(one)).strip()), "")


def people_of(
    role: Role, values: Iterable[Json], scheme: Scheme, side: str = ""
) -> Iterator[Participant]:
    """Yield everybody whom some values name; a list counts as its elements."""
    for value in values:
        for one in value if isinstance(value, list) else (value,):
            person = person_of(role, one, scheme, side)
            if person is not None:
                yield person

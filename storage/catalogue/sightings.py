"""Says who is seen in a message, and what stands behind an address; it runs no statement."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from holdfast.core.chats import address_key, is_chat_address
from holdfast.core.kinds import EMAIL, Kind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.core.custody import Draft

MAIL = "mail"
"""Kind of the identities that are mail addresses; their value is `Participant.key`."""

PERSON = "person"
NO_REPLY = "noreply"
BULK = "bulk"
BOT = "bot"
"""A machine, as its chat system says."""

HUMAN_KINDS = ("email", "calendar", "im", "call", "visit", "meeting")
"""What a person writes, says or does to be read, heard or met by a person."""

MAX_ADDRESS_CHARS = 320
"""RFC 3696 erratum 1690: 64 of local part, @, 255 of domain."""
MAX_NAME_CHARS = 200
_ADDRESS = re.compile(r"[^\s\x00-\x1f@][^\s\x00-\x1f]*@[^\s\x00-\x1f@]+")
_NO_REPLY = re.compile(
    r"(?:.*[._+-])?(?:(?:no|not|non|dont|do[._-]?not)[._-]?(?:reply|respond|answer|responder)"
    r"|unattended|mailer-daemon|postmaster|mail-daemon)(?:[._+-].*|\d*)"
)
_BULK = re.compile(
    r"(?:newsletters?|mailings?|bounces?|notifications?|notify|alerts?|unsubscribe)(?:[._+=-].*|\d*)"
    r"|.*[._+-](?:bounces?|newsletters?|request|unsubscribe|subscribe|owner|confirm)(?:[+=].*)?"
    r"|owner-.*|bounce.*[+=-].*"
)


class Sighting(NamedTuple):
    """One address seen in one message; once for each message, whatever number of its fields."""

    address_key: str
    """`Participant.key`."""
    name: str
    at_ms: int
    is_sender: bool
    is_human_mail: bool
    """Written by a person to be read by a person: only this makes first and last contact."""
    side: str = ""
    """As `Participant.side`."""


def sightings(draft: Draft, at_ms: int) -> list[Sighting]:
    """Return who is seen in the message, each address once, the sender first."""
    is_chat = draft.channel != EMAIL
    is_named = is_named_in_chat if is_chat else is_address
    people = [(address_key(p.address), p) for p in draft.participants]
    senders = [key for key, p in people if p.role in _AUTHORS and is_named(key)]
    is_human = is_human_mail(draft.kind, draft.participants, is_bulk=draft.is_bulk)
    names: dict[str, str] = {}
    for key in senders:
        names[key] = ""
    for key, person in people:
        if not names.get(key) and ("@" in key or is_chat):
            names[key] = person.name
    own = set(senders)
    sides = {key: p.side for key, p in people if p.side}
    return [
        Sighting(key, name, at_ms, key in own, is_human, sides.get(key, ""))
        for key, name in names.items()
    ]


_FROM = Role.FROM.value
_AUTHORS = (_FROM, Role.SELF.value)


def same_people(draft: Draft) -> list[tuple[str, str]]:
    """Return pairs of addresses of one person, as a profile gives them: the second leads.

    A mail address leads, for its domain tells the company; without one the profile's own does.
    """
    if draft.kind != Kind.PROFILE:
        return []
    known = [
        address_key(p.address) for p in draft.participants if p.role in (Role.SELF, Role.ALIAS)
    ]
    known = [key for key in dict.fromkeys(known) if is_named_in_chat(key)]
    leader = next((key for key in known if "@" in key), known[0] if known else "")
    return [(key, leader) for key in known if key != leader]


def is_named_in_chat(key: str) -> bool:
    """Tell whether a participant of chat can be known again: by a chat or a mail address."""
    return is_chat_address(key) or is_address(key)


def split_key(key: str) -> tuple[str, str]:
    """Return kind and value of the identity that an address key names."""
    if "@" in key:
        return MAIL, key
    kind, _, value = key.partition(":")
    return kind, value


def joined_key(kind: str, value: str) -> str:
    """Return the address key that `split_key` was given."""
    return value if kind == MAIL else f"{kind}:{value}"


class Seen(Protocol):
    """A participant, as a draft has it or as a row."""

    @property
    def role(self) -> str: ...
    @property
    def address(self) -> str: ...


def is_human_mail(kind: str, people: Iterable[Seen], *, is_bulk: bool) -> bool:
    """Tell whether a person wrote it to be read by a person, by kind, bulk mark and From."""
    if is_bulk or kind not in HUMAN_KINDS:
        return False
    senders = [address_key(p.address) for p in people if p.role == _FROM]
    return any(nature_of(key) == PERSON for key in senders if is_named_in_chat(key))


def is_address(address_key: str) -> bool:
    """Tell whether the text names a mailbox, generously: something, @, something, no space."""
    return len(address_key) <= MAX_ADDRESS_CHARS and _ADDRESS.fullmatch(address_key) is not None


@lru_cache(maxsize=1 << 10)
def nature_of(address_key: str) -> str:
    """Judge by the local part what stands behind an address: `person`, `noreply` or `bulk`.

    A chat address is a person's unless its system says otherwise: see `Sighting.side`.
    """
    local = address_key.rpartition("@")[0]
    if "@" not in address_key:  # a chat system says itself who is a machine
        return PERSON
    if _NO_REPLY.fullmatch(local):
        return NO_REPLY
    return BULK if _BULK.fullmatch(local) else PERSON


def shown_name(name: str) -> str | None:
    """Return the name as contacts show it; None for an address repeated as its own name."""
    shown = name.replace("\0", "").strip()[:MAX_NAME_CHARS]
    return None if "@" in shown else shown


@dataclass(slots=True)
class Tally:
    """What is counted of one address over the messages of a batch."""

    messages: int = 0
    human_messages: int = 0
    first_ms: int = 0
    last_ms: int = 0
    name: str = ""
    is_own_name: bool = False
    side: str = ""

    def add(self, seen: Sighting) -> None:
        """Count one message."""
        self.messages += 1
        self.side = self.side or seen.side
        if seen.is_human_mail:
            at_ms = seen.at_ms
            if not self.human_messages or at_ms < self.first_ms:
                self.first_ms = at_ms
            if not self.human_messages or at_ms > self.last_ms:
                self.last_ms = at_ms
            self.human_messages += 1
        if seen.name and (not self.name or (seen.is_sender and not self.is_own_name)):
            name = shown_name(seen.name)
            if name is not None:
                self.name = name
                self.is_own_name = seen.is_sender


def tallied(people: Iterable[Sighting]) -> dict[str, Tally]:
    """Sum up by address; texts that are none are left out."""
    tallies: dict[str, Tally] = {}
    for seen in people:
        tally = tallies.get(seen.address_key)
        if tally is None:
            if not is_named_in_chat(seen.address_key):  # of mail, `sightings` left those out
                continue
            tally = tallies[seen.address_key] = Tally()
        tally.add(seen)
    return tallies

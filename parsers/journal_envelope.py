"""Reads the text of a journal report that lists the envelope; knows nothing of MIME.

Grammar: TechNet bb738122 ("Understanding Journal Reports") and MS-XJRNL section 2.1. One field a
line, in any order; names in any case; addresses bare or in angle brackets; lines may be folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from holdfast.core.kinds import Role
from holdfast.parsers.addresses import Mailbox, parse_addresses

MAX_RECIPIENTS = 20_000
"""Recipients of one report that are listed; the report itself keeps all."""

_FIELD = re.compile(
    r"(sender|on-behalf-of|subject|message-id|label|mailbox|sentutc|receivedutc|"
    r"to|cc|bcc|recipients?)[ \t]*:[ \t]*(.*)",
    re.IGNORECASE | re.DOTALL,
)
_REDIRECTION = re.compile(r",\s*(expanded|forwarded)[ \t]*:", re.IGNORECASE)
_X500 = re.compile(r"(?:ex:|x500:)?/", re.IGNORECASE)
_ROLES = {"to": Role.TO, "cc": Role.CC, "bcc": Role.BCC}
_REDIRECTIONS = {"expanded": Role.EXPANDED, "forwarded": Role.FORWARDED}


@dataclass(frozen=True, slots=True)
class JournalRecipient:
    """One recipient of a report."""

    role: Role
    """`to`, `cc` or `bcc` where the server knew it; `recipient`, and never guessed, where not."""
    name: str
    """Empty as a rule: a path has none."""
    address: str
    redirection: Role | None = None
    """`expanded` from a list, or `forwarded`; None where it was addressed itself."""
    redirected_from: str = ""
    """The address that the sender wrote to; empty without a redirection."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a report says of how its message travelled, as written; empty where it does not."""

    sender: str = ""
    """Reverse path; empty for `<>` too."""
    on_behalf_of: str = ""
    subject: str = ""
    message_id: str = ""
    """Without angle brackets."""
    label: str = ""
    mailbox: str = ""
    sent_utc: str = ""
    received_utc: str = ""
    recipients: tuple[JournalRecipient, ...] = ()
    """In the order of the report."""
    unread_lines: int = 0
    """Lines that are no field."""
    is_cut: bool = False
    """There were more than `MAX_RECIPIENTS`."""


@dataclass(frozen=True, slots=True)
class JournalReport:
    """A journal report, taken apart."""

    envelope: Envelope
    original: bytes
    """The message that it reports, as attached."""
    extra_parts: int = 0
    """Other parts of the report, as the clear copy of a protected message: in the original only."""


def read_envelope(text: str) -> Envelope:
    """Return what the text says; of a field that may stand once, the first counts."""
    single: dict[str, str] = {}
    recipients: list[JournalRecipient] = []
    unread, is_list = 0, False
    for line in _unfolded(text):
        field = _FIELD.match(line)
        name, value = (field[1].lower(), field[2].strip()) if field else ("", line.strip())
        is_list = name == "recipients" or (is_list and not name)
        if name in _SINGLE:
            single.setdefault(_SINGLE[name], value)
            continue
        found = _of_list(value) if is_list else _recipients(name, value) if name else []
        recipients += found
        unread += not found and name != "recipients"
        if len(recipients) > MAX_RECIPIENTS:
            break
    for name in ("sender", "on_behalf_of"):
        single[name] = _path(single.get(name, ""))
    single["message_id"] = single.get("message_id", "").strip("<> \t")
    is_cut = len(recipients) > MAX_RECIPIENTS
    people = tuple(recipients[:MAX_RECIPIENTS])
    return Envelope(**single, recipients=people, unread_lines=unread, is_cut=is_cut)


def joined(inner: Envelope, outer: Envelope) -> Envelope:
    """Return the envelope of a report that was reported itself, with whom its own report names.

    The inner one speaks of the message. But anybody can write mail that looks like a report, and
    must not hide by it who wrote to whom: that is what the outer one tells.
    """
    sender = (JournalRecipient(Role.SENDER, "", outer.sender),) if outer.sender else ()
    return replace(
        inner,
        recipients=(*inner.recipients, *sender, *outer.recipients),
        is_cut=inner.is_cut or outer.is_cut,
    )


_SINGLE = {
    "sender": "sender",
    "on-behalf-of": "on_behalf_of",
    "subject": "subject",
    "message-id": "message_id",
    "label": "label",
    "mailbox": "mailbox",
    "sentutc": "sent_utc",
    "receivedutc": "received_utc",
}


def _unfolded(text: str) -> Iterator[str]:
    """Yield each line with what continues it."""
    held: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        bare = line.strip()
        if held and bare and line[0] in " \t":
            held.append(bare)
            continue
        yield from _joined(held)
        held = [bare] if bare else []
    yield from _joined(held)


def _joined(held: list[str]) -> Iterator[str]:
    if held:
        is_list = held[0][:10].lower() == "recipients"
        yield (", " if is_list else " ").join(held)


def _of_list(value: str) -> list[JournalRecipient]:
    """Exchange 2003 lists all recipients under one name, without roles."""
    return _recipients("recipients", value.replace(";", ","))


def _recipients(name: str, value: str) -> list[JournalRecipient]:
    role = _ROLES.get(name, Role.RECIPIENT)
    cut = _REDIRECTION.search(value)
    people = _mailboxes(value[: cut.start()] if cut else value)
    if cut is None:
        return [JournalRecipient(role, one.name, one.address) for one in people]
    how, source = _REDIRECTIONS[cut[1].lower()], _path(value[cut.end() :].strip())
    return [JournalRecipient(role, one.name, one.address, how, source) for one in people]


def _mailboxes(value: str) -> list[Mailbox]:
    if _X500.match(value):  # no mail address: it stands whole, commas and spaces included
        return [Mailbox("", value)]
    return [one for one in parse_addresses(value).mailboxes if one.address]


def _path(value: str) -> str:
    return next((one.address for one in _mailboxes(value)), "")

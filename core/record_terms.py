"""Say what a record's texts and exact values are, for the brute force and for every index alike.

It cuts no text: that is `core.analysis`; and decides no match: that is `core.matching`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

from holdfast.core.analysis import normalise
from holdfast.core.field_values import fold_unrepeated, fold_value, folder_paths
from holdfast.core.file_types import GROUP_OF
from holdfast.core.identity import public_id
from holdfast.core.kinds import EMAIL, Role
from holdfast.core.mailboxes import mailbox_values
from holdfast.core.numbers import number_claims
from holdfast.core.query import Field, Part
from holdfast.core.records import TextState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from holdfast.core.records import (
        FiledFacts,
        OpenFacts,
        Participant,
        Record,
        RecordAttachment,
        RecordParticipant,
    )


class HasRole(Protocol):
    """A participant, as a value or as a row."""

    @property
    def role(self) -> Role:
        """How they took part."""
        ...

    @property
    def address(self) -> str:
        """As it was written."""
        ...


class Unfiled(NamedTuple):
    """What an original gives to its record before it is filed; the fields are those of `Record`.

    One is made of every message that comes in, and a record would cost ten times as much.
    """

    kind: str
    channel: str
    subject: str
    body: str
    participants: tuple[Participant, ...]
    attachments: tuple[RecordAttachment, ...]
    headers: tuple[tuple[str, str], ...]
    message_id: str
    list_id: str
    defects: tuple[str, ...]
    lang: str
    is_bulk: bool
    is_truncated: bool


HIDING = frozenset({Role.BCC, Role.RECIPIENT, Role.EXPANDED, Role.FORWARDED, Role.DELIVERED_TO})
"""Roles that mail gives to people whom its other recipients do not see."""
_BLIND = frozenset({Role.BCC})
HIDES = "hides"
"""Value of `Field.OPEN` of mail with hidden recipients. The others of such mail: `address:`,
`domain:`, `company:`, `contact:`, `direction:` and `has:` with what is open; `author:` with who
sent it; `hidden:` with who is hidden, and `alone:` if it is one. Whose mailboxes any mail lies in:
`mailboxes.mailbox_values`."""

_ROLES = {
    Part.FROM: frozenset({Role.FROM, Role.SENDER}),
    Part.TO: frozenset({Role.TO}),
    Part.CC: frozenset({Role.CC}),
    Part.BCC: frozenset({Role.BCC}),
    Part.ENVELOPE: frozenset({Role.RECIPIENT}),
    Part.EXPANDED: frozenset({Role.EXPANDED, Role.FORWARDED}),
    Part.WITH: frozenset(Role),
    Part.OPEN_WITH: frozenset(Role) - HIDING,
}
_WHOLE = {Part.ANY: Part.WITH, Part.OPEN_ANY: Part.OPEN_WITH}
PEOPLE = frozenset(_ROLES)
"""Parts that hold participants; only there a name is also found by its pinyin."""

_MAX_KNOWN_CHARS = 320
_MAX_KNOWN_VALUES = 8
_UNREPEATED = frozenset({Field.MESSAGE_ID, Field.SHA256})
"""Each message has values of its own: remembered, they would drive out those that come again."""
_EXTENSION = re.compile(r"\.([\w-]{1,16})\s*$")


def part_texts(record: Record, part: Part) -> tuple[str, ...]:
    """Return the separate texts of a part, in order; no phrase reaches from one into another."""
    if part in PEOPLE:
        return tuple(dict.fromkeys(person_text(one) for one in _people(record, part)))
    texts: list[str] = []
    if part in (Part.SUBJECT, Part.CONTENT, *_WHOLE):
        texts.append(record.subject)
    if part in (Part.BODY, Part.CONTENT, *_WHOLE):
        texts.append(record.body)
    if part in (Part.ATTACHMENT, Part.CONTENT, *_WHOLE):
        texts.extend(attachment.text for attachment in record.attachments)
    if part in (Part.FILENAME, *_WHOLE):
        texts.extend(attachment.filename for attachment in record.attachments)
    if part in _WHOLE:
        texts.extend(part_texts(record, _WHOLE[part]))
    return tuple(texts)


def part_names(record: Record, part: Part) -> tuple[str, ...]:
    """Return the distinct display names of a part of people; empty for other parts."""
    return tuple(dict.fromkeys(one.name for one in _people(record, part)))


def _people(record: Record, part: Part) -> list[RecordParticipant]:
    roles = _ROLES.get(part, frozenset())
    if part is Part.OPEN_WITH and not hidden_in(record):
        return []
    return [one for one in record.participants if one.role in roles]


def hidden_in(record: Record | Unfiled) -> tuple[str, ...]:
    """Return whom mail hides from its other recipients; see `hidden_among`."""
    return hidden_among(record.channel, record.participants)


def hidden_among(channel: str, people: Sequence[HasRole]) -> tuple[str, ...]:
    """Return whom mail hides from its other recipients: addresses, folded, distinct, in order.

    They received it, and are named in none of the roles that every recipient sees. One whose
    address is not known is there as an empty one. Of other channels a blind copy alone is hidden: a
    CRM notes mail with the list that its sender wrote.
    """
    hiding = HIDING if channel == EMAIL else _BLIND
    received = [one.address for one in people if one.role in hiding]
    if not received:
        return ()
    shown = {one.address for one in people if one.role not in HIDING} - {""}
    if shown.issuperset(received):  # as they are written, mostly
        return ()
    seen = {_folded_address(one) for one in shown}
    hidden = dict.fromkeys([_folded_address(one) for one in received])
    return tuple([one for one in hidden if not one or one not in seen])


def _folded_address(address: str) -> str:
    return fold_value(Field.ADDRESS, address)


def person_text(person: RecordParticipant | Participant) -> str:
    """Return the text in which a participant is found: `name <address>`."""
    return f"{person.name} <{person.address}>"


def record_terms(record: Record) -> dict[str, Sequence[str]]:
    """Return every exact value that a record has, folded and distinct, by `Field` value."""
    return joined_terms(own_terms(record), filed_terms(record))


def own_terms(
    record: Record | Unfiled,
    claims: Iterable[str] | None = None,
    hidden: tuple[str, ...] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return the exact values that the original itself gives, whenever and wherever it is filed.

    Args:
        record: The message.
        claims: The `number_claims` of its texts, where they are known: it is slow to look.
        hidden: Its `hidden_in`, where that is known.
    """
    if claims is None:
        claims = _number_claims(record, record.participants)
    addresses = tuple(dict.fromkeys([person.address for person in record.participants]))
    files = record.attachments
    values: dict[Field, tuple[str, ...]] = {
        Field.KIND: (record.kind,),
        Field.CHANNEL: (record.channel,),
        Field.LIST: (record.list_id,),
        Field.MESSAGE_ID: (record.message_id,),
        Field.DOMAIN: tuple(dict.fromkeys(chain.from_iterable(map(address_domains, addresses)))),
        Field.ADDRESS: addresses,
        Field.TYPE: tuple([kind for one in files for kind in _types(one)]) if files else (),
        Field.EXTENSION: tuple([_extension(one.filename) for one in files]) if files else (),
        Field.DEFECT: record.defects,
        Field.LANG: (record.lang,),
        Field.HAS: (*_has(record), *sorted(claims)),
        Field.IS: tuple(_is(record)),
    }
    if hidden := hidden_in(record) if hidden is None else hidden:
        values[Field.OPEN] = tuple(_open_values(record, hidden, has_numbers=bool(claims)))
    return _folded(values)


def _open_values(
    record: Record | Unfiled, hidden: tuple[str, ...], *, has_numbers: bool
) -> Iterator[str]:
    """Yield the values of `Field.OPEN` that the original itself gives."""
    yield HIDES
    seen = [one for one in record.participants if one.role not in HIDING]
    for one in seen:
        address = _folded_address(one.address)
        yield f"address:{address}"
        yield from (f"domain:{domain}" for domain in address_domains(one.address))
        if one.role in _ROLES[Part.FROM]:
            yield f"author:{address}"
    yield from (f"hidden:{one}" for one in hidden)
    yield from (f"alone:{one}" for one in hidden if len(hidden) == 1)
    if has_numbers:
        yield from (f"has:{claim}" for claim in sorted(_number_claims(record, seen)))


def filed_terms(filed: FiledFacts | Record) -> dict[str, tuple[str, ...]]:
    """Return the exact values that only the catalogue knows."""
    claims = {"duplicate": filed.is_duplicate, "conflict": filed.shares_message_id}
    claims |= dict.fromkeys(filed.marks, True)
    values: dict[Field, tuple[str, ...]] = {
        Field.DIRECTION: (filed.direction,),
        Field.SOURCE: filed.sources,
        Field.CUSTODIAN: filed.custodians,
        Field.FOLDER: tuple([path for folder in filed.folders for path in folder_paths(folder)]),
        Field.LABEL: filed.labels,
        Field.COMPANY: filed.companies,
        Field.TAG: filed.tags,
        Field.MATTER: tuple([one.matter for one in filed.held_by]),
        Field.HOLD: tuple([one.hold for one in filed.held_by]),
        Field.SHA256: filed.sha256s,
        Field.IS: tuple([name for name, is_true in claims.items() if is_true]),
    }
    terms = _folded(values)
    # Written by us in the form in which they are compared.
    terms[Field.ID.value] = (public_id("msg", filed.id),)
    if filed.thread_id:
        terms[Field.THREAD.value] = (public_id("thr", filed.thread_id),)
    if filed.conversation_id:
        room = public_id("cnv", filed.conversation_id)
        terms[Field.CONVERSATION.value] = (room, *_names(filed.conversation))
    if contacts := filed.contact_ids:
        terms[Field.CONTACT.value] = tuple([public_id("con", one) for one in contacts])
    if filed.open_facts is not None:
        terms[Field.OPEN.value] = tuple(_open_filed(filed.open_facts))
    if boxes := filed.mailboxes:
        _add(terms, Field.OPEN, mailbox_values(boxes))
    if by := filed.held_by:
        _add(terms, Field.MATTER, [public_id("mat", one.matter_id) for one in by])
        _add(terms, Field.HOLD, [public_id("hld", one.hold_id) for one in by])
    return terms


def _open_filed(facts: OpenFacts) -> Iterator[str]:
    yield f"direction:{facts.direction}"
    yield from (f"company:{fold_value(Field.COMPANY, one)}" for one in facts.companies)
    yield from (f"contact:{public_id('con', one)}" for one in facts.contact_ids)


def _names(name: str) -> tuple[str, ...]:
    folded = fold_value(Field.CONVERSATION, name)
    return (folded,) if folded else ()


def _add(terms: dict[str, tuple[str, ...]], field: Field, ids: Iterable[str]) -> None:
    terms[field.value] = tuple(dict.fromkeys((*terms.get(field.value, ()), *ids)))


def joined_terms(
    own: Mapping[str, Sequence[str]], filed: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Return both; some fields have values of either kind."""
    joined = dict(own)
    for name, values in filed.items():
        joined[name] = (*joined[name], *values) if name in joined else values
    return joined


def _folded(values: Mapping[Field, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    terms: dict[str, tuple[str, ...]] = {}
    for field, found in values.items():
        if not found:
            continue
        is_known = len(found) <= _MAX_KNOWN_VALUES and field not in _UNREPEATED
        if ones := _known_ones(field, found) if is_known else _ones(field, found):
            terms[_NAMES[field]] = ones
    return terms


def _ones(field: Field, found: tuple[str, ...]) -> tuple[str, ...]:
    fold = fold_unrepeated if field in _UNREPEATED else fold_value
    return tuple(dict.fromkeys([one for value in found if value and (one := fold(field, value))]))


_known_ones = lru_cache(maxsize=1 << 10)(_ones)
_NAMES = {field: field.value for field in Field}


def address_domains(address: str) -> tuple[str, ...]:
    """Return the domain of an address and those above it, down to the last label."""
    return _known_domains(address) if len(address) <= _MAX_KNOWN_CHARS else _found_domains(address)


def _found_domains(address: str) -> tuple[str, ...]:
    _, _, domain = address.rpartition("@")
    labels = fold_value(Field.DOMAIN, domain).split(".") if "@" in address else []
    return tuple(".".join(labels[start:]) for start in range(min(len(labels), 127)))


_known_domains = lru_cache(maxsize=1 << 13)(_found_domains)


def _extension(filename: str) -> str:
    found = _EXTENSION.search(filename)
    return found[1] if found else ""


def _types(attachment: RecordAttachment) -> list[str]:
    media_type = attachment.media_type.strip().lower()
    family = f"{media_type.partition('/')[0]}/*" if "/" in media_type else ""
    extension = _extension(attachment.filename).lower()
    names = [media_type, family, extension]
    return names + [GROUP_OF[name] for name in names if name in GROUP_OF]


def _has(record: Record | Unfiled) -> list[str]:
    has_text = bool(record.body.strip()) or any(one.text.strip() for one in record.attachments)
    claims = {
        "attachment": bool(record.attachments),
        "defect": bool(record.defects),
        "text": has_text,
    }
    return [name for name, is_true in claims.items() if is_true]


def _number_claims(
    record: Record | Unfiled, participants: Sequence[RecordParticipant | Participant]
) -> frozenset[str]:
    people = [person_text(one) for one in participants]
    files = [text for one in record.attachments for text in (one.text, one.filename)]
    texts = (record.subject, record.body, *people, *files)
    return frozenset().union(*(number_claims(normalise(text)) for text in texts))


def _is(record: Record | Unfiled) -> list[str]:
    states = {attachment.text_state for attachment in record.attachments}
    if not (states or record.is_truncated or record.is_bulk):
        return []
    claims = {
        "truncated": record.is_truncated or TextState.TRUNCATED in states,
        "bulk": record.is_bulk,
        "unreadable": not states.isdisjoint({TextState.ENCRYPTED, TextState.FAILED}),
    }
    return [name for name, is_true in claims.items() if is_true]

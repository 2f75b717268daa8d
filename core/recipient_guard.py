"""Rewrite a query so that it tells nothing of recipients who are hidden from whoever asks; no I/O.

A query is asked of records, and each answer says something: who may not see a blind copy must not
find it out by asking for the address either. So a query is asked twice in one: as it is of all
records that withhold nothing from the asker, and of the others with each leaf replaced by what it
means for a record without its hidden people (`hidden_recipients.as_seen`); a test proves that the
two are equal. What a leaf means is replaced, so NOT stays right. The scope's own filter is not
rewritten: whoever was blind-copied finds the message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from holdfast.core.analysis import normalise
from holdfast.core.field_values import fold_value
from holdfast.core.hidden_recipients import is_open_header
from holdfast.core.holds import with_leaves
from holdfast.core.kinds import EMAIL, Kind, Role
from holdfast.core.mailboxes import FILED, ONE, SEVERAL, open_mailbox
from holdfast.core.matching import Reading, matches
from holdfast.core.numbers import ANY_NUMBER, SPLIT_NUMBER, number_claims
from holdfast.core.query import (
    NOTHING,
    And,
    Field,
    Fuzzy,
    Header,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Term,
    Wildcard,
)
from holdfast.core.record_terms import HIDES, address_domains, person_text
from holdfast.core.records import Record, RecordParticipant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from holdfast.core.query import Knowers, Node

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = {Part.ANY: Part.OPEN_ANY, Part.WITH: Part.OPEN_WITH}
_HIDDEN_PARTS = frozenset({Part.BCC, Part.ENVELOPE, Part.EXPANDED})
_UNSEEN = frozenset({Field.SOURCE, Field.FOLDER, Field.LABEL})
"""Whose mailboxes hold a message tells who received it."""


def withholding(knowers: Knowers) -> Node:
    """Return the query for the records of which something is withheld from a scope of these.

    It matches what `hidden_recipients.is_withheld` says of a record.
    """
    authors = (_open("author", one) for one in sorted(knowers.authors))
    alone = (_open("alone", one) for one in sorted(knowers.addresses))
    return And((Term(Field.OPEN, HIDES), Not(Or((knowers.wide, *authors, *alone)))))


def guard_recipients(node: Node, knowers: Knowers) -> Node:
    """Return the query that finds what `node` finds in the records as these knowers see them."""
    opened = with_leaves(node, _Opening(knowers).leaf)
    if opened == node:
        return node
    withheld = withholding(knowers)
    boxed = with_leaves(node, _Boxes(knowers).leaf)
    if boxed == node:
        return Or((And((node, Not(withheld))), And((opened, withheld))))
    limited = limiting_mailboxes(knowers)
    others = And((node, Not(Or((withheld, limited)))))
    return Or((others, And((boxed, limited, Not(withheld))), And((opened, withheld))))


def limiting_mailboxes(knowers: Knowers) -> Node:
    """Return the query for the mail that a scope of these sees as far as its mailboxes hold it.

    It matches what `hidden_recipients.limits_mailboxes` says of a record.
    """
    return And((Or((_ONE_BOX, Term(Field.OPEN, SEVERAL))), Not(knowers.wide)))


def in_own_mailbox(knowers: Knowers) -> Node:
    """Return the query for mail that lies in one mailbox alone, which is the scope's own."""
    own = (Term(Field.CUSTODIAN, one) for one in sorted(knowers.mailboxes))
    return And((_ONE_BOX, Or(tuple(own))))


def _open(name: str, value: str) -> Term:
    return Term(Field.OPEN, f"{name}:{value}")


_ONE_BOX = Term(Field.OPEN, ONE)


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Gives leaves the meaning that they have where mailboxes of others are not told of."""

    knowers: Knowers

    def leaf(self, leaf: Node) -> Node:
        if isinstance(leaf, Header) and not is_open_header(leaf.name):
            filed = (self._said(FILED, one, "") for one in self._known())
            own = Or((in_own_mailbox(self.knowers), *filed))
            return And((leaf, own))
        if not isinstance(leaf, Term):
            return leaf
        value = fold_value(leaf.field, leaf.value)
        if leaf.field is Field.CUSTODIAN:
            return leaf if value in self.knowers.mailboxes else NOTHING
        if leaf.field not in _UNSEEN:
            return leaf
        said = (self._said(leaf.field.value, one, value) for one in self._known())
        return Or((And((leaf, in_own_mailbox(self.knowers))), *said))

    def _known(self) -> tuple[str, ...]:
        return ("", *sorted(self.knowers.mailboxes))

    @staticmethod
    def _said(field: str, custodian: str, value: str) -> Term:
        return Term(Field.OPEN, open_mailbox(field, custodian, value))


@dataclass(frozen=True, slots=True)
class _Opening:
    """Gives leaves the meaning that they have where recipients are withheld."""

    knowers: Knowers

    def leaf(self, leaf: Node) -> Node:
        if isinstance(leaf, Near):
            return self._near(leaf)
        if isinstance(leaf, Phrase | Wildcard | Fuzzy | Regex):
            return self._text(leaf, leaf.part, lambda part: replace(leaf, part=part))
        if isinstance(leaf, Header):
            return leaf if is_open_header(leaf.name) else NOTHING
        return self._term(leaf) if isinstance(leaf, Term) else leaf

    def _near(self, leaf: Near) -> Node:
        def moved(part: Part) -> Near:
            return replace(leaf, phrases=tuple(replace(one, part=part) for one in leaf.phrases))

        parts = {one.part for one in leaf.phrases}
        return self._text(leaf, parts.pop(), moved) if len(parts) == 1 else leaf

    def _text(self, leaf: Node, part: Part, moved: Callable[[Part], Node]) -> Node:
        if part in _HIDDEN_PARTS:
            return NOTHING
        if part not in _PARTS:
            return leaf
        looked = moved(Part.WITH)
        own = (one for one in self._own() if matches(looked, _reading(one)))
        return _any(moved(_PARTS[part]), own)

    def _term(self, leaf: Term) -> Node:
        value = fold_value(leaf.field, leaf.value)
        if leaf.field in _UNSEEN:
            return NOTHING
        if leaf.field is Field.CUSTODIAN:
            return leaf if value in self.knowers.mailboxes else NOTHING
        if leaf.field is Field.CONTACT and value in self.knowers.contacts:
            return leaf
        if leaf.field not in _OWN and leaf.field not in _OPEN:
            return leaf
        if leaf.field is Field.HAS and value not in _CLAIMS:
            return leaf
        is_own = _OWN.get(leaf.field, _nobody)
        own = (one for one in self._own() if is_own(one, value))
        return _any(_open(leaf.field.value, value), own)

    def _own(self) -> list[str]:
        return sorted(self.knowers.addresses)


def _any(leaf: Node, own: Iterable[str]) -> Node:
    """Return what a leaf matches, or where one of these is hidden."""
    hidden = tuple(_open("hidden", one) for one in own)
    return Or((leaf, *hidden)) if hidden else leaf


_OPEN = frozenset({Field.COMPANY, Field.CONTACT, Field.DIRECTION})
_CLAIMS = frozenset({ANY_NUMBER, SPLIT_NUMBER})


def _nobody(_: str, __: str) -> bool:
    return False


def _person(address: str) -> RecordParticipant:
    return RecordParticipant(Role.DELIVERED_TO, "", address)


_OWN: dict[Field, Callable[[str, str], bool]] = {
    Field.ADDRESS: lambda one, value: one == value,
    Field.DOMAIN: lambda one, value: value in address_domains(one),
    Field.HAS: lambda one, value: value in number_claims(normalise(person_text(_person(one)))),
}
"""Exact values that an address has by itself: tells whether one has it."""


@lru_cache(maxsize=1 << 12)
def _reading(address: str) -> Reading:
    """Return a hidden recipient to be asked; all is cut that may be, so that threads may share it.

    Cutting costs far more than asking, and a team's people are asked at each search.
    """
    made = Reading(_alone(address))
    made.cut(person_text(_person(address)))
    made.has_phone(Part.WITH, ())
    return made


def _alone(address: str) -> Record:
    """Return a record of nobody but a hidden recipient, as `as_seen` shows one."""
    return Record(
        id=0,
        kind=Kind.EMAIL,
        channel=EMAIL,
        subject="",
        body="",
        participants=(_person(address),),
        attachments=(),
        at=_NEVER,
        captured_at=_NEVER,
        size_bytes=0,
    )

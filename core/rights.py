"""Who may do what: roles, actions, and the value that stands for whoever asks; no I/O.

Denied by default. An action that a role lacks is refused by name (403); a record outside the scope
does not exist for whoever asks (404), and is in no count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.core.errors import HoldfastError, Refused
from holdfast.core.query import EVERYTHING, NOTHING, And, Field, Node, Not, Or, Scope, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class SignInRefused(Refused):
    """Whoever asks is not known; it is never said which part was wrong."""


class Forbidden(HoldfastError):
    """The role of whoever asks does not have the action; repeating it cannot help."""

    exit_status = 5


class NotInPerson(Forbidden):
    """An act that takes two persons, by what somebody else could have done in this one's name."""


class Hindrance(StrEnum):
    """Why what somebody does counts for no second person."""

    KEY = "key"
    """They came with a key that somebody else made."""
    GIVEN = "given"
    """They came with a password that somebody else gave them, and knows."""
    PROVIDER = "provider"
    """They came with a password, though a provider is linked to vouch for them."""
    HANDLED = "handled"
    """Somebody else changed lately how they come in, or may have."""
    UNCLAIMED = "unclaimed"
    """The account was added to a person, who has not said that it is theirs."""


_HINDERED = {
    Hindrance.KEY: (
        "This takes a person: a key that somebody else made for them does not count.",
        "Sign in on the pages and do it there, or make a key yourself (Account) and use that.",
    ),
    Hindrance.GIVEN: (
        "This takes a person: whoever gave the password knows it too.",
        "Choose a password of your own on the page Account, then repeat it.",
    ),
    Hindrance.PROVIDER: (
        "This takes a person: whoever comes in by an organisation does not notice what becomes of"
        " their password here.",
        "Sign in through your organisation; if there is no such way any more, have the link to it"
        " taken away.",
    ),
    Hindrance.HANDLED: (
        "This takes a person: how one signs in here was changed less than three days ago, and"
        " somebody else may have done it.",
        "Wait until the instant that the page Account states; tell an auditor if it was not"
        " agreed with you.",
    ),
    Hindrance.UNCLAIMED: (
        "This takes a person: nobody has confirmed that this second account is theirs.",
        "Sign in with your first account and confirm this one on the page Account.",
    ),
}
HANDLED_MS = 72 * 3_600_000
"""So long after somebody else changed how a user comes in, their acts count for no second person:
time to notice, for a password that was changed lets its owner in no more."""


class Action(StrEnum):
    """What a role may do; one for each kind of act that somebody must answer for."""

    SEARCH = "search"
    """Search, count, see facets and lists of what is in the scope."""
    READ = "read"
    """Read the text, the people and the attachments' names and texts of what is in the scope."""
    ORIGINAL = "original"
    """Have the bytes of originals and attachments, which nothing masks."""
    UNMASK = "unmask"
    """See telephone, identity and bank numbers, each time with a reason."""
    ANNOTATE = "annotate"
    """Change tags, notes, links, owner and summary."""
    CONTACTS = "contacts"
    """See contacts and companies, and their trails within the scope."""
    MERGE = "merge"
    """Merge and split contacts."""
    EXPORT = "export"
    """Take results out of the archive."""
    MATTERS = "matters"
    """Open and close matters, and see them with their holds."""
    HOLD = "hold"
    """Place holds, tell custodians of them."""
    RELEASE = "release"
    """Ask for the release of a hold, or approve what somebody else asked for."""
    GOVERN_VIEW = "govern_view"
    """See policies, holds, disposals and their certificates, without content."""
    POLICY = "policy"
    """Propose, approve and withdraw retention policies."""
    DISPOSE = "dispose"
    """Plan, review and execute disposals."""
    APPROVE = "approve"
    """Approve what another person planned to dispose of."""
    AUDIT = "audit"
    """Read the audit log."""
    VERIFY = "verify"
    """Have the archive verified, and see ledgers and proofs."""
    SOURCES = "sources"
    """Set up sources and see how they run."""
    JOBS = "jobs"
    """See queued work, and put back what failed."""
    WEBHOOKS = "webhooks"
    """Set up for anybody where others are told what happens, and see how the telling went."""
    SUBSCRIBE = "subscribe"
    """Have oneself told of what happens in the scope."""
    USERS = "users"
    """Add, change and disable users, teams and their scopes."""


class Role(StrEnum):
    """Presets of actions; a user has one, so that they exclude each other."""

    ADMIN = "admin"
    IT = "it"
    LEGAL = "legal"
    AUDITOR = "auditor"
    COMPLIANCE = "compliance"
    MANAGER = "manager"
    MEMBER = "member"
    GUEST = "guest"
    CRM = "crm"


_READING = frozenset({Action.SEARCH, Action.READ, Action.CONTACTS})
ROLES: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(
        {Action.USERS, Action.SOURCES, Action.JOBS, Action.VERIFY, Action.WEBHOOKS}
    ),
    Role.IT: frozenset({Action.SOURCES, Action.JOBS, Action.VERIFY, Action.WEBHOOKS}),
    Role.LEGAL: _READING
    | {
        Action.ORIGINAL, Action.UNMASK, Action.ANNOTATE, Action.EXPORT, Action.MATTERS,
        Action.HOLD, Action.RELEASE, Action.GOVERN_VIEW, Action.MERGE, Action.VERIFY,
        Action.SUBSCRIBE,
    },
    Role.AUDITOR: frozenset({Action.AUDIT, Action.VERIFY, Action.GOVERN_VIEW}),
    Role.COMPLIANCE: _READING
    | {
        Action.GOVERN_VIEW, Action.POLICY, Action.DISPOSE, Action.APPROVE, Action.RELEASE,
        Action.AUDIT, Action.VERIFY, Action.MATTERS,
    },
    Role.MANAGER: _READING
    | {
        Action.ORIGINAL, Action.ANNOTATE, Action.EXPORT, Action.MERGE, Action.SUBSCRIBE,
    },
    Role.MEMBER: _READING | {Action.ANNOTATE},
    Role.GUEST: frozenset({Action.SEARCH, Action.READ}),
    Role.CRM: _READING | {Action.SUBSCRIBE},
}  # fmt: skip
"""Role → actions. `docs/security.md` shows the table; a test keeps the two equal."""

WIDE = frozenset({Role.LEGAL, Role.COMPLIANCE})
"""Roles that see the whole archive unless they are granted less."""


class Reach(StrEnum):
    """How far a scope reaches; also the kinds of grants, in which a person says it."""

    OWN = "own"
    """What the user took part in, what came from mailboxes of theirs, and what the contacts that
    they look after took part in."""
    TEAM = "team"
    """What is own to any enabled member of any team of the user."""
    CONTACT = "contact"
    """What a contact took part in."""
    MATTER = "matter"
    """What the active holds of a matter hold."""
    QUERY = "query"
    """What a query matches."""
    ALL = "all"


def default_reach(role: Role) -> Reach | None:
    """Return how far the role reaches without any grant; None: nowhere."""
    if role in WIDE:
        return Reach.ALL
    return {Role.MANAGER: Reach.TEAM, Role.MEMBER: Reach.OWN}.get(role)


def own_records(login: str, addresses: Iterable[str]) -> Or:
    """Return what is own to a user: their addresses take part, or a mailbox is called by them."""
    ones = sorted(set(addresses))
    terms = [Term(Field.ADDRESS, one) for one in ones]
    return Or((*terms, *(Term(Field.CUSTODIAN, one) for one in (login, *ones))))


def reached(allowed: Sequence[Node], denied: Sequence[Node]) -> Node:
    """Return what is allowed by any and denied by none: a denial wins, however it was allowed."""
    if not allowed:
        return NOTHING
    whole = EVERYTHING if EVERYTHING in allowed else joined(allowed)
    return And((whole, Not(Or(tuple(denied))))) if denied else whole


def joined(nodes: Sequence[Node]) -> Node:
    """Return what matches any of the nodes; one alone stays as it is."""
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


LOCKED_FIRST_MS = 60_000
LOCKED_MOST_MS = 3_600_000


def locked_ms(failures: int, allowed: int) -> int:
    """Return for how long so many failures in a row lock; the time doubles from one to the next.

    Args:
        failures: In a row.
        allowed: How many of them lock for the first time.
    """
    over = failures - allowed
    return min(LOCKED_FIRST_MS << min(over, 10), LOCKED_MOST_MS) if over >= 0 else 0


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever asks: made at the door, carried to every act."""

    user_id: int
    person_id: int
    """Two accounts of one person count once where two persons are asked for."""
    login: str
    role: Role
    actions: frozenset[Action]
    """Of the role, or fewer where an API key is narrower."""
    scope: Scope = field(default_factory=lambda: Scope("", NOTHING))
    pid: str = ""
    """Opaque id for the audit log."""
    key_id: int | None = None
    """The API key that was used, if one was."""
    address: str = ""
    """Of the client."""
    hindrance: Hindrance | None = Hindrance.KEY
    """Why this may be somebody else in their name; None: they came in by their own doing."""

    def may(self, action: Action) -> bool:
        """Tell whether the action is allowed."""
        return action in self.actions

    @property
    def may_know_holds(self) -> bool:
        """Whether they may learn what is held: it tells what a case is about, and against whom."""
        return self.may(Action.MATTERS) or self.may(Action.GOVERN_VIEW)

    def require(self, action: Action) -> None:
        """Refuse unless the action is allowed.

        Raises:
            Forbidden: It is not; fact `action` names it.
        """
        if action not in self.actions:
            raise Forbidden(
                f"The role {self.role.value} may not do this: {action.value}.",
                next_step="Ask an administrator for a role that may.",
                action=action.value,
            )

    def require_in_person(self) -> None:
        """Refuse unless they came in by what they alone have made, or by a provider.

        Raises:
            NotInPerson: Somebody else may stand behind; fact `hindrance` says by what.
        """
        if self.hindrance is not None:
            cause, next_step = _HINDERED[self.hindrance]
            raise NotInPerson(cause, next_step=next_step, hindrance=self.hindrance.value)

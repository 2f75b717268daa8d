"""Decides whose card it is and what it changes; it reads and writes nothing.

What decides twice over the same cards decides the same: no address that is somebody's changes
hands, so the second time finds what the first one left.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.storage.catalogue.sightings import PERSON, nature_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from holdfast.core.persons import Address, Person

GROUPS = "groups"
MOST_GROUPS = 50
"""Of one contact; `contact_fields.MAX_EACH`."""


@dataclass(slots=True)
class Said:
    """What is said of one contact now."""

    values: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    by_hand: frozenset[str] = frozenset()
    """Fields that a person had the last word of."""
    dropped: frozenset[str] = frozenset()
    """Groups that a person took away."""

    def name_key(self) -> str:
        """Return the name as names are compared."""
        return " ".join(self.values.get("name", "").casefold().split())


@dataclass(slots=True)
class View:
    """What is known of everybody whom some cards may be of."""

    owners: dict[str, int] = field(default_factory=dict)
    """Address key → the contact that has it."""
    machines: set[str] = field(default_factory=set)
    """Keys that are known, and nobody answers there."""
    said: dict[int, Said] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    """Contacts of earlier cards of the same import."""
    next_new: int = -1
    """Stands for the next contact that is not there yet; counts down."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one card comes to."""

    contact: int
    """Negative: one that is to be made."""
    new_keys: tuple[str, ...] = ()
    """Addresses that become the contact's; of a new one, the first leads."""
    changes: dict[str, Any] = field(default_factory=dict)
    conflicts: tuple[tuple[str, int], ...] = ()
    """Addresses that are another contact's, and whose."""
    kept: tuple[str, ...] = ()
    """Fields that say something else, and stay."""
    machines: tuple[str, ...] = ()
    """Addresses at which nobody answers: they are nobody's."""
    is_new: bool = False


def decide(person: Person, view: View, *, overwrites: bool = False) -> Decision | None:
    """Decide on one card, and let the view know what comes of it; None where nobody answers.

    An address that is somebody's says who it is. One that several people may have does not, where
    an earlier card of this import has another name and this one has an address of its own.
    """
    found = [(address, _key(address, view)) for address in person.addresses]
    machines = tuple(key for _, key in found if _is_machine(key, view))
    mine = [(address, key) for address, key in found if key not in machines]
    if not mine:
        return None
    contact = _owner(person, mine, view)
    is_new = contact is None
    if contact is None:
        contact = view.next_new
        view.next_new -= 1
    conflicts = tuple(
        (key, view.owners[key]) for _, key in mine if view.owners.get(key, contact) != contact
    )
    new_keys = _leading([key for _, key in mine if key not in view.owners])
    said = view.said.setdefault(contact, Said())
    is_first = contact not in view.claimed
    changes, kept = _changes(person, said, is_first=is_first, overwrites=overwrites)
    view.owners.update(dict.fromkeys(new_keys, contact))
    view.claimed.add(contact)
    _say(said, changes)
    return Decision(contact, new_keys, changes, conflicts, kept, machines, is_new)


def _key(address: Address, view: View) -> str:
    known = [key for key in address.keys if key in view.owners or key in view.machines]
    return known[0] if known else address.key


def _is_machine(key: str, view: View) -> bool:
    return key in view.machines or (key not in view.owners and nature_of(key) != PERSON)


def _owner(person: Person, mine: Sequence[tuple[Address, str]], view: View) -> int | None:
    """Return the contact that most addresses name; of equally many, that of the first."""
    own = [view.owners[key] for one, key in mine if not one.is_shared and key in view.owners]
    if own:
        return _most(own)
    has_own = any(not one.is_shared for one, _ in mine)
    name = " ".join(person.said.get("name", "").casefold().split())
    shared = [view.owners[key] for _, key in mine if key in view.owners]
    joined = [
        contact
        for contact in shared
        if not has_own or contact not in view.claimed or view.said[contact].name_key() == name
    ]
    return _most(joined) if joined else None


def _most(contacts: Iterable[int]) -> int:
    return Counter(contacts).most_common(1)[0][0]


def _leading(keys: Sequence[str]) -> tuple[str, ...]:
    """Put a mail address first: its domain tells the company."""
    return tuple(sorted(dict.fromkeys(keys), key=lambda key: "@" not in key))


def _changes(
    person: Person, said: Said, *, is_first: bool, overwrites: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what is to be written, and the fields that stay though the card says otherwise.

    The first card of an import may change what no person had the last word of, later cards of the
    same contact fill what is empty: so a second import of them all finds nothing to do.
    """
    changes: dict[str, Any] = {}
    kept: list[str] = []
    for name, value in person.said.items():
        now = said.values.get(name, "")
        is_free = name not in said.by_hand
        if now == value:
            continue
        if (is_first and (overwrites or is_free)) or (not now and is_free):
            changes[name] = value
        else:
            kept.append(name)
    added = [one for one in person.groups if one not in said.groups]
    wanted = added if overwrites else [one for one in added if one not in said.dropped]
    if wanted and len(said.groups) + len(wanted) <= MOST_GROUPS:
        changes[GROUPS] = (*said.groups, *wanted)
    if GROUPS not in changes and added:
        kept.append(GROUPS)
    return changes, tuple(kept)


def _say(said: Said, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if name == GROUPS:
            said.groups = value
        else:
            said.values[name] = value

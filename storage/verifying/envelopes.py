"""What was added to interactions after filing, against what the log committed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from holdfast.storage.annotations.values import is_written
from holdfast.storage.catalogue.blind_copies import people_undone
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.envelopes import PEOPLE_STEP, envelope_digest
from holdfast.storage.catalogue.schema import interaction_versions
from holdfast.storage.verifying.report import DIFFERENT, GONE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.storage.verifying.report import Told

STRANGER = "Somebody was added to it whom no report or copy names."


class Version(NamedTuple):
    """One version of an interaction; columns of `_VERSIONS`."""

    interaction_id: int
    version: int
    actor: str
    changed_ms: int
    change: str


Versions = dict[int, list[Version]]
"""Interaction → its versions, oldest first."""
Person = tuple[str, str, str]
"""Role, name, address."""

_VERSIONS = select(*(interaction_versions.c[name] for name in Version._fields)).order_by(
    interaction_versions.c.interaction_id, interaction_versions.c.version
)


def versions_of(connection: Connection, ids: Iterable[int]) -> Versions:
    """Return the versions of these interactions."""
    found: Versions = {}
    for row in by_value(connection, _VERSIONS, interaction_versions.c.interaction_id, ids):
        found.setdefault(row.interaction_id, []).append(Version._make(row))
    return found


def misnumbered(versions: Sequence[Version]) -> str:
    """Return what is wrong with the numbers of an interaction's versions, of all kinds."""
    is_row = [one.version for one in versions] == list(range(1, len(versions) + 1))
    return "" if is_row else DIFFERENT


def added_people(
    all_versions: Sequence[Version], added: Sequence[tuple[int, Person]], told: Sequence[Told]
) -> str:
    """Return what is wrong with whom reports and copies added to one interaction, if anything is.

    Of copies that were undone, those who were taken back count as they were.

    Args:
        all_versions: Of the interaction, oldest first.
        added: Ordinal and person, of those that its own draft did not have, in order.
        told: The events about it.
    """
    versions = [one for one in all_versions if not is_written(one.change)]
    people: dict[int, list[Person]] = {one.version: [] for one in versions}
    undone = dict(pair for one in versions for pair in people_undone(one.change).items())
    for ordinal, person in added:
        version, place = divmod(ordinal, PEOPLE_STEP)
        if version not in people or version in undone or place != len(people[version]):
            return STRANGER
        people[version].append(person)
    people |= undone
    if len(told) != len(versions):
        return UNKNOWN if len(told) < len(versions) else GONE
    is_told = all(_is_told(one, people[one.version], told) for one in versions)
    return "" if is_told else DIFFERENT


def _is_told(version: Version, people: Sequence[Person], told: Sequence[Told]) -> bool:
    digest = envelope_digest(version.version, version.change, people)
    return any(
        (event.leaf.t, event.leaf.actor) == (version.changed_ms, version.actor)
        and event.commits_to(digest)
        for event in told
    )

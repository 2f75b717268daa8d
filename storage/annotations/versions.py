"""Reads the metadata of interactions and every version that it had; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.identity import public_id
from holdfast.storage.annotations.rows import metadata_in
from holdfast.storage.annotations.values import (
    Difference,
    Metadata,
    after_change,
    difference,
    is_written,
    read_written,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_actors, interaction_versions, interactions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Version:
    """One change of an interaction's metadata."""

    state: Metadata
    """After it."""
    changes: tuple[Difference, ...]
    actor: str
    """Opaque id, as in the audit log."""
    actor_name: str
    """Empty where the name was erased."""
    changed_ms: int
    job_id: int | None
    """Of the job that changed many."""
    undoes: int | None
    """The job that was taken back."""

    @property
    def number(self) -> int:
        """Of the version; envelopes of journal reports are versions too, so some are left out."""
        return self.state.version


def metadata_of(store: Store, interaction_id: int) -> Metadata:
    """Return what people have added to an interaction.

    Raises:
        NotFound: There is no such interaction in sight.
    """
    with reading(store.engine) as connection:
        _must_be_there(connection, interaction_id)
        return metadata_in(connection, [interaction_id]).get(interaction_id, Metadata())


def versions_of(store: Store, interaction_id: int) -> list[Version]:
    """Return every change of an interaction's metadata, oldest first.

    Raises:
        NotFound: There is no such interaction in sight.
        Corrupt: A version was damaged.
    """
    query = (
        select(interaction_versions, audit_actors.c.name)
        .outerjoin(audit_actors, audit_actors.c.pid == interaction_versions.c.actor)
        .where(interaction_versions.c.interaction_id == interaction_id)
        .order_by(interaction_versions.c.version)
    )
    with reading(store.engine) as connection:
        _must_be_there(connection, interaction_id)
        rows = [row for row in connection.execute(query) if is_written(row.change)]
    versions: list[Version] = []
    state = Metadata()
    for row in rows:
        try:
            one = read_written(row.change)
            before, state = state, after_change(state, one, row.version)
        except msgspec.MsgspecError as error:
            raise Corrupt(
                f"Version {row.version} of {public_id('msg', interaction_id)} cannot be read.",
                next_step="Run 'holdfast verify'.",
            ) from error
        versions.append(
            Version(
                state=state,
                changes=difference(before, state),
                actor=row.actor,
                actor_name=row.name or "",
                changed_ms=row.changed_ms,
                job_id=one.act if one.is_job else None,
                undoes=one.undoes or None,
            )
        )
    return versions


def state_at(versions: list[Version], number: int) -> Metadata:
    """Return the metadata after a version; 0 is before the first.

    Raises:
        NotFound: There is no such version.
    """
    if number == 0:
        return Metadata()
    for one in versions:
        if one.number == number:
            return one.state
    raise NotFound(f"There is no version {number}.", next_step="List the versions.")


def _must_be_there(connection: Connection, interaction_id: int) -> None:
    query = select(interactions.c.id).where(
        interactions.c.id == interaction_id, interactions.c.removed_ms.is_(None)
    )
    if connection.scalar(query) is None:
        raise NotFound("There is no such message.", next_step="Search for it.")

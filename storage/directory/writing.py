"""Writes what was decided on a chunk of cards, in one transaction; it decides nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from holdfast.core.errors import Conflict
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, record_events
from holdfast.storage.catalogue.belonging import one_at_a_time, settle
from holdfast.storage.catalogue.chunks import by_value, insert_rows
from holdfast.storage.catalogue.contact_fields import change_all, checked_fields
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.filing_events import FilingEvents
from holdfast.storage.catalogue.homes import homes_of
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.linking import LINK, PREFIX, link_digest
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import batches, identities, links
from holdfast.storage.catalogue.sightings import Sighting
from holdfast.storage.directory.deciding import Decision, View, decide
from holdfast.storage.directory.standing import view_of
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.webhooks.happenings import About, Happening, tell_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    from holdfast.core.persons import Person
    from holdfast.storage.directory.standing import Claimed
    from holdfast.storage.store import Store


@dataclass(slots=True)
class Writer:
    """Writes the cards of one import."""

    store: Store
    overwrites: bool
    batch: Callable[[], int]
    """Gives the batch, which is opened when there is something to write."""
    linker: Linker = field(default_factory=Linker)

    def plan(self, persons: Sequence[Person], claimed: Claimed) -> list[Decision | None]:
        """Return what these cards come to, and write nothing."""
        with reading(self.store.engine) as connection:
            view = view_of(connection, persons, claimed)
        return self.decide(persons, view)

    def decide(self, persons: Sequence[Person], view: View) -> list[Decision | None]:
        """Decide on each card in turn."""
        return [decide(one, view, overwrites=self.overwrites) for one in persons]

    def write(self, persons: Sequence[Person], claimed: Claimed) -> list[Decision | None]:
        """Decide and write; the decisions name contacts that are there. Audited.

        Raises:
            Conflict: The import was undone meanwhile.
        """
        batch_id = self.batch()

        def act(connection: Connection) -> list[Decision | None]:
            lock_holds(connection, is_shared=True)
            _refuse_undone(connection, batch_id)
            one_at_a_time(connection)
            view = view_of(connection, persons, claimed, is_to_be_changed=True)
            decisions = self.decide(persons, view)
            chunk = _Chunk(connection, self.store, batch_id, self.linker)
            return chunk.write(decisions)

        return transact(self.store.engine, act)


def _refuse_undone(connection: Connection, batch_id: int) -> None:
    """Let nobody undo the batch until the transaction ends, nor write to one that is undone."""
    lock_rows(connection, batches.c.id, [batch_id], Hold.STEADY)
    undone_ms = connection.scalar(select(batches.c.undone_ms).where(batches.c.id == batch_id))
    if undone_ms is not None:
        raise Conflict(
            "The import was undone while it ran.",
            next_step="Import the directory again, if it is wanted after all.",
            batch=public_id("bat", batch_id),
        )


@dataclass(frozen=True, slots=True)
class _Chunk:
    connection: Connection
    store: Store
    batch_id: int
    linker: Linker

    def write(self, decisions: Sequence[Decision | None]) -> list[Decision | None]:
        given = {key: one.contact for one in decisions if one for key in one.new_keys}
        leaders = {one.contact: one.new_keys[0] for one in decisions if one and one.is_new}
        made = self._give(given, leaders) if given else {}
        changes: dict[int, dict[str, Any]] = {}
        for one in decisions:
            if one and one.changes:
                changes.setdefault(made.get(one.contact, one.contact), {}).update(one.changes)
        checked = {contact: checked_fields(values) for contact, values in changes.items()}
        change_all(self.connection, self.store, checked, self.batch_id)
        self._tell(set(made.values()), {one for one in given.values() if one > 0})
        return [_placed(one, made) if one else None for one in decisions]

    def _tell(self, created: set[int], given: set[int]) -> None:
        """Let others know who is new, and who got addresses; a change of fields tells of itself."""
        detail = {"import": public_id("bat", self.batch_id)}
        said: dict[str, list[About]] = {
            Happening.CONTACT_CREATED: [About(one, one) for one in sorted(created)],
            Happening.CONTACT_UPDATED: [About(one, one, detail) for one in sorted(given)],
        }
        tell_all(self.connection, self.store, said)

    def _give(self, given: dict[str, int], leaders: dict[int, str]) -> dict[int, int]:
        """Make the addresses known and give them away; return the contacts that were made."""
        seen = [Sighting(key, "", 0, is_sender=False, is_human_mail=False) for key in given]
        found = self.linker.recognise(self.connection, seen, self.store.ids)
        events = FilingEvents(self.store.actor, self.store.now_ms()).met(found.made)
        record_events(self.connection, events, self.store.ids)
        query = select(identities.c.id, identities.c.contact_id)
        rows = by_value(self.connection, query, identities.c.id, found.ids.values())
        at = {row.id: row.contact_id for row in rows}
        made = {contact: at[found.ids[key]] for contact, key in leaders.items()}
        fresh = {row["id"] for row in found.made}
        homes = homes_of(self.connection, found.ids.values())
        turns = self._turns(found.ids.values())
        now_ms = self.store.now_ms()
        self._link(
            {
                "id": self.store.ids.take(),
                "identity_id": identity,
                "turn": turns.get(identity, 0) + 1,
                "contact_id": made.get(given[key], given[key]),
                "before_id": homes[identity],
                "company_id": None,
                "is_split": False,
                "is_new": identity in fresh,
                "valid_from_ms": None,
                "valid_to_ms": None,
                "actor": self.store.actor,
                "linked_ms": now_ms,
                "undone_ms": None,
                "batch_id": self.batch_id,
            }
            for key, identity in found.ids.items()
        )
        return made

    def _turns(self, identity_ids: Iterable[int]) -> dict[int, int]:
        query = select(links.c.identity_id, func.max(links.c.turn).label("turn")).group_by(
            links.c.identity_id
        )
        rows = by_value(self.connection, query, links.c.identity_id, identity_ids)
        return {row.identity_id: row.turn for row in rows}

    def _link(self, made: Iterable[dict[str, Any]]) -> None:
        rows = list(made)
        insert_rows(self.connection, links, rows)
        kept = by_value(self.connection, select(links), links.c.id, [row["id"] for row in rows])
        events = [
            Event(
                LINK, public_id(PREFIX, row.id), row.id, row.linked_ms, row.actor, link_digest(row)
            )
            for row in kept
        ]
        record_events(self.connection, events, self.store.ids)
        settle(self.connection, self.store, [row.identity_id for row in kept])


def _placed(one: Decision, made: dict[int, int]) -> Decision:
    """Return the decision with contacts that are there, for those that were to be made."""
    conflicts = tuple((key, made.get(owner, owner)) for key, owner in one.conflicts)
    return Decision(
        made.get(one.contact, one.contact),
        one.new_keys, one.changes, conflicts, one.kept, one.machines, one.is_new,
    )  # fmt: skip

"""Says who may be told of what happened: the same rights as if the owner of the endpoint asked.

A record outside the scope is not told of, as if there were none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.errors import NotFound
from holdfast.core.hidden_recipients import as_seen, is_withheld
from holdfast.core.holds import asks_for_texts
from holdfast.core.matching import matches
from holdfast.core.rights import Action
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.contacts import contact_root, identities_of_contact
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import exports
from holdfast.storage.catalogue.reading import records_in
from holdfast.storage.catalogue.schema import participants
from holdfast.storage.webhooks.happenings import Happening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Row

    from holdfast.core.records import Record
    from holdfast.core.rights import Principal
    from holdfast.storage.store import Store

PAGE = 100
"""Records whose texts are in memory at once."""


@dataclass(slots=True)
class Audience:
    """Judges happenings for one owner; what was read for one is not read again for the next."""

    store: Store
    principal: Principal
    check: Callable[[], None] = lambda: None
    """Called between pages; may raise to end a long search."""
    _known: dict[int, bool] = field(default_factory=dict, init=False)
    """Contact → whether it takes part in anything of the scope."""

    def of(self, events: Sequence[Row[object]]) -> set[int]:
        """Return the ids of those of the events that the owner may know of."""
        messages = [one.subject_id for one in events if one.kind in _BY_MESSAGE]
        seen = self._visible(messages).keys() if self.principal.may(Action.SEARCH) else ()
        return {
            one.id
            for one in events
            if (one.subject_id in seen if one.kind in _BY_MESSAGE else self._may_know(one))
        }

    def _may_know(self, event: Row[object]) -> bool:
        if event.kind in _BY_CONTACT:
            return self.principal.may(Action.CONTACTS) and self._knows(event.contact_id)
        if event.kind == Happening.HOLD_CHANGED:
            return self.principal.may_know_holds
        if event.kind == Happening.EXPORT_READY:
            return self._sees_export(event.subject_id)
        return event.kind in _BY_ACTION and self.principal.may(_BY_ACTION[event.kind])

    def _visible(self, interaction_ids: Sequence[int]) -> dict[int, Record | None]:
        """Return those that the owner may know of, as far as recipients of them are withheld."""
        scope = self.principal.scope
        with_text = asks_for_texts(scope.filter)
        found: dict[int, Record | None] = {}
        for start in range(0, len(interaction_ids), PAGE):
            self.check()
            some = interaction_ids[start : start + PAGE]
            with reading(self.store.engine) as connection:
                read = records_in(connection, self.store, some, with_text=with_text)
            found |= {
                one.id: as_seen(one, scope) if is_withheld(one, scope.knowers) else None
                for one in read
                if scope.is_whole or matches(scope.filter, one)
            }
        return found

    def _knows(self, contact_id: int | None) -> bool:
        if contact_id is None:
            return False
        if contact_id not in self._known:
            self._known[contact_id] = self._takes_part(contact_id)
        return self._known[contact_id]

    def _takes_part(self, contact_id: int) -> bool:
        with reading(self.store.engine) as connection:
            try:
                root = contact_root(connection, contact_id)
            except NotFound:
                return False
            people = identities_of_contact(connection, root)
            if self.principal.scope.is_whole:
                return True
            query = select(participants.c.interaction_id).distinct()
            rows = by_value(connection, query, participants.c.identity_id, people)
        newest = sorted({row.interaction_id for row in rows}, reverse=True)
        pages = (newest[start : start + PAGE] for start in range(0, len(newest), PAGE))
        # Whom a message hides from the owner takes part in nothing that they know of.
        return any(
            one is None or root in one.contact_ids
            for page in pages
            for one in self._visible(page).values()
        )

    def _sees_export(self, export_id: int | None) -> bool:
        query = select(exports.c.person_id).where(exports.c.id == export_id)
        with reading(self.store.engine) as connection:
            owner = connection.scalar(query)
        if owner is not None and owner == self.principal.person_id:
            return self.principal.may(Action.EXPORT)
        is_wide = self.principal.scope.is_whole
        return is_wide and self.principal.may(Action.MATTERS)


_BY_MESSAGE = frozenset({Happening.ARCHIVED, Happening.FOLLOW_UP_DUE})
_BY_CONTACT = frozenset(
    {Happening.CONTACT_CREATED, Happening.CONTACT_UPDATED, Happening.REMINDER_DUE}
)
_BY_ACTION: Mapping[str, Action] = {
    Happening.SOURCE_FAILING: Action.SOURCES,
    Happening.INTEGRITY_FAILED: Action.VERIFY,
    Happening.RETENTION_DUE: Action.GOVERN_VIEW,
}

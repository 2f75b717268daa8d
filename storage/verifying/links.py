"""Links of addresses to contacts: each against the log, and against those around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from holdfast.core.identity import public_id
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.linking import LINK, PREFIX, UNLINK, link_digest
from holdfast.storage.catalogue.schema import companies, contacts, links
from holdfast.storage.verifying.report import (
    DIFFERENT,
    GONE,
    UNKNOWN,
    Events,
    Finding,
    Scope,
    events_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Row


def check_links(scope: Scope) -> Iterator[Finding]:
    """Compare each link with its event, and the contact that it made with what it says of it."""
    query = (
        select(
            links,
            contacts.c.id.label("contact"),
            contacts.c.company_id.label("company_now"),
            companies.c.id.label("company_left"),
        )
        .outerjoin(contacts, contacts.c.id == links.c.contact_id)
        .outerjoin(companies, companies.c.id == links.c.company_id)
    )
    with reading(scope.store.engine) as connection:
        events = events_of(connection, [LINK, UNLINK])
        rows = {row.id: row for row in connection.execute(query)}
    for row_id in sorted(rows.keys() | events[LINK].keys()):
        cause = _cause(rows.get(row_id), row_id, events)
        if cause:
            yield Finding("link", public_id(PREFIX, row_id), cause)


def _cause(row: Row[Any] | None, row_id: int, events: Events) -> str:
    if row is None:
        return GONE
    if row.undone_ms is None and row_id in events[UNLINK]:
        return "It was undone."
    told = events[LINK if row.undone_ms is None else UNLINK].get(row_id, ())
    if not told or row_id not in events[LINK]:
        return UNKNOWN
    if not told[0].commits_to(link_digest(row)):
        return DIFFERENT
    if row.contact is None:
        return "Its contact is missing."
    was = row.company_id if row.company_left is not None else None
    if row.is_split and row.company_now != was:
        return "The contact that it made is another company's."
    return ""

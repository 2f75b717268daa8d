"""Shows companies and whom they have; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from holdfast.core.errors import NotFound
from holdfast.storage.catalogue.chunks import by_value
from holdfast.storage.catalogue.companies import ascii_domain, is_within
from holdfast.storage.catalogue.contacts import Contact, contact_root, contacts_in, instant_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import companies, contacts, identities

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Company:
    """The contacts that share a registered domain."""

    id: int
    domain: str
    name: str
    is_internal: bool
    contacts: int
    first_contact_at: datetime | None
    last_contact_at: datetime | None


def identities_of_company(connection: Connection, company_id: int) -> list[int]:
    """Return the identities of all contacts of the company, merged ones by their winners.

    Raises:
        NotFound: There is no such company.
    """
    if connection.scalar(select(companies.c.id).where(companies.c.id == company_id)) is None:
        raise NotFound("There is no such company.", next_step="Look for it by its domain.")
    roots = _company_contacts(connection, [company_id])[company_id]
    rows = by_value(connection, select(identities.c.id), identities.c.contact_id, roots)
    return sorted(row.id for row in rows)


def _company_contacts(connection: Connection, ids: Iterable[int]) -> dict[int, list[int]]:
    wanted = list(ids)
    query = select(contacts.c.id, contacts.c.company_id, contacts.c.merged_into)
    rows = by_value(connection, query, contacts.c.company_id, wanted)
    found: dict[int, dict[int, None]] = {company_id: {} for company_id in wanted}
    for row in rows:
        root = row.id if row.merged_into is None else contact_root(connection, row.id)
        found[row.company_id][root] = None
    return {company_id: list(roots) for company_id, roots in found.items()}


def company(store: Store, domain: str) -> Company:
    """Return the company of a domain, given as registered or as a name below it.

    Raises:
        NotFound: Nobody of that domain was seen.
    """
    with reading(store.engine) as connection:
        name = ascii_domain(domain.removeprefix("@"))
        while name:
            row = connection.execute(select(companies).where(companies.c.domain == name)).first()
            if row is not None:
                return _companies(connection, [row])[0]
            name = name.partition(".")[2]
    raise NotFound(f"Nobody of {domain!r} was seen.", next_step="Give the domain as in acme.com.")


def list_companies(store: Store) -> list[Company]:
    """Return all companies that have contacts, by domain."""
    with reading(store.engine) as connection:
        rows = connection.execute(select(companies).order_by(companies.c.domain)).all()
        return [one for one in _companies(connection, rows) if one.contacts]


def company_contacts(store: Store, company_id: int) -> list[Contact]:
    """Return the company's contacts, the latest in touch first."""
    with reading(store.engine) as connection:
        roots = _company_contacts(connection, [company_id])[company_id]
        found = contacts_in(connection, roots)
    return sorted(found, key=lambda c: (c.last_contact_at or _NEVER, c.id), reverse=True)


def known_elsewhere(store: Store, domain: str) -> list[int]:
    """Return all contacts of a company that have addresses outside of its domain, too.

    Of telephones and chat systems, or of other domains; none for what is no company's registered
    domain. In order of their ids.
    """
    with reading(store.engine) as connection:
        query = select(companies.c.id).where(companies.c.domain == domain)
        company_id = connection.scalar(query)
        if company_id is None:
            return []
        roots = _company_contacts(connection, [company_id])[company_id]
        rows = by_value(connection, _ADDRESSES, identities.c.contact_id, roots)
    return sorted({row.contact_id for row in rows if not is_within(row.domain or "", {domain})})


_ADDRESSES = select(identities.c.contact_id, identities.c.domain)
_NEVER = datetime.min.replace(tzinfo=UTC)


def _companies(connection: Connection, rows: Sequence[Row[Any]]) -> list[Company]:
    people = _company_contacts(connection, [row.id for row in rows])
    spans = {
        row.contact_id: row
        for row in by_value(
            connection,
            select(
                identities.c.contact_id,
                func.min(identities.c.first_ms).label("first_ms"),
                func.max(identities.c.last_ms).label("last_ms"),
            ).group_by(identities.c.contact_id),
            identities.c.contact_id,
            [contact for roots in people.values() for contact in roots],
        )
    }
    found = []
    for row in rows:
        held = [spans[contact] for contact in people[row.id] if contact in spans]
        first = [span.first_ms for span in held if span.first_ms is not None]
        last = [span.last_ms for span in held if span.last_ms is not None]
        found.append(
            Company(
                id=row.id,
                domain=row.domain,
                name=row.name,
                is_internal=row.is_internal,
                contacts=len(people[row.id]),
                first_contact_at=instant_of(min(first, default=None)),
                last_contact_at=instant_of(max(last, default=None)),
            )
        )
    return found

"""Gives addresses to contacts and takes that back exactly, in any order, beside all merges.

A link names the contact that an address is at home with from now on, and if need be from when to
when. The newest link in force counts; undoing one leaves what it would be had it never been. The
contacts' rows, merges and other links stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.belonging import one_at_a_time, settle
from holdfast.storage.catalogue.chunks import insert_rows
from holdfast.storage.catalogue.companies import ensure_companies
from holdfast.storage.catalogue.contacts import contact_root
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.filing_events import FilingEvents
from holdfast.storage.catalogue.homes import homes_of
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import contacts, identities, links
from holdfast.storage.catalogue.sightings import (
    MAIL,
    Sighting,
    is_named_in_chat,
    joined_key,
    split_key,
)
from holdfast.storage.governance.holding import lock_holds
from holdfast.storage.webhooks.contacts import tell_of_contact

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

PREFIX = "lnk"
LINK, UNLINK = "identity_link", "identity_unlink"
"""Kinds of the audit events."""
LINK_DIGESTED = (
    "identity_id", "turn", "contact_id", "before_id", "company_id", "is_split", "is_new",
    "valid_from_ms", "valid_to_ms", "actor", "linked_ms", "undone_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a link shall say."""

    key: str
    """Of the address: `core.records.address_key`; one that was never seen may be given too."""
    contact_id: int | None = None
    """None: a contact of its own."""
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One link, in force or undone."""

    id: int
    identity_id: int
    contact_id: int
    before_id: int | None
    valid_from_ms: int | None
    valid_to_ms: int | None
    actor: str
    linked_ms: int
    undone_ms: int | None


def link(store: Store, wanted: Wanted, linker: Linker | None = None) -> Link:
    """Let an address be a contact's from now on; audited, and undone by `unlink`.

    An address that was never seen is made known. A contact that was merged stands for its winner.
    What the address took part in is judged by holds and indexed again.

    Raises:
        NotFound: There is no such contact.
        Refused: The text is no address, it is a machine's or it is so already.
    """
    if not is_named_in_chat(wanted.key):
        raise Refused(
            f"{wanted.key[:80]!r} is no address.",
            next_step="Give a mail address, +49… for a phone, or system:id.",
        )
    first, last = wanted.valid_from_ms, wanted.valid_to_ms
    if first is not None and last is not None and first >= last:
        raise Refused("The time ends before it begins.", next_step="Give from, then to.")
    link_id = store.ids.take()
    made_by = linker or Linker()

    def act(connection: Connection) -> None:
        link_in(connection, store, wanted, (link_id, made_by))

    transact(store.engine, act)
    with reading(store.engine) as connection:
        return _link_of(_row(connection, link_id))


def link_in(connection: Connection, store: Store, wanted: Wanted, by: tuple[int, Linker]) -> None:
    """Link in the caller's transaction, as `link`; `by` is the id of the link, and who knows."""
    lock_holds(connection, is_shared=True)
    one_at_a_time(connection)
    link_id, linker = by
    if connection.scalar(select(links.c.id).where(links.c.id == link_id)) is not None:
        return  # the try before was kept, and we were not told
    identity, is_new = _identity(connection, store, wanted.key, linker)
    home = homes_of(connection, [identity.id])[identity.id]
    row = {
        "id": link_id,
        "identity_id": identity.id,
        "turn": _next_turn(connection, identity.id),
        "contact_id": 0,
        "before_id": home,
        "company_id": None,
        "is_split": wanted.contact_id is None,
        "is_new": is_new,
        "valid_from_ms": wanted.valid_from_ms,
        "valid_to_ms": wanted.valid_to_ms,
        "actor": store.actor,
        "linked_ms": store.now_ms(),
        "undone_ms": None,
        "batch_id": None,
    }
    if wanted.contact_id is None:
        row |= _own_contact(connection, store, identity, linker)
    else:
        row["contact_id"] = contact_root(connection, wanted.contact_id)
        _refuse_same(identity, row)
    connection.execute(links.insert(), row)
    _record(connection, store, LINK, _row(connection, link_id))
    settle(connection, store, [identity.id])
    for changed in sorted({home, row["contact_id"]} - {None}):
        tell_of_contact(connection, store, changed, {"link": public_id(PREFIX, link_id)})


def unlink(store: Store, link_id: int) -> None:
    """Take a link back, also when later links or merges stand on it; audited; idempotent.

    Raises:
        NotFound: There is no such link.
    """

    def act(connection: Connection) -> None:
        lock_holds(connection, is_shared=True)
        one_at_a_time(connection)
        row = _row(connection, link_id)
        if row.undone_ms is not None:
            return
        connection.execute(
            update(links).where(links.c.id == link_id).values(undone_ms=store.now_ms())
        )
        _record(connection, store, UNLINK, _row(connection, link_id))
        settle(connection, store, [row.identity_id])
        back = homes_of(connection, [row.identity_id])[row.identity_id]
        for changed in sorted({back, row.contact_id} - {None}):
            tell_of_contact(connection, store, changed, {"unlink": public_id(PREFIX, link_id)})

    transact(store.engine, act)


def links_of(store: Store, contact_id: int) -> list[Link]:
    """Return the links that gave the contact an address, or took one from it, newest first.

    Raises:
        NotFound: There is no such contact.
    """
    query = (
        select(links)
        .where((links.c.contact_id == contact_id) | (links.c.before_id == contact_id))
        .order_by(links.c.id.desc())
    )
    with reading(store.engine) as connection:
        contact_root(connection, contact_id)
        return [_link_of(row) for row in connection.execute(query)]


def link_by_id(store: Store, link_id: int) -> Link:
    """Return one link.

    Raises:
        NotFound: There is no such link.
    """
    with reading(store.engine) as connection:
        return _link_of(_row(connection, link_id))


def _link_of(row: Row[Any]) -> Link:
    return Link(**{name: getattr(row, name) for name in Link.__dataclass_fields__})


def _identity(
    connection: Connection, store: Store, key: str, linker: Linker
) -> tuple[Row[Any], bool]:
    """Return the identity of the address, made with a contact of its own where it is new."""
    kind, value = split_key(key)
    query = select(identities).where(identities.c.kind == kind, identities.c.value == value)
    known = connection.execute(query).first()
    if known is None:
        seen = Sighting(key, "", 0, is_sender=False, is_human_mail=False)
        made = linker.recognise(connection, [seen], store.ids).made
        events = FilingEvents(store.actor, store.now_ms()).met(made)
        record_events(connection, events, store.ids)
        known = connection.execute(query).one()
    else:
        made = []
        lock_rows(connection, identities.c.id, [known.id], Hold.CHANGING)
        known = connection.execute(query).one()
    if known.home_id is None:
        raise Refused(f"{key!r} is a machine's: nobody answers there.", identity=known.id)
    return known, bool(made)


def _next_turn(connection: Connection, identity_id: int) -> int:
    last = select(func.max(links.c.turn)).where(links.c.identity_id == identity_id)
    return int(connection.scalar(last) or 0) + 1


def _own_contact(
    connection: Connection, store: Store, identity: Row[Any], linker: Linker
) -> dict[str, int | None]:
    """Make a contact for one address alone, of the company that its domain tells."""
    domain = linker.domains.company(identity.domain) if identity.kind == MAIL else ""
    company = ensure_companies(connection, [domain], store.ids).get(domain)
    contact_id = store.ids.take()
    insert_rows(connection, contacts, [{"id": contact_id, "company_id": company}])
    return {"contact_id": contact_id, "company_id": company}


def _refuse_same(identity: Row[Any], row: dict[str, Any]) -> None:
    now = (identity.contact_id, identity.valid_from_ms, identity.valid_to_ms)
    if now == (row["contact_id"], row["valid_from_ms"], row["valid_to_ms"]):
        key = joined_key(identity.kind, identity.value)
        raise Refused(f"{key!r} is this contact's already.", contact=row["contact_id"])


def link_digest(row: Row[Any]) -> bytes:
    """Digest what the audit log commits to when a link is made, and again when it is undone."""
    said = [_plain(getattr(row, name)) for name in LINK_DIGESTED]
    # Those of an import say which; older ones, and those made by hand, are digested as ever.
    return canonical_digest(said if row.batch_id is None else [*said, row.batch_id])


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _row(connection: Connection, link_id: int) -> Row[Any]:
    row = connection.execute(select(links).where(links.c.id == link_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such link.", next_step="List the contact's links.")
    return row


def _record(connection: Connection, store: Store, kind: str, row: Row[Any]) -> None:
    name = public_id(PREFIX, row.id)
    now_ms = store.now_ms()
    event = Event(kind, name, row.id, now_ms, store.actor, link_digest(row))
    record_events(connection, [event], store.ids)

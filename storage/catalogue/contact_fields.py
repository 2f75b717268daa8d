"""What people say of a contact, in versions: name, kind, grade, owner, consents …; no message.

Each change is a version with what stood there before and after; a merge changes none of it: the
winner's fields are shown, and the loser's come back with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import select

from holdfast.core.consents import STATES
from holdfast.core.errors import Conflict, Refused
from holdfast.core.identity import public_id
from holdfast.storage.audit import Event, canonical_digest, record_events
from holdfast.storage.catalogue.chunks import by_value, insert_rows, update_rows
from holdfast.storage.catalogue.contacts import absent_contact, contact_root, merged_into
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.schema import contact_versions, contacts
from holdfast.storage.webhooks.happenings import About, Happening, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

CONTACT = "contact"
"""Kind of the audit event of one change."""
PARTY_TYPES = ("", "customer", "prospect", "supplier", "partner", "staff", "other")
CONSENTS = STATES
PROVISIONAL, CONFIRMED = "provisional", "confirmed"
MAX_CHARS = 200
MAX_NOTE_CHARS = 2000
MAX_EACH = 50
"""Roles, groups and consents, each."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Fields:
    """What people said of one contact."""

    name: str = ""
    """As it is to be shown; empty: as its messages call it."""
    party_type: str = ""
    """One of `PARTY_TYPES`."""
    grade: str = ""
    source: str = ""
    """How the contact was won."""
    roles: tuple[str, ...] = ()
    """In decisions: buyer, engineer …"""
    groups: tuple[str, ...] = ()
    owner: str = ""
    """Login of who looks after it, who then sees its records."""
    consents: tuple[tuple[str, str], ...] = ()
    """Channel, and one of `CONSENTS`; sorted."""
    company: str = ""
    """As people call it; empty: that of the domain."""
    title: str = ""
    note: str = ""


FIELDS = tuple(one.name for one in fields(Fields))
_KEPT = tuple(name for name in FIELDS if name not in {"name", "owner"})
"""Those in the column `fields`; the others have columns of their own, to be found by."""


@dataclass(frozen=True, slots=True)
class FieldVersion:
    """One change of a contact."""

    version: int
    actor: str
    changed_ms: int
    before: dict[str, Any]
    after: dict[str, Any]
    batch_id: int | None = None
    """The import of a directory that said so; None for a person."""


class _Written(msgspec.Struct, frozen=True):
    before: dict[str, Any]
    after: dict[str, Any]


_encode = msgspec.json.Encoder(order="deterministic").encode
_written = msgspec.json.Decoder(_Written).decode
_values = msgspec.json.Decoder(dict[str, Any]).decode


def fields_of(row: Row[Any]) -> Fields:
    """Return what the row of a contact says."""
    kept = _values(row.fields) if row.fields else {}
    return msgspec.convert({"name": row.name, "owner": row.owner, **kept}, Fields)


def fields_in(store: Store, contact_id: int) -> tuple[Fields, int]:
    """Return the fields of a contact, or of its winner, and their version.

    Raises:
        NotFound: There is no such contact.
    """
    with reading(store.engine) as connection:
        row = _row(connection, contact_root(connection, contact_id))
    return fields_of(row), row.version


def change_fields(
    store: Store, contact_id: int, changes: Mapping[str, Any], expected: int | None = None
) -> tuple[Fields, int]:
    """Change some fields and return all, with their version; nothing is written for no change.

    Args:
        store: The archive.
        contact_id: Or one that was merged into it.
        changes: Field → its new value, as `Fields` has it.
        expected: The version that the caller looked at; None for any.

    Raises:
        NotFound: There is no such contact.
        Conflict: It has another version by now; `facts["version"]` says which.
        Refused: A value is not one.
    """
    checked = checked_fields(changes)

    def act(connection: Connection) -> tuple[Fields, int]:
        root = contact_root(connection, contact_id)
        return change_in(connection, store, root, (checked, expected))

    return transact(store.engine, act)


def change_in(
    connection: Connection,
    store: Store,
    contact_id: int,
    what: tuple[Mapping[str, Any], int | None],
    batch_id: int | None = None,
) -> tuple[Fields, int]:
    """Change a contact in the caller's transaction; else as `change_fields`.

    Args:
        connection: Of the transaction.
        store: The archive.
        contact_id: The contact itself, merged or not.
        what: The changes, checked, and the version that the caller looked at.
        batch_id: The import of a directory that says so.
    """
    changes, expected = what
    lock_rows(connection, contacts.c.id, [contact_id], Hold.CHANGING)
    row = _row(connection, contact_id)
    if expected is not None and expected != row.version:
        raise Conflict(
            "The contact was changed since you read it.",
            next_step="Read it again.",
            version=row.version,
        )
    one = _change(row, changes)
    if one is None:
        return fields_of(row), row.version
    _keep(connection, store, [one], batch_id)
    return one.after, one.version


def change_all(
    connection: Connection,
    store: Store,
    changes: Mapping[int, Mapping[str, Any]],
    batch_id: int | None = None,
) -> int:
    """Change many contacts in the caller's transaction, by as few statements as one.

    Args:
        connection: Of the transaction.
        store: The archive.
        changes: Contact itself, merged or not → its changes, checked.
        batch_id: The import of a directory that says so.

    Returns:
        Of how many something else is said than before.

    Raises:
        NotFound: One is not there.
    """
    lock_rows(connection, contacts.c.id, changes, Hold.CHANGING)
    rows = {r.id: r for r in by_value(connection, select(contacts), contacts.c.id, changes)}
    if len(rows) < len(changes):
        raise absent_contact()
    made = [one for key, values in changes.items() if (one := _change(rows[key], values))]
    _keep(connection, store, made, batch_id)
    return len(made)


@dataclass(frozen=True, slots=True)
class _Change:
    contact_id: int
    version: int
    before: Fields
    after: Fields


def _change(row: Row[Any], changes: Mapping[str, Any]) -> _Change | None:
    before = fields_of(row)
    after = Fields(**{name: changes.get(name, getattr(before, name)) for name in FIELDS})
    return None if after == before else _Change(row.id, row.version + 1, before, after)


def _keep(
    connection: Connection, store: Store, made: Sequence[_Change], batch_id: int | None
) -> None:
    if not made:
        return
    said = [
        {
            "id": one.contact_id,
            "name": one.after.name,
            "owner": one.after.owner,
            "fields": kept_text(one.after),
            "version": one.version,
            "state": CONFIRMED,
        }
        for one in made
    ]
    update_rows(connection, contacts, said, "id")
    _note(connection, store, made, batch_id)
    about = [About(one.contact_id, one.contact_id, {"version": str(one.version)}) for one in made]
    tell(connection, store, Happening.CONTACT_UPDATED, about)


def kept_text(said: Fields) -> str:
    """Return what the column `fields` holds; empty where nothing is said."""
    kept = {name: getattr(said, name) for name in _KEPT if getattr(said, name)}
    return _encode(kept).decode() if kept else ""


def _note(
    connection: Connection, store: Store, made: Sequence[_Change], batch_id: int | None
) -> None:
    now_ms = store.now_ms()
    rows: list[dict[str, Any]] = [
        {
            "contact_id": one.contact_id,
            "version": one.version,
            "actor": store.actor,
            "changed_ms": now_ms,
            "change": _change_text(one.before, one.after),
            "batch_id": batch_id,
        }
        for one in made
    ]
    insert_rows(connection, contact_versions, rows)
    events = [
        Event(
            CONTACT,
            public_id("con", one.contact_id),
            one.contact_id,
            now_ms,
            store.actor,
            change_digest(one.version, row["change"], batch_id),
        )
        for one, row in zip(made, rows, strict=True)
    ]
    record_events(connection, events, store.ids)


def _change_text(before: Fields, after: Fields) -> str:
    differing = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    states = ({name: getattr(one, name) for name in differing} for one in (before, after))
    return _encode(_Written(*states)).decode()


def change_digest(version: int, change: str, batch_id: int | None) -> bytes:
    """Digest what the audit log commits to for one change of a contact."""
    said: list[object] = [version, change]
    return canonical_digest(said if batch_id is None else [*said, batch_id])


def field_versions(store: Store, contact_id: int) -> list[FieldVersion]:
    """Return every change of a contact's fields, oldest first.

    Raises:
        NotFound: There is no such contact.
    """
    with reading(store.engine) as connection:
        root = contact_root(connection, contact_id)
        query = select(contact_versions).where(contact_versions.c.contact_id == root)
        rows = connection.execute(query.order_by(contact_versions.c.version)).all()
    return [version_of(row) for row in rows]


def versions_of_merged(store: Store, contact_id: int) -> list[list[FieldVersion]]:
    """Return the changes of a contact's fields, then those of each that was merged into it.

    Raises:
        NotFound: There is no such contact.
    """
    with reading(store.engine) as connection:
        root = contact_root(connection, contact_id)
        everybody = [root, *merged_into(connection, [root])[root]]
        query = select(contact_versions).order_by(contact_versions.c.version)
        rows = by_value(connection, query, contact_versions.c.contact_id, everybody)
        found: dict[int, list[FieldVersion]] = {one: [] for one in everybody}
        for row in rows:
            found[row.contact_id].append(version_of(row))
    return list(found.values())


def version_of(row: Row[Any]) -> FieldVersion:
    """Return one change, as its row has it."""
    one = _written(row.change)
    return FieldVersion(row.version, row.actor, row.changed_ms, one.before, one.after, row.batch_id)


def led_to(changes: Iterable[str]) -> Fields:
    """Return what kept changes lead to, in their order; for `verify`.

    Raises:
        msgspec.MsgspecError: One is damaged.
    """
    values: dict[str, Any] = {}
    for change in changes:
        values |= _written(change).after
    return msgspec.convert(values, Fields)


def _row(connection: Connection, contact_id: int) -> Row[Any]:
    row = connection.execute(select(contacts).where(contacts.c.id == contact_id)).first()
    if row is None:
        raise absent_contact()
    return row


def checked_fields(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes with their texts cleaned.

    Raises:
        Refused: A value is too long, not printable or not one of those that there are.
    """
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if name in {"roles", "groups"}:
            found[name] = _list(name, value)
        elif name == "consents":
            found[name] = _consents(value)
        elif name in FIELDS:
            found[name] = _line(name, value)
        else:
            raise Refused(f"A contact has no {name[:40]!r}.", next_step=", ".join(FIELDS))
    if found.get("party_type", "") not in PARTY_TYPES:
        raise Refused("There is no such party type.", next_step=", ".join(PARTY_TYPES[1:]))
    return found


def _line(name: str, value: str) -> str:
    line = " ".join(value.split())
    most = MAX_NOTE_CHARS if name == "note" else MAX_CHARS
    if len(line) > most or _CONTROL.search(line):
        raise Refused(f"A {name} has at most {most} printable characters.", field=name)
    return line


def _list(name: str, values: Sequence[str]) -> tuple[str, ...]:
    cleaned = tuple(filter(None, dict.fromkeys(_line(name, one) for one in values)))
    if len(cleaned) > MAX_EACH:
        raise Refused(f"A contact has at most {MAX_EACH} {name}.", field=name)
    return cleaned


def _consents(values: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    pairs = {one[0]: one[1] for one in values}
    for channel, state in pairs.items():
        if not _CHANNEL.fullmatch(channel) or state not in CONSENTS:
            raise Refused(f"A consent is {', '.join(CONSENTS)} for a channel.", field="consents")
    if len(pairs) > MAX_EACH:
        raise Refused(f"A contact has at most {MAX_EACH} consents.", field="consents")
    return tuple(sorted(pairs.items()))

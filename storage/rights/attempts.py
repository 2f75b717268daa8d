"""Counts tries to sign in, of an account and from an address, and locks either for a while.

A try is counted as failed before the password is looked at, and taken back when it was right: so no
crowd of tries at one moment gets more of them than one after the other would.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from holdfast.core.rights import locked_ms
from holdfast.storage.catalogue.locks import Hold, lock_names, lock_rows
from holdfast.storage.catalogue.rights_tables import failed_logins, users
from holdfast.storage.rights.principals import client_address

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

ACCOUNT_TRIES = 5
ADDRESS_TRIES = 20
"""An office may stand behind one address."""
FORGOTTEN_MS = 3_600_000
"""An address without failures for so long begins anew."""
_IPV6_SITE_BITS = 64


def counted_by(address: str) -> str:
    """Return what the failures of a client's address are counted under: for IPv6 its network."""
    found = client_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, _IPV6_SITE_BITS), strict=False))
    return address.strip() if found is None else str(found)


def count_address(connection: Connection, address: str, now_ms: int) -> int:
    """Count a try from this address; return until when it is locked, Unix milliseconds, else 0."""
    name = counted_by(address)
    if not name:
        return 0
    lock_address(connection, address)
    connection.execute(delete(failed_logins).where(failed_logins.c.last_ms < now_ms - FORGOTTEN_MS))
    row = _address_row(connection, name)
    if row is None:
        first = {"address": name, "failures": 1, "last_ms": now_ms, "locked_until_ms": None}
        connection.execute(insert(failed_logins).values(first))
        return 0
    if row.locked_until_ms is not None and row.locked_until_ms > now_ms:
        return int(row.locked_until_ms)
    _set_address(connection, name, row.failures + 1, now_ms)
    return 0


def lock_address(connection: Connection, address: str) -> None:
    """Let nobody else count tries from this address; taken before the row of an account."""
    lock_names(connection, "failed_logins", [counted_by(address)])


def forgive_address(connection: Connection, address: str, now_ms: int) -> None:
    """Take back the try that turned out right, under `lock_address`; those before it stay."""
    name = counted_by(address)
    row = _address_row(connection, name)
    if row is not None and row.failures:
        _set_address(connection, name, row.failures - 1, now_ms)


def _address_row(connection: Connection, name: str) -> Row[Any] | None:
    query = select(failed_logins).where(failed_logins.c.address == name)
    return connection.execute(query).one_or_none()


def _set_address(connection: Connection, name: str, failures: int, now_ms: int) -> None:
    locked = locked_ms(failures, ADDRESS_TRIES)
    values = {
        "failures": failures,
        "last_ms": now_ms,
        "locked_until_ms": now_ms + locked if locked else None,
    }
    connection.execute(update(failed_logins).where(failed_logins.c.address == name).values(values))


def count_account(connection: Connection, row: Row[Any], now_ms: int) -> bool:
    """Count a try on this account, whose row is locked; tell whether it may be made at all."""
    if row.locked_until_ms is not None and row.locked_until_ms > now_ms:
        return False
    failures = row.failures + 1
    locked = locked_ms(failures, ACCOUNT_TRIES)
    values = {"failures": failures, "locked_until_ms": now_ms + locked if locked else None}
    connection.execute(update(users).where(users.c.id == row.id).values(values))
    return True


def locked_row(connection: Connection, login: str) -> Row[Any] | None:
    """Return the user's row, which no other writer changes until the transaction ends."""
    lock_rows(connection, users.c.login, [login], Hold.CHANGING)
    return connection.execute(select(users).where(users.c.login == login)).one_or_none()

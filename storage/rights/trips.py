"""Keeps who was sent to an OpenID Connect provider, until they come back once; knows no protocol.

The browser holds one token, the address it comes back to another; both must belong to one trip,
and no trip is made twice.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from holdfast.storage.catalogue.chunks import insert_missing
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.rights_tables import sign_in_trips
from holdfast.storage.rights.sessions import digest_of
from holdfast.storage.rights.vouching import Vouched

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

TRIP_MS = 600_000
"""Longest time at the provider."""
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Departure:
    """What goes with somebody who is sent to the provider."""

    token: str = field(repr=False)
    """For the browser alone."""
    state: str = field(repr=False)
    """Comes back in the address."""
    nonce: str = field(repr=False)
    """Comes back in what the provider signs."""
    verifier: str = field(repr=False)
    """Stays here until the code is exchanged (RFC 7636)."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What is known of somebody who came back."""

    state_digest: bytes = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    place: str
    """Where they wanted to go."""
    vouched: Vouched
    """Empty before the provider vouched for anybody."""

    def has_state(self, state: str) -> bool:
        """Tell whether this state went with the trip."""
        return hmac.compare_digest(digest_of(state), self.state_digest)


def begin_trip(store: Store, place: str, vouched: Vouched | None = None) -> Departure:
    """Keep a new trip, durably; those whose time is over are forgotten.

    Args:
        store: The archive.
        place: Where to go on afterwards.
        vouched: Whom the provider vouched for already, while something else is asked of them.
    """
    made = Departure(*(secrets.token_urlsafe(_TOKEN_BYTES) for _ in range(4)))
    known, now_ms = vouched or Vouched(), store.now_ms()
    row = {
        "token_digest": digest_of(made.token),
        "state_digest": digest_of(made.state),
        "nonce": made.nonce,
        "verifier": made.verifier,
        "place": place,
        "issuer": known.issuer,
        "subject": known.subject,
        "until_ms": now_ms + TRIP_MS,
    }

    def act(connection: Connection) -> None:
        connection.execute(delete(sign_in_trips).where(sign_in_trips.c.until_ms <= now_ms))
        insert_missing(connection, sign_in_trips, [row], "token_digest")

    transact(store.engine, act)
    return made


def take_trip(store: Store, token: str) -> Trip | None:
    """Return the trip and forget it, so that nobody comes back twice; None: there is none.

    Where the server was lost in COMMIT it may be gone unseen: whoever came signs in anew.
    """
    mine = sign_in_trips.c.token_digest == digest_of(token)
    now_ms = store.now_ms()

    def act(connection: Connection) -> Trip | None:
        gone = delete(sign_in_trips).where(mine).returning(*sign_in_trips.c)
        return _trip(connection.execute(gone).one_or_none(), now_ms)

    return transact(store.engine, act)


def look_at_trip(store: Store, token: str) -> Trip | None:
    """Return the trip, and keep it."""
    query = select(sign_in_trips).where(sign_in_trips.c.token_digest == digest_of(token))
    with reading(store.engine) as connection:
        return _trip(connection.execute(query).one_or_none(), store.now_ms())


def _trip(row: Row[Any] | None, now_ms: int) -> Trip | None:
    if row is None or row.until_ms <= now_ms:
        return None
    vouched = Vouched(row.issuer, row.subject)
    return Trip(row.state_digest, row.nonce, row.verifier, row.place, vouched)

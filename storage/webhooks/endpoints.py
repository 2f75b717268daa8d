"""Keeps endpoints: where to, of what, on whose behalf; never what their hosts mean.

Every change is in the audit log, in its own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import insert, select, update

from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.core.identity import public_id, row_id
from holdfast.storage.audit import record_events, told
from holdfast.storage.catalogue.engine import reading, transact
from holdfast.storage.catalogue.locks import Hold, lock_rows
from holdfast.storage.catalogue.rights_tables import users
from holdfast.storage.catalogue.webhook_tables import webhook_deliveries, webhooks
from holdfast.storage.webhooks.happenings import Happening
from holdfast.storage.webhooks.secrets import NO_OLDER, OLDER, fresh_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

    from holdfast.storage.store import Store

PREFIX = "whk"
OVERLAP_HOURS = 24
"""Both secrets sign for so long after a rotation."""
MOST_OVERLAP_HOURS = 24 * 7
MAX_URL_CHARS = 2000
_HOUR_MS = 3_600_000
ALL = tuple(str(one) for one in Happening)


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What is said of an endpoint when it is made."""

    url: str
    events: tuple[str, ...]
    user_id: int
    """Whose scope limits what it is told."""
    key_id: int | None = None
    """A key of the user that limits it further: it ends with the key."""
    name: str = ""
    is_hook: bool = False
    """Made through `/hooks` by the program that wants to be told."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it stands; instants are Unix milliseconds."""

    id: int
    user_id: int
    login: str
    key_id: int | None
    url: str
    events: tuple[str, ...]
    name: str
    is_hook: bool
    created_ms: int
    paused_ms: int | None
    gone_ms: int | None
    """When it answered that it is gone; nothing is sent until it is resumed."""
    older_until_ms: int | None
    """Until when an older secret signs too."""
    failures: int
    """In a row."""
    version: int

    @property
    def state(self) -> str:
        """`active`, `paused` or `gone`."""
        if self.gone_ms is not None:
            return "gone"
        return "active" if self.paused_ms is None else "paused"

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


def add_endpoint(store: Store, new: NewEndpoint) -> tuple[Endpoint, str]:
    """Keep an endpoint; return it with its secret, which is shown this once.

    Raises:
        Refused: The address or an event is none.
    """
    webhook_id = store.ids.take()
    secret, kept = fresh_secret(store, webhook_id)
    row = {
        "id": webhook_id,
        "user_id": new.user_id,
        "key_id": new.key_id,
        "url": usable_url(new.url),
        "events": " ".join(usable_events(new.events)),
        "name": new.name.strip(),
        "is_hook": new.is_hook,
        "created_ms": store.now_ms(),
        **kept,
    }

    def act(connection: Connection) -> Endpoint:
        known = select(webhooks.c.id).where(webhooks.c.id == webhook_id)
        if connection.scalar(known) is None:  # else the try before was kept, and we were not told
            connection.execute(insert(webhooks).values(row))
            return _noted(connection, store, "add", webhook_id)
        return endpoint_in(connection, webhook_id)

    return transact(store.engine, act), secret


def usable_url(url: str) -> str:
    """Return an address that can be sent to; where its name leads is judged when it is.

    Raises:
        Refused: It is no bare http or https address.
    """
    url = url.strip()
    is_bare = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL_CHARS
    step = "Give it as in https://crm.example/in."
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise Refused("The address is no URL.", next_step=step) from error
    if not is_whole or not is_bare or parts.scheme not in {"http", "https"}:
        raise Refused("The address is no URL.", next_step=step)
    if parts.username is not None or parts.fragment:
        raise Refused(
            "The address holds a name, a password or a fragment.",
            next_step="Leave it out; the receiver knows us by the signature.",
        )
    return url


def usable_events(events: Iterable[str]) -> list[str]:
    """Return the kinds once each, in the order of `Happening`; all of them where none is named.

    Raises:
        Refused: There is no such kind.
    """
    asked = [one.strip() for one in events if one.strip()]
    for one in asked:
        if one not in ALL:
            raise Refused(f"There is no event {one[:40]!r}.", next_step=f"Known: {', '.join(ALL)}.")
    return [one for one in ALL if not asked or one in asked]


@dataclass(frozen=True, slots=True)
class Changes:
    """What of an endpoint becomes another; None stays."""

    url: str | None = None
    events: tuple[str, ...] | None = None
    name: str | None = None
    is_paused: bool | None = None
    """False resumes one that said it is gone, too."""
    version: int | None = None
    """That the change is made to; None: whichever it is."""


def change_endpoint(store: Store, webhook_id: int, changes: Changes) -> Endpoint:
    """Change what is not None.

    Raises:
        NotFound: There is no such endpoint.
        Refused: The address or an event is none.
        Conflict: It is of another version by now.
    """
    values: dict[str, Any] = {}
    if changes.url is not None:
        values["url"] = usable_url(changes.url)
    if changes.events is not None:
        values["events"] = " ".join(usable_events(changes.events))
    if changes.name is not None:
        values["name"] = changes.name.strip()
    if changes.is_paused is not None:
        rests = {"failures": 0, "rests_until_ms": 0, "gone_ms": None}
        values |= (
            {"paused_ms": store.now_ms()} if changes.is_paused else {"paused_ms": None, **rests}
        )

    def checked(_: Connection, found: Endpoint) -> dict[str, Any]:
        if changes.version not in {None, found.version}:
            raise Conflict("It was changed meanwhile.", next_step="Read it again.")
        return values

    return _changed(store, webhook_id, "change", checked)


def rotate_secret(
    store: Store, webhook_id: int, overlap_hours: int = OVERLAP_HOURS
) -> tuple[Endpoint, str]:
    """Make a new secret; return it with the endpoint. The one before signs too for a while.

    Args:
        store: The archive.
        webhook_id: Of the endpoint.
        overlap_hours: For how long; 0: the one before is worthless at once.

    Raises:
        NotFound: There is no such endpoint.
        Refused: The overlap is too long.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        raise Refused(f"Two secrets overlap at most {MOST_OVERLAP_HOURS} hours.")
    secret, kept = fresh_secret(store, webhook_id)
    until_ms = store.now_ms() + overlap_hours * _HOUR_MS
    older = dict(zip(OLDER, (webhooks.c[name] for name in kept), strict=True))
    values = (
        {**older, "older_until_ms": until_ms, **kept} if overlap_hours else {**NO_OLDER, **kept}
    )
    mine = (webhooks.c.id == webhook_id) & (webhooks.c.sealed_secret == kept["sealed_secret"])

    def unless_kept(connection: Connection, _: Endpoint) -> dict[str, Any] | None:
        is_kept = connection.scalar(select(webhooks.c.id).where(mine)) is not None
        return None if is_kept else values  # kept by the try before, and we were not told

    return _changed(store, webhook_id, "rotate", unless_kept), secret


def remove_endpoint(store: Store, webhook_id: int) -> Endpoint:
    """Tell it nothing more, and destroy its secrets; what it was told stays in the log.

    Raises:
        NotFound: There is no such endpoint.
    """
    found = find_endpoint(store, webhook_id)
    nothing = {"wrapped_key": None, "key_version": 0, "sealed_secret": None, **NO_OLDER}
    gone = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.removed_ms.is_(None))

    def act(connection: Connection) -> None:
        now_ms = store.now_ms()
        if connection.execute(gone.values(removed_ms=now_ms, **nothing)).rowcount:
            void_waiting(connection, webhook_id, now_ms, "The endpoint was removed.")
            _note(connection, store, "remove", found)

    transact(store.engine, act)
    return found


def void_waiting(connection: Connection, webhook_id: int, now_ms: int, why: str) -> None:
    """End what the endpoint was still to be told, untold."""
    waiting = (
        update(webhook_deliveries)
        .where(webhook_deliveries.c.webhook_id == webhook_id)
        .where(webhook_deliveries.c.state == "waiting")
    )
    connection.execute(waiting.values(state="void", ended_ms=now_ms, error=why))


def _changed(
    store: Store,
    webhook_id: int,
    act: str,
    values_of: Callable[[Connection, Endpoint], dict[str, Any] | None],
) -> Endpoint:
    """Give the endpoint other values and the next version; nothing where there are none."""

    def change(connection: Connection) -> Endpoint:
        lock_rows(connection, webhooks.c.id, [webhook_id], Hold.CHANGING)
        found = endpoint_in(connection, webhook_id)
        values = values_of(connection, found)
        if values is None:
            return found
        values = {**values, "version": found.version + 1}
        connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(values))
        return _noted(connection, store, act, webhook_id)

    return transact(store.engine, change)


def _noted(connection: Connection, store: Store, act: str, webhook_id: int) -> Endpoint:
    found = endpoint_in(connection, webhook_id)
    _note(connection, store, act, found)
    return found


def _note(connection: Connection, store: Store, act: str, one: Endpoint) -> None:
    key = None if one.key_id is None else public_id("key", one.key_id)
    what = {
        "act": act, "url": one.url, "events": list(one.events), "owner": one.login, "key": key,
        "state": one.state,
    }  # fmt: skip
    by = (store.actor, store.now_ms())
    record_events(connection, [told("webhook", (one.public, one.id), by, what)], store.ids)


def list_endpoints(store: Store, user_id: int | None = None) -> list[Endpoint]:
    """Return all endpoints, oldest first, or those of one user."""
    query = _query().order_by(webhooks.c.id)
    if user_id is not None:
        query = query.where(webhooks.c.user_id == user_id)
    with reading(store.engine) as connection:
        return [_view(row) for row in connection.execute(query)]


def find_endpoint(store: Store, name: str | int) -> Endpoint:
    """Return an endpoint by its row id, its public id or its name.

    Raises:
        NotFound: There is none.
        Refused: Several are called so.
    """
    with reading(store.engine) as connection:
        if isinstance(name, int):
            return endpoint_in(connection, name)
        if name.strip().lower().startswith(f"{PREFIX}_"):
            return endpoint_in(connection, row_id(PREFIX, name))
        rows = connection.execute(_query().where(webhooks.c.name == name.strip())).all()
    if not rows or not name.strip():
        raise _absent()
    if len(rows) > 1:
        raise Refused(
            "Several endpoints are called so.",
            next_step="Give the id of one:",
            ids=[public_id(PREFIX, row.id) for row in rows],
        )
    return _view(rows[0])


def endpoint_in(connection: Connection, webhook_id: int) -> Endpoint:
    """Return the endpoint as this transaction sees it.

    Raises:
        NotFound: There is none, or it was removed.
    """
    row = connection.execute(_query().where(webhooks.c.id == webhook_id)).one_or_none()
    if row is None:
        raise _absent()
    return _view(row)


def _absent() -> NotFound:
    return NotFound("There is no such endpoint.", next_step="Run: holdfast webhook list")


def _query() -> Any:
    joined = select(webhooks, users.c.login).join(users, users.c.id == webhooks.c.user_id)
    return joined.where(webhooks.c.removed_ms.is_(None))


def _view(row: Row[Any]) -> Endpoint:
    names = set(Endpoint.__slots__) - {"events"}
    return Endpoint(
        **{name: getattr(row, name) for name in names}, events=tuple(row.events.split())
    )

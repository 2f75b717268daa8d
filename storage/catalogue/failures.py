"""Turns the failures of both databases into ours, without content or secrets; runs no statement.

PostgreSQL's codes: https://www.postgresql.org/docs/15/errcodes-appendix.html.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from holdfast.core.errors import Conflict, Corrupt, HoldfastError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


class Contended(Unavailable):
    """Another writer was in the way: nothing was written, and the same again may succeed now."""


class Lost(Unavailable):
    """The server is away, or went in the middle: the same again may succeed when it is back."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's failures into ours."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Corrupt(
            "The catalogue's database is damaged: a text in it is no text.", next_step=_RESTORE
        ) from error
    except PoolTimeoutError as error:
        raise Unavailable(
            "All connections to the catalogue are in use.", next_step="Repeat, or raise the pool."
        ) from error
    except DBAPIError as error:
        is_postgres = hasattr(error.orig, "sqlstate")
        ours = _from_postgres(error) if is_postgres else _from_sqlite(error)
        if ours is None:
            raise
        raise ours from error


MOVED = "this archive has moved"
"""What a trigger says that holds writers off."""


def _moved() -> Conflict:
    return Conflict(
        "This archive has moved, or is moving, to another place; nothing can be written here.",
        next_step="Any command tells where it is.",
    )


_SQLITE_STEPS = (
    ("locked", "Wait for the other writer, then repeat."),
    ("full", "Free space on its disk, then repeat."),
    ("readonly", "Make its disk and folder writable, then repeat."),
    ("unable to open", "Make its disk and folder readable and writable, then repeat."),
    ("", "Check its disk, then repeat."),
)
_RESTORE = "Restore it from a backup; originals are in the vault."


def _from_sqlite(error: DBAPIError) -> HoldfastError | None:
    cause = str(error.orig)
    if isinstance(error, OperationalError):
        step = next(step for words, step in _SQLITE_STEPS if words in cause)
        return Unavailable(f"The catalogue cannot be used now: {cause}.", next_step=step)
    if MOVED in cause:
        return _moved()
    is_damage = "malformed" in cause or "not a database" in cause
    if isinstance(error, DatabaseError) and is_damage:
        return Corrupt(f"The catalogue's database is damaged: {cause}.", next_step=_RESTORE)
    return None


_CHECK_SERVER = "Check that the server runs and is reachable, then repeat."
_SIGN_IN = "Correct catalogue.url and catalogue.password, and the server's pg_hba.conf."
_MAKE_DATABASE = "Create the database and its owner, or correct catalogue.url."
_OTHERS = "Repeat; other writers were in the way."
_CONTENDED = frozenset({"40001", "40P01", "23505", "23503", "55P03"})
"""Among them a reference to what another writer removed, as disposal does, at the same moment."""
_LOST = ("08", "57P0")
_DAMAGED = frozenset({"XX001", "XX002"})
_POSTGRES_STEPS = (
    ("28", _SIGN_IN),
    ("3D", _MAKE_DATABASE),
    ("42501", "Make the user the owner of the database and its tables."),
    ("42P01", "Run 'holdfast init'."),
    ("53100", "Free space on the server's disk, then repeat."),
    ("53300", "Raise the server's max_connections, or lower the pool."),
    ("53", "Give the server more memory, then repeat."),
    ("25006", "Connect to the primary server; this one only reads."),
    ("57014", "Repeat, or raise the statement timeout."),
    ("25P03", "Repeat; the transaction stood still for too long."),
    ("58", "Check the server's disk and its log, then repeat."),
    ("XX", "Look into the server's log."),
)
# Before a connection stands, libpq gives words and no code.
_REFUSALS = (
    ("password authentication failed", _SIGN_IN),
    ("no password supplied", _SIGN_IN),
    ("no pg_hba.conf entry", _SIGN_IN),
    ("authentication failed", _SIGN_IN),
    ("certificate", "Correct the certificates, or sslmode in catalogue.url."),
    ("SSL", "Correct sslmode in catalogue.url, or the server's."),
    ("too many clients", "Raise the server's max_connections, or lower the pool."),
    ("connection slots", "Raise the server's max_connections, or lower the pool."),
    ("does not exist", _MAKE_DATABASE),
    ("permission denied", _SIGN_IN),
    ("not known", "Correct the host in catalogue.url."),
)


def _from_postgres(error: DBAPIError) -> HoldfastError | None:
    code, cause = _said(error)
    said = f"The catalogue cannot be used now: {cause}."
    if MOVED in cause:
        return _moved()
    if code in _CONTENDED:
        return Contended(said, next_step=_OTHERS, sqlstate=code)
    if code in _DAMAGED:
        return Corrupt(f"The catalogue's database is damaged: {cause}.", next_step=_RESTORE)
    if code.startswith(_LOST) or error.connection_invalidated:
        return Lost(said, next_step=_CHECK_SERVER, sqlstate=code)
    if not code and isinstance(error, OperationalError):
        step = next((step for words, step in _REFUSALS if words in cause), None)
        return (
            Lost(said, next_step=_CHECK_SERVER)
            if step is None
            else Unavailable(said, next_step=step)
        )
    step = next((step for start, step in _POSTGRES_STEPS if code.startswith(start)), None)
    return None if step is None else Unavailable(said, next_step=step, sqlstate=code)


def _said(error: DBAPIError) -> tuple[str, str]:
    """Return code and first sentence; further lines may quote values of rows."""
    code = getattr(error.orig, "sqlstate", None) or ""
    diagnosis = getattr(error.orig, "diag", None)
    primary = None if diagnosis is None else diagnosis.message_primary
    lines = (primary or str(error.orig)).strip().splitlines() or ["no reason given"]
    return code, lines[0].rstrip(".:")

"""How users, keys and grants are shown, as words and as JSON; it reads nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from holdfast.core.identity import public_id

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.rights.api_keys import KeyView
    from holdfast.storage.rights.grants import GrantView
    from holdfast.storage.rights.users import UserView

LOGIN: Any = typer.Argument(metavar="LOGIN", help="Login, or id (usr_…).")


def public(prefix: str, row_id: int) -> str:
    """Return a row id as people see it."""
    return public_id(prefix, row_id)


def moment(session: Session, instant_ms: int | None) -> str:
    """Return an instant in the user's zone, to the minute."""
    from holdfast.cli.lists import when

    if instant_ms is None:
        return "–"
    return when(datetime.fromtimestamp(instant_ms / 1000, UTC), session.settings.zone)


def stamp(instant_ms: int | None) -> str | None:
    """Return an instant as JSON has it."""
    if instant_ms is None:
        return None
    at = datetime.fromtimestamp(instant_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def state(session: Session, user: UserView) -> str:
    """Return whether the user may come in."""
    if not user.is_enabled:
        return session.screen.words("disabled")
    now_ms = datetime.now(UTC).timestamp() * 1000
    is_locked = user.locked_until_ms is not None and user.locked_until_ms > now_ms
    return session.screen.words("locked" if is_locked else "enabled")


def grant_words(session: Session, grant: GrantView) -> str:
    """Return what is granted or denied, in words."""
    what = " ".join(part for part in (grant.kind.value, grant.value) if part)
    return session.screen.words("not: {what}", what=what) if grant.is_denied else what


def user_value(user: UserView) -> dict[str, Any]:
    """Return a user as JSON."""
    return {
        "id": public("usr", user.id),
        "person": public("per", user.person_id),
        "login": user.login,
        "name": user.name,
        "role": user.role.value,
        "addresses": list(user.addresses),
        "has_password": user.has_password,
        "has_second_factor": user.has_totp,
        "issuer": user.issuer,
        "subject": user.subject,
        "created_at": stamp(user.created_ms),
        "password_at": stamp(user.password_ms),
        "is_password_own": user.is_password_own,
        "handled_at": stamp(user.handled_ms),
        "is_unclaimed": user.is_unclaimed,
        "signed_in_at": stamp(user.signed_in_ms),
        "disabled_at": stamp(user.disabled_ms),
        "locked_until": stamp(user.locked_until_ms),
        "version": user.version,
    }


def grant_value(grant: GrantView) -> dict[str, Any]:
    """Return a grant as JSON."""
    return {
        "id": public("grt", grant.id),
        "kind": grant.kind.value,
        "value": grant.value,
        "is_denied": grant.is_denied,
        "reason": grant.reason,
        "actor": grant.actor,
        "added_at": stamp(grant.added_ms),
        "until": stamp(grant.until_ms),
    }


def key_value(key: KeyView) -> dict[str, Any]:
    """Return a key as JSON, without what only its holder has."""
    return {
        "id": public("key", key.id),
        "login": key.login,
        "name": key.name,
        "prefix": key.prefix,
        "actions": [one.value for one in key.actions],
        "networks": list(key.networks),
        "is_own": key.is_own,
        "created_at": stamp(key.created_ms),
        "until": stamp(key.until_ms),
        "used_at": stamp(key.used_ms),
        "used_from": key.used_from,
        "revoked_at": stamp(key.revoked_ms),
    }

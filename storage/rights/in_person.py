"""Says whether what is done in somebody's name is their own doing; it lets nobody in.

Where two persons are asked for, an administrator must not be both by making a key, a password or
an account in somebody's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.core.rights import HANDLED_MS, Hindrance

if TYPE_CHECKING:
    from holdfast.storage.rights.users import UserView


def hindrance_of(user: UserView, now_ms: int, *, is_vouched: bool) -> Hindrance | None:
    """Return why a session of the user may be of somebody else; None: it is theirs.

    Args:
        user: As they are now.
        now_ms: Unix milliseconds.
        is_vouched: A provider let them in, not a password.
    """
    if user.is_unclaimed:
        return Hindrance.UNCLAIMED
    if user.subject and not is_vouched:  # one who never uses a password misses it when it changes
        return Hindrance.PROVIDER
    if not (is_vouched or user.is_password_own):
        return Hindrance.GIVEN
    until_ms = user.counts_from_ms
    return Hindrance.HANDLED if until_ms is not None and now_ms < until_ms else None


def chosen(user: UserView, now_ms: int) -> dict[str, Any]:
    """Return what to write where a user chooses a password in place of the present one.

    Whoever gave the present one may be the one who chooses. Of somebody to whom it was given
    lately that takes little over; later they may have been here for long, and need time to notice.
    """
    given_ms, latest_ms = user.password_ms, max(user.handled_ms or 0, now_ms)
    is_fresh = given_ms is not None and 0 <= now_ms - given_ms < HANDLED_MS
    late = {} if user.is_password_own or is_fresh else {"handled_ms": latest_ms}
    return {"is_password_own": True, "password_ms": now_ms, **late}


def handled(user: UserView, now_ms: int) -> dict[str, Any]:
    """Return what to write where somebody else changes how a user comes in.

    Of somebody who was never here nothing can be taken over.
    """
    return {} if user.signed_in_ms is None else {"handled_ms": now_ms}

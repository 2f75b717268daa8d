"""Sessions: never the client's choice, over when idle, old, ended or their user is disabled."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from holdfast.core.errors import NotFound
from holdfast.core.rights import ROLES, Role
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.rights_tables import sessions
from holdfast.storage.catalogue.schema import audit_actors
from holdfast.storage.rights.sessions import (
    digest_of,
    end_session,
    end_sessions_of,
    open_session,
    session_principal,
)
from holdfast.storage.rights.users import UserChange, change_user, disable_user
from holdfast.storage.store import Store
from rights_kit import ADDRESS, enter, kinds, leaves, user, wait


def is_open(store: Store, token: str) -> bool:
    return session_principal(store, token, ADDRESS) is not None


def test_session_stands_for_its_user_with_the_rights_of_now(store: Store) -> None:
    kept = user(store, role=Role.GUEST)
    signed = enter(store, agent="Browser/1")
    found = session_principal(store, signed.token, "198.51.100.1")
    assert found is not None
    assert (found.user_id, found.person_id, found.login) == (kept.id, kept.person_id, "ann")
    assert (found.actions, found.address) == (ROLES[Role.GUEST], "198.51.100.1")
    assert found.scope.owner == "ann"
    assert found.key_id is None
    change_user(store, "ann", UserChange(role=Role.AUDITOR))
    changed = session_principal(store, signed.token, ADDRESS)
    assert changed is not None
    assert changed.actions == ROLES[Role.AUDITOR]


def test_token_is_random_and_only_its_hash_is_kept(store: Store) -> None:
    user(store)
    first, second = enter(store), enter(store)
    assert len({first.token, second.token, first.csrf, second.csrf}) == 4
    assert all(len(one) == 43 for one in (first.token, first.csrf))
    assert first.token not in repr(first)
    assert first.csrf not in repr(first)
    with reading(store.engine) as connection:
        row = connection.execute(select(sessions).limit(1)).one()
    text = repr(row)
    assert first.token not in text
    assert second.token not in text
    assert first.csrf not in text
    for wrong in ("", "x", first.csrf, first.token[:-1], f"{first.token} ", "\ud800"):
        assert not is_open(store, wrong)


def test_f63_token_before_signing_in_is_never_the_one_after(store: Store) -> None:
    """Session fixation: whoever planted a token, or knows the one before, has nothing of it."""
    user(store)
    planted = "A" * 43
    signed = enter(store, previous=planted)
    assert signed.token != planted
    assert not is_open(store, planted)
    again = enter(store, previous=signed.token)
    assert again.token != signed.token
    assert not is_open(store, signed.token)
    assert is_open(store, again.token)


def test_session_is_over_after_fifteen_idle_minutes(store: Store) -> None:
    user(store)
    token = enter(store).token
    for _ in range(4):
        wait(store, minutes=14)
        assert is_open(store, token)
    wait(store, minutes=15)
    assert not is_open(store, token)


def test_session_is_over_after_eight_hours_however_busy(store: Store) -> None:
    user(store)
    token = enter(store).token
    for _ in range(47):
        wait(store, minutes=10)
        assert is_open(store, token)
    wait(store, minutes=10)
    assert not is_open(store, token)


def test_use_is_written_down_at_most_once_a_minute(store: Store) -> None:
    user(store)
    token = enter(store).token

    def seen() -> int:
        with reading(store.engine) as connection:
            return int(connection.scalars(select(sessions.c.seen_ms)).one())

    first = seen()
    wait(store, seconds=50)
    assert is_open(store, token)
    assert seen() == first
    wait(store, seconds=10)
    assert is_open(store, token)
    assert seen() > first


def test_ended_session_is_over_at_once_and_only_that_one(store: Store) -> None:
    user(store)
    first, second = enter(store).token, enter(store).token
    assert end_session(store, first)
    assert not end_session(store, first)
    assert not end_session(store, "never was")
    assert [is_open(store, one) for one in (first, second)] == [False, True]
    assert end_sessions_of(store, "ann") == 1
    assert end_sessions_of(store, "ann") == 0
    assert not is_open(store, second)
    assert kinds(store).count("sign_out") == 2
    with pytest.raises(NotFound):
        end_sessions_of(store, "nobody")


def test_f63_disabling_shuts_out_every_session_with_the_next_request(store: Store) -> None:
    user(store)
    tokens = [enter(store).token for _ in range(2)]
    disable_user(store, "ann")
    assert not any(is_open(store, one) for one in tokens)


def test_f63_session_of_a_disabled_user_is_worthless_even_if_it_was_not_ended(store: Store) -> None:
    user(store)
    token = enter(store).token
    disable_user(store, "ann")
    with store.engine.begin() as connection:
        connection.execute(update(sessions).values(ended_ms=None))
    assert not is_open(store, token)


def test_f63_csrf_token_belongs_to_one_session(store: Store) -> None:
    user(store)
    first, second = enter(store), enter(store)
    found = open_session(store, first.token, ADDRESS)
    assert found is not None
    assert found.has_csrf(first.csrf)
    assert not any(map(found.has_csrf, (second.csrf, first.token, "", "\ud800")))


def test_actor_of_a_session_is_known_in_the_log_also_when_its_name_was_erased(
    store: Store,
) -> None:
    user(store)
    token = enter(store).token
    found = session_principal(store, token, ADDRESS)
    assert found is not None
    assert leaves(store, "sign_in")[0]["actor"] == found.pid != ""
    with store.engine.begin() as connection:
        connection.execute(audit_actors.delete())
    later = session_principal(store, token, ADDRESS)
    assert later is not None
    assert later.pid not in {"", found.pid}


def test_sessions_long_over_are_cleared_away_when_their_user_signs_in(store: Store) -> None:
    user(store)
    old = enter(store).token
    wait(store, days=31)
    new = enter(store).token
    with reading(store.engine) as connection:
        kept = set(connection.scalars(select(sessions.c.token_digest)))
    assert kept == {digest_of(new)} != {digest_of(old)}

"""`/users`, `/keys`, `/teams`: who may do what; passwords and keys are shown once or never."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from holdfast.api.asking import understood
from holdfast.api.door import Archive, Asker, allowed
from holdfast.api.idempotency import Call, Once, once
from holdfast.api.names import number_of
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Shape, from_ms, maybe_ms
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.errors import NotFound
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Forbidden, Principal, Reach, Role
from holdfast.storage.rights.api_keys import (
    KeyView,
    NewKey,
    create_key,
    list_keys,
    revoke_key,
)
from holdfast.storage.rights.grants import (
    GrantView,
    NewGrant,
    add_grant,
    list_grants,
    remove_grant,
)
from holdfast.storage.rights.handing_over import Handover, hand_over, handed_over
from holdfast.storage.rights.users import (
    NewUser,
    UserChange,
    UserView,
    add_user,
    change_user,
    disable_user,
    enable_user,
    fold,
    list_users,
    user_view,
)

router = APIRouter(tags=["users"])
Manager = Annotated[Principal, Depends(allowed(Action.USERS))]
LOGIN = Field(max_length=128, examples=["li"])


class UserShape(Shape):
    """A user."""

    id: str
    person_id: str
    login: str
    name: str
    role: Role
    addresses: list[str]
    has_password: bool
    has_totp: bool
    is_linked: bool
    """A provider vouches for them."""
    created_at: Instant
    is_password_own: bool
    """They chose it; else whoever gave it knows it too."""
    handled_at: Instant | None
    """When somebody else last changed how they come in."""
    is_unclaimed: bool
    """Added to a person, who has not confirmed that it is theirs."""
    signed_in_at: Instant | None
    disabled_at: Instant | None
    version: int


class NewUserShape(Shape):
    """A user to be added."""

    login: str = LOGIN
    role: Role
    name: str = Field("", max_length=300)
    person: str = Field("", max_length=128)
    """Id of a person, or a login of theirs; empty: somebody new."""
    addresses: list[str] = Field(default=[], max_length=100)
    password: str = Field("", max_length=1024)


class UserChangeShape(Shape):
    """What is to be different; what is left out stays."""

    role: Role | None = None
    name: str | None = Field(None, max_length=300)
    addresses: list[str] | None = Field(None, max_length=100)


class NewKeyShape(Shape):
    """An API key to be made."""

    login: str = LOGIN
    name: str = Field("", max_length=200)
    actions: list[Action] = Field(default=[], max_length=100)
    """Fewer than the role's; empty: all of them."""
    networks: list[str] = Field(default=[], max_length=100, examples=[["10.0.0.0/8"]])
    days: int = Field(90, ge=1, le=365)


class HandoverOrder(Shape):
    """Who is to look after a user's contacts."""

    to: str = LOGIN
    with_unowned: bool = False
    """Also contacts from outside that nobody looks after, and whom the user wrote with."""
    is_preview: bool = False
    """Only count."""


class HandoverAnswer(Shape):
    """What changed hands, or would."""

    contacts: int
    is_done: bool


class KeyShape(Shape):
    """An API key, without its secret."""

    id: str
    login: str
    name: str
    prefix: str
    actions: list[str]
    networks: list[str]
    is_own: bool
    """Made by its user in person: what is done with it counts where two persons are asked for."""
    created_at: Instant
    until: Instant
    used_at: Instant | None
    revoked_at: Instant | None


class MadeKey(KeyShape):
    """A new key with its secret, which is shown this once."""

    key: str = Field(examples=["holdfast_…"])


class GrantShape(Shape):
    """What a user is granted or denied."""

    id: str
    kind: Reach
    value: str
    is_denied: bool
    reason: str
    until: Instant | None


class NewGrantShape(Shape):
    """What a user is to be granted or denied."""

    kind: Reach
    value: str = Field("", max_length=10_000)
    is_denied: bool = False
    reason: str = Field("", max_length=1000)
    days: int | None = Field(None, ge=1, le=3650)


@router.get("/users", operation_id="list_users")
def get_users(served: Archive, principal: Manager) -> list[UserShape]:
    """List all users by login."""
    return [_user(one) for one in list_users(served.store)]


@router.get("/users/me", operation_id="read_myself")
def read_myself(served: Archive, principal: Asker) -> UserShape:
    """Read who the key makes you."""
    return _user(user_view(served.store, principal.login))


@router.post("/users", operation_id="add_user", status_code=201)
def post_user(
    new: NewUserShape, served: Archive, principal: Manager, once_key: Once = ""
) -> UserShape:
    """Add a user; without a password they can use keys only."""

    def act() -> UserShape:
        order = NewUser(
            login=new.login,
            role=new.role,
            name=new.name,
            person=new.person,
            addresses=tuple(new.addresses),
            password=new.password,
        )
        return _user(add_user(served.store_of(principal), order))

    body = new.model_dump(mode="json", exclude={"password"})
    return once(Call(served, principal, once_key, "POST /users", body), UserShape, act)


@router.get("/users/{login}", operation_id="read_user")
def read_user(login: str, served: Archive, principal: Manager, response: Response) -> UserShape:
    """Read a user."""
    found = user_view(served.store, login)
    response.headers["ETag"] = tag_of(found.version)
    return _user(found)


@router.patch("/users/{login}", operation_id="change_user")
def patch_user(
    login: str,
    change: UserChangeShape,
    served: Archive,
    principal: Manager,
    if_match: IfMatch = "",
) -> UserShape:
    """Change role, name or addresses; it holds from the next request on."""
    addresses = None if change.addresses is None else tuple(change.addresses)
    order = UserChange(role=change.role, name=change.name, addresses=addresses)
    store = served.store_of(principal)
    version = agreed(if_match, user_view(store, login).version)
    return _user(change_user(store, login, order, version))


@router.post("/users/{login}/disable", operation_id="disable_user")
def post_disable(login: str, served: Archive, principal: Manager) -> UserShape:
    """Let a user do nothing any more: their sessions and keys end at once."""
    return _user(disable_user(served.store_of(principal), login))


@router.post("/users/{login}/enable", operation_id="enable_user")
def post_enable(login: str, served: Archive, principal: Manager) -> UserShape:
    """Let a user sign in again; their keys stay revoked."""
    return _user(enable_user(served.store_of(principal), login))


@router.post("/users/{login}/handover", operation_id="hand_over")
def post_handover(
    login: str, order: HandoverOrder, served: Archive, principal: Manager, once_key: Once = ""
) -> HandoverAnswer:
    """Let somebody else look after all contacts that a user looks after, all or none.

    The audit log lists the contacts; records and their authors stay as they are.
    """
    wanted = Handover(login, order.to, order.with_unowned)
    store = served.store_of(principal)

    def act() -> HandoverAnswer:
        found = handed_over(store, wanted) if order.is_preview else hand_over(store, wanted)
        return HandoverAnswer(contacts=len(found), is_done=not order.is_preview)

    route = f"POST /users/{login}/handover"
    return once(Call(served, principal, once_key, route, order.model_dump()), HandoverAnswer, act)


@router.get("/users/{login}/grants", operation_id="list_grants")
def get_grants(login: str, served: Archive, principal: Manager) -> list[GrantShape]:
    """List what a user is granted and denied."""
    return [_grant(one) for one in list_grants(served.store, login)]


@router.post("/users/{login}/grants", operation_id="add_grant", status_code=201)
def post_grant(
    login: str, new: NewGrantShape, served: Archive, principal: Manager, *, once_key: Once = ""
) -> GrantShape:
    """Grant or deny a scope; what is denied beats what is granted."""
    call = Call(
        served, principal, once_key, f"POST /users/{login}/grants", new.model_dump(mode="json")
    )
    return once(call, GrantShape, lambda: _granted(login, new, served, principal))


def _granted(login: str, new: NewGrantShape, served: Served, principal: Principal) -> GrantShape:
    store = served.store_of(principal)
    until_ms = None if new.days is None else store.now_ms() + new.days * 86_400_000
    order = NewGrant(
        login=login,
        kind=new.kind,
        value=new.value,
        is_denied=new.is_denied,
        reason=new.reason,
        until_ms=until_ms,
        tree=understood(served, new.value).node if new.kind is Reach.QUERY else None,
    )
    return _grant(add_grant(store, order))


@router.delete("/users/{login}/grants/{grant_id}", operation_id="remove_grant", status_code=204)
def delete_grant(login: str, grant_id: str, served: Archive, principal: Manager) -> None:
    """Take back what was granted or denied."""
    number = number_of("grt", grant_id)
    if number not in {one.id for one in list_grants(served.store, login)}:
        raise NotFound(f"There is no grant {grant_id[:40]!r}.")
    remove_grant(served.store_of(principal), number)


@router.get("/keys", operation_id="list_keys")
def get_keys(served: Archive, principal: Asker) -> list[KeyShape]:
    """List keys: all of them for who manages users, else one's own."""
    login = "" if principal.may(Action.USERS) else principal.login
    return [_key(one) for one in list_keys(served.store, login)]


@router.post("/keys", operation_id="create_key", status_code=201)
def post_key(new: NewKeyShape, served: Archive, principal: Asker) -> MadeKey:
    """Make a key; its secret is in this answer and nowhere else."""
    _refuse_others(principal, new.login)
    order = NewKey(
        login=new.login,
        name=new.name,
        actions=_no_more_than_own(principal, new.actions),
        networks=tuple(new.networks),
        days=new.days,
        is_own=principal.hindrance is None and fold(new.login) == principal.login,
    )
    view, secret = create_key(served.store_of(principal), order)
    return MadeKey(**_key(view).model_dump(), key=secret)


@router.delete("/keys/{key_id}", operation_id="revoke_key", status_code=204)
def delete_key(key_id: str, served: Archive, principal: Asker) -> None:
    """Revoke a key: it is worth nothing from now on."""
    number = number_of("key", key_id)
    found = next((one for one in list_keys(served.store) if one.id == number), None)
    if found is None or not (principal.may(Action.USERS) or found.login == principal.login):
        raise NotFound(f"There is no key {key_id[:40]!r}.")
    revoke_key(served.store_of(principal), number)


def _no_more_than_own(principal: Principal, wanted: list[Action]) -> tuple[Action, ...]:
    """A key that is narrower than its role must not make a wider one."""
    if principal.may(Action.USERS):
        return tuple(wanted)
    for action in wanted:
        principal.require(action)
    return tuple(wanted) or tuple(sorted(principal.actions))


def _refuse_others(principal: Principal, login: str) -> None:
    if login.strip().casefold() != principal.login and not principal.may(Action.USERS):
        raise Forbidden("Only who manages users makes keys for others.", action=Action.USERS.value)


def _user(one: UserView) -> UserShape:
    return UserShape(
        id=public_id("usr", one.id),
        person_id=public_id("per", one.person_id),
        login=one.login,
        name=one.name,
        role=one.role,
        addresses=list(one.addresses),
        has_password=one.has_password,
        has_totp=one.has_totp,
        is_linked=bool(one.subject),
        created_at=from_ms(one.created_ms),
        is_password_own=one.is_password_own,
        handled_at=maybe_ms(one.handled_ms),
        is_unclaimed=one.is_unclaimed,
        signed_in_at=maybe_ms(one.signed_in_ms),
        disabled_at=maybe_ms(one.disabled_ms),
        version=one.version,
    )


def _key(one: KeyView) -> KeyShape:
    return KeyShape(
        id=public_id("key", one.id),
        login=one.login,
        name=one.name,
        prefix=one.prefix,
        actions=[str(action) for action in one.actions],
        networks=list(one.networks),
        is_own=one.is_own,
        created_at=from_ms(one.created_ms),
        until=from_ms(one.until_ms),
        used_at=maybe_ms(one.used_ms),
        revoked_at=maybe_ms(one.revoked_ms),
    )


def _grant(one: GrantView) -> GrantShape:
    return GrantShape(
        id=public_id("grt", one.id),
        kind=one.kind,
        value=one.value,
        is_denied=one.is_denied,
        reason=one.reason,
        until=maybe_ms(one.until_ms),
    )

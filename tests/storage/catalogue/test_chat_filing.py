"""Chat in the catalogue: whatever order things come in, the archive is the same."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from catalogue_kit import SAME_FIXTURE, Filing, Home, Homes, Mail, draft_of, new_store
from chat_filing import ChatFiling, Item, all_records
from chat_story import (
    FIRST,
    STORY,
    T0,
    deleted,
    edited,
    every_version_is_kept,
    happened,
    order_does_not_matter,
    said,
    ts,
)
from disposal_kit import verified
from holdfast.core.chats import address_key, chat_address, is_chat_address
from holdfast.core.custody import DraftParticipant
from holdfast.core.errors import NotFound, Refused
from holdfast.core.kinds import Kind
from holdfast.parsers.chat import building
from holdfast.storage.catalogue import messages
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.conversations import (
    LONGEST_FAMILY,
    Line,
    lines_around,
    lines_of,
    members_at,
    room,
    rooms,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, identities, interactions
from holdfast.storage.catalogue.sightings import joined_key, same_people, sightings, split_key
from holdfast.storage.store import Store
from slack_kit import CONTEXT


def test_f36_every_version_of_a_story_is_kept(home: Home, tmp_path: Path) -> None:
    store = home.store()
    every_version_is_kept(store)
    (found,) = rooms(store, "third")
    assert (found.channel, found.key, found.name) == ("slack", "C1", "third name")
    assert rooms(store, "second") == []
    assert rooms(store, "C1") == [found]
    assert verified(store, tmp_path) == []


@settings(max_examples=2, suppress_health_check=SAME_FIXTURE)
@given(order=st.permutations([*STORY, STORY[0], STORY[2], STORY[4]]), sizes=st.integers(1, 5))
def test_f36_any_order_gives_the_same_archive(
    tmp_path_factory: Any, order: list[Item], sizes: int
) -> None:
    """Events doubled, before their message, in one batch or in many."""
    order_does_not_matter(tmp_path_factory.mktemp("orders"), order, sizes)


def test_f36_edit_that_overwrites_is_found_out(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_the_name(said: building.Said, room: object) -> bytes:
        del room
        return hashlib.sha256(f"{said.kind} {said.name}".encode()).digest()

    monkeypatch.setattr(building, "_fingerprint", of_the_name)
    with pytest.raises(AssertionError, match="was overwritten"):
        every_version_is_kept(home.store())


def test_f36_versions_in_the_order_of_their_coming_are_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_coming = messages._FAMILY.order_by(None).order_by(interactions.c.id)
    monkeypatch.setattr(messages, "_FAMILY", by_coming)
    with pytest.raises(AssertionError, match="the order of events shows"):
        order_does_not_matter(tmp_path, STORY[::-1], 1)


def test_names_of_rooms_go_by_the_clock_of_the_system(home: Home) -> None:
    """A name that is said again later counts from then on, also against one in between."""

    def named(key: str, second: int, name: str) -> Item:
        context = replace(CONTEXT, room={"key": key, "name": name})
        return Item("slack.message", said(second, f"{key} {second}"), context)

    store = home.store()
    names = [(1, "a"), (10, "a"), (5, "b"), (0, "c"), (7, "")]
    for key, order in (("C1", names), ("C2", names[::-1])):
        for second, name in order:
            ChatFiling(store)(named(key, second, name))
        assert [one.name for one in rooms(store, key)] == ["a"]


def test_members_of_a_room_at_an_instant(home: Home) -> None:
    store = home.store()
    listed = Item(
        "slack.room", {"id": "C1", "name": "general", "created": T0 - 9, "members": ["U1", "U3"]}
    )
    moves = [
        happened(10, type="member_joined_channel", user="U2"),
        happened(20, type="member_left_channel", user="U2"),
        happened(30, type="member_joined_channel", user="U2"),
        happened(25, type="member_left_channel", user="U3"),
    ]
    ChatFiling(store)(listed, *moves)
    (found,) = rooms(store, "general")

    def there(second: int | None) -> dict[str, tuple[bool, bool]]:
        at = None if second is None else datetime.fromtimestamp(T0 + second, UTC)
        members = members_at(store, found.id, at)
        return {one.value: (one.since is not None, one.until is not None) for one in members}

    assert there(5) == {"U1": (False, False), "U3": (False, True)}
    assert there(15) == {"U1": (False, False), "U2": (True, True), "U3": (False, True)}
    assert there(22) == {"U1": (False, False), "U3": (False, True)}
    assert there(None) == {"U1": (False, False), "U2": (True, False)}


def test_pages_of_a_room(home: Home) -> None:
    store = home.store()
    items = [Item("slack.message", said(n, f"line {n}")) for n in range(10)]
    ChatFiling(store)(*items, edited(50, "line 5 again", 5))
    (found,) = rooms(store, "C1")
    assert (room(store, found.id).messages, len(lines_of(store, found.id).lines)) == (11, 10)
    seen: list[Line] = []
    cursor = ""
    while True:
        page = lines_of(store, found.id, cursor, 4)
        seen = [*page.lines, *seen]
        if not page.before:
            break
        cursor = page.before
    assert [one.id for one in seen] == [one.id for one in lines_of(store, found.id).lines]
    forward = lines_of(store, found.id, page.after, 100)
    assert [one.id for one in forward.lines] == [one.id for one in seen[len(page.lines) :]]
    around = lines_around(store, seen[5].id, 2)
    assert [one.id for one in around.lines] == [one.id for one in seen[3:8]]
    assert (bool(around.before), bool(around.after)) == (True, True)
    version = next(one for one in all_records(store) if one.body == "line 5 again")
    assert seen[5].id in [one.id for one in lines_around(store, version.id, 2).lines]
    for bad in ("x", "after_", "before_1_x", "sideways_1_2"):
        with pytest.raises(Refused):
            lines_of(store, found.id, bad)
    with pytest.raises(Refused):
        lines_of(store, found.id, limit=0)


def test_what_is_in_no_room_is_said(home: Home) -> None:
    store = home.store()
    (mail,) = Filing(store)(Mail())
    with pytest.raises(NotFound):
        lines_around(store, mail.filed.interaction_id)
    with pytest.raises(NotFound):
        room(store, 5)
    assert rooms(store, "anything") == []


def test_profile_links_the_addresses_of_one_person(home: Home, tmp_path: Path) -> None:
    """By whatever came first: mail, chat, or the profile."""
    eve = {"real_name": "Eve", "email": "Eve@X.org"}
    profile = Item("slack.user", {"id": "U5", "updated": T0, "profile": eve})
    store = home.store()
    ChatFiling(store)(profile, Item("slack.message", said(1, "hi", user="U5")))
    Filing(store)(Mail(sender="Eve <eve@x.org>"))
    contacts = {
        (p.address, p.contact_id) for one in all_records(store) for p in one.participants
        if p.address.casefold() in ("slack:u5", "eve@x.org")
    }  # fmt: skip
    assert len({contact for _, contact in contacts}) == 1
    assert verified(store, tmp_path) == []


def test_side_is_learnt_whenever_it_is_said(home: Home, tmp_path: Path) -> None:
    """Somebody whom a text only mentions is of no side, until the directory says it."""
    store = home.store()
    file = ChatFiling(store)
    file(Item("slack.message", said(1, "hi <@U9> and <@UB>", user="U8")))
    file(Item("slack.user", {"id": "U9", "updated": T0, "is_restricted": True}))
    file(Item("slack.user", {"id": "U8", "updated": T0}))
    file(Item("slack.user", {"id": "UB", "updated": T0, "is_bot": True}))
    file(Item("slack.message", said(2, "again <@U9>", user="U8")))
    with reading(store.engine) as connection:
        query = select(identities.c.value, identities.c.side).order_by(identities.c.value)
        found = [tuple(row) for row in connection.execute(query)]
    assert found == [("U8", "staff"), ("U9", "outside"), ("UB", "bot")]
    assert verified(store, tmp_path) == []


def test_known_mail_address_takes_the_chat_address_in(home: Home, tmp_path: Path) -> None:
    store = home.store()
    Filing(store)(Mail(sender="Eve <eve@x.org>"))
    ChatFiling(store)(
        Item("slack.user", {"id": "U5", "updated": T0, "profile": {"email": "eve@x.org"}})
    )
    with reading(store.engine) as connection:
        homes = connection.execute(
            select(identities.c.contact_id).where(identities.c.value.in_(["U5", "eve@x.org"]))
        )
        assert len(set(homes.scalars())) == 1
    assert verified(store, tmp_path) == []


def test_undone_batch_takes_its_marks_along(home: Home, tmp_path: Path) -> None:
    store = home.store()
    file = ChatFiling(store)
    file(FIRST)
    file(edited(5, "mended", 0))
    with reading(store.engine) as connection:
        batch = connection.scalar(select(captures.c.batch_id).order_by(captures.c.id.desc()))
    assert {one.marks for one in all_records(store)} == {("edited",), ("edited", "version")}
    assert batch is not None
    undo_batch(store, batch)
    assert [one.marks for one in all_records(store)] == [()]
    assert verified(store, tmp_path) == []


def test_two_writers_make_one_room_and_one_person(homes: Homes, tmp_path: Path) -> None:
    with homes() as home:
        home.store()
        stores = [home.store(writer=n) for n in (2, 3)]
        vault = stores[0].vault
        stores = [replace(one, vault=vault) for one in stores]
        failures: list[BaseException] = []

        def work(store: Store, start: int) -> None:
            try:
                file = ChatFiling(store)
                for n in range(start, 12, 2):
                    context = replace(CONTEXT, room={"key": "C1", "name": f"name {n:02}"})
                    file(Item("slack.message", said(n, f"line {n}"), context))
            except BaseException as error:
                failures.append(error)
                raise

        threads = [threading.Thread(target=work, args=(s, n)) for n, s in enumerate(stores)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        (found,) = rooms(stores[0], "C1")
        assert (found.name, found.messages) == ("name 11", 12)
        assert verified(stores[0], tmp_path) == []


def test_keys_of_addresses() -> None:
    for key in ("eve@x.org", "wecom:ZhangSan", "phone:+86138"):
        assert joined_key(*split_key(key)) == key == address_key(key)
    assert address_key(" Eve@X.org ") == "eve@x.org"
    assert split_key("a:b@x.org") == ("mail", "a:b@x.org")


@given(st.text(max_size=12), st.sampled_from(["wecom", "slack", "phone"]))
def test_chat_addresses(value: str, scheme: str) -> None:
    address = chat_address(scheme, value)
    assert "@" not in address
    assert bool(address) == bool(value.strip())
    if address:
        assert is_chat_address(address)
        assert address_key(address) == address
        assert split_key(address)[0] == scheme
    other = chat_address(scheme, value + "%40")
    assert other != chat_address(scheme, value + "@")
    assert not is_chat_address(f"{address}@x.org")


def test_sightings_of_chat_and_of_mail() -> None:
    mail = draft_of(Mail(sender="slack:U1", to=("wecom:zhangsan", "a@b.example")), b"k" * 32)
    assert [one.address_key for one in sightings(mail, 0)] == ["a@b.example"]
    people = tuple(
        DraftParticipant(role, "N", address, "staff")
        for role, address in (("self", "slack:U1"), ("alias", "phone:+1"), ("alias", "bad"))
    )
    profile = replace(mail, channel="slack", kind="profile", participants=people)
    assert same_people(profile) == [("phone:+1", "slack:U1")]
    assert same_people(replace(profile, kind="im")) == []
    assert [one.side for one in sightings(profile, 0)][:2] == ["staff", "staff"]


def test_very_many_reactions_do_not_hide_that_a_message_was_deleted(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    target = {"channel": "C1", "ts": ts(0)}
    liked = [
        happened(one, type="reaction_added", user=f"U{one}", reaction="ok", item=target)
        for one in range(1, LONGEST_FAMILY + 2)
    ]
    ChatFiling(store)(FIRST, *liked, deleted(LONGEST_FAMILY + 9, 0))
    (gone,) = (one.id for one in all_records(store) if one.kind == Kind.DELETION)
    (line,) = lines_of(store, rooms(store, "C1")[0].id).lines
    assert len(line.later) == LONGEST_FAMILY
    assert gone in line.later

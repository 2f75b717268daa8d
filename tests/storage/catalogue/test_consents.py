"""Who agreed to be archived: the last word by its own time, in whatever order words come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlalchemy import select

from catalogue_kit import Home
from chat_filing import ChatFiling, Item
from holdfast.core.consents import Consent, ConsentNow, in_force, state_said
from holdfast.core.errors import NotFound
from holdfast.parsers.chat.values import Context, Person
from holdfast.storage.catalogue import consents
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.consents import consents_of
from holdfast.storage.catalogue.contact_fields import change_fields, fields_in
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.schema import batches
from holdfast.storage.store import Store

T0, DAY = 1_700_000_000_000, 86_400_000
PEOPLE = {"wm1": Person("王敏", "", "outside"), "zhang": Person("张三", "", "staff")}


def said(what: str, day: int, who: str = "wm1", sender: str = "") -> Item:
    value = {
        "msgid": f"{what}-{day}-{who}", "action": "send", "from": sender or who,
        "tolist": ["zhang"], "msgtype": what, "msgtime": T0 + day * DAY,
        what: {"userid": who, f"{what}_time": T0 + day * DAY},
    }  # fmt: skip
    return Item("wecom.message", value, Context("wecom", people=PEOPLE))


def told(store: Store, address: str = "wecom:wm1") -> list[tuple[str, str, str]]:
    """Return channel, state and what it overrules of each consent of a contact."""
    found = consents_of(store, contact_at(store, address))
    return [
        (one.consent.channel, one.consent.state, one.by_hand.state if one.by_hand else "")
        for one in found
    ]


def contact_at(store: Store, address: str) -> int:
    return find(store, address, 1)[0].id


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_the_latest_word_decides_whichever_came_first(store: Store, order: Sequence[int]) -> None:
    words = {1: said("agree", 1), 2: said("disagree", 2), 3: said("agree", 3)}
    file = ChatFiling(store)
    for each in order:
        file(words[each])
    assert told(store) == [("wecom", "agreed", "")]
    (found,) = consents_of(store, contact_at(store, "wecom:wm1"))
    assert found.consent.at == datetime.fromtimestamp(T0 / 1000 + 3 * 86_400, UTC)
    assert found.consent.record_id
    assert told(store, "wecom:zhang") == []


def test_whom_a_word_is_about_is_not_who_passed_it_on(store: Store) -> None:
    ChatFiling(store)(said("disagree", 1, "wm1", sender="zhang"))
    assert told(store) == [("wecom", "refused", "")]
    assert told(store, "wecom:zhang") == []


def test_callback_agrees_too(store: Store) -> None:
    xml = (
        "<xml><ToUserName>ww1</ToUserName><FromUserName>sys</FromUserName>"
        "<CreateTime>1700086400</CreateTime><MsgType>event</MsgType>"
        "<Event>change_external_contact</Event><ChangeType>msg_audit_approved</ChangeType>"
        "<UserID>zhang</UserID><ExternalUserID>wm1</ExternalUserID></xml>"
    )

    class Callback(Item):
        @property
        def raw(self) -> bytes:
            return xml.encode()

    ChatFiling(store)(Callback("wecom.callback", {}, Context("wecom", people=PEOPLE)))
    assert told(store) == [("wecom", "agreed", "")]
    assert told(store, "wecom:zhang") == []


def test_undone_import_and_merge_say_what_is_left(store: Store) -> None:
    file = ChatFiling(store)
    file(said("agree", 1))
    file(said("disagree", 2))
    assert told(store) == [("wecom", "refused", "")]
    with reading(store.engine) as connection:
        last = max(connection.scalars(select(batches.c.id)))
    undo_batch(store, last)
    assert told(store) == [("wecom", "agreed", "")]
    file(said("disagree", 3, "wm2"))
    merge(store, contact_at(store, "wecom:wm1"), contact_at(store, "wecom:wm2"))
    assert told(store) == [("wecom", "refused", "")]


def test_of_who_is_in_very_many_messages_all_consents_are_looked_through(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ChatFiling(store)
    file(said("agree", 1))
    file(said("disagree", 2, "wm2"))
    few = [told(store, f"wecom:{who}") for who in ("wm1", "wm2", "zhang")]
    monkeypatch.setattr(consents, "_MANY", 0)
    assert [told(store, f"wecom:{who}") for who in ("wm1", "wm2", "zhang")] == few
    assert few == [[("wecom", "agreed", "")], [("wecom", "refused", "")], []]


def test_what_was_set_of_somebody_is_not_lost_by_a_merge(store: Store) -> None:
    file = ChatFiling(store)
    file(said("agree", 1))
    file(said("agree", 2, "wm2"))
    kept, merged = (contact_at(store, f"wecom:{who}") for who in ("wm1", "wm2"))
    change_fields(store, kept, {"consents": (("phone", "agreed"),)})
    change_fields(store, merged, {"consents": (("phone", "refused"), ("wecom", "withdrawn"))})
    merge(store, kept, merged)
    assert told(store) == [("phone", "refused", ""), ("wecom", "withdrawn", "")]
    file(said("agree", 20_000))
    assert told(store)[1] == ("wecom", "agreed", "withdrawn")
    change_fields(store, kept, {"consents": (("phone", "withdrawn"),)})
    assert told(store)[0] == ("phone", "withdrawn", "")


def test_what_a_person_set_stands_until_something_later_is_said(store: Store) -> None:
    file = ChatFiling(store)
    file(said("agree", 1))
    contact = contact_at(store, "wecom:wm1")
    change_fields(store, contact, {"consents": (("phone", "refused"), ("wecom", "withdrawn"))})
    assert told(store) == [("phone", "refused", ""), ("wecom", "withdrawn", "")]
    file(said("agree", 2))
    assert told(store)[1] == ("wecom", "withdrawn", "")
    file(said("agree", 20_000))
    assert told(store)[1] == ("wecom", "agreed", "withdrawn")
    kept, version = fields_in(store, contact)
    assert (dict(kept.consents)["wecom"], version) == ("withdrawn", 1), "a person's word is kept"
    change_fields(store, contact, {"consents": (("phone", "refused"),)})
    assert told(store) == [("phone", "refused", ""), ("wecom", "agreed", "")]
    change_fields(store, contact, {"consents": (("phone", "agreed"),), "grade": "A"})
    assert told(store) == [("phone", "agreed", ""), ("wecom", "agreed", "")]


def test_words_that_say_neither_and_contacts_that_are_not_there(store: Store) -> None:
    assert [state_said(one) for one in ("", " ", "perhaps", "a Withdrawn")] == [
        "", "", "", "withdrawn",
    ]  # fmt: skip
    with pytest.raises(NotFound):
        consents_of(store, 5)


def test_of_one_instant_a_person_then_a_refusal_holds() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    yes, no = Consent("wecom", "agreed", at, 1), Consent("wecom", "refused", at, 2)
    mine = Consent("wecom", "agreed", at, actor="ann")
    for order in permutations((yes, no)):
        assert in_force(order) == (ConsentNow(no),)
    for three in permutations((yes, no, mine)):
        assert in_force(three) == (ConsentNow(mine),)
    later = replace(yes, record_id=3)
    assert in_force([later, yes]) == in_force([yes, later]) == (ConsentNow(yes),)

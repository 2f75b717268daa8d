"""A leaver's contacts get the successor as owner, whose scope then covers them."""

from __future__ import annotations

from typing import Any

import pytest

from catalogue_kit import Filing, Home, Mail
from chat_filing import ChatFiling, Item
from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.matching import matches
from holdfast.core.rights import Role
from holdfast.parsers.chat.values import Context
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.contact_fields import change_fields, field_versions, fields_in
from holdfast.storage.catalogue.reading import records
from holdfast.storage.rights.handing_over import Handover, hand_over, handed_over
from holdfast.storage.rights.scopes import scope_of
from holdfast.storage.rights.users import NewUser, add_user, disable_user
from holdfast.storage.store import Store
from people_kit import contact_at

CUSTOMER = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
SALES1, SALES2 = "s1@our.example", "s2@our.example"


@pytest.fixture
def store(home: Home) -> Store:
    store = home.store()
    add_internal(store, "our.example")
    add_user(store, NewUser("sales1", Role.MEMBER, addresses=(SALES1,)))
    add_user(store, NewUser("sales2", Role.MEMBER, addresses=(SALES2,)))
    return store


def test_successor_sees_all_of_the_contact_and_authors_stay(store: Store) -> None:
    mails = [Mail(sender=SALES1, to=("wang@jia.example",), subject=str(n)) for n in range(40)]
    ids = [one.filed.interaction_id for one in Filing(store)(*mails)]
    wang = contact_at(store, "wang@jia.example")
    change_fields(store, wang, {"owner": "sales1"})
    before = records(store, ids)
    assert not any(matches(scope_of(store, "sales2"), one) for one in before)
    assert handed_over(store, Handover("sales1", "sales2")) == [wang]
    assert fields_in(store, wang)[0].owner == "sales1"
    assert hand_over(store, Handover("sales1", "sales2")) == [wang]
    disable_user(store, "sales1")
    after = records(store, ids)
    assert all(matches(scope_of(store, "sales2"), one) for one in after)
    assert [one.participants for one in after] == [one.participants for one in before]
    assert field_versions(store, wang)[-1].after == {"owner": "sales2"}
    (entry,) = audit_entries(store, Asked(kind="handover"))[0]
    assert entry.detail == {
        "from": "sales1", "to": "sales2", "count": 1, "contacts": [public_id("con", wang)],
    }  # fmt: skip
    assert hand_over(store, Handover("sales1", "sales2")) == []


def test_contacts_without_an_owner_go_along_where_that_is_asked_for(store: Store) -> None:
    Filing(store)(
        Mail(sender=SALES1, to=("wang@jia.example", SALES2, "cook@our.example"), subject="a"),
        Mail(sender="news@bulk.example", to=(SALES1,), is_bulk=True),
        Mail(sender="li@kept.example", to=(SALES1,), subject="b"),
        Mail(sender=SALES2, to=("anna@berg.example",), subject="c"),
    )
    change_fields(store, contact_at(store, "li@kept.example"), {"owner": "somebody"})
    assert handed_over(store, Handover("sales1", "sales2")) == []
    found = handed_over(store, Handover("sales1", "sales2", with_unowned=True))
    assert found == [contact_at(store, "wang@jia.example")]


def test_who_was_met_in_chat_alone_goes_along_too(store: Store) -> None:
    add_user(store, NewUser("sales3", Role.MEMBER, addresses=("wecom:zhang",)))
    told: dict[str, Any] = {"msgid": "m1", "action": "send", "from": CUSTOMER}
    told |= {"tolist": ["zhang", "li"]}
    told |= {"roomid": "", "msgtime": 1700000000000, "msgtype": "text", "text": {"content": "hi"}}
    ChatFiling(store)(Item("wecom.message", told, Context(channel="wecom")))
    found = handed_over(store, Handover("sales3", "sales2", with_unowned=True))
    assert found == [contact_at(store, CUSTOMER)]


def test_who_does_not_work_here_gets_nothing(store: Store) -> None:
    with pytest.raises(NotFound):
        hand_over(store, Handover("sales1", "nobody"))
    with pytest.raises(Refused, match="one user"):
        hand_over(store, Handover("sales1", "sales1"))
    disable_user(store, "sales2")
    with pytest.raises(Refused, match="disabled"):
        hand_over(store, Handover("sales1", "sales2"))

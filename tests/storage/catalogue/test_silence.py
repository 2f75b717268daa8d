"""Whom nobody was in touch with: people from outside, not those whom their system calls ours."""

from __future__ import annotations

from catalogue_kit import Home
from chat_filing import ChatFiling, Item
from holdfast.parsers.chat.values import Context
from holdfast.storage.catalogue.contacts import contacts_by_id
from holdfast.storage.catalogue.resolving import silent_contacts
from people_kit import contact_at

CUSTOMER = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
ROBOT = "wbErxtDgAA9AW32YyyuYRimKr7D1KWlw"
NEVER_MS = 1 << 50


def test_staff_and_machines_of_a_chat_system_are_not_silent_contacts(home: Home) -> None:
    store = home.store()
    told = {"msgid": "m1", "action": "send", "from": "zhang", "tolist": [CUSTOMER, ROBOT, "li"]}
    told |= {"roomid": "r", "msgtime": 1700000000000, "msgtype": "text", "text": {"content": "hi"}}
    ChatFiling(store)(Item("wecom.message", told, Context(channel="wecom")))
    silent = [one.contact_id for one in silent_contacts(store, NEVER_MS)]
    assert silent == [contact_at(store, CUSTOMER)]
    people = {name: contact_at(store, name) for name in (CUSTOMER, "zhang", "li")}
    shown = contacts_by_id(store, list(people.values()))
    ours = {name for name, contact in people.items() if shown[contact].is_internal}
    assert ours == {"zhang", "li"}

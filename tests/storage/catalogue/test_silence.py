"""Whom nobody was in touch with: people from outside, not those whom their system calls ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from catalogue_kit import START, Filing, Home, Mail
from chat_filing import ChatFiling, Item
from holdfast.parsers.chat.values import Context
from holdfast.storage.catalogue.contacts import contacts_by_id
from holdfast.storage.catalogue.linking import Wanted, link
from holdfast.storage.catalogue.resolving import silent_contacts
from people_kit import contact_at

CUSTOMER = "wmErxtDgAA9AW32YyyuYRimKr7D1KWlw"
ROBOT = "wbErxtDgAA9AW32YyyuYRimKr7D1KWlw"
NEVER_MS = 1 << 50


def test_staff_and_machines_of_a_chat_system_are_not_silent_contacts(home: Home) -> None:
    store = home.store()
    told: dict[str, Any] = {"msgid": "m1", "action": "send", "from": "zhang"}
    told |= {"tolist": [CUSTOMER, ROBOT, "li"], "roomid": "r", "msgtime": 1700000000000}
    told |= {"msgtype": "text", "text": {"content": "hi"}}
    ChatFiling(store)(Item("wecom.message", told, Context(channel="wecom")))
    silent = [one.contact_id for one in silent_contacts(store, NEVER_MS)]
    assert silent == [contact_at(store, CUSTOMER)]
    people = {name: contact_at(store, name) for name in (CUSTOMER, "zhang", "li")}
    shown = contacts_by_id(store, list(people.values()))
    ours = {name for name, contact in people.items() if shown[contact].is_internal}
    assert ours == {"zhang", "li"}


def test_message_after_the_time_of_an_address_ends_no_silence(home: Home) -> None:
    store = home.store()
    early, late = START, START + timedelta(days=400)
    Filing(store)(
        Mail(sender="ann@acme.com", to=("me@our.example",), at=early, subject="1"),
        Mail(sender="ann@acme.com", to=("me@our.example",), at=late, subject="2"),
        Mail(sender="bob@acme.com", to=("me@our.example",), at=late, subject="3"),
    )
    ann = contact_at(store, "ann@acme.com")
    other = contact_at(store, "bob@acme.com")
    until_ms = int((START + timedelta(days=100)).timestamp() * 1000)
    link(store, Wanted("ann@acme.com", ann, valid_to_ms=until_ms))
    before_ms = int((START + timedelta(days=200)).timestamp() * 1000)
    silent = {one.contact_id: one.last_ms for one in silent_contacts(store, before_ms)}
    assert silent == {ann: int(early.timestamp() * 1000)}
    assert other not in silent

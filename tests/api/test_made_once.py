"""What is asked for twice with one Idempotency-Key is done once, where things are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api_kit import Office, letters_office

RULE = {"name": "mail", "kind": "floor", "days": 365, "query": ""}
MAILBOX = {"host": "imap.example.com", "user": "ann@example.com"}
ORDERS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "source": ("it", "/sources", {"name": "m", "secret": "s" * 16, "mailbox": MAILBOX}, "name"),
    "team": ("admin", "/teams", {"name": "north"}, "name"),
    "grant": ("admin", "/users/it/grants", {"kind": "own", "reason": "r"}, "reason"),
    "merge": ("legal", "/contacts/{wang}/merge", {"other_id": "{anna}"}, "other_id"),
    "link": ("legal", "/contacts/{wang}/identities", {"address": "w@x.example"}, "address"),
}
"""Who asks, where, for what, and which member makes another request of it."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with letters_office(tmp_path_factory.mktemp("once")) as opened:
        for role in ("it", "admin", "legal"):
            opened.hire(role, role)
        opened.services.desk.feed.drain()
        yield opened


@pytest.mark.parametrize("name", ORDERS)
def test_second_request_gets_the_first_answer(house: Office, name: str) -> None:
    who, path, body, other = ORDERS[name]
    people = {"wang": "wang.min@jia.example", "anna": "anna@berg.example"}
    ids = {one: house.contact(address) for one, address in people.items()} if "{" in path else {}
    path = path.format(**ids)
    body = {key: v.format(**ids) if key == "other_id" else v for key, v in body.items()}
    how = {"headers": {"Idempotency-Key": f"k-{name}"}}
    first = house.ask(who, "POST", path, json=body, **how)
    assert first.status_code in {200, 201}, first.text
    again = house.ask(who, "POST", path, json=body, **how)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    changed = house.ask(who, "POST", path, json=body | {other: "another"}, **how)
    assert (changed.status_code, changed.json()["code"]) == (422, "key_reused")

from __future__ import annotations

from typing import Any

import pytest

from catalogue_kit import Filing, Home, Mail
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.storage.catalogue.contact_fields import (
    Fields,
    change_fields,
    field_versions,
    fields_in,
)
from holdfast.storage.catalogue.contacts import show
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.store import Store
from people_kit import contact_at


@pytest.fixture
def store(home: Home) -> Store:
    store = home.store()
    Filing(store)(Mail(sender="ann@acme.com", to=("bob@example.org",)))
    return store


def test_change_keeps_before_and_after_and_confirms_the_contact(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    change_fields(store, ann, {"name": " Ann  Smith ", "roles": ("buyer", "buyer", "")})
    said, version = change_fields(store, ann, {"consents": (("wecom", "agreed"),)}, 1)
    assert said == Fields("Ann Smith", roles=("buyer",), consents=(("wecom", "agreed"),))
    assert (version, fields_in(store, ann)) == (2, (said, 2))
    first, second = field_versions(store, ann)
    assert (first.before, first.after["name"]) == ({"name": "", "roles": []}, "Ann Smith")
    assert (second.version, second.after) == (2, {"consents": [["wecom", "agreed"]]})
    shown = show(store, ann)
    assert (shown.name, shown.state, shown.version) == ("Ann Smith", "confirmed", 2)


def test_what_changes_nothing_is_no_version(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    change_fields(store, ann, {"grade": "A"})
    assert change_fields(store, ann, {"grade": "A"})[1] == 1
    assert len(field_versions(store, ann)) == 1


def test_change_of_an_older_version_is_a_conflict(store: Store) -> None:
    ann = contact_at(store, "ann@acme.com")
    change_fields(store, ann, {"grade": "A"})
    with pytest.raises(Conflict) as caught:
        change_fields(store, ann, {"grade": "B"}, 0)
    assert caught.value.facts["version"] == 1


def test_merged_contact_comes_back_with_what_was_said_of_it(store: Store) -> None:
    ann, bob = contact_at(store, "ann@acme.com"), contact_at(store, "bob@example.org")
    change_fields(store, bob, {"owner": "li"})
    made = merge(store, ann, bob)
    assert fields_in(store, bob) == (Fields(), 0)
    undo(store, made)
    assert show(store, bob).owner == "li"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * 201}, {"name": "a\x07"}, {"colour": "red"}, {"party_type": "friend"},
        {"roles": tuple(map(str, range(51)))}, {"consents": (("WeCom", "agreed"),)},
        {"consents": (("wecom", "perhaps"),)},
        {"consents": tuple((f"c{n}", "agreed") for n in range(51))},
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(store: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        change_fields(store, contact_at(store, "ann@acme.com"), changes)


def test_unknown_contact_is_not_found(store: Store) -> None:
    for act in (fields_in, field_versions):
        with pytest.raises(NotFound):
            act(store, 1)
    with pytest.raises(NotFound):
        change_fields(store, 1, {"grade": "A"})

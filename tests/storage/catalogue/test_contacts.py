from __future__ import annotations

from datetime import timedelta

import pytest

from catalogue_kit import START, Filing, Home, Mail
from holdfast.core.errors import NotFound
from holdfast.storage.catalogue.companies import add_internal
from holdfast.storage.catalogue.company_views import company, company_contacts, list_companies
from holdfast.storage.catalogue.contacts import find, show
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    made = home.store()
    Filing(made)(
        Mail(sender="Ann Smith <ann@acme.com>", to=("王敏 <wang@客户.com>",), subject="1"),
        Mail(
            sender="Bob <bob@mail.acme.com>",
            to=("Ann <ann@acme.com>", "no-reply@acme.com"),
            at=START + timedelta(days=2),
            subject="2",
        ),
        Mail(sender="joan_100%@gmail.com", to=("ann@acme.com",), is_bulk=True, subject="3"),
    )
    return made


def names(store: Store, text: str, limit: int = 20) -> list[str]:
    return [found.identities[0].value for found in find(store, text, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@acme.com", ["ann@acme.com"]),
        ("  ANN@Acme.com ", ["ann@acme.com"]),
        ("smith", ["ann@acme.com"]),
        ("acme.com", ["ann@acme.com", "bob@mail.acme.com"]),
        ("@mail.acme.com", ["bob@mail.acme.com"]),
        ("王", ["wang@客户.com"]),
        ("wangmin", ["wang@客户.com"]),
        ("Wang Min", ["wang@客户.com"]),
        ("wm", ["wang@客户.com"]),
        ("100%@", ["joan_100%@gmail.com"]),
        ("%", ["joan_100%@gmail.com"]),
        ("n_1", ["joan_100%@gmail.com"]),
        ("nobody", []),
        ("no-reply@acme.com", []),
        ("", []),
    ],
)
def test_contact_is_found(store: Store, text: str, expected: list[str]) -> None:
    assert names(store, text) == expected


def test_no_more_contacts_are_found_than_asked_for(store: Store) -> None:
    assert names(store, "a", 2) == ["ann@acme.com", "bob@mail.acme.com"]


def test_contact_shows_what_is_known_from_mail(store: Store) -> None:
    add_internal(store, "acme.com")
    [found] = find(store, "ann@acme.com")
    assert found == show(store, found.id)
    assert (found.name, found.state, found.company_domain) == (
        "Ann Smith",
        "provisional",
        "acme.com",
    )
    assert (found.first_contact_at, found.last_contact_at) == (START, START + timedelta(days=2))
    assert (found.messages, found.is_internal, found.merged) == (3, True, ())
    assert not find(store, "gmail")[0].is_internal


def test_contact_of_bulk_mail_alone_was_never_in_touch(store: Store) -> None:
    [found] = find(store, "joan")
    assert (found.first_contact_at, found.last_contact_at, found.messages) == (None, None, 1)


def test_merged_contact_has_the_identities_and_counts_of_both(store: Store) -> None:
    ann, bob = find(store, "ann@acme.com")[0].id, find(store, "bob@")[0].id
    merge(store, ann, bob)
    found = show(store, bob)
    assert (found.id, found.merged, found.messages) == (ann, (bob,), 4)
    assert {one.value for one in found.identities} == {"ann@acme.com", "bob@mail.acme.com"}
    assert names(store, "bob@") == ["ann@acme.com"]


def test_company_gathers_the_contacts_of_its_domain_and_below(store: Store) -> None:
    acme = company(store, "mail.acme.com")
    assert acme == company(store, "Acme.COM")
    assert (acme.domain, acme.contacts) == ("acme.com", 2)
    assert (acme.first_contact_at, acme.last_contact_at) == (START, START + timedelta(days=2))
    found = [contact.identities[0].value for contact in company_contacts(store, acme.id)]
    assert found == ["bob@mail.acme.com", "ann@acme.com"]


def test_companies_are_listed_by_domain(store: Store) -> None:
    assert [c.domain for c in list_companies(store)] == ["acme.com", "xn--ubt06m.com"]


def test_what_is_unknown_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        show(store, 1)
    with pytest.raises(NotFound):
        company(store, "nobody.org")
    assert company_contacts(store, 1) == []

from __future__ import annotations

import pytest
from sqlalchemy import select

from catalogue_kit import Filing, Home, Mail
from holdfast.core.errors import Refused
from holdfast.core.kinds import Role
from holdfast.core.records import RecordParticipant
from holdfast.storage.catalogue.companies import (
    DomainNames,
    add_internal,
    direction,
    domain_of,
    internal,
    is_within,
    remove_internal,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events, companies
from holdfast.storage.store import Store

OWN = frozenset({"acme.com"})


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def people(sender: str, *others: str) -> list[RecordParticipant]:
    return [
        RecordParticipant(Role.FROM, "", sender),
        *(RecordParticipant(Role.TO, "", other) for other in others),
    ]


@pytest.mark.parametrize(
    ("sender", "recipients", "expected"),
    [
        ("a@acme.com", ["b@x.org"], "out"),
        ("a@acme.com", ["b@acme.com"], "internal"),
        ("a@acme.com", ["b@eu.acme.com", "c@ACME.com"], "internal"),
        ("a@acme.com", ["b@acme.com", "c@x.org"], "out"),
        ("a@x.org", ["b@acme.com"], "in"),
        ("a@x.org", ["list@y.org"], "in"),
        ("a@x.org", [], "in"),
        ("a@notacme.com", ["b@acme.com"], "in"),
        ("a@acme.com", [], "unknown"),
        ("a@acme.com", ["undisclosed recipients"], "unknown"),
        ("", ["b@acme.com"], "unknown"),
        ("broken", ["b@acme.com"], "unknown"),
    ],
)
def test_direction(sender: str, recipients: list[str], expected: str) -> None:
    assert direction(people(sender, *recipients), OWN) == expected


def test_direction_is_unknown_without_internal_domains() -> None:
    assert direction(people("a@acme.com", "b@x.org"), frozenset()) == "unknown"


def test_from_counts_before_sender() -> None:
    sent = [
        RecordParticipant(Role.SENDER, "", "service@x.org"),
        *people("a@acme.com", "b@x.org"),
    ]
    assert direction(sent, OWN) == "out"
    assert direction(sent[:1], OWN) == "in"


def test_bcc_outside_makes_it_out() -> None:
    sent = [*people("a@acme.com", "b@acme.com"), RecordParticipant(Role.BCC, "", "c@x.org")]
    assert direction(sent, OWN) == "out"


def test_internationalised_domain_is_compared_in_ascii(store: Store) -> None:
    add_internal(store, "Bücher.example")
    assert internal(store) == {"xn--bcher-kva.example"}
    assert direction(people("a@bücher.example", "b@x.org"), internal(store)) == "out"


def test_domain_below_is_within() -> None:
    assert is_within("a.b.acme.com", OWN)
    assert not is_within("com", OWN)
    assert not is_within("", OWN)


def test_domain_of_address() -> None:
    assert domain_of('"a@b"@Acme.COM.') == "acme.com"
    assert domain_of("acme.com") == ""


def test_private_registries_count_as_one_registered_domain() -> None:
    names = DomainNames()
    assert names.company("someone.github.io") == "github.io"
    assert names.company("mail.deep.acme.com.cn") == "acme.com.cn"
    assert names.company("pop.gmail.com") == ""


def test_adding_and_removing_marks_companies_and_is_audited_once(store: Store) -> None:
    Filing(store)(Mail())
    for _ in range(2):
        add_internal(store, "@Acme.com")
    assert marked(store) == {"acme.com"}
    assert internal(store) == {"acme.com"}
    for _ in range(2):
        remove_internal(store, "acme.com")
    assert marked(store) == set()
    with reading(store.engine) as connection:
        kinds = list(connection.scalars(select(audit_events.c.kind)))
    assert kinds.count("internal_domain_added") == kinds.count("internal_domain_removed") == 1


def marked(store: Store) -> set[str]:
    with reading(store.engine) as connection:
        query = select(companies.c.domain).where(companies.c.is_internal)
        return set(connection.scalars(query))


@pytest.mark.parametrize("text", ["", " ", "a b.com", "a..com", "-a.com", "a@b.com", "x" * 64])
def test_text_that_is_no_domain_is_refused(store: Store, text: str) -> None:
    with pytest.raises(Refused):
        add_internal(store, text)
    assert internal(store) == frozenset()


def test_more_domains_than_are_remembered_get_the_same_answers() -> None:
    names = DomainNames(capacity=2)
    asked = [f"mail.d{n % 4}.org" for n in range(12)]
    assert [names.company(domain) for domain in asked] == [f"d{n % 4}.org" for n in range(12)]

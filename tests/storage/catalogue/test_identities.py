from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Row, select

from catalogue_kit import SAME_FIXTURE, START, Filing, Home, Homes, Mail, draft_of
from holdfast.storage.catalogue.counting import recount
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.schema import companies, contacts, identities, interactions
from holdfast.storage.catalogue.sightings import (
    BULK,
    NO_REPLY,
    PERSON,
    Sighting,
    is_address,
    nature_of,
    sightings,
)
from holdfast.storage.store import Store


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def seen(
    address: str, *, name: str = "", at: int = 10, sender: bool = False, human: bool = True
) -> Sighting:
    return Sighting(address, name, at, sender, human)


def link(store: Store, *people: Sighting, linker: Linker | None = None) -> dict[str, int]:
    with writing(store.engine) as connection:
        return (linker or Linker()).link(connection, people, store.ids)


def identity(store: Store, address: str) -> Row[Any]:
    with reading(store.engine) as connection:
        return connection.execute(select(identities).where(identities.c.value == address)).one()


def rows(store: Store, table: Any) -> list[Row[Any]]:
    with reading(store.engine) as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def test_new_address_gets_a_provisional_contact_and_the_company_of_its_domain(store: Store) -> None:
    found = link(store, seen("ann@mail.acme.co.uk", name="Ann"))
    row = identity(store, "ann@mail.acme.co.uk")
    assert found == {"ann@mail.acme.co.uk": row.id}
    assert (row.kind, row.domain, row.nature, row.name) == (
        "mail",
        "mail.acme.co.uk",
        PERSON,
        "Ann",
    )
    [contact] = rows(store, contacts)
    [company] = rows(store, companies)
    assert (contact.id, contact.state) == (row.contact_id, "provisional")
    assert (company.id, company.domain) == (contact.company_id, "acme.co.uk")


def test_known_address_keeps_its_identity_also_for_another_linker(store: Store) -> None:
    linker = Linker()
    first = link(store, seen("a@b.com"), linker=linker)
    assert link(store, seen("a@b.com"), linker=linker) == first
    assert link(store, seen("a@b.com"), seen("c@b.com")) | first == link(
        store, seen("a@b.com"), seen("c@b.com"), linker=linker
    )
    assert len(rows(store, contacts)) == 2
    assert len(rows(store, companies)) == 1


@pytest.mark.parametrize("domain", ["gmail.com", "qq.com", "163.com", "outlook.com"])
def test_free_mail_makes_no_company(store: Store, domain: str) -> None:
    link(store, seen(f"ann@{domain}"))
    assert rows(store, companies) == []
    assert rows(store, contacts)[0].company_id is None


@pytest.mark.parametrize("domain", ["localhost", "[192.0.2.1]", "com", "-.-", "xn--", "\u3002"])
def test_domain_that_nobody_registered_makes_no_company(store: Store, domain: str) -> None:
    link(store, seen(f"ann@{domain}"))
    assert rows(store, companies) == []


@pytest.mark.parametrize(
    "text", ["", "ann", "@", "ann@", "@acme.com", "a b@c.d", "a\0@b.c", "x" * 320 + "@a.b"]
)
def test_text_that_is_no_address_gets_no_identity(store: Store, text: str) -> None:
    assert not is_address(text)
    assert link(store, seen(text)) == {}
    assert rows(store, identities) == []


@pytest.mark.parametrize(
    ("address", "nature"),
    [
        ("no-reply@acme.com", NO_REPLY),
        ("noreply+x1@acme.com", NO_REPLY),
        ("do_not_reply@acme.com", NO_REPLY),
        ("billing-noreply@acme.com", NO_REPLY),
        ("mailer-daemon@acme.com", NO_REPLY),
        ("postmaster@acme.com", NO_REPLY),
        ("newsletter@acme.com", BULK),
        ("list-bounces@lists.acme.com", BULK),
        ("bounces+12-ann=b.com@sendgrid.net", BULK),
        ("notifications@github.com", BULK),
        ("owner-list@acme.com", BULK),
        ("ann@acme.com", PERSON),
        ("noreen@acme.com", PERSON),
        ("news@acme.com", PERSON),
        ("alerta@acme.com", PERSON),
        ("postmaster-general@acme.com", NO_REPLY),
        ("王敏@例子.com", PERSON),
    ],
)
def test_nature_is_judged_by_the_local_part(address: str, nature: str) -> None:
    assert nature_of(address) == nature


def test_machine_gets_an_identity_but_no_contact(store: Store) -> None:
    link(store, seen("no-reply@acme.com", human=False))
    assert identity(store, "no-reply@acme.com").contact_id is None
    assert rows(store, contacts) == []
    assert [c.domain for c in rows(store, companies)] == ["acme.com"]


def test_only_human_mail_makes_first_and_last_contact(store: Store) -> None:
    linker = Linker()
    link(store, seen("a@b.com", at=50), seen("a@b.com", at=99, human=False), linker=linker)
    link(store, seen("a@b.com", at=30), seen("a@b.com", at=70), linker=linker)
    link(store, seen("a@b.com", at=1, human=False), linker=linker)
    row = identity(store, "a@b.com")
    assert (row.messages, row.human_messages, row.first_ms, row.last_ms) == (5, 3, 30, 70)


def test_time_of_contact_before_1970_is_kept(store: Store) -> None:
    link(store, seen("a@b.com", at=-5))
    link(store, seen("a@b.com", at=0))
    row = identity(store, "a@b.com")
    assert (row.first_ms, row.last_ms) == (-5, 0)


def test_name_by_its_owner_replaces_names_that_others_gave(store: Store) -> None:
    link(store, seen("a@b.com", name="Annie"))
    link(store, seen("a@b.com", name="Somebody"))
    assert identity(store, "a@b.com").name == "Annie"
    link(store, seen("a@b.com", name="other"), seen("a@b.com", name="Ann B", sender=True))
    assert identity(store, "a@b.com").name == "Ann B"
    link(store, seen("a@b.com", name="Nickname"))
    assert identity(store, "a@b.com").name == "Ann B"


def test_address_repeated_as_its_name_is_no_name(store: Store) -> None:
    link(store, seen("a@b.com", name="A@b.com", sender=True), seen("a@b.com", name="\0Ann"))
    assert identity(store, "a@b.com").name == "Ann"


def test_rolled_back_identity_is_made_again(store: Store) -> None:
    linker = Linker()
    with pytest.raises(LookupError), writing(store.engine) as connection:  # noqa: PT012
        linker.link(connection, [seen("a@b.com")], store.ids)
        linker.link(connection, [seen("a@b.com")], store.ids)
        raise LookupError
    found = link(store, seen("a@b.com"), linker=linker)
    assert identity(store, "a@b.com").id == found["a@b.com"]


def test_what_a_rolled_back_try_recognised_is_not_counted_by_the_next(store: Store) -> None:
    mail = Mail(key="first")
    Filing(store, source="one")(mail)
    counted = [row.messages for row in rows(store, identities)]
    linker = Linker()
    with pytest.raises(LookupError), writing(store.engine) as connection:  # noqa: PT012
        linker.recognise(connection, [seen("ann@acme.com")], store.ids)
        raise LookupError
    Filing(store, source="two", linker=linker)(mail)  # nothing of it is new any more
    assert [row.messages for row in rows(store, identities)] == counted


def test_linker_remembers_no_more_than_its_capacity(store: Store) -> None:
    linker = Linker(capacity=3)
    people = [seen(f"{n}@b.com") for n in range(10)]
    first = link(store, *people, linker=linker)
    assert link(store, *people, linker=linker) == first
    assert len(linker._known) == 3


def test_internal_company_is_marked_when_it_is_first_seen(store: Store) -> None:
    from holdfast.storage.catalogue.companies import add_internal

    add_internal(store, "acme.com")
    link(store, seen("a@eu.acme.com"), seen("b@other.com"))
    assert {c.domain: c.is_internal for c in rows(store, companies)} == {
        "acme.com": True,
        "other.com": False,
    }


def test_writers_at_the_same_time_make_one_identity_and_no_stray_contact(home: Home) -> None:
    home.store()
    stores = [home.store(writer=n) for n in range(4)]
    failures: list[BaseException] = []

    def write(store: Store) -> None:
        linker = Linker()
        try:
            for turn in range(20):
                people = [seen(f"{(turn * 7 + n) % 40}@d{n}.com") for n in range(10)]
                link(store, *people, linker=linker)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=write, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    made = rows(stores[0], identities)
    assert sum(row.messages for row in made) == 4 * 20 * 10
    assert {row.contact_id for row in made} == {row.id for row in rows(stores[0], contacts)}


def test_message_is_counted_once_for_each_address(store: Store) -> None:
    draft = draft_of(
        Mail(sender="Ann <Ann@x.com>", to=("ann@x.com", "Bob <bob@y.com>"), cc=("bob@y.com", "?")),
        bytes(32),
    )
    found = {s.address_key: s for s in sightings(draft, 5) if is_address(s.address_key)}
    assert found == {
        "ann@x.com": Sighting("ann@x.com", "Ann", 5, True, True),
        "bob@y.com": Sighting("bob@y.com", "Bob", 5, False, True),
    }


@pytest.mark.parametrize(
    "mail",
    [
        Mail(is_bulk=True),
        Mail(kind="dsn"),
        Mail(sender="no-reply@acme.com"),
        Mail(sender=""),
        Mail(sender="Nobody <>"),
    ],
)
def test_mail_by_machines_is_not_human(mail: Mail) -> None:
    assert not any(s.is_human_mail for s in sightings(draft_of(mail, bytes(32)), 5))


ADDRESSES = st.sampled_from(
    [
        "ann@acme.com",
        "Ann <ANN@acme.com>",
        "bob@x.org",
        "no-reply@x.org",
        "",
        "broken",
        "list@x.org",
    ]
)
MAILS = st.builds(
    Mail,
    sender=ADDRESSES,
    to=st.lists(ADDRESSES, max_size=3).map(tuple),
    cc=st.lists(ADDRESSES, max_size=2).map(tuple),
    body=st.integers(0, 10**6).map(str),
    at=st.integers(0, 900).map(lambda n: START.replace(microsecond=n * 1000)),
    is_bulk=st.booleans(),
    kind=st.sampled_from(["email", "dsn", "calendar"]),
)


@settings(max_examples=8, suppress_health_check=SAME_FIXTURE)
@given(st.lists(MAILS, max_size=8))
def test_counting_again_gives_what_linking_counted(homes: Homes, mails: list[Mail]) -> None:
    with homes() as home:
        store = home.store()
        filing = Filing(store)
        filing(*mails[:3])
        filing(*mails[3:])
        before = rows(store, identities)
        with writing(store.engine) as connection:
            recount(connection, list(connection.scalars(select(interactions.c.id))))
        assert rows(store, identities) == before

"""What must be left when one interaction is destroyed, and how tests destroy one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, select, update

from catalogue_kit import START, Filing, Home, Mail, raw_of
from disposal_kit import Hands, Office
from holdfast.core.custody import Intake, Offer
from holdfast.core.errors import NotFound
from holdfast.core.records import CaptureFacts, Sealed
from holdfast.storage.catalogue.engine import transact, writing
from holdfast.storage.catalogue.ledger import accept
from holdfast.storage.catalogue.reading import original_bytes
from holdfast.storage.catalogue.schema import captures
from holdfast.storage.frames import prepare
from holdfast.storage.governance.destroying import destroy, lock_interaction
from holdfast.storage.governance.disposals import Plan, write_plan
from holdfast.storage.governance.tombstones import Grounds

SECRET = Mail(
    sender="Zoe Zanzibar <zoe@zanzibar.com>",
    to=("Bob <bob@example.org>", "Quentin <quentin@quux.net>"),
    subject="Xylophone prices",
    body="The xylophone costs ninety harpsichord",
    message_id="secret@zanzibar.com",
    attachments=(("xenon.txt", "xenon lamps"),),
    folder="Xmas",
    flags=("Xflag",),
)
OTHER = Mail(subject="Budget", body="The budget", message_id="other@acme.com")


def office_of(home: Home) -> tuple[Office, Filing]:
    store = home.store()
    office = Office.of(store, Hands(START + timedelta(seconds=10)))
    return office, Filing(office.store, source="box", custodian="li")


def filed(filing: Filing, *mails: Mail) -> list[int]:
    return [one.filed.interaction_id for one in filing(*mails)]


def destroyed(office: Office, one: int) -> None:
    """Destroy an interaction past all rules."""
    plan = Plan(office.store.ids.take(), "", office.ann, 0, 0, ())

    def act(connection: Connection) -> None:
        write_plan(connection, office.store, plan)
        assert lock_interaction(connection, one)
        destroy(connection, office.store, one, Grounds(plan.id, "[]", "{}"))

    transact(office.store.engine, act)


def accept_only(filing: Filing, intake: Intake, mail: Mail) -> Sequence[Sealed]:
    offer = Offer("waits", CaptureFacts(), prepare(raw_of(mail), spool=None), "{}")
    return accept([offer], intake, filing.store).sealed


def _can_be_read(office: Office, original_id: int) -> bool:
    try:
        return bool(b"".join(original_bytes(office.store, original_id)))
    except NotFound:
        return False


def shared_original_stays(home: Home) -> None:
    """F58: the key of an original that two records are made of goes with the last of them.

    Raises:
        AssertionError: It went before, or stayed.
    """
    office, filing = office_of(home)
    one, other = filed(filing, SECRET, OTHER)
    with writing(office.store.engine) as connection:  # as a report that was plain mail first
        shared = select(captures.c.original_id).where(captures.c.interaction_id == one)
        original = connection.scalars(shared).one()
        connection.execute(
            update(captures).where(captures.c.interaction_id == other).values(original_id=original)
        )
    destroyed(office, one)
    assert _can_be_read(office, original), "the key went with the first of two"
    destroyed(office, other)
    assert not _can_be_read(office, original), "the key outlived the last"


def waiting_copy_keeps_the_original(home: Home) -> None:
    """F58: what was accepted again and is not filed yet keeps its original.

    Raises:
        AssertionError: The key went with the record that was filed.
    """
    office, filing = office_of(home)
    (secret,) = filed(filing, SECRET)
    intake = Filing(office.store, source="other box").open()
    original = accept_only(filing, intake, SECRET)[0].original_id
    destroyed(office, secret)
    assert _can_be_read(office, original), "the key went, and a copy waits"

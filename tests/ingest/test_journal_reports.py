"""Several journal reports of one message, and copies of it, become one interaction."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, select, update

from archive_kit import bring_in, findings, found, opened, settings_in
from holdfast.core.records import CaptureFacts
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.jobs.importing import ImportOrder
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.envelopes import PEOPLE_STEP
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import (
    audit_events,
    captures,
    identities,
    interaction_versions,
    interactions,
    originals,
    participants,
    source_items,
)

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "journal"
LIST, UNVERIFIED = "exchange_bcc_and_list", "exchange_unverified_recipients"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def take(settings: Settings, folder: Path, *names: str) -> None:
    """Import these reports of the corpus as one batch."""
    offer = folder / "-".join(names)
    offer.mkdir()
    for name in names:
        (offer / f"{name}.eml").write_bytes((CORPUS / f"{name}.eml").read_bytes())
    bring_in(settings, offer, trusts_reports=True)


def take_inner(settings: Settings, folder: Path) -> None:
    """Import the message of all these reports as its recipient's mailbox has it."""
    raw = (CORPUS / f"{LIST}.eml").read_bytes()
    start = raw.index(b"From: Alice")
    (folder / "copy.eml").write_bytes(raw[start : raw.index(b"\r\n\r\n--_jr_--")] + b"\r\n")
    bring_in(settings, folder / "copy.eml")


def people(settings: Settings) -> list[tuple[str, str]]:
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(interactions.c.id)).all()
        assert len(ids) == 1
        (record,) = records(services.store, ids)
    return [(one.role.value, one.address) for one in record.participants]


def counts(settings: Settings) -> dict[str, int]:
    with opened(settings) as services, reading(services.store.engine) as connection:
        rows = connection.execute(select(identities.c.value, identities.c.messages)).all()
    return {row.value: row.messages for row in rows}


def asked(settings: Settings, *queries: str) -> Sequence[int]:
    return [found(settings, query) for query in queries]


INNER = [("from", "alice@contoso.com"), ("to", "dl@contoso.com"), ("cc", "carol@contoso.com")]
OF_LIST = [
    ("to", "bob@contoso.com"), ("expanded", "dl@contoso.com"), ("to", "dave@contoso.com"),
    ("bcc", "ceo@contoso.com"),
]  # fmt: skip
OF_UNVERIFIED = [
    ("recipient", "eve@partner.example"), ("recipient", "frank@partner.example"),
    ("forwarded", "sales@partner.example"),
]  # fmt: skip


def test_recipient_known_from_the_envelope_alone_is_found(
    settings: Settings, tmp_path: Path
) -> None:
    take(settings, tmp_path, LIST)
    assert people(settings) == INNER + OF_LIST
    assert asked(settings, "bcc:ceo", "expanded:dl", "to:bob", "pumps", "bcc:bob") == [
        1,
        1,
        1,
        1,
        0,
    ]
    assert findings(settings) == []


def test_recipient_of_unknown_role_is_never_found_as_to(settings: Settings, tmp_path: Path) -> None:
    take(settings, tmp_path, UNVERIFIED)
    assert asked(settings, "to:eve", "envelope:eve", "recipients:eve", "forwarded:sales") == [
        0, 1, 1, 1,
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_reports_of_one_message_are_one_interaction_with_all_recipients(
    settings: Settings, tmp_path: Path, *, at_once: bool
) -> None:
    if at_once:
        take(settings, tmp_path, LIST, UNVERIFIED)
    else:
        take(settings, tmp_path, LIST)
        take(settings, tmp_path, UNVERIFIED)
    assert people(settings) == INNER + OF_LIST + OF_UNVERIFIED
    assert asked(settings, "bcc:ceo", "envelope:frank", "is:duplicate") == [1, 1, 1]
    assert set(counts(settings).values()) == {1}
    assert findings(settings) == []


def test_report_of_a_message_that_a_mailbox_had_already_adds_its_envelope(
    settings: Settings, tmp_path: Path
) -> None:
    take_inner(settings, tmp_path)
    assert people(settings) == INNER
    take(settings, tmp_path, LIST)
    assert people(settings) == INNER + OF_LIST
    assert asked(settings, "bcc:ceo") == [1]
    assert set(counts(settings).values()) == {1}
    assert findings(settings) == []


def test_mailbox_copy_of_a_reported_message_changes_nobody(
    settings: Settings, tmp_path: Path
) -> None:
    take(settings, tmp_path, LIST)
    take_inner(settings, tmp_path)
    assert people(settings) == INNER + OF_LIST
    assert findings(settings) == []


def test_each_report_leaves_the_hash_of_its_message(settings: Settings, tmp_path: Path) -> None:
    take(settings, tmp_path, LIST, "inner_binary", "workmail")
    with opened(settings) as services, reading(services.store.engine) as connection:
        rows = connection.execute(select(interaction_versions)).all()
    assert [row.version for row in rows if '"inner_sha256":"e2d78f4c' in row.change] == [1, 2]
    assert [row.version for row in rows if '"inner_sha256":"a7f80136' in row.change] == [1]


@pytest.mark.parametrize(
    "change",
    [
        update(participants)
        .where(participants.c.ordinal == 2 * PEOPLE_STEP)
        .values(address="mallory@contoso.com", identity_id=None),
        update(participants).where(participants.c.ordinal == 2 * PEOPLE_STEP).values(role="to"),
        delete(participants).where(participants.c.ordinal == 2 * PEOPLE_STEP + 2),
        update(participants)
        .where(participants.c.ordinal == 2 * PEOPLE_STEP + 2)
        .values(ordinal=7 * PEOPLE_STEP),
        delete(interaction_versions).where(interaction_versions.c.version == 1),
        delete(interaction_versions).where(interaction_versions.c.version == 2),
        update(interaction_versions).values(changed_ms=1),
        update(interaction_versions).values(actor="act_other"),
        update(interaction_versions).values(change="{}"),
        delete(audit_events).where(audit_events.c.kind == "envelope"),
    ],
    ids=[
        "address", "role", "person removed", "person moved", "first version removed",
        "last version removed", "time", "actor", "hash", "event removed",
    ],
)  # fmt: skip
def test_altering_what_a_report_added_is_noticed(
    settings: Settings, tmp_path: Path, change: object
) -> None:
    take(settings, tmp_path, LIST, UNVERIFIED)
    with opened(settings) as services, writing(services.store.engine) as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert any(finding.part == "interaction" for finding in findings(settings))


@pytest.mark.parametrize("trusts", [False, True], ids=["any mail", "a journal's mailbox"])
def test_only_a_trusted_source_adds_people_to_a_message(
    settings: Settings, tmp_path: Path, *, trusts: bool
) -> None:
    take_inner(settings, tmp_path)
    bring_in(settings, CORPUS / f"{LIST}.eml", trusts_reports=trusts)
    assert asked(settings, "bcc:ceo", "defect:journal_not_trusted") == (
        [1, 0] if trusts else [0, 1]
    )
    with opened(settings) as services, reading(services.store.engine) as connection:
        noted = connection.scalars(select(captures.c.facts).order_by(captures.c.id)).all()
    assert [msgspec.json.decode(one, type=CaptureFacts).trust.reports for one in noted] == [
        False,
        trusts,
    ]
    assert findings(settings) == []


def test_order_of_a_worker_keeps_what_is_trusted() -> None:
    for trusts in (False, True):
        options = ImportOptions((CORPUS,), retries=True, trusts_reports=trusts)
        assert ImportOrder.of(options).options() == options


def test_report_that_was_plain_mail_first_counts_when_a_trusted_source_has_it(
    settings: Settings, tmp_path: Path
) -> None:
    bring_in(settings, CORPUS / f"{LIST}.eml")
    assert asked(settings, "bcc:ceo", "expanded:dl") == [0, 0]
    for folder in ("once", "again"):  # from one trusted source after the other
        (tmp_path / folder).mkdir()
        take(settings, tmp_path / folder, LIST)
        assert asked(settings, "bcc:ceo", "expanded:dl", "defect:journal_not_trusted") == [1, 1, 1]
    bring_in(settings, CORPUS / ".." / "journal" / f"{LIST}.eml")  # and nobody trusts it again
    assert asked(settings, "bcc:ceo", "kind:email") == [1, 2]
    assert states(settings) == ["filed", "filed", "duplicate", "duplicate"]
    with opened(settings) as services, reading(services.store.engine) as connection:
        assert len(connection.scalars(select(originals.c.id)).all()) == 1
        assert len(connection.scalars(select(interaction_versions.c.version)).all()) == 1
    assert findings(settings) == []


def test_report_that_was_plain_mail_first_joins_the_message_of_a_mailbox(
    settings: Settings, tmp_path: Path
) -> None:
    take_inner(settings, tmp_path)
    bring_in(settings, CORPUS / f"{LIST}.eml")
    take(settings, tmp_path, LIST)
    assert asked(settings, "bcc:ceo", "kind:email") == [1, 2]
    assert findings(settings) == []
    with opened(settings) as services, writing(services.store.engine) as connection:
        connection.execute(update(interaction_versions).values(change="{"))
    assert {finding.part for finding in findings(settings)} >= {"capture", "interaction"}


def states(settings: Settings) -> list[str]:
    with opened(settings) as services, reading(services.store.engine) as connection:
        query = select(source_items.c.state).order_by(source_items.c.id)
        return list(connection.scalars(query))

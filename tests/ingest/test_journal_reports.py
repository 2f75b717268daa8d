"""Several journal reports of one message, and copies of it, become one interaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, select, update

from archive_kit import bring_in, findings, found, opened, settings_in
from holdfast.core.custody import Draft
from holdfast.core.records import CaptureFacts, Sealed, Trust
from holdfast.ingest import imports
from holdfast.ingest.imports import ImportOptions
from holdfast.ingest.jobs.importing import ImportOrder
from holdfast.settings import Settings
from holdfast.storage.catalogue import filing
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.envelopes import PEOPLE_STEP, Envelopes
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
from journal_checks import CORPUS, INNER, report

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


MAILBOX = [("from", "alice@contoso.com"), ("to", "dl@contoso.com"), ("cc", "carol@contoso.com")]
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
    assert people(settings) == MAILBOX + OF_LIST
    assert asked(settings, "bcc:ceo", "expanded:dl", "to:bob", "pumps", "bcc:bob") == [
        1,
        1,
        1,
        1,
        0,
    ]
    assert findings(settings) == []


def finds_an_unknown_role_as_such(settings: Settings, folder: Path) -> None:
    """A recipient whose role the report does not know is one, and never found as To."""
    take(settings, folder, UNVERIFIED)
    queries = ("to:eve", "envelope:eve", "recipients:eve", "forwarded:sales")
    assert asked(settings, *queries) == [0, 1, 1, 1], "a role was guessed"
    assert people(settings) == MAILBOX + OF_UNVERIFIED, "a role was guessed"


def test_recipient_of_unknown_role_is_never_found_as_to(settings: Settings, tmp_path: Path) -> None:
    finds_an_unknown_role_as_such(settings, tmp_path)


def has_all_recipients(settings: Settings, folder: Path, *, at_once: bool) -> None:
    """Reports of one message are one interaction with everybody whom any of them names."""
    if at_once:
        take(settings, folder, LIST, UNVERIFIED)
    else:
        take(settings, folder, LIST)
        take(settings, folder, UNVERIFIED)
    assert people(settings) == MAILBOX + OF_LIST + OF_UNVERIFIED, "a recipient is missing"
    assert asked(settings, "bcc:ceo", "envelope:frank", "is:duplicate") == [1, 1, 1]
    assert set(counts(settings).values()) == {1}, "it is counted twice"
    assert findings(settings) == []


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_reports_of_one_message_are_one_interaction_with_all_recipients(
    settings: Settings, tmp_path: Path, *, at_once: bool
) -> None:
    has_all_recipients(settings, tmp_path, at_once=at_once)


def adds_its_envelope_to_what_is_there(settings: Settings, folder: Path) -> None:
    """A report of a message that a mailbox had already adds its people to that one."""
    take_inner(settings, folder)
    assert people(settings) == MAILBOX
    take(settings, folder, LIST)
    assert people(settings) == MAILBOX + OF_LIST, "a recipient is missing"
    assert asked(settings, "bcc:ceo") == [1]
    assert set(counts(settings).values()) == {1}
    assert findings(settings) == []


def test_report_of_a_message_that_a_mailbox_had_already_adds_its_envelope(
    settings: Settings, tmp_path: Path
) -> None:
    adds_its_envelope_to_what_is_there(settings, tmp_path)


def test_mailbox_copy_of_a_reported_message_changes_nobody(
    settings: Settings, tmp_path: Path
) -> None:
    take(settings, tmp_path, LIST)
    take_inner(settings, tmp_path)
    assert people(settings) == MAILBOX + OF_LIST
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


def adds_people_only_by_trust(settings: Settings, folder: Path, *, trusts: bool) -> None:
    """A report adds people to a message where its source is trusted, and is noted so."""
    take_inner(settings, folder)
    bring_in(settings, CORPUS / f"{LIST}.eml", trusts_reports=trusts)
    found_so = asked(settings, "bcc:ceo", "defect:journal_not_trusted")
    assert found_so == ([1, 0] if trusts else [0, 1]), "anybody is believed"
    with opened(settings) as services, reading(services.store.engine) as connection:
        noted = connection.scalars(select(captures.c.facts).order_by(captures.c.id)).all()
    assert [msgspec.json.decode(one, type=CaptureFacts).trust.reports for one in noted] == [
        False,
        trusts,
    ]
    assert findings(settings) == []


@pytest.mark.parametrize("trusts", [False, True], ids=["any mail", "a journal's mailbox"])
def test_only_a_trusted_source_adds_people_to_a_message(
    settings: Settings, tmp_path: Path, *, trusts: bool
) -> None:
    adds_people_only_by_trust(settings, tmp_path, trusts=trusts)


def keeps_other_words_apart(settings: Settings, folder: Path) -> None:
    """Reports of other words under one Message-ID are two interactions, each marked (F11)."""
    offer = folder / "same-id"
    offer.mkdir()
    for number, words in enumerate((b"as it was sent\r\n", b"as it is told\r\n")):
        raw = report(inner=INNER.replace(b"text\r\n", words))
        (offer / f"{number}.eml").write_bytes(raw)
    bring_in(settings, offer, trusts_reports=True)
    assert asked(settings, "kind:email", "is:conflict") == [2, 2], "one stood for both"
    assert findings(settings) == []


def test_f11_reports_of_other_words_under_one_message_id_are_each_there(
    settings: Settings, tmp_path: Path
) -> None:
    keeps_other_words_apart(settings, tmp_path)


Plant = pytest.MonkeyPatch


def hear_the_first_report(plant: Plant) -> None:
    """One report of a message is enough."""
    add, heard = Envelopes.add, set[int]()

    def adding(self: Envelopes, original_id: int, interaction_id: int, draft: Draft) -> None:
        if interaction_id not in heard:
            add(self, original_id, interaction_id, draft)
        heard.add(interaction_id)

    plant.setattr(Envelopes, "add", adding)


def hear_no_envelope(plant: Plant) -> None:
    """What a report says beside its message is passed over where the message is there."""
    plant.setattr(Envelopes, "add", lambda *_: None)


def guess_roles(plant: Plant) -> None:
    """Whoever received a message counts as somebody it was written to."""
    file = filing._file

    def guessed(draft: Draft) -> Draft:
        people = tuple(
            one._replace(role="to") if one.role == "recipient" else one
            for one in draft.participants
        )
        return replace(draft, participants=people)

    def filed(connection: Any, items: Sequence[tuple[Sealed, Draft]], *rest: Any) -> Any:
        return file(connection, [(sealed, guessed(draft)) for sealed, draft in items], *rest)

    plant.setattr(filing, "_file", filed)


def trust_anybody(plant: Plant) -> None:
    """Every source counts as a journal's mailbox."""
    plant.setattr(imports, "Trust", lambda **_: Trust(reports=True))


def merge_by_message_id(plant: Plant) -> None:
    """What has a known Message-ID is the same message."""
    target = filing._target

    def merging(batch: Any, sealed: Sealed, draft: Draft) -> int:
        return target(batch, sealed, replace(draft, fingerprint=draft.message_key * 2))

    plant.setattr(filing, "_target", merging)


Check = Callable[[Settings, Path], None]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "check", "words"),
    [
        (hear_the_first_report, partial(has_all_recipients, at_once=True), "recipient is missing"),
        (hear_the_first_report, partial(has_all_recipients, at_once=False), "recipient is missing"),
        (hear_no_envelope, adds_its_envelope_to_what_is_there, "recipient is missing"),
        (guess_roles, finds_an_unknown_role_as_such, "a role was guessed"),
        (trust_anybody, partial(adds_people_only_by_trust, trusts=False), "anybody is believed"),
        (merge_by_message_id, keeps_other_words_apart, "one stood for both"),
    ],
)
def test_filing_that_falls_into_a_trap_of_reports_is_found_out(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    check: Check,
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(settings, tmp_path)


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

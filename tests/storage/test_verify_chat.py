"""A filed chat archive is intact, and an edit of a room, a version or a participant is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from archive_kit import findings, opened, settings_in
from holdfast.core.custody import Offer
from holdfast.core.records import CaptureFacts
from holdfast.ingest.drafting import How, draft_original
from holdfast.settings import Settings
from holdfast.storage.catalogue.batches import close_batch, ensure_source, open_batch
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.filing import file_drafts
from holdfast.storage.catalogue.identities import Linker
from holdfast.storage.catalogue.ledger import accept
from holdfast.storage.catalogue.rows import ChatRow
from holdfast.storage.catalogue.schema import captures, interactions, originals
from holdfast.storage.frames import prepare
from holdfast.storage.store import Store
from holdfast.wiring.founding import create_archive

Item = tuple[str, dict[str, Any], dict[str, Any]]
"""Form, JSON and context."""
PEOPLE = {"U1": {"name": "Ann", "side": "staff"}, "U2": {"name": "王敏", "side": "outside"}}
GENERAL: dict[str, Any] = {
    "channel": "slack", "people": PEOPLE, "room": {"key": "C1", "name": "general"},
}  # fmt: skip
VISITS: dict[str, Any] = {
    "channel": "visits", "zone": "UTC",
    "extra": {"columns": {"At": "at", "Who": "phone", "Next": "next_at"}},
}  # fmt: skip
SIDE_ROOM = GENERAL | {"room": {"key": "C2", "name": "side"}}


def said(ts: str, words: str, **more: Any) -> dict[str, Any]:
    """Return one message as an export has it."""
    return {"type": "message", "user": "U1", "ts": ts, "text": words, **more}


ITEMS: tuple[Item, ...] = (
    ("slack.user", {"id": "U1", "name": "ann", "profile": {"email": "Ann@Acme.com"}}, GENERAL),
    ("slack.room", {"id": "C1", "name": "general", "members": ["U1", "U2"]}, GENERAL),
    ("slack.message", said("1700000000.000100", "Good morning, <@U2>"), GENERAL),
    (
        "slack.message",
        said("1700000000.000100", "Good day", edited={"user": "U1", "ts": "1700000050.000000"}),
        GENERAL,
    ),
    ("slack.message", said("1700000100.000100", "Thanks", user="U2"), GENERAL),
    ("slack.message", said("1700000200.000100", "Beep", user="U9", bot_id="B1"), GENERAL),
    ("slack.message", said("1700000100.000100", "Thanks", user="U2"), SIDE_ROOM),  # same bytes
    ("slack.message", {"no": "message"}, GENERAL),
    ("table.row", {"At": "2024-03-05 10:00", "Who": "13800138000", "Next": "2024-03-12"}, VISITS),
)


def file_items(store: Store, items: tuple[Item, ...]) -> None:
    """Accept and file, one batch each, as several sources may."""
    linker = Linker()
    for number, (form, body, context) in enumerate(items):
        raw = json.dumps(body).encode()
        facts = CaptureFacts(form=form, context=json.dumps(context | {"item": f"slack:{number}"}))
        prepared = prepare(raw, spool=None)
        intake = open_batch(store, ensure_source(store, f"export {number}", "slack"))
        accepted = accept([Offer(f"k{number}", facts, prepared, "{}")], intake, store)
        (sealed,) = accepted.sealed
        drafted = draft_original(raw, key_of(store, sealed.original_id), How(facts=facts))
        file_drafts([(replace(sealed, is_new_original=True), drafted.draft)], store, linker)
        close_batch(store, intake.batch_id)


def key_of(store: Store, original_id: int) -> bytes:
    """Return the key that was kept, of whichever copy came first."""
    with reading(store.engine) as connection:
        row = connection.execute(select(originals).where(originals.c.id == original_id)).one()
    return store.keyring.unwrap(row.wrapped_key, row.key_version, row.content_id)


@pytest.fixture(scope="module")
def chatted(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_in(tmp_path_factory.mktemp("chat"))
    create_archive(settings)
    with opened(settings) as services:
        file_items(services.store, ITEMS)
        services.desk.feed.drain()
        services.desk.sequencer.run()
    return settings


@pytest.fixture
def copy(chatted: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(chatted.data.parent, tmp_path / "copy")
    return settings_in(tmp_path / "copy")


def test_filed_chat_is_intact(copy: Settings) -> None:
    with opened(copy) as services, reading(services.store.engine) as connection:
        filed = connection.scalar(select(func.count()).select_from(interactions))
        kept = connection.scalar(select(func.count(captures.c.original_id.distinct())))
    assert (filed, kept) == (len(ITEMS), len(ITEMS) - 1)
    assert findings(copy) == []


def edit(settings: Settings, *statements: str) -> None:
    """Change rows as somebody would who heeds nothing."""
    with opened(settings) as services, writing(services.store.engine) as connection:
        for statement in statements:
            assert connection.execute(text(statement)).rowcount


EDITS: dict[str, tuple[str, ...]] = {
    "room moved": (
        "UPDATE interactions SET conversation_id ="
        " (SELECT id FROM conversations WHERE key = 'C2') WHERE conversation_id ="
        " (SELECT id FROM conversations WHERE key = 'C1')",
    ),
    "room called otherwise": ("UPDATE conversations SET key = 'C9' WHERE key = 'C1'",),
    "room of another system": ("UPDATE conversations SET channel = 'teams' WHERE key = 'C1'",),
    "room left": ("UPDATE interactions SET conversation_id = NULL WHERE kind = 'im'",),
    "version": ("UPDATE interactions SET version_ms = version_ms + 1 WHERE version_ms > 0",),
    "first version made a later one": (
        "UPDATE interactions SET version_ms = 5 WHERE version_ms = 0 AND kind = 'im'",
    ),
    "follow-up put off": ("UPDATE interactions SET due_ms = due_ms + 1 WHERE due_ms IS NOT NULL",),
    "follow-up forgotten": ("UPDATE interactions SET due_ms = NULL WHERE due_ms IS NOT NULL",),
    "follow-up that nobody planned": (
        "UPDATE interactions SET due_ms = 5 WHERE due_ms IS NULL AND channel = 'slack'",
    ),
    "channel": ("UPDATE interactions SET channel = 'teams' WHERE kind = 'im'",),
    "made a mail": (
        "UPDATE interactions SET channel = 'email', conversation_id = NULL, version_ms = 0",
    ),
    "participant": ("UPDATE participants SET address = 'slack:U7' WHERE address = 'slack:U2'",),
    "participant is another": (
        "UPDATE participants SET identity_id = (SELECT id FROM identities WHERE value = 'U1')"
        " WHERE address = 'slack:U2'",
    ),
    "participant is nobody": (
        "UPDATE participants SET identity_id = NULL WHERE address = 'slack:U2'",
    ),
    "system of an identity": ("UPDATE identities SET kind = 'teams' WHERE value = 'U2'",),
    "person made a bot": ("UPDATE identities SET nature = 'bot' WHERE value = 'U2'",),
    "captures of the same bytes exchanged": (
        "UPDATE captures SET interaction_id = (SELECT sum(id) FROM interactions WHERE id IN"
        " (SELECT interaction_id FROM captures WHERE original_id IN (SELECT original_id FROM"
        " captures GROUP BY original_id HAVING count(*) > 1))) - interaction_id"
        " WHERE original_id IN"
        " (SELECT original_id FROM captures GROUP BY original_id HAVING count(*) > 1)",
    ),
}


@pytest.mark.parametrize("what", EDITS)
def test_edit_is_named(copy: Settings, what: str) -> None:
    edit(copy, *EDITS[what])
    assert findings(copy) != []


def test_profile_and_messages_are_one_person(copy: Settings) -> None:
    with opened(copy) as services, reading(services.store.engine) as connection:
        owners: Callable[[str], Any] = lambda value: connection.scalar(  # noqa: E731
            text("SELECT contact_id FROM identities WHERE value = :value"), {"value": value}
        )
        assert owners("U1") == owners("ann@acme.com") is not None


def test_date_that_came_later_to_rows_of_an_earlier_parser_is_no_edit(copy: Settings) -> None:
    """Their digests were made without it."""
    with opened(copy) as services, reading(services.store.engine) as connection:
        query = select(interactions).where(interactions.c.due_ms.is_not(None))
        (row,) = connection.execute(query)
    told = ChatRow("visits", None, 0, row.due_ms, row.parser_version).values()
    assert told[-1] == row.due_ms
    assert ChatRow("visits", None, 0, row.due_ms, 4).values() == told[:-1]
    assert ChatRow("visits", None, 0, None, 5).values() == told[:-1]

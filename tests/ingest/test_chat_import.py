"""Chats go through the whole pipeline: equal bytes of several messages, media, exports again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from sqlalchemy import select

from archive_kit import bring_in, findings, found, kept, opened, settings_in
from chat_kit import CORPUS, written
from holdfast.core.kinds import Kind
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.schema import interactions


def kinds_in(settings: Settings) -> list[str]:
    with opened(settings) as services, reading(services.store.engine) as connection:
        return sorted(connection.scalars(select(interactions.c.kind)))


def test_equal_lines_of_a_chat_are_messages_of_their_own(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lines = ["25/03/24, 10:00 - Ann: zebra\n"] * 3 + ["25/03/24, 10:01 - Ben: horse\n"]
    chat = written(tmp_path, {"in/WhatsApp Chat with Ann.txt": "".join(lines)}) / "in"
    bring_in(settings, chat)
    assert found(settings, "zebra") == 3
    assert len(kept(settings)) == 2  # the same bytes are one original
    longer = written(tmp_path, {"next/WhatsApp Chat with Ann.txt": "".join([*lines, lines[0]])})
    bring_in(settings, longer / "next")
    assert found(settings, "zebra") == 4
    with opened(settings) as services:
        assert sum(sum(one.values()) for one in sums(services.store).values()) == 4 + 5
    assert findings(settings) == []


def test_text_of_a_deleted_message_is_found_beside_its_deletion(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    bring_in(settings, CORPUS / "teams-graph")
    page = json.loads((CORPUS / "teams-graph" / "page-1.json").read_bytes())["value"]
    deleted = [one for one in page if one["deletedDateTime"]]
    kinds = kinds_in(settings)
    assert kinds.count(Kind.DELETION.value) == len(deleted) == 2
    assert found(settings, '"taken back"') == 1
    assert findings(settings) == []


def test_archive_with_media_is_imported_whole_and_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    archive = tmp_path / "WhatsApp Chat - Team.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("_chat.txt", "\u200e[25/03/2024, 10:00:01] Ann: \u200e<attached: note.txt>\n")
        made.writestr("note.txt", "the giraffe is inside\n")
    assert bring_in(settings, archive).counts.new == 2
    assert bring_in(settings, archive).counts.unchanged == 2
    assert kinds_in(settings) == ["file", "im"]
    assert found(settings, "giraffe") == 1

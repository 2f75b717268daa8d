"""Two messages with the same attachments: each has its own set, by whichever way it came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from archive_kit import opened, settings_in
from holdfast.settings import Settings
from holdfast.storage.catalogue import filing, filing_rows
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import attachments, interactions
from imap_kit import added, plain_account, synced
from imap_script import Script, scripted
from smtp_kit import Client, listening

FILES = ("one.csv", "two.csv")


def carrying(number: int) -> bytes:
    """A message of its own, with attachments that others have too."""
    parts = ["Content-Type: text/plain", "", f"Words of {number}."]
    for name in FILES:
        parts += ["--b", f"Content-Type: text/csv; name={name}"]
        parts += [f"Content-Disposition: attachment; filename={name}", "", f"the,same\r\n{name},1"]
    head = [f"From: a@x.example\r\nSubject: {number}\r\nMessage-ID: <{number}@x.example>"]
    head += ["MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", "", "--b"]
    return "\r\n".join([*head, *parts, "--b--", ""]).encode()


def brought(folder: Path) -> Settings:
    """An archive that got two such messages by SMTP, and two by IMAP."""
    settings = settings_in(folder)
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        for number in (1, 2):
            assert client.deliver(carrying(number).removesuffix(b"\r\n")).startswith("250 ")
    with scripted(Script({number: carrying(number) for number in (3, 4)})) as script:
        added(settings, plain_account(script.port), "open-sesame-84")
        synced(settings)  # files what was sealed before
    return settings


def has_every_set(settings: Settings) -> None:
    """Each of the four has both files."""
    query = select(interactions.c.subject, attachments.c.filename).outerjoin(
        attachments, attachments.c.interaction_id == interactions.c.id
    )
    with opened(settings) as services, reading(services.store.engine) as connection:
        rows = connection.execute(query).all()
    found = sorted((row.subject, row.filename or "") for row in rows)
    assert found == [(str(n), name) for n in (1, 2, 3, 4) for name in FILES], "a set is missing"


def test_messages_with_the_same_attachments_keep_every_set(tmp_path: Path) -> None:
    has_every_set(brought(tmp_path))


@pytest.mark.unmeasured
def test_attachments_that_are_kept_once_for_all_are_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, known = filing_rows.attachment_rows, set[bytes]()

    def once(*given: Any) -> list[dict[str, Any]]:
        fresh = [row for row in rows(*given) if row["sha256"] not in known]
        known.update(row["sha256"] for row in fresh)
        return fresh

    monkeypatch.setattr(filing, "attachment_rows", once)
    with pytest.raises(AssertionError, match="a set is missing"):
        has_every_set(brought(tmp_path))

"""What must hold of mail that came by several ways; broken ways must fail the same checks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from archive_kit import findings, kept, opened
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, originals, sources
from imap_kit import counted, letter

FORGED = ("Mon, 1 Jan 1990 00:00:00 +0000", "Fri, 1 Jan 2099 00:00:00 +0000")
BEGUN = datetime.now(UTC)
SERVER_SAID = datetime(2024, 3, 15, 2, 22, tzinfo=UTC)
"""INTERNALDATE of every message of a script."""


def forged(number: int) -> bytes:
    """One of two letters whose sender wrote a date that cannot be."""
    true = f"Mon, 2 Mar 2026 10:00:{number:02d} +0000"
    return letter(number).replace(true.encode(), FORGED[number].encode())


def is_one_of_each(
    settings: Settings,
    same: Sequence[bytes],
    own: Sequence[bytes],
    *,
    again: int = 0,
    ways: int = 3,
) -> None:
    """The same bytes are one original and one interaction with each capture (F10).

    Args:
        settings: Of the archive.
        same: That came by each of three ways.
        own: That came by one way each.
        again: Captures beyond those.
    """
    assert sorted(kept(settings)) == sorted([*same, *own]), "other originals"
    count = len(same) + len(own)
    captured = 3 * len(same) + len(own) + again
    assert counted(settings) == {
        "originals": count,
        "interactions": count,
        "captures": captured,
    }, "not one of each"
    assert findings(settings) == []


def has_times_of_servers(settings: Settings, times: Mapping[str, int]) -> None:
    """Forged dates move no time that retention counts from (F55).

    Args:
        settings: Of an archive that has both forged letters.
        times: How often they came, by the kind of the source.
    """
    names = [hashlib.sha256(forged(number)).digest() for number in range(2)]
    with opened(settings) as services, reading(services.store.engine) as connection:
        query = (
            select(sources.c.kind, captures.c.received_ms, captures.c.captured_ms)
            .join(sources, sources.c.id == captures.c.source_id)
            .join(originals, originals.c.id == captures.c.original_id)
            .where(originals.c.content_id.in_(names))
        )
        rows = connection.execute(query).all()
    assert Counter(row.kind for row in rows) == times
    begun_ms = BEGUN.timestamp() * 1000 - 1000
    server_said_ms = SERVER_SAID.timestamp() * 1000
    assert all(begun_ms <= row.captured_ms for row in rows)
    wrong = set()
    for row in rows:
        if row.kind == "smtp":
            is_right = begun_ms <= row.received_ms <= row.captured_ms + 1000
        else:
            is_right = row.received_ms == (server_said_ms if row.kind == "imap" else None)
        if not is_right:
            wrong.add(row.kind)
    assert not wrong, f"the sender's date by {sorted(wrong)}"

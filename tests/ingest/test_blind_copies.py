"""Whom any copy of a message names as blind-copied takes part in it, whichever copy came first."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive_kit import bring_in, findings, found, settings_in

LINES = (
    "From: Boss <boss@our.example>",
    "To: Li <li@our.example>",
    "Date: Fri, 15 Mar 2024 10:22:00 +0800",
    "Subject: Quarter",
    "Message-ID: <q@our.example>",
)
ASKED = ("bcc:quokka", "to-or-any:quokka@hush.example", "with:quokka", "domain:hush.example")


def letter(*fields: str) -> bytes:
    """Return one copy of the message, with fields that only this copy has."""
    return "\r\n".join([*fields, *LINES, "", "words", ""]).encode()


SENT = letter("Bcc: Quokka <quokka@hush.example>")
RECEIVED = letter("Received: from a by b; Fri, 15 Mar 2024 10:22:01 +0800")


@pytest.mark.parametrize("is_sent_first", [True, False])
def test_blind_copy_is_found_whichever_copy_came_first(
    tmp_path: Path, *, is_sent_first: bool
) -> None:
    settings = settings_in(tmp_path)
    for number, raw in enumerate((SENT, RECEIVED)[:: 1 if is_sent_first else -1]):
        path = tmp_path / f"{number}.eml"
        path.write_bytes(raw)
        bring_in(settings, path)
    assert [found(settings, query) for query in ("bcc:quokka", "with:quokka")] == [1, 1]
    assert findings(settings) == []

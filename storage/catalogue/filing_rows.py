"""Makes the rows of a new interaction from its draft; writes none."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from holdfast.core.chats import address_key
from holdfast.core.custody import DraftAttachment
from holdfast.core.kinds import EMAIL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.core.custody import Draft

_DRAFT_COLUMNS = (
    "kind",
    "channel",
    "version_ms",
    "parser_version",
    "message_id",
    "message_key",
    "fingerprint",
    "subject",
    "date_raw",
    "sent_ms",
    "sent_at_source",
    "size_bytes",
    "lang",
    "list_id",
    "is_bulk",
    "is_truncated",
    "defects",
    "headers",
    "sealed_text",
    "row_digest",
    "due_ms",
)
_drafted = attrgetter(*_DRAFT_COLUMNS)
_FILE_COLUMNS = tuple(column.name for column in fields(DraftAttachment))


def at_ms(draft: Draft, now_ms: int) -> int:
    """Return when it was sent; now, where it does not say."""
    return now_ms if draft.sent_ms is None else draft.sent_ms


def interaction_row(
    interaction_id: int, draft: Draft, placed: tuple[int, int, int | None], now_ms: int
) -> dict[str, Any]:
    """Return the row of `interactions`.

    Args:
        interaction_id: New.
        draft: What the parser made.
        placed: The original that it is made from, its thread, and its room if it has one.
        now_ms: The instant of filing.
    """
    row: dict[str, Any] = dict(zip(_DRAFT_COLUMNS, _drafted(draft), strict=True))
    row["id"] = interaction_id
    row["text_original_id"], row["thread_id"], row["conversation_id"] = placed
    row["at_ms"] = at_ms(draft, now_ms)
    row["captured_ms"] = now_ms
    row["removed_ms"] = None
    return row


PARTICIPANT_COLUMNS = (
    "interaction_id", "ordinal", "role", "name", "address", "identity_id", "at_ms",
)  # fmt: skip


def participant_rows(
    interaction_id: int, draft: Draft, now_ms: int, known: Mapping[str, int]
) -> list[tuple[object, ...]]:
    """Return `PARTICIPANT_COLUMNS` of the rows; `known` is address key → identity."""
    when, channel = at_ms(draft, now_ms), draft.channel
    return [
        (interaction_id, at, role, name, address, known.get(identity_key(channel, address)), when)
        for at, (role, name, address, _) in enumerate(draft.participants)
    ]


def identity_key(channel: str, address: str) -> str:
    """Return how identities know an address; a mail's field that looks like chat names nobody."""
    return address_key(address) if channel != EMAIL or "@" in address else ""


def attachment_rows(interaction_id: int, draft: Draft) -> list[dict[str, Any]]:
    """Return the rows of `attachments`."""
    return [
        {
            "interaction_id": interaction_id,
            "ordinal": ordinal,
            **{name: getattr(item, name) for name in _FILE_COLUMNS},
        }
        for ordinal, item in enumerate(draft.attachments)
    ]

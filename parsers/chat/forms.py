"""Lists what an item can be that its source names, and parses it; total, as all parsers are.

The list is explicit: a form is one line here. Which form an item has is said by its source
(`CaptureFacts.form`), for its bytes alone do not always tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.core.records import Defect, Kind, Parsed
from holdfast.parsers.chat import (
    files,
    mattermost,
    mattermost_compliance,
    slack,
    table_rows,
    wecom,
)
from holdfast.parsers.chat.building import Said, record_of
from holdfast.parsers.chat.values import Context, context_of


@dataclass(frozen=True, slots=True)
class FormItem:
    """An item as a parser of forms gets it."""

    raw: bytes
    """The original; or what it holds in clear, where it came encrypted."""
    context: str
    """JSON, as `CaptureFacts.context`."""


Reader = Callable[[bytes, Context], Said]
"""Reads one form. May raise `ValueError`, `KeyError`, `TypeError` or `LookupError` on content that
is none of this form: the record then says so."""

FORMS: Mapping[str, Reader] = {
    "file": files.read_file,
    "mattermost.post": mattermost.read_post,
    "mattermost.reaction": mattermost.read_reaction,
    "mattermost.room": mattermost.read_room,
    "mattermost.user": mattermost.read_user,
    "mattermost.row": mattermost_compliance.read_row,
    "mattermost.element": mattermost_compliance.read_element,
    "slack.message": slack.read_message,
    "slack.event": slack.read_event,
    "slack.user": slack.read_user,
    "slack.room": slack.read_room,
    "table.row": table_rows.read_row,
    "wecom.message": wecom.read_message,
}


def parse_form(form: str, item: FormItem) -> Parsed:
    """Return everything that can be read from one item; what is no such form becomes a defect."""
    context = context_of(item.context)
    reader = FORMS.get(form)
    if reader is None:
        return _unread(context, item.raw, Defect("form_unknown", form[:100]))
    try:
        return record_of(reader(item.raw, context))
    except (ValueError, KeyError, TypeError, LookupError, AttributeError, RecursionError) as error:
        return _unread(context, item.raw, Defect("form_damaged", f"{form}: {error}"[:200]))


def unreadable_item(form: str, context: str, reason: str) -> Parsed:
    """Return what is known around an item whose parse was killed."""
    return _unread(context_of(context), b"", Defect("parse_killed", f"{form}: {reason}"[:200]))


def _unread(context: Context, raw: bytes, defect: Defect) -> Parsed:
    """Return a record of nothing but the bytes as text, so that their words can be found."""
    return record_of(
        Said(
            channel=context.channel or "unknown",
            kind=Kind.UNKNOWN,
            name=context.item,
            at=context.received_at,
            at_source="received",
            body=raw[: 1 << 20].decode("utf-8", "replace"),
            conversation=context.conversation,
            distinct=context.item,
            defects=(defect,),
        )
    )

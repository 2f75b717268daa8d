"""Lists what an item can be that its source names, and parses it; total, as all parsers are.

The list is explicit: a form is one line here. Which form an item has is said by its source
(`CaptureFacts.form`), for its bytes alone do not always tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.core.kinds import Kind
from holdfast.core.records import Defect, Parsed
from holdfast.parsers.chat import (
    files,
    hubspot,
    mattermost,
    mattermost_compliance,
    salesforce,
    slack,
    table_rows,
    teams,
    teams_directory,
    telegram,
    wecom,
    whatsapp,
    zoho,
)
from holdfast.parsers.chat.building import Said, record_of
from holdfast.parsers.chat.events import (
    dingtalk,
    feishu,
    hook,
    jdy,
    teams_notification,
    wecom_callback,
)
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
    "hubspot.activity": hubspot.read_activity,
    "mattermost.post": mattermost.read_post,
    "mattermost.reaction": mattermost.read_reaction,
    "mattermost.room": mattermost.read_room,
    "mattermost.user": mattermost.read_user,
    "mattermost.row": mattermost_compliance.read_row,
    "mattermost.element": mattermost_compliance.read_element,
    "salesforce.task": salesforce.read_task,
    "salesforce.event": salesforce.read_event,
    "salesforce.email": salesforce.read_email,
    "slack.message": slack.read_message,
    "slack.event": slack.read_event,
    "slack.event_previous": slack.read_event_previous,
    "slack.previous": slack.read_previous,
    "slack.reaction": slack.read_reaction,
    "slack.user": slack.read_user,
    "slack.room": slack.read_room,
    "table.row": table_rows.read_row,
    "zoho.note": zoho.read_note,
    "wecom.message": wecom.read_message,
    "teams.message": teams.read_message,
    "teams.deletion": teams.read_deletion,
    "teams.reaction": teams.read_reaction,
    "teams.user": teams_directory.read_user,
    "teams.room": teams_directory.read_room,
    "teams.meeting": teams_directory.read_meeting,
    "telegram.message": telegram.read_message,
    "telegram.reaction": telegram.read_reaction,
    "telegram.contact": telegram.read_contact,
    "telegram.chat": telegram.read_chat,
    "telegram.other": telegram.read_other,
    "feishu.event": feishu.read_event,
    "dingtalk.event": dingtalk.read_event,
    "dingtalk.robot": dingtalk.read_robot,
    "wecom.callback": wecom_callback.read_callback,
    "teams.notification": teams_notification.read_notification,
    "jdy.event": jdy.read_event,
    "hook.event": hook.read_event,
    "whatsapp.message": whatsapp.read_message,
}


_DAMAGE = (
    ValueError, KeyError, TypeError, LookupError, AttributeError, RecursionError, OverflowError,
)  # fmt: skip


def parse_form(form: str, item: FormItem) -> Parsed:
    """Return everything that can be read from one item; what is no such form becomes a defect."""
    context = context_of(item.context)
    reader = FORMS.get(form)
    if reader is None:
        return _unread(context, item.raw, Defect("form_unknown", form[:100]))
    try:
        return record_of(reader(item.raw, context))
    except _DAMAGE as error:
        return _unread(context, item.raw, Defect("form_damaged", f"{form}: {error}"[:200]))


def unreadable_item(form: str, item: FormItem, reason: str) -> Parsed:
    """Return what is known around an item whose parse was killed."""
    defect = Defect("parse_killed", f"{form}: {reason}"[:200])
    return _unread(context_of(item.context), item.raw, defect, shown=0)


def _unread(context: Context, raw: bytes, defect: Defect, shown: int = 1 << 20) -> Parsed:
    """Return a record of nothing but the bytes as text, so that their words can be found.

    All the bytes tell it from others, however few are shown.
    """
    return record_of(
        Said(
            channel=context.channel or "unknown",
            kind=Kind.UNKNOWN,
            name=context.item,
            at=None,
            received_at=context.received_at,
            body=raw[:shown].decode("utf-8", "replace"),
            source_text=hashlib.sha256(raw).hexdigest(),
            conversation=context.conversation,
            distinct=context.item,
            defects=(defect,),
        )
    )

"""Reads notifications of Microsoft Graph whose content is not with them, or is no message.

What is a message in clear has the form `teams.message`. Form: learn.microsoft.com,
"changeNotification resource type".
"""

from __future__ import annotations

import re

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind
from holdfast.core.records import Defect
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.events.fields import all_lines
from holdfast.parsers.chat.values import Context, Json, from_ms, json_of, lines, mapping, text

CHANNEL = "teams"
_RESOURCE = re.compile(
    r"(?:chats\('([^']{1,400})'\)|teams\('([^']{1,400})'\)/channels\('([^']{1,400})'\))"
    r"/messages\('([^']{1,400})'\)(?:/replies\('([^']{1,400})'\))?"
)


def read_notification(raw: bytes, context: Context) -> Said:
    """Return one notification, or the content of one that is no message."""
    notice = mapping(json_of(raw))
    if not notice:
        raise ValueError("a notification that is no object")
    change, life = text(notice.get("changeType")), text(notice.get("lifecycleEvent"))
    found = _RESOURCE.fullmatch(text(notice.get("resource")).lstrip("/"))
    if found is not None and not life:
        return _of_message(notice, found, change, context)
    return Said(
        channel=CHANNEL,
        kind=Kind.CHAT_EVENT,
        name="",
        at=None,
        received_at=context.received_at,
        subject=lines(life or change) or "notification",
        body="\n".join(all_lines(_shown(notice))),
        conversation=context.conversation,
        is_bulk=True,
        defects=(_SEALED,) if notice.get("encryptedContent") else (),
    )


_SEALED = Defect("notification_sealed", "no key of this certificate")


def _shown(notice: Json) -> Json:
    """Return a notification without what only vouches for it."""
    hidden = ("clientState", "encryptedContent")
    return {key: one for key, one in notice.items() if key not in hidden}


def _of_message(notice: Json, found: re.Match[str], change: str, context: Context) -> Said:
    room, key = found[1] or f"{found[2]}/{found[3]}", found[5] or found[4]
    is_sealed = bool(notice.get("encryptedContent"))
    deleted = change == "deleted" and not is_sealed
    return Said(
        channel=CHANNEL,
        kind=Kind.DELETION if deleted else Kind.CHAT_EVENT,
        name=f"teams:{room}/{key}",
        at=None if deleted or context.received_at else from_ms(key),
        received_at=context.received_at,
        subject=change,
        body="\n".join(all_lines(_shown(notice))),
        source_text="deleted" if deleted else "",
        conversation=Conversation(room),
        is_bulk=True,
        defects=(_SEALED,) if is_sealed else (),
    )

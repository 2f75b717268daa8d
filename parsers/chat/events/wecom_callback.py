"""Reads the callbacks of WeCom in clear: what changed in rooms and with contacts, and consent.

Forms: developer.work.weixin.qq.com, paths 90240 (messages and events), 92130 (contacts and their
rooms) and 91361 (message archive).
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from holdfast.core.chats import Conversation
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import ChatFile, Said
from holdfast.parsers.chat.events.plain_xml import child_text, parsed
from holdfast.parsers.chat.values import Context, from_s, lines
from holdfast.parsers.chat.wecom import person

CHANNEL = "wecom"
_CONSENTS = ("msgaudit_approve", "msg_audit_approved")
_ROLES = {"add_member": Role.JOINED, "del_member": Role.LEFT}
_SKIPPED = frozenset(
    {"ToUserName", "FromUserName", "CreateTime", "MsgType", "AgentID", "Event", "ChangeType"}
)


def read_callback(raw: bytes, context: Context) -> Said:
    """Return one callback, as it was sealed."""
    root = parsed(raw)
    kind, tenant = child_text(root, "MsgType"), child_text(root, "ToUserName") or context.tenant
    if not kind:
        raise ValueError("a callback without a type")
    if kind != "event":
        return _message(root, kind, tenant, context)
    event, change = child_text(root, "Event"), child_text(root, "ChangeType")
    stamp, room = child_text(root, "CreateTime"), child_text(root, "ChatId")
    is_consent = event in _CONSENTS or change in _CONSENTS
    is_known = is_consent or event in _EVENTS
    unknown = Defect("event_kind_unknown", event[:100])
    return Said(
        channel=CHANNEL,
        kind=Kind.CONSENT if is_consent else Kind.CHAT_EVENT if is_known else Kind.UNKNOWN,
        name="",
        at=from_s(stamp),
        date_raw=stamp,
        subject=" ".join(filter(None, (event, change, child_text(root, "UpdateDetail")))),
        body=lines(*_details(root)),
        conversation=Conversation(room) if room else context.conversation,
        people=tuple(_people(root, context)),
        headers=(("WeCom-Tenant", tenant),),
        is_bulk=not is_consent,
        defects=() if is_known else (unknown,),
    )


_EVENTS = frozenset(
    {"msgaudit_notify", "change_external_contact", "change_external_chat", "change_external_tag"}
    | {"change_contact", "enter_agent", "subscribe", "unsubscribe"}
)


def _details(root: etree._Element) -> Iterator[str]:
    """Yield what an event says besides, so that its words are found."""
    for child in root.iter():
        value = (child.text or "").strip()
        if value and child is not root and child.tag not in _SKIPPED:
            yield f"{child.tag}: {value}"


def _people(root: etree._Element, context: Context) -> Iterator[Participant]:
    role = _ROLES.get(child_text(root, "UpdateDetail"), Role.MENTION)
    sender = child_text(root, "FromUserName")
    named = [(Role.OWNER, child_text(root, "UserID"), "staff")]
    named.append((Role.FROM, child_text(root, "ExternalUserID"), "outside"))
    if sender not in ("", "sys"):
        named.append((Role.FROM, sender, ""))
    members = root.find("MemChangeList")
    if members is not None:
        named += [(role, (one.text or "").strip(), "") for one in members]
    for role, key, side in named:
        if key:
            known = person(role, key, context)
            yield Participant(role, known.name, known.address, side or known.side)


def _message(root: etree._Element, kind: str, tenant: str, context: Context) -> Said:
    """Return what somebody wrote to an app."""
    key, stamp = child_text(root, "MsgId"), child_text(root, "CreateTime")
    said = [child_text(root, one) for one in ("Title", "Content", "Description", "Label", "Url")]
    media = child_text(root, "MediaId")
    sender = person(Role.FROM, child_text(root, "FromUserName"), context)
    agent = child_text(root, "AgentID")
    return Said(
        channel=CHANNEL,
        kind=Kind.IM,
        name=f"wecom:{tenant}/{key}" if key else "",
        at=from_s(stamp),
        date_raw=stamp,
        body=lines(*said),
        conversation=Conversation(f"agent/{agent}") if agent else None,
        people=(sender,),
        files=(ChatFile(media, media_type=""),) if media else (),
        headers=(("WeCom-Type", kind),),
    )

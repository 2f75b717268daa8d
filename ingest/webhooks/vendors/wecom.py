"""Takes the callbacks of WeCom, signed and sealed as `callback_cipher` says; asks WeCom nothing.

A GET with `echostr` is WeCom's question whether we are there. What comes by POST is XML around XML;
neither may declare entities. Rules: developer.work.weixin.qq.com/document/path/90930.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from holdfast.core.errors import Refused
from holdfast.ingest.webhooks import callback_cipher
from holdfast.ingest.webhooks.checking import (
    require_fresh,
    require_plain,
    require_post,
    require_query,
    require_signed,
    same,
    stamp_of,
)
from holdfast.ingest.webhooks.request import (
    TEXT,
    Deny,
    Event,
    Handshake,
    Reply,
    Request,
    Taken,
    event_key,
)
from holdfast.parsers.chat.events.plain_xml import NotPlainXml, child_text, parsed
from holdfast.parsers.chat.values import Context, to_ms

FORM = "wecom.callback"


@dataclass(frozen=True, slots=True)
class WecomSettings:
    """One app of a WeCom corporation that receives callbacks."""

    corp_id: str
    """Who the callbacks are for: the CorpID; of an app for others its SuiteID."""
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    """The EncodingAESKey."""

    def __post_init__(self) -> None:
        if not self.corp_id or not self.token:
            raise Refused(
                "The corp_id or the token is missing.",
                next_step="Copy them from the page where the callback is configured.",
            )
        callback_cipher.key_of(self.aes_key)


def take(request: Request, settings: WecomSettings) -> Handshake | Taken:
    """Return what the request holds, or the answer to WeCom's question whether we are there."""
    if request.method == "GET":
        # A space can only be a plus that was decoded once too often.
        (asked,) = require_query(request, "echostr")
        opened = _opened(request, asked.replace(" ", "+"), settings)
        return Handshake(200, TEXT, opened)
    require_post(request, "text/xml", "application/xml")
    require_plain(request)
    opened = _opened(request, child_text(_xml(request.body), "Encrypt"), settings)
    event = _xml(opened)
    sent_at = stamp_of(child_text(event, "CreateTime"))
    made = Event(
        key=event_key(child_text(event, "MsgId"), opened),
        form=FORM,
        context=Context(
            channel="wecom",
            tenant=settings.corp_id,
            received_ms=to_ms(sent_at),
        ),
        raw=request.body,
        opened=opened,
        received_at=sent_at,
    )
    return Taken((made,), Reply(200, TEXT, b"success"))


def _opened(request: Request, sealed: str, settings: WecomSettings) -> bytes:
    given, stamp, nonce = require_query(request, "msg_signature", "timestamp", "nonce")
    right = callback_cipher.signature(settings.token, stamp, nonce, sealed)
    require_signed(is_right=same(given, right))
    require_fresh(request, stamp)
    key = callback_cipher.key_of(settings.aes_key)
    return callback_cipher.opened(sealed, key, settings.corp_id)


def _xml(content: bytes) -> etree._Element:
    try:
        return parsed(content)
    except NotPlainXml as error:
        raise Deny(400, "malformed", f"The body is no plain XML: {error}.") from None

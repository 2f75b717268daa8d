"""What every request and answer has: an id, bounds, and headers that keep browsers honest."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException, Request

from holdfast.api.problems import problem, reader_language
from holdfast.core.error_texts import translated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
_POLICY, _FRAMED = b"content-security-policy", b"frame-ancestors http"
_API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@dataclass(slots=True)
class Envelope:
    """An ASGI application around another one."""

    app: Any
    most_body_bytes: int

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = scope["holdfast.request_id"] = _request_id(scope)

        async def sending(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_added(message, name)]
            await send(message)

        bounded = _bounded(receive, self.most_body_bytes)
        if _declared(scope) > self.most_body_bytes:
            await self._refuse(scope, receive, sending)
            return
        await self.app(scope, bounded, sending)

    async def _refuse(self, scope: Any, receive: Receive, send: Send) -> None:
        request = Request(scope)
        detail = translated(_too_large(self.most_body_bytes), reader_language(request))
        answer = problem(request, (413, "too_large"), detail)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode())
    return secrets.token_hex(8)


def _declared(scope: Any) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:18])
    return 0


def _too_large(most: int) -> str:
    return f"The body may have {most} bytes."


def _bounded(receive: Receive, most: int) -> Receive:
    taken = 0

    async def receiving() -> MutableMapping[str, Any]:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:  # an exception of the framework, which it hands through unchanged
                raise HTTPException(413, _too_large(most), {"Connection": "close"})
        return message

    return receiving


def _added(message: MutableMapping[str, Any], request_id: str) -> list[tuple[bytes, bytes]]:
    given = {bytes(name).lower() for name, _ in message.get("headers", ())}
    added = {**_HEADERS, "x-request-id": request_id}
    if any(n.lower() == _POLICY and _FRAMED in v for n, v in message.get("headers", ())):
        del added["x-frame-options"]  # which knows no origins (RFC 7034); the policy names them
    if b"cache-control" not in given:
        added["cache-control"] = "no-store"
    if b"content-security-policy" not in given:
        added["content-security-policy"] = _API_POLICY
    return [(n.encode(), v.encode()) for n, v in added.items() if n.encode() not in given]

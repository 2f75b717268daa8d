"""Do a request once, however often it is sent: `Idempotency-Key` (draft-ietf-httpapi-idempotency).

The answer is kept for a day with the key and a digest of the request. The same key with another
request is refused (422), and with one that is still in progress too (409).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Header

from holdfast.api.problems import InProgress, KeyReused
from holdfast.storage.audit import canonical_digest
from holdfast.storage.rights.requests import Asked, begin_request, end_request, forget_request

if TYPE_CHECKING:
    from holdfast.api.served import Served
    from holdfast.api.shapes.common import Shape
    from holdfast.core.rights import Principal

Answer = TypeVar("Answer", bound="Shape")
Once = Annotated[str, Header(alias="Idempotency-Key", max_length=255)]
"""The key, where a client gave one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that changes something."""

    served: Served
    principal: Principal
    key: str
    """As the client gave it; empty: it may be done again."""
    route: str
    """Method and path."""
    body: object
    """As plain values."""


def once(call: Call, shape: type[Answer], act: Callable[[], Answer]) -> Answer:
    """Return the answer of the act, or the one that it gave when it was asked for before.

    Raises:
        KeyReused: The key belongs to another request.
        InProgress: The same request is in progress.
    """
    if not call.key:
        return act()
    store = call.served.store
    asked = Asked(call.principal.user_id, call.key, canonical_digest([call.route, call.body]))
    begun = begin_request(store, asked)
    if begun.is_other:
        raise KeyReused("The Idempotency-Key belongs to another request.")
    if begun.answer is not None:
        return shape.model_validate_json(begun.answer)
    if not begun.is_ours:
        raise InProgress("The same request is in progress.", next_step="Ask again in a moment.")
    try:
        answer = act()
    except BaseException:
        forget_request(store, asked)
        raise
    end_request(store, asked, answer.model_dump_json().encode())
    return answer

"""What must hold of webhooks: who is let in, what is kept, and how much a request may cost."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import tracemalloc
from collections.abc import Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from api_kit import PREFIX, Office
from holdfast.ingest.webhooks.checking import MAX_INFLATED_BYTES
from holdfast.ingest.webhooks.intake import Hooks
from holdfast.ingest.webhooks.request import Denied, Outcome, Request
from holdfast.storage.catalogue.ledger import sums
from hook_kit import NOW, SECRET, Case, let_in, signed_hmac, with_header
from hook_storm import Sender

Handle = Callable[[Request], Outcome]


def hooks_of(served: Office) -> Hooks:
    """Return what takes the webhooks of a service."""
    hooks = served.client.app.state.served.hooks  # type: ignore[attr-defined]
    assert isinstance(hooks, Hooks)
    return hooks


def attacks_are_refused(case: Case) -> None:
    """F34: what no vendor sends is refused with its answer: 401, 400, 405 or 415.

    Raises:
        AssertionError: Names what got through, and how.
    """
    found = let_in(case, case.handle)
    assert found == {}, f"{case.name} let in: {sorted(found.items())}"


def secrets_are_compared_in_constant_time(case: Case) -> None:
    """F34: a right request is found right by `compare_digest`, and by nothing that stops early.

    Raises:
        AssertionError: Nothing was compared so.
    """
    with patch.object(hmac, "compare_digest", wraps=hmac.compare_digest) as compared:
        case.handle(case.good())
    assert compared.call_count, f"{case.name} compared in a time that tells"


def send(served: Office, source: str, signed: Request) -> Any:
    """Send a request to the hook of this name."""
    return served.ask(
        "", signed.method, f"/ingest/hooks/{source}",
        params=dict(signed.query), headers=dict(signed.headers), content=signed.body,
    )  # fmt: skip


def event_of(sender: Sender, word: str, number: int) -> Request:
    """Return an event, signed now."""
    return sender.signed(sender.content(word, number), datetime.now(UTC), SECRET)


def ends(served: Office, source: str) -> dict[str, int]:
    """Return what the ledger says of what a source brought."""
    return {e: n for e, n in sums(served.services.store).get(source, {}).items() if n}


def event_is_kept_once(served: Office, sender: Sender, word: str) -> None:
    """F34, F35: an event is in the ledger when it is answered, and once however often it comes.

    Raises:
        AssertionError: It was answered and not kept, or kept twice, or its repeat was refused.
    """
    before = sum(ends(served, sender.vendor).values())
    for what in ("kept when it is answered", "kept once"):
        status = send(served, sender.vendor, event_of(sender, word, 1)).status_code
        assert 200 <= status < 300, f"{sender.vendor}: answered {status}"
        kept = sum(ends(served, sender.vendor).values()) - before
        assert kept == 1, f"{sender.vendor}: not {what}: {kept}"


def repeat_is_told(served: Office, content: bytes) -> None:
    """F34: the generic hook answers 202 the first time and 200 the second.

    Raises:
        AssertionError: The repeat was not known.
    """
    sent = signed_hmac(content, datetime.now(UTC), SECRET)
    statuses = [send(served, "generic", sent).status_code for _ in range(2)]
    assert statuses == [202, 200], f"a repeat was not known: {statuses}"


def bomb() -> Request:
    """Return a signed request of 250 KiB that inflates to 256 MiB."""
    stream = gzip.compress(b'{"a":"' + bytes(32 * MAX_INFLATED_BYTES) + b'"}', 1)
    return with_header(signed_hmac(stream, NOW, SECRET), "content-encoding", "gzip")


def bomb_costs_little(handle: Handle, request: Request) -> None:
    """F35: a bomb is refused before it is whole.

    Raises:
        AssertionError: It was taken, or held in memory.
    """
    tracemalloc.start()
    try:
        outcome = handle(request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, Denied), "a bomb was taken"
    assert (outcome.status, outcome.code) == (413, "too_large")
    assert peak < 4 * MAX_INFLATED_BYTES, f"a bomb took {peak >> 20} MiB"


def large_body_is_not_read(served: Office, count: int) -> None:
    """F35: of a body without an end only so much is read as a body may have, then 413.

    Raises:
        AssertionError: More was taken from the connection, or the answer is another.
    """
    piece, read = b"x" * (1 << 16), 0
    answers: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        nonlocal read
        read += len(piece)
        return {"type": "http.request", "body": piece, "more_body": read < count * len(piece)}

    async def send_back(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": f"{PREFIX}/ingest/hooks/generic", "query_string": b"",
        "raw_path": b"", "root_path": "", "server": ("testserver", 80),
        "client": ("127.0.0.1", 50000), "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip

    def serve() -> None:
        asyncio.run(served.client.app(scope, receive, send_back))  # type: ignore[arg-type]

    with ThreadPoolExecutor(1) as beside:  # whatever loop runs in this thread
        beside.submit(serve).result()
    most = served.client.app.state.served.config.most_body_bytes  # type: ignore[attr-defined]
    assert read <= most + len(piece), f"{read >> 20} MiB were read"
    assert answers[0]["status"] == 413


def rewritten(request: Request) -> Request:
    """Return the request with the body that a program makes of it that reads and writes JSON."""
    return replace(request, body=json.dumps(json.loads(request.body)).encode())

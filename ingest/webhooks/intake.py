"""Keeps what webhooks bring: nothing is answered with success before it is durable.

A request is verified by its vendor's rules before anything of it is parsed. The raw body is the
original; what it says beside, and what it held in clear where it came encrypted, goes with the
capture. A repeat is known by the vendor's own key and answered as the first one was.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.core.errors import HoldfastError, NotFound, Unavailable
from holdfast.ingest.outbound.issuers import Issuer
from holdfast.ingest.outbound.key_rotation import RotatedKeys
from holdfast.ingest.webhooks.keeping import Keeping, KeyReused, Turn
from holdfast.ingest.webhooks.registry import Vendor, vendor_of
from holdfast.ingest.webhooks.request import Denied, Deny, Handshake, Reply, Request, Taken
from holdfast.ingest.webhooks.settings import KIND, hook_of
from holdfast.storage.catalogue.accounts import Ending, find_account, note_ended, open_secret
from holdfast.storage.catalogue.batches import close_batch, open_account_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.ingest.outbound.issuers import IssuerConfig
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.smtp.alarm import Note
    from holdfast.ingest.webhooks.request import Published
    from holdfast.storage.catalogue.accounts import KeptAccount

NEVER_MS = 100 * 365 * 86_400_000
"""Nobody runs a webhook: its next time is far away."""
LOOK_S = 2.0
"""A changed, paused or removed source is noticed within this time."""
NOTE_S = 10.0
"""Between two notes in the catalogue that a source brings something."""
LONGEST_S = 25.0
"""A sender waits so long at most for the disk; then it is told to come again."""
QUICK_BYTES = 64 * 1024
"""A body up to this size, and not compressed, is judged within a millisecond or two."""
_REUSED = Denied(
    422, "key_reused",
    "The same key came before with another content. Give every event, and every change, its own.",
)  # fmt: skip


@dataclass(slots=True)
class _Open:
    """One source that is taken from."""

    name: str
    kept: KeptAccount
    vendor: Vendor
    settings: Any
    """As the vendor reads them."""
    intake: Intake
    looked_at: float
    noted_at: float = 0.0
    published: Published | None = None
    """Asks who vouches for what comes; None: nobody is asked."""


@dataclass(slots=True)
class Hooks:
    """All webhooks of one archive; for many threads."""

    desk: Desk
    spool: Path
    report: Callable[[Note], None]
    monotonic: Callable[[], float] = time.monotonic
    """Seconds of a clock that never goes back."""
    issuer_at: Callable[[IssuerConfig], Issuer] = Issuer
    """Asks an issuer."""
    _issuers: dict[IssuerConfig, RotatedKeys] = field(default_factory=dict, init=False)
    _open: dict[str, _Open] = field(default_factory=dict, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _keeping: Keeping = field(init=False)

    def __post_init__(self) -> None:
        self._keeping = Keeping(self.desk, self.spool, self.report)

    def take(self, name: str, request: Request) -> Future[Reply]:
        """Judge one request to the source of this name; return its answer, which may be to come.

        An answer of success comes when everything of it is durable. It may take `LONGEST_S`, and is
        then not waited for any more.

        Raises:
            NotFound: There is no such source, or it is paused. The answer itself may raise
                Unavailable: It could not be kept; the sender has to come again.
        """
        source = self._source(name)
        request = replace(request, source=name, published=source.published or request.published)
        answer = source.vendor.handle(request, source.settings)
        if isinstance(answer, Denied):
            return _told(self._denied(source, answer))
        if isinstance(answer, Handshake):
            return _told(Reply(answer.status, answer.content_type, answer.body))
        if not answer.events:
            return _told(answer.again or answer.reply)
        return self._keep(source, answer)

    def is_quick(self, name: str, request: Request) -> bool:
        """Tell whether `take` looks nothing up and judges at once: where nothing may wait, too."""
        source = self._open.get(name)
        is_small = len(request.body) <= QUICK_BYTES and not request.header("content-encoding")
        is_ready = source is not None and source.published is None and self._is_fresh(source)
        return is_small and is_ready

    def close(self) -> None:
        """Settle what waits, and close what was opened."""
        with self._turn:
            self._keeping.close()
            for source in self._open.values():
                close_batch(self.desk.store, source.intake.batch_id)
            self._open.clear()

    def _source(self, name: str) -> _Open:
        known = self._open.get(name)
        if known is not None and self._is_fresh(known):
            return known
        with self._turn:
            known = self._open.get(name)
            if known is not None and self._is_fresh(known):
                return known
            kept = _kept(self.desk, name)
            hook = hook_of(kept.settings)
            vendor = vendor_of(hook.vendor)
            secret = open_secret(self.desk.store, kept.source_id).decode()
            settings = vendor.read(hook.settings, secret)
            intake = known.intake if known is not None else self._begin(kept)
            found = _Open(name, kept, vendor, settings, intake, self.monotonic())
            found.noted_at = known.noted_at if known is not None else 0.0
            if (issuer := vendor.issuer(settings)) is not None:
                found.published = partial(self._published, name, self._keys_of(issuer))
            self._open[name] = found
            return found

    def _keys_of(self, issuer: IssuerConfig) -> RotatedKeys:
        """Return the keys of an issuer, which stay known when the source is looked at again."""
        if issuer not in self._issuers:
            self._issuers[issuer] = RotatedKeys(self.issuer_at(issuer), self.monotonic)
        return self._issuers[issuer]

    def _published(self, name: str, keys: RotatedKeys, wanted: str) -> Sequence[Mapping[str, Any]]:
        try:
            return keys.named(wanted)
        except HoldfastError as error:
            self.report({"event": "hook.keys_missing", "source": name, "cause": error.cause})
            raise Deny(503, "keys_unavailable", "The issuer's keys cannot be had now.") from None

    def _is_fresh(self, source: _Open) -> bool:
        return self.monotonic() - source.looked_at < LOOK_S

    def _begin(self, kept: KeptAccount) -> Intake:
        return open_account_batch(self.desk.store, kept, f"hook {kept.name}")

    def _denied(self, source: _Open, denied: Denied) -> Reply:
        self.report({"event": "hook.denied", "source": source.name, "code": denied.code})
        return _refusal(denied)

    def _keep(self, source: _Open, taken: Taken) -> Future[Reply]:
        """Have the events of a body kept; the answer comes when all are settled."""
        reply: Future[Reply] = Future()
        reply.set_running_or_notify_cancel()  # whoever stops waiting does not end it

        def finish(turn: Turn) -> None:
            try:
                reply.set_result(self._answer(source, taken, turn))
            except Exception as error:  # noqa: BLE001 - raised where the answer is waited for
                reply.set_exception(error)

        turn = Turn(source.intake, source.vendor.is_exact, finish)
        self._keeping.keep(turn, taken.events)
        return reply

    def _answer(self, source: _Open, taken: Taken, turn: Turn) -> Reply:
        """Return what to answer when all events are settled.

        Raises:
            HoldfastError: Not all could be kept.
        """
        if isinstance(turn.trouble, KeyReused):
            return self._denied(source, _REUSED)
        if turn.trouble is not None:
            raise _unavailable(turn.trouble) from turn.trouble
        self._note(source)
        return taken.reply if turn.is_new else taken.again or taken.reply

    def _note(self, source: _Open) -> None:
        """Let people see that it works; not for every event, for that is a write of its own."""
        if self.monotonic() - source.noted_at >= NOTE_S:
            source.noted_at = self.monotonic()
            now_ms = self.desk.store.now_ms()
            note_ended(self.desk.store, source.kept.source_id, Ending(now_ms + NEVER_MS))


def _told(reply: Reply) -> Future[Reply]:
    told: Future[Reply] = Future()
    told.set_result(reply)
    return told


def _kept(desk: Desk, name: str) -> KeptAccount:
    absent = NotFound("There is no such webhook.", next_step="See 'holdfast source list'.")
    try:
        kept = find_account(desk.store, name)
    except NotFound as error:
        raise absent from error
    if kept.kind != KIND or kept.paused_ms is not None:
        raise absent
    return kept


def _refusal(denied: Denied) -> Reply:
    """Say why nothing was taken, as RFC 9457 has it; the vendor's people read it in their log."""
    body = {"status": denied.status, "code": denied.code, "detail": denied.reason}
    return Reply(denied.status, "application/problem+json", msgspec.json.encode(body))


def _unavailable(trouble: Exception) -> HoldfastError:
    if isinstance(trouble, HoldfastError):
        return trouble
    return Unavailable("It could not be kept.", next_step="Send it again.")

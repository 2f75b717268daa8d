"""Keeps what webhooks bring: nothing is answered with success before it is durable.

A request is verified by its vendor's rules before anything of it is parsed. The raw body is the
original; what it says beside, and what it held in clear where it came encrypted, goes with the
capture. A repeat is known by the vendor's own key and answered as the first one was.
"""

from __future__ import annotations

import hashlib
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.core.errors import HoldfastError, NotFound, Unavailable
from holdfast.core.records import CaptureFacts
from holdfast.ingest.smtp.committing import GroupCommit, Letter, Reception
from holdfast.ingest.webhooks.registry import Vendor, vendor_of
from holdfast.ingest.webhooks.request import Denied, Handshake, Reply, Request
from holdfast.ingest.webhooks.settings import KIND, hook_of
from holdfast.parsers.chat.values import context_text
from holdfast.storage.catalogue.accounts import Ending, find_account, note_ended, open_secret
from holdfast.storage.catalogue.batches import close_batch, open_account_batch
from holdfast.storage.catalogue.ledger import known_items

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from holdfast.core.custody import Intake
    from holdfast.ingest.pipeline import Desk
    from holdfast.ingest.smtp.alarm import Note
    from holdfast.ingest.webhooks.request import Event
    from holdfast.storage.catalogue.accounts import KeptAccount

NEVER_MS = 100 * 365 * 86_400_000
"""Nobody runs a webhook: its next time is far away."""
LOOK_S = 2.0
"""A changed, paused or removed source is noticed within this time."""
NOTE_S = 10.0
"""Between two notes in the catalogue that a source brings something."""
LONGEST_S = 25.0
"""A sender waits so long at most for the disk; then it is told to come again."""
_REUSED = Denied(
    422, "key_reused",
    "The same key came before with another content. Give every event, and every change, its own.",
)  # fmt: skip


@dataclass(slots=True)
class _Open:
    """One source that is taken from."""

    kept: KeptAccount
    vendor: Vendor
    settings: Any
    """As the vendor reads them."""
    intake: Intake
    looked_at: float
    noted_at: float = 0.0


@dataclass(slots=True)
class Hooks:
    """All webhooks of one archive; for many threads."""

    desk: Desk
    spool: Path
    report: Callable[[Note], None]
    monotonic: Callable[[], float] = time.monotonic
    """Seconds of a clock that never goes back."""
    _open: dict[str, _Open] = field(default_factory=dict, init=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _commit: GroupCommit | None = field(default=None, init=False)

    def take(self, name: str, request: Request) -> Reply:
        """Answer one request to the source of this name.

        Raises:
            NotFound: There is no such source, or it is paused.
            Unavailable: It could not be kept; the sender has to come again.
        """
        source = self._source(name)
        answer = source.vendor.handle(request, source.settings)
        if isinstance(answer, Denied):
            self.report({"event": "hook.denied", "source": name, "code": answer.code})
            return _refusal(answer)
        if isinstance(answer, Handshake):
            return Reply(answer.status, answer.content_type, answer.body)
        keys = [one.key for one in answer.events]
        known = known_items(self.desk.store, source.kept.source_id, keys)
        if source.vendor.is_exact and any(map(partial(_differs, known), answer.events)):
            self.report({"event": "hook.denied", "source": name, "code": _REUSED.code})
            return _refusal(_REUSED)
        is_new = self._keep(source, [one for one in answer.events if one.key not in known])
        self._note(source)
        return answer.reply if is_new else answer.again or answer.reply

    def close(self) -> None:
        """Settle what waits, and close what was opened."""
        with self._turn:
            if self._commit is not None:
                self._commit.close()
                self._commit = None
            for source in self._open.values():
                close_batch(self.desk.store, source.intake.batch_id)
            self._open.clear()

    def _source(self, name: str) -> _Open:
        with self._turn:
            known = self._open.get(name)
            if known is not None and self.monotonic() - known.looked_at < LOOK_S:
                return known
            kept = _kept(self.desk, name)
            hook = hook_of(kept.settings)
            vendor = vendor_of(hook.vendor)
            secret = open_secret(self.desk.store, kept.source_id).decode()
            settings = vendor.read(hook.settings, secret)
            intake = known.intake if known is not None else self._begin(kept)
            found = self._open[name] = _Open(kept, vendor, settings, intake, self.monotonic())
            found.noted_at = known.noted_at if known is not None else 0.0
            return found

    def _begin(self, kept: KeptAccount) -> Intake:
        return open_account_batch(self.desk.store, kept, f"hook {kept.name}")

    def _keep(self, source: _Open, fresh: Sequence[Event]) -> bool:
        """Keep events of a body; return whether there was one."""
        waiting = [self._hand_over(source, one) for one in fresh]
        for one in waiting:
            try:
                trouble = one.result(LONGEST_S)
            except TimeoutError as error:
                raise Unavailable(
                    "It could not be kept in time.", next_step="Send it again."
                ) from error
            if trouble is not None:
                raise _unavailable(trouble) from trouble
        return bool(fresh)

    def _hand_over(self, source: _Open, event: Event) -> Future[Exception | None]:
        done: Future[Exception | None] = Future()
        facts = CaptureFacts(
            folder=event.context.room.get("name", ""),
            received_at=event.received_at,
            member=event.member,
            form=event.form,
            context=context_text(event.context),
        )
        letter = Letter(event.raw, facts, done.set_result, event.key, source.intake, event.opened)
        self._committing(source.intake).hand_over(letter)
        return done

    def _committing(self, intake: Intake) -> GroupCommit:
        with self._turn:
            if self._commit is None:
                reception = Reception(self.desk, intake, self.spool, self.report)
                self._commit = GroupCommit(reception, coming=lambda: 0)
            return self._commit

    def _note(self, source: _Open) -> None:
        """Let people see that it works; not for every event, for that is a write of its own."""
        if self.monotonic() - source.noted_at >= NOTE_S:
            source.noted_at = self.monotonic()
            now_ms = self.desk.store.now_ms()
            note_ended(self.desk.store, source.kept.source_id, Ending(now_ms + NEVER_MS))


def _kept(desk: Desk, name: str) -> KeptAccount:
    absent = NotFound("There is no such webhook.", next_step="See 'holdfast source list'.")
    try:
        kept = find_account(desk.store, name)
    except NotFound as error:
        raise absent from error
    if kept.kind != KIND or kept.paused_ms is not None:
        raise absent
    return kept


def _differs(known: Mapping[str, bytes | None], event: Event) -> bool:
    content_id = known.get(event.key)
    return content_id is not None and content_id != hashlib.sha256(event.raw).digest()


def _refusal(denied: Denied) -> Reply:
    """Say why nothing was taken, as RFC 9457 has it; the vendor's people read it in their log."""
    body = {"status": denied.status, "code": denied.code, "detail": denied.reason}
    return Reply(denied.status, "application/problem+json", msgspec.json.encode(body))


def _unavailable(trouble: Exception) -> HoldfastError:
    if isinstance(trouble, HoldfastError):
        return trouble
    return Unavailable("It could not be kept.", next_step="Send it again.")

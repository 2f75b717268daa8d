"""Shapes of sources: what is said of a new one, what becomes another, how it fares."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from holdfast.api.shapes.common import Instant, Shape, maybe_ms
from holdfast.core.identity import public_id
from holdfast.ingest.source_kinds import source_of
from holdfast.ingest.sources.health import Health
from holdfast.ingest.webhooks.settings import KIND as HOOK
from holdfast.ingest.webhooks.settings import hook_of

MAX_NAME = 200
MAX_SECRET = 16_384
Names = list[Annotated[str, Field(min_length=1, max_length=1000)]]


class Tokens(Shape):
    """How tokens are had, for services that take no passwords."""

    flow: Literal["refresh-token", "client-credentials"]
    client_id: str = Field(max_length=400)
    token_url: str = Field("", max_length=2000)
    """Empty: as the preset knows it."""
    scope: str = Field("", max_length=2000)
    tenant: str = Field("", max_length=200)
    """Of Microsoft 365; empty: any."""


class MailboxSource(Shape):
    """A mailbox on an IMAP server; what the preset knows need not be said."""

    preset: str = Field("generic", max_length=50, examples=["163"])
    host: str = Field("", max_length=255, examples=["imap.example.com"])
    port: int = Field(0, ge=0, le=65535)
    """0: 993, and 143 for `starttls`."""
    tls: Literal["implicit", "starttls"] = "implicit"
    user: str = Field(max_length=400, examples=["ann@example.com"])
    folders: Names = Field(default=[], max_length=1000)
    """Patterns of the only folders to take; none: all."""
    excludes: Names = Field(default=[], max_length=1000)
    is_journal: bool = False
    """Its journal reports are read as such."""
    has_exact_sizes: bool = True
    """False: the server only estimates sizes."""
    connections: int = Field(2, ge=1, le=15)
    compress: Literal["auto", "always", "never"] = "auto"
    tokens: Tokens | None = None


class HookSource(Shape):
    """A webhook of another system."""

    vendor: str = Field(max_length=50, examples=["generic"])
    settings: dict[str, Any] | None = None
    """What the vendor's way needs that is no secret, such as a field map."""


class NewSource(Shape):
    """A source to be taken in: a mailbox or a webhook."""

    name: str = Field(min_length=1, max_length=MAX_NAME, examples=["sales-mail"])
    custodian: str = Field("", max_length=MAX_NAME)
    is_paused: bool = False
    mailbox: MailboxSource | None = None
    webhook: HookSource | None = None
    secret: str = Field(min_length=1, max_length=MAX_SECRET, repr=False)
    """Password, refresh token or client's secret; of a webhook its secret, or all of them as a
    JSON object. It is kept sealed, and is in no answer."""
    client_secret: str = Field("", max_length=MAX_SECRET, repr=False)


class SourceChange(Shape):
    """What becomes another; what is left out stays, and an empty list or text lifts a rule."""

    every: float | None = Field(None, ge=10, le=604_800)
    """Seconds between two looks at all folders."""
    watch: int | None = Field(None, ge=0, le=16)
    """Folders whose news is waited for."""
    late: float | None = Field(None, ge=0, le=1e9)
    """Without success for so many seconds it is late."""
    reconcile: float | None = Field(None, ge=0, le=1e9)
    """Seconds between two comparisons of all that is kept; 0: none."""
    since: str | None = Field(None, max_length=10, examples=["2024-03-15"])
    until: str | None = Field(None, max_length=10)
    only: Names | None = Field(None, max_length=1000)
    without: Names | None = Field(None, max_length=1000)
    folder: Names | None = Field(None, max_length=1000)
    exclude: Names | None = Field(None, max_length=1000)
    drafts: Literal["sent", "all"] | None = None
    exact_sizes: bool | None = None
    """Whether the server knows the sizes of its messages, or only estimates them."""


class Backfill(Shape):
    """What a backfill is to take, whatever the rules leave out; something has to be said."""

    since: str = Field("", max_length=10, examples=["2020-01-01"])
    """From this day (UTC) on."""
    until: str = Field("", max_length=10, examples=["2020-12-31"])
    """Up to this day (UTC)."""
    folders: Names = Field(default=[], max_length=100, examples=[["Old/*"]])
    """Patterns of the folders to look at, though the source leaves them out; none: its own."""
    failed: bool = False
    """Ask again for what failed, and only for that; takes no days."""


class SourceShape(Shape):
    """A source and its state."""

    id: str
    name: str
    kind: str
    state: str
    custodian: str
    lag_s: float
    is_late: bool
    is_watched: bool
    succeeded_at: Instant | None
    next_at: Instant | None
    trouble: str
    next_step: str


class SourceDetail(Shape):
    """A source with how it is reached, without secrets, and what may be changed of it."""

    source: SourceShape
    settings: dict[str, Any]
    plan: dict[str, Any]


class StepShape(Shape):
    """One step of the way to a source."""

    step: str
    is_ok: bool
    found: str
    """Empty where it would show what messages say."""
    cause: str
    next_step: str


class TrialShape(Shape):
    """The way to a source; it ends at the first step that fails."""

    is_ok: bool
    steps: list[StepShape]


class FieldShape(Shape):
    """What a sample holds for one field."""

    name: str
    paths: list[str]
    is_mapped: bool
    is_missed: bool
    count: int
    found: list[str]


class DryRunShape(Shape):
    """What a sample would become."""

    fields: list[FieldShape]
    problem: str
    """Why it would be refused; empty: it would be kept."""
    defects: list[str]


def source_shape(one: Health) -> SourceShape:
    """Return what is shown of a source."""
    kept = one.kept
    return SourceShape(
        id=public_id("src", kept.source_id),
        name=kept.name,
        kind=kept.kind,
        state=one.state,
        custodian=kept.custodian,
        lag_s=one.lag_s,
        is_late=one.is_late,
        is_watched=one.is_watched,
        succeeded_at=maybe_ms(kept.succeeded_ms),
        next_at=maybe_ms(kept.next_ms),
        trouble=kept.last_error,
        next_step=kept.next_step,
    )


def detail_shape(one: Health, plan: dict[str, Any]) -> SourceDetail:
    """Return all that is shown of a source."""
    shown = source_of(one.kept.kind).shown(one.kept.settings)
    settings = {name: value for name, value in shown.items() if name != "place"}
    if one.kept.kind == HOOK:  # as it was sent
        text = hook_of(one.kept.settings).settings
        settings["settings"] = msgspec.json.decode(text) if text else None
    return SourceDetail(source=source_shape(one), settings=settings, plan=plan)

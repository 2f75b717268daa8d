"""Matters, holds, their releases and notices."""

from __future__ import annotations

from pydantic import Field

from holdfast.api.shapes.common import Instant, Moment, Shape, from_ms, maybe_ms, person
from holdfast.core.identity import public_id
from holdfast.retention.release import Needs, still_needs
from holdfast.storage.governance.holds import Hold
from holdfast.storage.governance.matters import Matter
from holdfast.storage.governance.notices import Notice


class NewMatter(Shape):
    """A matter to be opened."""

    name: str = Field(min_length=1, max_length=200, examples=["K1"])
    reference: str = Field("", max_length=300)
    note: str = Field("", max_length=10_000)


class MatterChange(Shape):
    """What is to be different; what is left out stays."""

    reference: str | None = Field(None, max_length=300)
    note: str | None = Field(None, max_length=10_000)


class MatterShape(Shape):
    """A matter."""

    id: str
    name: str
    reference: str
    note: str
    opened_at: Instant
    closed_at: Instant | None
    version: int
    holds: int
    """In force."""


class NewHoldShape(Shape):
    """A hold to be placed: custodians AND dates AND query."""

    name: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=10_000)
    query: str = Field("", max_length=100_000)
    custodians: list[str] = Field(default=[], max_length=10_000)
    from_at: Moment | None = None
    to_at: Moment | None = None
    spares_unindexed: bool = True
    """Hold too what the custodians have that is not fully indexed."""
    is_preview: bool = False
    """Only count what it would hold."""


class HoldChange(Shape):
    """How a hold is to hold more, or why it holds; what is left out stays."""

    reason: str | None = Field(None, min_length=1, max_length=10_000)
    add_custodians: list[str] = Field(default=[], max_length=10_000)
    """Whose mail it holds too."""
    from_at: Moment | None = None
    """From earlier on."""
    to_at: Moment | None = None
    """Until later."""
    any_words: bool = False
    """Drop the query."""


class ReleaseShape(Shape):
    """How far the release of a hold has come."""

    needs: Needs
    reason: str
    asked_by: str | None
    asked_at: Instant | None
    approved_by: str | None
    approved_at: Instant | None
    ends_at: Instant | None


class HoldShape(Shape):
    """A hold as it stands."""

    id: str
    matter_id: str
    matter: str
    name: str
    reason: str
    query: str
    canonical: str
    custodians: list[str]
    from_at: Instant | None
    to_at: Instant | None
    spares_unindexed: bool
    analyser_version: int
    placed_at: Instant
    is_active: bool
    release: ReleaseShape
    version: int


class AlreadyDisposed(Shape):
    """A disposal that was being carried out when the hold was placed."""

    disposal_id: str
    records: int
    """That it had destroyed: the hold came too late for those of them that it is about."""
    last_at: Instant


class PlacedHold(Shape):
    """A hold that was placed or previewed, and what it holds."""

    hold: HoldShape | None
    held: int
    not_fully_indexed: int
    is_within_scope: bool
    """Counted is only what whoever asks may see; the hold holds more."""
    unknown_custodians: list[str]
    """Of whom nothing has come yet, or who are called otherwise: what comes is held."""
    already_disposed: list[AlreadyDisposed]
    """By disposals that are being carried out now; nothing that is held goes after this answer."""


class HoldDetail(HoldShape):
    """A hold with what it holds, and what its end would set free."""

    held: int
    not_fully_indexed: int
    freed: int | None
    """Of these by no other hold in force: deletable when it ends, if retention lets it. Null for
    who may see a part of the archive only."""
    is_within_scope: bool
    """Counted is only what whoever asks may see; the hold holds more."""


class ReasonShape(Shape):
    """Why."""

    reason: str = Field(min_length=1, max_length=10_000)


class NoticeShape(Shape):
    """What a custodian was told of a hold."""

    id: str
    hold_id: str
    custodian: str
    text: str
    given_at: Instant
    acknowledged_at: Instant | None
    acknowledged_by: str


class GivenNotice(NoticeShape):
    """A notice with the code that acknowledges it, which is shown this once."""

    code: str


class NewNotice(Shape):
    """Whom to tell."""

    custodian: str = Field(min_length=1, max_length=300)
    text: str = Field("", max_length=20_000)
    """Empty: the usual words."""
    language: str = Field("en", pattern="^(en|zh)$")


class Acknowledgement(Shape):
    """The answer of a custodian."""

    code: str = Field(min_length=1, max_length=100)


def matter_shape(one: Matter) -> MatterShape:
    """Show a matter."""
    return MatterShape(
        id=one.public,
        name=one.name,
        reference=one.reference,
        note=one.note,
        opened_at=from_ms(one.opened_ms),
        closed_at=maybe_ms(one.closed_ms),
        version=one.version,
        holds=one.holds,
    )


def hold_shape(one: Hold, now_ms: int) -> HoldShape:
    """Show a hold."""
    terms, release = one.terms, one.release
    return HoldShape(
        id=one.public,
        matter_id=public_id("mat", one.matter_id),
        matter=one.matter,
        name=one.name,
        reason=one.reason,
        query=one.query,
        canonical=one.canonical,
        custodians=list(terms.custodians),
        from_at=terms.from_at,
        to_at=terms.to_at,
        spares_unindexed=terms.spares_unindexed,
        analyser_version=one.analyser_version,
        placed_at=from_ms(one.placed_ms),
        is_active=one.is_active,
        release=ReleaseShape(
            needs=still_needs(release, now_ms),
            reason=release.reason,
            asked_by=person(release.asked_by),
            asked_at=maybe_ms(release.asked_ms),
            approved_by=person(release.approved_by),
            approved_at=maybe_ms(release.approved_ms),
            ends_at=maybe_ms(release.ends_ms),
        ),
        version=one.version,
    )


def notice_shape(one: Notice) -> NoticeShape:
    """Show a notice."""
    return NoticeShape(
        id=one.public,
        hold_id=public_id("hld", one.hold_id),
        custodian=one.custodian,
        text=one.text,
        given_at=from_ms(one.given_ms),
        acknowledged_at=maybe_ms(one.acknowledged_ms),
        acknowledged_by=one.acknowledged_by,
    )

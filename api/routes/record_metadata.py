"""`/records/{id}/metadata`: what people add to a record, in versions; never the original."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from holdfast.api.asking import record_in_scope, refuse_governed
from holdfast.api.door import Archive, allowed
from holdfast.api.masks import Mask, mask_for
from holdfast.api.served import Served
from holdfast.api.shapes.common import Instant, Moment, Shape, from_ms, maybe_ms
from holdfast.api.trail import note
from holdfast.api.versions import IfMatch, agreed, tag_of
from holdfast.core.rights import Action, Principal
from holdfast.storage.annotations.values import KEEP, Change, Metadata
from holdfast.storage.annotations.versions import Version, metadata_of, versions_of
from holdfast.storage.annotations.writing import annotate

router = APIRouter(tags=["metadata"])
Reader = Annotated[Principal, Depends(allowed(Action.READ))]
Annotator = Annotated[Principal, Depends(allowed(Action.ANNOTATE))]
Words = list[str]


class NoteShape(Shape):
    """What somebody noted."""

    text: str
    at: Instant


class MetadataShape(Shape):
    """What people have added to a record."""

    tags: list[str]
    notes: list[NoteShape]
    links: list[str]
    owner: str
    summary: str
    retain_from: Instant | None
    """From when retention counts instead of the receipt, where that is later."""
    version: int


class MetadataChange(Shape):
    """What is to be different; the rest stays."""

    add_tags: Words = Field(default=[], max_length=200)
    remove_tags: Words = Field(default=[], max_length=200)
    add_notes: Words = Field(default=[], max_length=200)
    remove_notes: Words = Field(default=[], max_length=200)
    add_links: Words = Field(default=[], max_length=200)
    remove_links: Words = Field(default=[], max_length=200)
    owner: str | None = Field(None, max_length=300)
    summary: str | None = Field(None, max_length=20_000)
    retain_from: Moment | None = None
    """From when retention counts, where that is later than the receipt; null: from the receipt.
    Left out: as before. Only for who may know what is held (`matters` or `govern_view`)."""

    @property
    def has_retention(self) -> bool:
        """Whether it says from when retention counts."""
        return "retain_from" in self.model_fields_set


class VersionShape(Shape):
    """One change."""

    version: int
    actor: str
    at: Instant
    changes: list[dict[str, Any]]


@router.get("/records/{record_id}/metadata", operation_id="read_metadata")
def get_metadata(
    record_id: str, served: Archive, principal: Reader, response: Response
) -> MetadataShape:
    """Read tags, notes, links, owner and summary."""
    record = record_in_scope(served, principal, record_id)
    note(served, principal, "read", {"how": "metadata"}, [("msg", record.id)])
    found = metadata_of(served.store, record.id)
    response.headers["ETag"] = tag_of(found.version)
    return _metadata(found, mask_for(principal))


@router.patch("/records/{record_id}/metadata", operation_id="change_metadata")
def patch_metadata(
    record_id: str,
    change: MetadataChange,
    served: Archive,
    principal: Annotator,
    if_match: IfMatch = "",
) -> MetadataShape:
    """Change tags, notes, links, owner or summary; the former ones stay readable as versions."""
    record = record_in_scope(served, principal, record_id)
    refuse_retention(served, principal, change)
    version = agreed(if_match, metadata_of(served.store, record.id).version)
    store = served.store_of(principal)
    changed = annotate(store, record.id, change_of(change), version)
    return _metadata(changed, mask_for(principal))


def change_of(change: MetadataChange) -> Change:
    """Return the change as the archive makes it."""
    wanted = change.model_dump()
    lists: dict[str, Any] = {n: tuple(v) for n, v in wanted.items() if isinstance(v, list)}
    at = change.retain_from
    from_ms = None if at is None else int(at.timestamp() * 1000)
    retain_from = from_ms if change.has_retention else KEEP
    return Change(**lists, owner=change.owner, summary=change.summary, retain_from_ms=retain_from)


def refuse_retention(served: Served, principal: Principal, change: MetadataChange) -> None:
    """Refuse to say from when retention counts to who may not know how long a record is kept.

    Raises:
        Forbidden: It is said, and not for them to say.
    """
    if change.has_retention and not principal.may_know_holds:
        refuse_governed(served, principal)


@router.get("/records/{record_id}/versions", operation_id="list_versions")
def get_versions(record_id: str, served: Archive, principal: Reader) -> list[VersionShape]:
    """Read who changed what of a record's metadata, and when, oldest first."""
    record = record_in_scope(served, principal, record_id)
    note(served, principal, "read", {"how": "versions"}, [("msg", record.id)])
    return [_version(one, mask_for(principal)) for one in versions_of(served.store, record.id)]


def _metadata(one: Metadata, mask: Mask) -> MetadataShape:
    return MetadataShape(
        tags=list(one.tags),
        notes=[NoteShape(text=mask.text(n.text), at=from_ms(n.at_ms)) for n in one.notes],
        links=list(one.links),
        owner=one.owner,
        summary=mask.text(one.summary),
        retain_from=maybe_ms(one.retain_from_ms),
        version=one.version,
    )


def _version(one: Version, mask: Mask) -> VersionShape:
    changes = [
        {
            "field": each.field,
            "before": _shown(each.before, mask),
            "after": _shown(each.after, mask),
        }
        for each in one.changes
    ]
    return VersionShape(
        version=one.number,
        actor=one.actor_name or one.actor,
        at=from_ms(one.changed_ms),
        changes=changes,
    )


def _shown(value: Any, mask: Mask) -> Any:
    if isinstance(value, tuple | list):
        return [_shown(one, mask) for one in value]
    text = getattr(value, "text", value)
    return mask.text(text) if isinstance(text, str) else text

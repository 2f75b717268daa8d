"""`/metadata`: change what people add to many records at once, and take all of it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from holdfast.api.asking import asked, guarded, record_in_scope, refuse_governed, visible
from holdfast.api.door import Archive, allowed
from holdfast.api.idempotency import Once
from holdfast.api.names import number_of
from holdfast.api.routes.record_metadata import MetadataChange, change_of, refuse_retention
from holdfast.api.served import Served
from holdfast.api.shapes.common import Shape
from holdfast.api.trail import note
from holdfast.core.errors import NotFound, Refused
from holdfast.core.identity import public_id
from holdfast.core.rights import Action, Principal
from holdfast.indexer.explain import to_text
from holdfast.indexer.hits import every_hit
from holdfast.storage.annotations.bulk import Bulk, annotate_many, made_by, undo_many
from holdfast.storage.catalogue.reading import records

router = APIRouter(tags=["metadata"])
Annotator = Annotated[Principal, Depends(allowed(Action.ANNOTATE))]
_PAGE = 500


class BulkOrder(Shape):
    """Which records, and what is to be different; name them or give a query, not both."""

    ids: list[str] = Field(default=[], max_length=10_000)
    query: str = Field("", max_length=100_000, examples=["from:wang.min tag:offer"])
    change: MetadataChange
    is_preview: bool = False
    """Only count."""


class BulkAnswer(Shape):
    """What a job did; of a preview, only how many records are meant."""

    job_id: str | None
    """By it the whole job can be taken back."""
    meant: int
    changed: int
    unchanged: int
    """They were so already."""
    missing: int
    """They were gone before their turn came."""
    kept: int
    """Of a job that takes another back: somebody changed them since."""


@router.post("/metadata", operation_id="change_many")
def post_metadata(
    order: BulkOrder, served: Archive, principal: Annotator, once_key: Once = ""
) -> BulkAnswer:
    """Change the metadata of all records that are named, or that a query finds in the scope.

    With the same `Idempotency-Key` the same job goes on, and nothing is changed twice.
    """
    refuse_retention(served, principal, order.change)
    change = change_of(order.change)
    meant = list(_meant(served, principal, order))
    if order.is_preview:
        nothing = {"changed": 0, "unchanged": 0, "missing": 0, "kept": 0}
        return BulkAnswer(job_id=None, meant=len(meant), **nothing)
    store = served.store_of(principal)
    key = f"{principal.pid} {once_key}" if once_key else str(store.ids.take())
    return _answer(annotate_many(store, meant, change, key), len(meant))


@router.post("/metadata/{job_id}/undo", operation_id="undo_many")
def post_undo(job_id: str, served: Archive, principal: Annotator) -> BulkAnswer:
    """Take back all that a job changed, where nobody changed it since."""
    number = number_of("job", job_id)
    made = made_by(served.store, number)
    touched = list(made)
    seen = sum(len(page) for page in _seen(served, principal, touched))
    if not touched or seen < len(touched):  # what is outside of the scope is not theirs to change
        raise NotFound(f"There is no such job: {job_id[:40]!r}.")
    is_of_retention = any(b.retain_from_ms != a.retain_from_ms for b, a in made.values())
    if is_of_retention and not principal.may_know_holds:
        refuse_governed(served, principal)
    return _answer(undo_many(served.store_of(principal), number), len(touched))


def _meant(served: Served, principal: Principal, order: BulkOrder) -> Iterator[int]:
    if bool(order.ids) == bool(order.query.strip()):
        raise Refused("Which records is not clear.", next_step="Give ids, or a query, not both.")
    if order.ids:
        yield from dict.fromkeys(record_in_scope(served, principal, name).id for name in order.ids)
        return
    node = asked(served, principal, order.query).node
    what = {"query": order.query, "canonical": to_text(node), "how": "annotate"}
    note(served, principal, "search", what)
    safe = guarded(principal, node).node
    for page in every_hit(served.index(), safe, principal.scope):
        for found in _seen(served, principal, page):
            yield from found


def _seen(served: Served, principal: Principal, ids: list[int]) -> Iterator[list[int]]:
    """Yield those of the records that are in the scope, judged on the records themselves."""
    for start in range(0, len(ids), _PAGE):
        page = records(served.store, ids[start : start + _PAGE])
        yield [one.id for one in visible(principal, page)]


def _answer(done: Bulk, meant: int) -> BulkAnswer:
    return BulkAnswer(
        job_id=public_id("job", done.job_id),
        meant=meant,
        changed=done.changed,
        unchanged=done.unchanged,
        missing=done.missing,
        kept=done.kept,
    )

"""`/contacts/import`: people out of a directory that is sent, and taking that back."""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field as Bounds
from starlette.concurrency import run_in_threadpool

from holdfast.api.door import Archive, allowed
from holdfast.api.masks import mask_for
from holdfast.api.names import number_of
from holdfast.api.routes.contact_changes import Merger, require_whole_scope
from holdfast.api.served import Served
from holdfast.api.shapes.common import Shape
from holdfast.api.trail import note
from holdfast.core.errors import Refused
from holdfast.core.rights import Action, Principal
from holdfast.ingest.directory.cards import rules_of
from holdfast.ingest.directory.importing import Order, import_directory
from holdfast.storage.directory.undoing import undo_directory

router = APIRouter(tags=["contacts"])
_annotates = allowed(Action.ANNOTATE)


def annotator(request: Request, principal: Merger) -> Principal:
    """Return who asks, if they may merge and annotate."""
    return _annotates(request, principal)


Annotator = Annotated[Principal, Depends(annotator)]
_UNSAFE = re.compile(r"[^\w.-]")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class ProblemShape(Shape):
    """What of a card is not taken."""

    place: str = Bounds(examples=["card 3"])
    kind: str
    """`bad`, `conflict`, `remark` or `kept`."""
    reason: str
    contacts: list[str]


class DirectoryShape(Shape):
    """What an import came to, in cards but for the last four."""

    batch: str
    """Empty where nothing was written."""
    cards: int
    created: int
    changed: int
    unchanged: int
    bad: int
    addresses: int
    conflicts: int
    remarks: int
    kept: int
    problems: list[ProblemShape]
    """The first hundred."""


class DirectoryUndoneShape(Shape):
    """What taking an import back changed."""

    batch: str
    links: int
    contacts: int


class Choices(Shape):
    """How a directory is read."""

    name: str = Bounds(max_length=200, examples=["team.vcf", "customers.csv"])
    """Of the file: its ending says what it is."""
    country: str = Bounds("", max_length=4)
    system: str = Bounds("", max_length=16, pattern="^([a-z][a-z0-9_]{1,15})?$")
    overwrite: bool = False
    dry_run: bool = False


@router.post("/contacts/import", operation_id="import_contacts", openapi_extra=_BODY)
async def import_contacts(
    request: Request,
    served: Archive,
    principal: Annotator,
    choices: Annotated[Choices, Query()],
) -> DirectoryShape:
    """Give contacts names, addresses, companies, owners and groups from a vCard file or a table.

    The body is the file. The same file again changes nothing; only who may merge and annotate and
    sees everything may do it.
    """
    content = await request.body()
    return await run_in_threadpool(_imported, served, principal, (choices, content))


def _imported(served: Served, principal: Principal, sent: tuple[Choices, bytes]) -> DirectoryShape:
    choices, content = sent
    require_whole_scope(served, principal, "import of contacts")
    name = _UNSAFE.sub("_", choices.name)[-60:].lstrip(".")
    if not name:
        raise Refused("The file has no name.", next_step="As in ?name=team.vcf.")
    # What it answers tells who is known by which address, also where nothing is changed.
    note(served, principal, "search", {"directory": name, "is_trial": choices.dry_run})
    rules = rules_of("", choices.country, choices.system)
    served.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=served.work) as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        order = Order(
            (path,), rules, overwrites=choices.overwrite, is_trial=choices.dry_run,
            paths_shown=name,
        )  # fmt: skip
        report = import_directory(order, served.store_of(principal))
    mask = mask_for(principal)
    problems = [
        ProblemShape(
            place=one.place, kind=one.kind, reason=mask.text(one.reason),
            contacts=one.contact_names(),
        )
        for one in report.problems
    ]  # fmt: skip
    return DirectoryShape(batch=report.batch, **asdict(report.counts), problems=problems)


@router.post("/contacts/import/{batch_id}/undo", operation_id="undo_import_of_contacts")
def undo_import(batch_id: str, served: Archive, principal: Annotator) -> DirectoryUndoneShape:
    """Take an import of contacts back exactly, in any order beside merges, links and others."""
    require_whole_scope(served, principal, "import of contacts")
    done = undo_directory(served.store_of(principal), number_of("bat", batch_id))
    return DirectoryUndoneShape(batch=batch_id, links=done.links, contacts=done.contacts)

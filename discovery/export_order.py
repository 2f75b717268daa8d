"""What an export is asked for with, and by whom; it exports nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from holdfast.core.ports import SearchIndex
from holdfast.core.query import Node, Scope
from holdfast.core.query_form import write_tree
from holdfast.core.rights import Action, Principal
from holdfast.storage.audit import Sequencer
from holdfast.storage.durable import SystemFiles
from holdfast.storage.store import Store
from holdfast.storage.tlog_tiles import TileLog

if TYPE_CHECKING:
    from holdfast.storage.durable import Files


@dataclass(frozen=True, slots=True)
class ExportOrder:
    """What is to be exported, and how."""

    query: Node
    text: str
    """The query as it was written."""
    zone: ZoneInfo
    """Its dates were read in this zone; dates of the index are shown in it too."""
    file: Path
    """Where the package shall be; nothing may be there yet."""
    matter: str = ""
    """Name of an open matter."""
    approver: str = ""
    """Who approved it, where somebody had to."""
    with_attachments: bool = False
    """Attachments also as files of their own; they are inside the originals anyway."""
    is_masked: bool = False
    """No originals and no attachments; texts, subjects, names pass through the mask."""


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom an export is made."""

    name: str
    """For the certificate."""
    pid: str
    """Opaque id, for the audit log."""
    scope: Scope
    """Nothing beyond it is exported, counted or told."""
    person_id: int | None = None


def asker_of(principal: Principal, order: ExportOrder) -> Asker:
    """Return whom the export is made for.

    Raises:
        Forbidden: The role may not export, or may not have originals and the order is not masked.
    """
    principal.require(Action.EXPORT)
    if not order.is_masked:
        principal.require(Action.ORIGINAL)
    return Asker(principal.login, principal.pid, principal.scope, principal.person_id)


def scope_digest(scope: Scope) -> str:
    """Return what tells one scope from another, and nothing else of it."""
    return hashlib.sha256(write_tree(scope.filter).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Archive:
    """What exporting needs of an open archive."""

    store: Store
    index: SearchIndex
    log: TileLog
    sequencer: Sequencer
    work: Path
    """Folder for what unfinished exports need."""
    mask: Callable[[str], str] | None = None
    """Hides numbers in a text; needed by orders that are masked."""
    files: Files = SystemFiles()  # noqa: RUF009 - it has no state

"""Makes exports: freezes a result, records it, streams a signed package, and goes on after a kill.

What leaves the archive is in the audit log before its first byte. It must not widen the scope of
whoever asks.
"""

from __future__ import annotations

import hashlib
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from stream_zip import ZIP_AUTO, stream_zip

from holdfast.core.analysis import FULL_VERSION
from holdfast.core.errors import Conflict, HoldfastError, NotFound, Refused, Unavailable
from holdfast.core.identity import public_id
from holdfast.core.ports import SearchRequest
from holdfast.core.query import NOT_READ_WHOLE
from holdfast.core.query_form import write_tree
from holdfast.discovery.export_order import scope_digest
from holdfast.discovery.export_package import SPOOLS, Package
from holdfast.discovery.export_work import WorkFolder, pieces_of, sweep
from holdfast.indexer.explain import to_text
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.facts import INDEX_GENERATION, fact
from holdfast.storage.durable import unavailable, write_whole
from holdfast.storage.governance.export_evidence import sizes_of, waiting_for_index
from holdfast.storage.governance.exports import (
    COMPLETE,
    PARTIAL,
    PREFIX,
    Asked,
    ExportRow,
    add_export,
    end_export,
    fail_export,
    get_export,
    is_numbered,
    list_exports,
    matter_id_of,
    move_export,
    note_progress,
    note_records,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.discovery.export_order import Archive, Asker, ExportOrder

PAGE = 1000
NOTED = 1000
"""Records whose leaving is recorded in one transaction."""
PROGRESS_EVERY = 5120
COMPRESSION = 1
"""Of zlib: higher levels gain a few percent on mail, and take several times as long."""
_SURE_BYTES = 1 << 31
_DEFLATED = ZIP_AUTO(_SURE_BYTES, COMPRESSION)
"""For all files up to that size; each call makes a class, which takes longer than a short mail."""
_LISTINGS = 3
_CHUNK_BYTES = 1 << 18
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Preview:
    """What an export would hold."""

    records: int
    size_bytes: int
    """Of the messages, before compression."""


def preview_export(archive: Archive, order: ExportOrder, asker: Asker) -> Preview:
    """Return what the order would give now; nothing is written down.

    Raises:
        HoldfastError: As `create_export`, but for the place of the package.
    """
    _check_order(archive, order)
    ids = _frozen(archive, order, asker)
    return Preview(len(ids), sizes_of(archive.store, ids))


def create_export(
    archive: Archive,
    order: ExportOrder,
    asker: Asker,
    on_progress: Callable[[int, int, int], None] = lambda done, total, size_bytes: None,
) -> ExportRow:
    """Make a package of everything that the query finds within the asker's scope.

    Args:
        archive: The open archive.
        order: What and how.
        asker: For whom.
        on_progress: Called with records done, all records, and bytes of the package.

    Returns:
        The export; its state is `partial` where something is missing or was not fully indexed.

    Raises:
        Refused: The query asks for more than the limits allow, or a masked order has no mask.
        NotFound: There is no such matter.
        Conflict: A file is there already, or the matter is closed.
        Unavailable: The disk or a service; `run_export` goes on later.
    """
    return run_export(archive, ask_export(archive, order, asker), on_progress)


def ask_export(archive: Archive, order: ExportOrder, asker: Asker) -> int:
    """Freeze the result and write the export down; return its id, to be given to `run_export`.

    Raises:
        HoldfastError: As `create_export`.
    """
    store = archive.store
    matter_id = _check_order(archive, order)
    _check_place(order.file)
    known = {public_id(PREFIX, one.id) for one in list_exports(store)}
    sweep(archive.work, known)
    ids = _frozen(archive, order, asker)
    export_id = store.ids.take()
    order_value = _settings(archive, order, asker, ids)
    work = WorkFolder(archive.work / public_id(PREFIX, export_id), archive.files)
    try:
        work.freeze(ids, asker.scope.knowers)
    except OSError as error:
        work.remove()
        raise unavailable(error, "freezing the result of the export") from error
    asked = Asked(
        matter_id, asker.person_id, asker.pid, order_value, str(order.file), store.now_ms()
    )
    add_export(store, export_id, asked)
    return export_id


def _check_order(archive: Archive, order: ExportOrder) -> int | None:
    """Return the id of the matter, if the order names one."""
    _check_mask(archive, is_masked=order.is_masked)
    return matter_id_of(archive.store, order.matter) if order.matter else None


def _check_mask(archive: Archive, *, is_masked: bool) -> None:
    if is_masked and archive.mask is None:
        raise Refused("There is no mask to hide numbers with.")


def _check_place(file: Path) -> None:
    if not file.parent.is_dir():
        raise NotFound(f"There is no folder {file.parent}.", next_step="Make it first.")
    if file.exists():
        raise Conflict(f"{file} is there already.", next_step="Name a new file.")


def _frozen(archive: Archive, order: ExportOrder, asker: Asker) -> array[int]:
    """Return the ids of the whole result, in order of capture.

    Newest first is how they are listed: what is captured meanwhile comes before the first page, so
    that the list is exactly what the first page counted, or a record was removed.
    """
    for _ in range(_LISTINGS):
        listed, total = _listed(archive, order, asker)
        if len(listed) == total:
            listed.reverse()
            return listed
    raise Unavailable("The archive changes while its records are listed.", next_step="Try again.")


def _listed(archive: Archive, order: ExportOrder, asker: Asker) -> tuple[array[int], int]:
    listed = array("q")
    cursor, total = "", None
    while True:
        page = archive.index.search(
            SearchRequest(order.query, asker.scope, PAGE, cursor, sort="captured")
        )
        total = page.total if total is None else total
        listed.extend(hit.id for hit in page.hits)
        cursor = page.cursor
        if not cursor:
            return listed, total


def _settings(
    archive: Archive, order: ExportOrder, asker: Asker, ids: array[int]
) -> dict[str, Any]:
    """Return everything that was asked for and found, as the audit log commits to it."""
    unseen = archive.index.search(SearchRequest(NOT_READ_WHOLE, asker.scope, limit=0)).total
    digest = hashlib.sha256()
    for one in ids:
        digest.update(f"{public_id('msg', one)}\n".encode())
    with reading(archive.store.engine) as connection:
        generation = fact(connection, INDEX_GENERATION) or ""
    return {
        "query": order.text,
        "canonical": to_text(order.query),
        "tree": msgspec.json.decode(write_tree(order.query)),
        "analyser_version": FULL_VERSION,
        "zone": order.zone.key,
        "owner": asker.scope.owner,
        "scope_sha256": scope_digest(asker.scope),
        "requester": asker.name,
        "approver": order.approver,
        "matter": order.matter,
        "with_attachments": order.with_attachments,
        "is_masked": order.is_masked,
        "records": len(ids),
        "records_sha256": digest.hexdigest(),
        "index_generation": generation,
        "unindexed_in_scope": unseen,
        "waiting_for_index": waiting_for_index(archive.store),
    }


def run_export(
    archive: Archive,
    export_id: int,
    on_progress: Callable[[int, int, int], None] = lambda done, total, size_bytes: None,
    file: Path | None = None,
) -> ExportRow:
    """Make the package of an export that was asked for, or make it anew after a kill or a failure.

    The frozen list decides which records; what is told of them, and the checkpoint, are of now. An
    export that is done is returned as it is.

    Args:
        archive: The open archive.
        export_id: As `ask_export` returned it.
        on_progress: As in `create_export`.
        file: Another place for the package.

    Raises:
        NotFound: There is no such export, or its frozen list is gone.
        HoldfastError: As `create_export`.
    """
    export = get_export(archive.store, export_id)
    if export.state in (COMPLETE, PARTIAL):
        return export
    _check_mask(archive, is_masked=export.order["is_masked"])
    work = WorkFolder(archive.work / export.name, archive.files)
    with work.locked():
        if file is not None and str(file) != export.file:
            _check_place(file)
            move_export(archive.store, export_id, str(file))
        run = _Run(archive, get_export(archive.store, export_id), work, on_progress)
        run.make()
    work.remove()
    return get_export(archive.store, export_id)


@dataclass(slots=True)
class _Run:
    """One try to make one package."""

    archive: Archive
    export: ExportRow
    work: WorkFolder
    on_progress: Callable[[int, int, int], None]
    size_bytes: int = 0
    noted: int = 0

    @property
    def target(self) -> Path:
        return Path(self.export.file)

    @property
    def part(self) -> Path:
        """Where the package grows: beside its place, so that it gets its name in one step."""
        return self.target.with_name(f".{self.target.name}.{self.export.name}.part")

    def make(self) -> None:
        try:
            if not self._is_made():
                ids = self.work.ids()
                _check_place(self.target)
                self._note_records(ids)
                self._number(ids)
                self._publish(*self._write(ids))
        except OSError as error:
            failure = unavailable(error, "writing the export")
            self._fail(failure.cause)
            raise failure from error
        except HoldfastError as error:
            self._fail(error.cause)
            raise
        finally:
            with suppress(OSError):
                self.part.unlink(missing_ok=True)
        made = self.work.made() or {}
        sha256, size_bytes = bytes.fromhex(made["sha256"]), made["size"]
        end_export(self.archive.store, self.export, made["state"], sha256, size_bytes)
        self.archive.sequencer.run()

    def _fail(self, cause: str) -> None:
        with suppress(HoldfastError):  # the catalogue may be what is away; the first cause counts
            fail_export(self.archive.store, self.export.id, cause)

    def _is_made(self) -> bool:
        """Tell whether an earlier try was killed when the package had its place already."""
        made = self.work.made()
        if made is None or not self.target.exists():
            return False
        digest = hashlib.sha256()
        for piece in pieces_of(self.target):
            digest.update(piece)
        return bool(digest.hexdigest() == made["sha256"])

    def _note_records(self, ids: array[int]) -> None:
        start = self.export.progress.get("noted", 0)
        for at in range(start, len(ids), NOTED):
            note_records(self.archive.store, self.export, at, ids[at : at + NOTED])

    def _number(self, ids: array[int]) -> None:
        """Let the log cover every event about the export, before a byte of it is written."""
        about = [self.export.id, *ids[-1:]]
        until = time.monotonic() + _PATIENCE_S
        while True:
            self.archive.sequencer.run()
            if is_numbered(self.archive.store, about):
                self.archive.log.refresh()  # another process may have been the sequencer
                return
            if time.monotonic() > until:
                raise Unavailable("The audit log is not numbered.", next_step="Try again.")
            time.sleep(0.05)  # another process numbers right now

    def _write(self, ids: array[int]) -> tuple[str, str]:
        """Write the package durably under its temporary name; return its state and SHA-256."""
        files = self.archive.files
        self.part.unlink(missing_ok=True)
        digest = hashlib.sha256()
        self.size_bytes = 0
        with self.work.spools(SPOOLS) as spools:
            zone = ZoneInfo(self.export.order["zone"])
            known = self.work.knowers()
            package = Package(self.archive, self.export, zone, ids, spools, self._on_records, known)
            descriptor = files.create(self.part)
            try:
                for chunk in stream_zip(self._members(package), chunk_size=_CHUNK_BYTES):
                    write_whole(files, descriptor, chunk)
                    digest.update(chunk)
                    self.size_bytes += len(chunk)
                files.fsync(descriptor)
            finally:
                files.close(descriptor)
        return PARTIAL if package.tally.is_partial else COMPLETE, digest.hexdigest()

    def _members(self, package: Package) -> Iterator[Any]:
        at = datetime.fromtimestamp(self.export.asked_ms // 1000, UTC)
        for member in package.members():
            size_bytes = member.size_bytes
            method = _DEFLATED if size_bytes <= _SURE_BYTES else ZIP_AUTO(size_bytes, COMPRESSION)
            yield member.name, at, 0o600, method, member.pieces

    def _on_records(self, package: Package) -> None:
        done = package.done
        self.on_progress(done, len(package.ids), self.size_bytes)
        if done - self.noted >= PROGRESS_EVERY:
            self.noted = done
            note_progress(self.archive.store, self.export.id, done, self.size_bytes)

    def _publish(self, state: str, sha256: str) -> None:
        self.work.note_made({"state": state, "sha256": sha256, "size": self.size_bytes})
        _check_place(self.target)
        self.archive.files.replace(self.part, self.target)
        self.archive.files.fsync_folder(self.target.parent)

"""Lays a package out: yields its files in order while it reads the archive; writes no ZIP.

Names come from us, never from mail. Every file but the last two is listed in `manifest.sha256`.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import mmap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.core.custody import original_suffix
from holdfast.core.errors import Corrupt, NotFound
from holdfast.core.identity import public_id
from holdfast.core.records import CaptureFacts
from holdfast.discovery.attachment_files import attached, attachment_name
from holdfast.discovery.export_certificate import CertificateFacts, certificate_files
from holdfast.discovery.export_records import (
    Packed,
    PackedFile,
    Trouble,
    record_value,
    unread_parts,
)
from holdfast.discovery.export_texts import README
from holdfast.discovery.export_work import Spool, pieces_of
from holdfast.discovery.index_files import (
    COLUMNS,
    EXCEPTION_COLUMNS,
    Tally,
    csv_head,
    exception_row,
    index_row,
    json_line,
)
from holdfast.discovery.withheld_exports import told_events, told_of
from holdfast.storage.catalogue.reading import Known, known_records
from holdfast.storage.checkpoint import sign_note, verifier_key
from holdfast.storage.governance.export_evidence import (
    Evidence,
    SourceOriginal,
    evidence_of,
    export_events,
    newest_token,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from sqlalchemy import Row

    from holdfast.core.query import Knowers
    from holdfast.discovery.export_order import Archive
    from holdfast.storage.governance.exports import ExportRow

BATCH = 256
SMALL_BYTES = 8 << 20
"""Larger originals are spooled, not held in memory."""
SIGNED_AS = "holdfast export/1"
"""First line of the signature's text; with its space it can be no checkpoint's origin."""
VERIFIER = Path(__file__).with_name("offline_verifier.py")
LISTED = ("index.csv", "index.jsonl", "exceptions.csv", "custody.jsonl")
_LARGE, _MANIFEST = "large", "manifest"
_PARTS = ("attachments", "originals", "texts")
SPOOLS = (*LISTED, *_PARTS, _LARGE, _MANIFEST)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the package."""

    name: str
    size_bytes: int
    pieces: Iterable[bytes]


@dataclass(slots=True)
class Package:
    """One package while it is made; `members` is to be gone through once."""

    archive: Archive
    export: ExportRow
    zone: ZoneInfo
    ids: Sequence[int]
    """The frozen result, in order."""
    spools: dict[str, Spool]
    on_records: Callable[[Package], None]
    """Called after each batch."""
    knowers: Knowers | None
    """Who sees recipients that mail hides; None: whoever asked sees them all."""
    tally: Tally = field(default_factory=Tally)
    done: int = 0
    """Records that were gone through."""
    _fixed: list[tuple[str, str]] = field(default_factory=list)
    """Name and SHA-256 of the files that are few."""

    def members(self) -> Iterator[Member]:
        """Yield every file; the checkpoint must cover all events about these records."""
        for name, text in README.items():
            yield self._whole(name, text.encode())
        yield self._whole("verify.py", VERIFIER.read_bytes())
        yield self._whole("log.pub", f"{self._vkey}\n".encode())
        yield self._whole("proofs/checkpoint", self.archive.log.note)
        yield from self._anchor()
        self._begin_tables()
        for start in range(0, len(self.ids), BATCH):
            yield from self._batch(start)
            self.on_records(self)
        for name in LISTED:
            yield self._spooled(name)
        yield from self._summary()
        yield from self._signed()

    @property
    def _vkey(self) -> str:
        log = self.archive.log
        public = self.archive.store.keyring.signing_key().public_key()
        return verifier_key(log.checkpoint.origin, public)

    @property
    def _width(self) -> int:
        return max(7, len(str(len(self.ids))))

    @property
    def _is_masked(self) -> bool:
        return bool(self.export.order["is_masked"])

    def _mask(self, text: str) -> str:
        mask = self.archive.mask
        return mask(text) if self._is_masked and mask is not None else text

    def _whole(self, name: str, content: bytes) -> Member:
        self._fixed.append((name, hashlib.sha256(content).hexdigest()))
        return Member(name, len(content), (content,))

    def _spooled(self, name: str) -> Member:
        spool = self.spools[name]
        self._fixed.append((name, spool.sha256))
        return Member(name, spool.size_bytes, spool.pieces())

    def _listed(self, one: PackedFile) -> None:
        """Remember the file for the manifest, in the order of names within its folder."""
        folder = one.file.partition("/")[0]
        self.spools[folder].write(f"{one.sha256}  {one.file}\n".encode())

    def _anchor(self) -> Iterator[Member]:
        anchor = newest_token(self.archive.store, self.archive.log.size)
        if anchor is not None:
            yield self._whole("proofs/anchor.note", anchor.note)
            yield self._whole("proofs/anchor.tsr", anchor.token)

    def _begin_tables(self) -> None:
        self.spools["index.csv"].write(csv_head(COLUMNS))
        self.spools["exceptions.csv"].write(csv_head(EXCEPTION_COLUMNS))
        own = export_events(self.archive.store, self.export.id, self.archive.log.size)
        self._prove({row.seq: (0, row, row.salt) for row in own})

    def _batch(self, start: int) -> Iterator[Member]:
        ids = self.ids[start : start + BATCH]
        found = self._records(ids)
        known = {one: known.captures for one, known in found.items() if isinstance(known, Known)}
        evidence = evidence_of(self.archive.store, known, self.archive.log.size)
        events: dict[int, tuple[int, Row[Any], bytes | None]] = {}
        for number, one in enumerate(ids, start + 1):
            known_record = found.get(one)
            if isinstance(known_record, Known):
                packed = self._packed(number, known_record, evidence)
                yield from self._files(packed, evidence)
                self._tell(packed)
                events |= told_events(packed, evidence)
            else:
                problem = "record_unreadable" if known_record else "record_gone"
                name = public_id("msg", one)
                self._except(Trouble(number, name, "", problem, known_record or ""))
            self.done = number
        self._prove(events)

    def _records(self, ids: Sequence[int]) -> dict[int, Known | str]:
        """Read a batch; where a row of it is damaged, one by one, so that only that one lacks.

        Instead of a damaged record comes what is wrong with it.
        """
        try:
            return {one.record.id: one for one in self._read(ids)}
        except Corrupt:
            found: dict[int, Known | str] = {}
            for one in ids:
                try:
                    found |= {known.record.id: known for known in self._read([one])}
                except Corrupt as error:
                    found[one] = error.cause
            return found

    def _read(self, ids: Sequence[int]) -> list[Known]:
        needs_text = self._is_masked or self.knowers is not None
        return known_records(self.archive.store, ids, with_text=needs_text)

    def _packed(self, number: int, known: Known, evidence: Evidence) -> Packed:
        record, captures, is_withheld, is_part = told_of(known, self.knowers)
        packed = Packed(
            number=number,
            record=record,
            captures=captures,
            attachments=known.attachments,
            holds=evidence.holds.get(record.id, ()),
            is_masked=self._is_masked,
            is_withheld=is_withheld,
            is_part=is_part,
        )
        if is_withheld and not self._is_masked:
            packed.note("original_withheld", detail="it may name recipients who were hidden")
        if parts := unread_parts(record):
            packed.note("not_fully_indexed", detail="; ".join(parts))
        for code in record.defects:
            packed.note("defect", detail=code)
        return packed

    def _files(self, packed: Packed, evidence: Evidence) -> Iterator[Member]:
        if self._is_masked or packed.is_withheld:
            yield self._text(packed)
            return
        kept: dict[int, CaptureFacts] = {}
        for one in packed.captures:
            kept.setdefault(one.original_id, one.facts)
        wanted = self._wanted(packed)
        for nth, (original_id, facts) in enumerate(kept.items(), 1):
            original = evidence.originals[original_id]
            suffix = "" if nth == 1 else f"-{nth:03d}"
            suffix += original_suffix(facts)
            name = f"originals/{packed.number:0{self._width}d}{suffix}"
            yield from self._original(packed, original, name, wanted)
        for ordinal in wanted.values():
            packed.note("attachment_unreadable", detail=f"attachment {ordinal + 1}")

    def _wanted(self, packed: Packed) -> dict[bytes, int]:
        """Return the attachments that are to be files, by SHA-256."""
        if not self.export.order["with_attachments"]:
            return {}
        there = [row for row in packed.attachments if any(row.sha256)]
        return {row.sha256: row.ordinal for row in reversed(there)}

    def _original(
        self, packed: Packed, original: SourceOriginal, name: str, wanted: dict[bytes, int]
    ) -> Iterator[Member]:
        """Yield the original, after all of it was read and found to be what its name says."""
        try:
            content = self._content(original)
        except (Corrupt, NotFound) as error:
            packed.note("original_unreadable", name, error.cause)
            return
        one = PackedFile(name, original.content_id.hex(), original.size_bytes)
        packed.originals.append(one)
        pieces = (content,) if isinstance(content, bytes) else pieces_of(content)
        yield Member(name, original.size_bytes, pieces)
        if wanted:
            yield from self._attachments(packed, content, (original.content_id, wanted))

    def _content(self, original: SourceOriginal) -> bytes | Path:
        """Return the bytes, or a file that holds them."""
        store = self.archive.store
        if original.wrapped_key is None:
            raise NotFound("Its key was destroyed by a disposal.")
        key = store.keyring.unwrap(original.wrapped_key, original.key_version, original.content_id)
        pieces = store.vault.read(original.placement, original.content_id, key)
        if original.size_bytes <= SMALL_BYTES:
            return b"".join(pieces)
        path = self.spools[_LARGE].path
        with path.open("wb") as file:
            file.writelines(pieces)
        return path

    def _attachments(
        self, packed: Packed, content: bytes | Path, asked: tuple[bytes, dict[bytes, int]]
    ) -> Iterator[Member]:
        if isinstance(content, bytes):
            yield from self._attached(packed, content, *asked)
            return
        with content.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as raw:
            yield from self._attached(packed, raw, *asked)

    def _attached(
        self, packed: Packed, raw: bytes | mmap.mmap, whole: bytes, wanted: dict[bytes, int]
    ) -> Iterator[Member]:
        for digest, content in attached(raw, whole, wanted):
            ordinal = wanted.pop(digest)
            media_type = packed.attachments[ordinal].sniffed_type
            name = attachment_name(packed.number, ordinal, media_type, self._width)
            one = PackedFile(name, digest.hex(), len(content))
            for row in packed.attachments:
                if row.sha256 == digest:
                    packed.attachment_files[row.ordinal] = one
            yield Member(name, len(content), (content,))

    def _text(self, packed: Packed) -> Member:
        content = self._mask(packed.record.body).encode("utf-8", "replace")
        name = f"texts/{packed.number:0{self._width}d}.txt"
        packed.text = PackedFile(name, hashlib.sha256(content).hexdigest(), len(content))
        return Member(name, len(content), (content,))

    def _tell(self, packed: Packed) -> None:
        """Write the record into the tables."""
        value = record_value(packed, self._mask)
        self.spools["index.jsonl"].write(json_line(value))
        self.spools["index.csv"].write(index_row(value, self.zone))
        self.tally.add(value, ())
        for trouble in packed.troubles:
            self._except(trouble)
        files = [
            *packed.originals,
            *({f.file: f for f in packed.attachment_files.values()}).values(),
        ]
        if packed.text:
            files.append(packed.text)
        for one in sorted(files, key=lambda one: one.file):
            self._listed(one)

    def _except(self, trouble: Trouble) -> None:
        self.tally.note(trouble)
        self.spools["exceptions.csv"].write(exception_row(trouble))

    def _prove(self, events: dict[int, tuple[int, Row[Any], bytes | None]]) -> None:
        """Write events and their proofs, by record and then by number."""
        paths = self.archive.log.inclusions({seq: row.leaf for seq, (_, row, _) in events.items()})
        custody = self.spools["custody.jsonl"]
        for seq, (number, row, salt) in sorted(events.items(), key=lambda e: (e[1][0], e[0])):
            line = {
                "number": number,
                "seq": seq,
                "leaf": row.leaf.decode(),
                "path": base64.b64encode(b"".join(paths[seq])).decode(),
                "salt": base64.b64encode(salt or b"").decode(),
            }
            custody.write(json_line(line))

    def _summary(self) -> Iterator[Member]:
        order = self.export.order
        counts = self.tally.counts
        counts.hits = len(self.ids)
        counts.unindexed_in_scope = order["unindexed_in_scope"]
        counts.waiting_for_index = order["waiting_for_index"]
        query = {
            "schema": "holdfast.export-query/1",
            "export": self.export.name,
            "order": order,
            "counts": counts.values(),
        }
        yield self._whole("query.json", json_line(query))
        yield from self._certificates()

    def _certificates(self) -> Iterator[Member]:
        digest = hashlib.sha256()
        files = 0
        for line in self._manifest():
            digest.update(line.encode())
            files += 1
        facts = CertificateFacts(
            export=self.export,
            counts=self.tally.counts.values(),
            is_partial=self.tally.is_partial,
            files=files,
            files_sha256=digest.hexdigest(),
            checkpoint=self.archive.log.checkpoint,
            vkey=self._vkey,
            anchor=newest_token(self.archive.store, self.archive.log.size),
        )
        for name, content in certificate_files(facts).items():
            yield self._whole(name, content)

    def _manifest(self) -> Iterator[str]:
        """Yield the lines of the manifest, by name, in the order of `LC_ALL=C sort -k2`."""
        fixed = [f"{digest}  {name}\n" for name, digest in self._fixed]
        parts = [self.spools[name].lines() for name in _PARTS]
        yield from heapq.merge(sorted(fixed, key=_name), *parts, key=_name)

    def _signed(self) -> Iterator[Member]:
        manifest = self.spools[_MANIFEST]
        for line in self._manifest():
            manifest.write(line.encode())
        yield Member("manifest.sha256", manifest.size_bytes, manifest.pieces())
        text = f"{SIGNED_AS}\n{self.export.name}\n{manifest.sha256}\n"
        key = self.archive.store.keyring.signing_key()
        note = sign_note(text, self.archive.log.checkpoint.origin, key)
        yield Member("signature", len(note), (note,))


def _name(line: str) -> str:
    return line[66:]

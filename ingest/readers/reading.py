"""Give the exact bytes of a planned reference; used by worker processes, one `Reader` each."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from io import FileIO
from types import TracebackType
from typing import BinaryIO, cast

from holdfast.core.records import CaptureFacts, RawItem
from holdfast.ingest.readers import emlx, mbox
from holdfast.ingest.readers.archives.expansion import Limits, Unpackable, expand, spool
from holdfast.ingest.readers.offers import Layer, Offered, Unreadable, local, local_name
from holdfast.ingest.readers.windows import digest

MAX_OPEN = 8
_PACKED_MAILDIR = {b"\x1f\x8b\x08": "gz", b"BZh": "bz2", b"\xfd7z": "xz"}


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    """What a reader may spend."""

    map_above_bytes: int = 32 * 1024 * 1024
    """Larger items are mapped, not read: a whole file is then given as the mapping itself, whose
    pages the system can take back. Who shortens that file meanwhile kills the process."""
    limits: Limits = field(default_factory=Limits)


class Reader:
    """Reads references, and keeps the last few files and spools open."""

    def __init__(self, config: ReaderConfig | None = None) -> None:
        self._config = config or ReaderConfig()
        self._open: OrderedDict[tuple[str, tuple[Layer, ...]], BinaryIO] = OrderedDict()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open; the reader can go on being used."""
        while self._open:
            self._open.popitem()[1].close()

    def read(self, offered: Offered) -> RawItem | Unreadable:
        """Return the original with its facts, or why its bytes cannot be had.

        References of kind `unknown` and `skipped` give their own reason.
        """
        if offered.raw:
            return RawItem(offered.key, offered.raw, offered.facts)
        if offered.kind in ("unknown", "skipped", "bad", "row"):
            reason = offered.facts.note
            return Unreadable(reason, retryable=reason.startswith("io_error"))
        try:
            return self._read(offered)
        except Unpackable as error:
            return Unreadable(str(error), retryable=False)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "unknown").lower()
            return Unreadable(f"io_error:{name}", retryable=True)

    def _read(self, offered: Offered) -> RawItem | Unreadable:
        if offered.kind != "mbox" and offered.layers and offered.offset == 0:
            parent = self._source(offered.container, offered.layers[:-1])
            layer = offered.layers[-1]
            if 0 <= layer.size == offered.length <= self._config.map_above_bytes:
                raw = b"".join(expand(parent.fileno(), layer, self._config.limits))
                return _finished(offered, raw)
        if offered.kind == "maildir" or not (offered.layers or offered.facts.member):
            return self._read_file(offered)
        fd = self._source(offered.container, offered.layers).fileno()
        return self._range(fd, offered)

    def _read_file(self, offered: Offered) -> RawItem | Unreadable:
        """Read a file that is an item by itself: opened once, so not kept."""
        with FileIO(local_name(offered.container)) as file:
            return self._range(file.fileno(), offered)

    def _range(self, fd: int, offered: Offered) -> RawItem | Unreadable:
        end = offered.offset + offered.length
        size = os.fstat(fd).st_size
        if size < end or (size > end and not offered.facts.member):
            return Unreadable("file_changed", retryable=True)
        if offered.length > self._config.map_above_bytes:
            if offered.digest and digest(fd, offered.offset, end) != offered.digest:
                return Unreadable("file_changed", retryable=True)
            return _finished(offered, _mapped(fd, offered))
        raw = os.pread(fd, offered.length, offered.offset)
        if offered.digest and hashlib.sha256(raw).hexdigest()[:16] != offered.digest:
            return Unreadable("file_changed", retryable=True)
        if offered.kind == "mbox":
            raw = mbox.unquote(memoryview(raw), offered.facts.quoting)
        elif offered.kind == "maildir" and raw[:3] in _PACKED_MAILDIR:
            layer = Layer(_PACKED_MAILDIR[raw[:3]], 0, offered.length)
            raw = b"".join(expand(fd, layer, self._config.limits))
        return _finished(offered, raw)

    def _source(self, container: str, layers: tuple[Layer, ...]) -> BinaryIO:
        """Return the open file with the layers taken off; the least used ones are closed."""
        source: BinaryIO | None = None
        for depth in range(len(layers) + 1):
            name = (container, layers[:depth])
            found = self._open.pop(name, None)
            if found is None and source is None:
                found = cast(BinaryIO, local(container).open("rb", buffering=0))
            elif found is None and source is not None:
                found = spool(source.fileno(), layers[depth - 1], self._config.limits)
            if found is not None:
                self._open[name] = source = found
        while len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)[1].close()
        return cast(BinaryIO, source)


def _mapped(fd: int, offered: Offered) -> bytes:
    """Return a large item with at most one copy of it in memory."""
    extra = offered.offset % mmap.ALLOCATIONGRANULARITY
    mapping = mmap.mmap(
        fd, offered.length + extra, access=mmap.ACCESS_READ, offset=offered.offset - extra
    )
    if offered.offset == 0 and offered.kind != "mbox":
        return cast(bytes, mapping)
    with mapping, memoryview(mapping) as whole, whole[extra:] as view:
        quoting = offered.facts.quoting if offered.kind == "mbox" else "mboxcl2"
        return mbox.unquote(view, quoting)


def _finished(offered: Offered, raw: bytes) -> RawItem | Unreadable:
    if offered.kind != "emlx":
        return RawItem(offered.key, raw, offered.facts)
    split = emlx.split_emlx(raw)
    if split is None:
        return Unreadable("damaged:emlx", retryable=False)
    note = ";".join(part for part in (offered.facts.note, split.note) if part)
    facts: CaptureFacts = replace(offered.facts, flags=split.flags, note=note)
    return RawItem(offered.key, split.raw, facts)

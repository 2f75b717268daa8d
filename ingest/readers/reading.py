"""Give the exact bytes of a planned reference; used by worker processes, one `Reader` each."""

from __future__ import annotations

import os
from types import TracebackType

from holdfast.core.records import RawItem
from holdfast.ingest.readers import mbox
from holdfast.ingest.readers.offers import Offered, Unreadable, local


class Reader:
    """Reads references, and keeps the file of the last one open."""

    def __init__(self) -> None:
        self._name = ""
        self._fd = -1

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
        if self._fd >= 0:
            os.close(self._fd)
        self._name, self._fd = "", -1

    def read(self, offered: Offered) -> RawItem | Unreadable:
        """Return the original with its facts, or why its bytes cannot be had."""
        if self._name != offered.container:
            self.close()
            try:
                self._fd = os.open(local(offered.container), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                return Unreadable(f"io_error:{error.errno}", retryable=True)
            self._name = offered.container
        raw = os.pread(self._fd, offered.length, offered.offset)
        if len(raw) < offered.length:
            return Unreadable("file_shrank", retryable=True)
        if offered.kind == "mbox":
            raw = mbox.unquote(raw, offered.facts.quoting)
        return RawItem(offered.key, raw, offered.facts)

"""Find the members of an mbox file and undo its quoting; knows nothing of paths or keys.

A member is what a delivery agent was given: it begins after the end of its From_ line and ends with
the line end of its last line. One empty line before the next From_ line, or before the end of the
file, belongs to the container (as in mutt, and in Python's `mailbox`). Offsets are of raw bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

CHUNK_BYTES = 8 * 1024 * 1024
MAX_FROM_LINE_BYTES = 1024
MAX_HEADER_BYTES = 256 * 1024
SAMPLE_MEMBERS = 16
_BEHIND = 4
_AHEAD = MAX_FROM_LINE_BYTES + 256

QUOTINGS = ("mboxo", "mboxrd", "mboxcl", "mboxcl2")

# asctime (`Sat Feb  3 10:00:00 2001`, zone before or after the year) or an RFC 5322 date.
_DATED = re.compile(
    rb"From [^\r\n]*?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ \t]"
    rb"(?=[^\r\n]{0,12}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"
    rb"(?=[^\r\n]{0,24}\d:\d\d)[^\r\n]{0,40}\d{4}"
)
_YEAR = re.compile(rb"From [ \t]*\S+[ \t][^\r\n]*\d{4}|From[ \t]+\?\?\?@\?\?\?")
_HEADER = re.compile(rb"[!-9;-~]{1,80}[ \t]*:|>From ")
_HEADERS_END = re.compile(rb"\n(?:\r?\n|From )")
_CONTENT_LENGTH = re.compile(rb"\nContent-Length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_LANDING = re.compile(rb"(?:\r?\n){0,2}(?=From |\Z)")
_QUOTED_ONCE = re.compile(rb"^>(?=From )", re.MULTILINE)
_QUOTED_ANY = re.compile(rb"^>(?=>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Member:
    """One message of an mbox, as a range of the file."""

    from_offset: int
    """Of the From_ line; the member's position in keys."""
    start: int
    end: int
    from_line: bytes
    """Without its line end."""
    by_length: bool = False
    """The end was given by a Content-Length that landed."""
    is_truncated: bool = False
    """A Content-Length points beyond the end of the file."""


@dataclass(slots=True)
class Window:
    """The part of a file that is looked at, read in chunks: the whole is never held or mapped.

    A mapping would be faster by a copy, but a mailbox that a mail program shortens meanwhile would
    kill the process.
    """

    fd: int
    size: int
    start: int = 0
    data: bytes = b""

    def load(self, position: int) -> None:
        """Make `[position - 4, position + AHEAD]` present, as far as the file goes."""
        wanted = min(position + _AHEAD + 1, self.size)
        if max(position - _BEHIND, 0) >= self.start and wanted <= self.start + len(self.data):
            return
        self.start = max(position - _BEHIND, 0)
        self.data = _pread(self.fd, self.start, CHUNK_BYTES + _AHEAD)

    def separator(self, position: int) -> int:
        """Return the offset of the first From_ line at or after `position`, else the size.

        `position` is the beginning of a line.
        """
        while position < self.size:
            self.load(position)
            data, last = self.data, self.start + len(self.data) >= self.size
            limit = len(data) if last else len(data) - _AHEAD
            found = data.find(b"\nFrom ", max(position - 1 - self.start, 0), limit + 6)
            while 0 <= found < limit:
                if _separates(data, found + 1):
                    return self.start + found + 1
                found = data.find(b"\nFrom ", found + 5, limit + 6)
            if last:
                break
            position = self.start + limit
        return self.size


def members(fd: int, size: int, *, by_length: bool | None = None) -> Iterator[Member]:
    """Yield the members of an mbox in file order; every byte but separators belongs to one.

    Args:
        fd: Open for reading; only `pread` is used.
        size: Bytes to look at; what is appended meanwhile waits for the next plan.
        by_length: Trust Content-Length where it lands exactly on the next From_ line or the end.
            By default only if it does so for most of the first members: in other variants the field
            is the sender's, who could hide the messages that follow.
    """
    if by_length is None:
        sample = list(islice(_members(fd, size, by_length=True), SAMPLE_MEMBERS))
        by_length = 2 * sum(member.by_length for member in sample) > len(sample)
    return _members(fd, size, by_length=by_length)


def quoting_of(fd: int, size: int) -> str:
    """Return the variant: by Content-Length if it is kept, else `mboxrd`.

    `mboxo` differs from `mboxrd` only where `>>From ` occurs, which only `mboxrd` writes on purpose;
    so no evidence can speak for `mboxo`. In `mboxcl2` some body has a line that begins with `From `.
    """
    is_kept = False
    for index, member in enumerate(_members(fd, size, by_length=True)):
        is_kept = is_kept or member.by_length
        if index == SAMPLE_MEMBERS and not is_kept:
            return "mboxrd"
    return "mboxcl" if is_kept else "mboxrd"


def unquote(raw: bytes, quoting: str) -> bytes:
    """Return the original of a raw range, with the variant's quoting undone (one copy at most)."""
    if quoting == "mboxcl2":
        return raw
    pattern = _QUOTED_ANY if quoting == "mboxrd" else _QUOTED_ONCE
    cuts = [found.start() for found in pattern.finditer(raw)]
    if not cuts:
        return raw
    view = memoryview(raw)
    starts = [0, *(cut + 1 for cut in cuts)]
    return b"".join(view[a:b] for a, b in zip(starts, [*cuts, len(raw)], strict=True))


def digest(fd: int, start: int, end: int) -> str:
    """Return 16 hex digits of the SHA-256 of a raw range."""
    total = hashlib.sha256()
    while start < end:
        piece = os.pread(fd, min(1 << 20, end - start), start)
        if not piece:
            break
        total.update(piece)
        start += len(piece)
    return total.hexdigest()[:16]


def _members(fd: int, size: int, *, by_length: bool) -> Iterator[Member]:
    window = Window(fd, size)
    position = _first(window)
    while position < size:
        window.load(position)
        begin = position - window.start
        line_end = window.data.find(b"\n", begin)
        start = size if line_end < 0 else window.start + line_end + 1
        line = window.data[begin : start - window.start].rstrip(b"\r\n")
        stop = _stated_end(fd, size, start) if by_length else None
        if stop is not None and stop <= size and (after := _landing(fd, stop, size)) is not None:
            yield Member(position, start, stop, line, by_length=True)
            position = after
            continue
        after = window.separator(start)
        end = _without_separator(window, start, after)
        yield Member(position, start, end, line, is_truncated=stop is not None and stop > size)
        position = after


def _first(window: Window) -> int:
    """Return where the first From_ line begins: a byte order mark and empty lines may come before."""
    window.load(0)
    head = window.data[:_AHEAD]
    return len(head) - len(head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))


def _separates(data: bytes, at: int) -> bool:
    """Tell whether the line at `at`, which begins with `From `, begins a member.

    With an empty line before it: a full date, or a year and a header field after it. Without: both.
    """
    after_blank = data[at - 2 : at - 1] == b"\n" or data[at - 3 : at - 1] == b"\n\r" or at <= 2
    line_end = data.find(b"\n", at, at + MAX_FROM_LINE_BYTES)
    if line_end < 0:
        return False
    is_dated = _DATED.match(data, at, line_end) is not None
    if after_blank and is_dated:
        return True
    if not (is_dated or (after_blank and _YEAR.match(data, at, line_end))):
        return False
    return _HEADER.match(data, line_end + 1) is not None


def _without_separator(window: Window, start: int, after: int) -> int:
    """Return the end of the member that stops at `after`: less one empty line, if there is one."""
    tail_from = max(start - 1, after - 3, 0)
    tail = _pread(window.fd, tail_from, after - tail_from)
    if tail.endswith(b"\n\n"):
        return after - 1
    return after - 2 if tail.endswith(b"\n\r\n") else after


def _stated_end(fd: int, size: int, start: int) -> int | None:
    """Return where Content-Length says that the member ends; None without one."""
    head = b"\n" + _pread(fd, start, min(4096, size - start))
    ends = _HEADERS_END.search(head)
    if ends is None and start + 4096 < size:
        head = b"\n" + _pread(fd, start, min(MAX_HEADER_BYTES, size - start))
        ends = _HEADERS_END.search(head)
    if ends is None or head[ends.end() - 1 : ends.end()] != b"\n":
        return None
    stated = _CONTENT_LENGTH.search(head, 0, ends.start() + 1)
    return None if stated is None else start + ends.end() - 1 + int(stated[1])


def _landing(fd: int, stop: int, size: int) -> int | None:
    """Return where the next From_ line begins if `stop` lands right before it, or the size."""
    around = _pread(fd, stop - 1, _AHEAD)
    found = _LANDING.match(around, 1)
    if found is None:
        return None
    after = stop - 1 + found.end()
    if after == size:
        return size
    follows = (
        around.startswith(b"From ", found.end()) and around[found.end() - 1 : found.end()] == b"\n"
    )
    dated = _DATED.match(around, found.end()) or _YEAR.match(around, found.end())
    return after if follows and dated else None


def _pread(fd: int, start: int, length: int) -> bytes:
    return os.pread(fd, max(length, 0), max(start, 0))

"""Find the members of an mbox file and undo its quoting; knows nothing of paths or keys.

A member is what a delivery agent was given: it begins after the line end of its From_ line and ends
with the line end of its last line. One empty line before the next From_ line, or before the end of
the file, belongs to the container (as in mutt, and in Python's `mailbox`). A Content-Length that is
believed decides alone. Offsets are those of the raw bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from holdfast.ingest.readers.windows import AHEAD_BYTES, MAX_LINE_BYTES, Window

MAX_HEADER_BYTES = 256 * 1024
SAMPLE_MEMBERS = 16

QUOTINGS = ("mboxo", "mboxrd", "mboxcl", "mboxcl2")
_BY_LENGTH = ("mboxcl", "mboxcl2")

# asctime (`Sat Feb  3 10:00:00 2001`, zone before or after the year) or an RFC 5322 date.
_DATED = re.compile(
    rb"From [^\r\n]*?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ \t]"
    rb"(?=[^\r\n]{0,12}(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))"
    rb"(?=[^\r\n]{0,24}\d:\d\d)[^\r\n]{0,40}\d{4}"
)
# Any year, or Eudora's constant sender.
_YEAR = re.compile(rb"From [ \t]*\S+[ \t][^\r\n]*\d{4}|From [ \t]{0,9}\?\?\?@\?\?\?")
# What both need: leaves little to judge in Python, whatever the file holds.
_CANDIDATE = re.compile(rb"\nFrom (?=[^\r\n]{0,%d}\d{4}|[ \t]{0,9}\?\?\?@\?\?\?)" % MAX_LINE_BYTES)
_BARE = re.compile(rb"\nFrom ")
_HEADER = re.compile(rb"[!-9;-~]{1,80}[ \t]*:|>From ")
_HEADERS_END = re.compile(rb"\n(?:\r?\n|(From ))")
_CONTENT_LENGTH = re.compile(rb"\nContent-Length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_LANDING = re.compile(rb"(?:\r?\n){0,2}(?=From |\Z)")
# What is quoted at the beginning, and in any other line. The latter begins with two fixed bytes:
# that is ten times as fast as `^`.
_QUOTED_ONCE = (re.compile(rb">From "), re.compile(rb"\n>From "))
_QUOTED_ANY = (re.compile(rb">+From "), re.compile(rb"\n>(?=>*From )"))


@dataclass(frozen=True, slots=True)
class Member:
    """One message of an mbox, as a range of the file."""

    from_offset: int
    """Of the From_ line."""
    start: int
    end: int
    from_line: bytes
    """Without its line end."""
    digest: str
    """First 16 hex digits of the SHA-256 of the raw range."""
    by_length: bool
    """The end was given by a Content-Length that landed."""
    is_truncated: bool
    """A Content-Length points beyond the end of the file."""


def begins(head: bytes) -> bool:
    """Tell whether a file that begins with these bytes (at least 4 KiB of them) is an mbox."""
    at = _first(head)
    if not head.startswith(b"From ", at):
        return False
    line_end = head.find(b"\n", at, at + MAX_LINE_BYTES)
    if line_end < 0:
        return False
    return bool(
        _DATED.match(head, at) or _YEAR.match(head, at) or _HEADER.match(head, line_end + 1)
    )


def variant_of(window: Window) -> str:
    """Return `mboxcl`, `mboxcl2` or `mboxrd`, by the evidence in the file.

    Content-Length is believed only if it lands for most of the first members: elsewhere the field
    is the sender's, who could hide the messages that follow. A body that then holds a bare `From `
    line proves `mboxcl2`; without one, `>From ` is taken for quoting.

    `mboxo` differs from `mboxrd` only where `>>From ` occurs, which `mboxrd` alone writes on
    purpose; so nothing can be evidence for `mboxo`, and only a person can say it.
    """
    sample = list(islice(_members(window, is_by_length=True), SAMPLE_MEMBERS))
    if 2 * sum(member.by_length for member in sample) <= len(sample):
        return "mboxrd"
    for member in _members(window, is_by_length=True):
        bare = window.line_like(_BARE, member.start) if member.by_length else None
        if bare is not None and window.start + bare[1] < member.end:
            return "mboxcl2"
    return "mboxcl"


def members(window: Window, quoting: str) -> Iterator[Member]:
    """Yield the members in file order; every byte but the separators belongs to one.

    Linear in the file, whatever it holds; memory is that of one window.
    """
    return _members(window, is_by_length=quoting in _BY_LENGTH)


def unquote(view: memoryview, quoting: str) -> bytes:
    """Return the original of a raw range, with the variant's quoting undone; copies once."""
    if quoting == "mboxcl2":
        return bytes(view)
    first, other = _QUOTED_ANY if quoting == "mboxrd" else _QUOTED_ONCE
    cuts = [0] if first.match(view) else []
    cuts += (found.start() + 1 for found in other.finditer(view))
    if not cuts:
        return bytes(view)
    starts = [0, *(cut + 1 for cut in cuts)]
    return b"".join(view[a:b] for a, b in zip(starts, [*cuts, len(view)], strict=True))


def _members(window: Window, *, is_by_length: bool) -> Iterator[Member]:
    position = window.begin + _first(window.bytes_at(window.begin, AHEAD_BYTES))
    while position < window.end:
        line = window.line(position)
        start = position + len(line)
        stated = _stated_end(window, start) if is_by_length else None
        after = None if stated is None else _landing(window, stated)
        if stated is not None and after is not None:
            end, lands = stated, True
        else:
            after, lands = _separator(window, start), False
            end = after - _separator_length(window, start, after)
        yield Member(
            from_offset=position,
            start=start,
            end=end,
            from_line=line.rstrip(b"\r\n"),
            digest=window.digest(start, end),
            by_length=lands,
            is_truncated=stated is not None and stated > window.end,
        )
        position = after


def _first(head: bytes) -> int:
    """Return where the first line with content begins, after a byte order mark and empty lines."""
    head = head[:MAX_LINE_BYTES]
    return len(head) - len(head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))


def _separator(window: Window, start: int) -> int:
    """Return where the From_ line after `start` begins, or the end."""
    found = window.line_like(_CANDIDATE, start)
    while found is not None:
        data, at = found
        if _separates(data, at):
            return window.start + at
        found = window.line_like(_CANDIDATE, window.start + at + 1)
    return window.end


def _separates(data: bytes, at: int) -> bool:
    """Tell whether the line at `at`, which begins with `From `, begins a member.

    After an empty line: with a full date, or with a year and a header field in the next line.
    Otherwise with a full date and a header field.
    """
    line_end = data.find(b"\n", at, at + MAX_LINE_BYTES)
    if line_end < 0:
        return False
    after_blank = data[at - 2 : at - 1] == b"\n" or data[at - 3 : at - 1] == b"\n\r"
    is_dated = _DATED.match(data, at, line_end) is not None
    if after_blank and is_dated:
        return True
    if not is_dated and not (after_blank and _YEAR.match(data, at, line_end)):
        return False
    return _HEADER.match(data, line_end + 1) is not None


def _separator_length(window: Window, start: int, after: int) -> int:
    """Return the length of the empty line that ends at `after`; 0 when there is none."""
    tail = window.bytes_at(max(start - 1, after - 3), min(3, after - start + 1))
    if tail.endswith(b"\n\n"):
        return 1
    return 2 if tail == b"\n\r\n" else 0


def _stated_end(window: Window, start: int) -> int | None:
    """Return where Content-Length says that the member ends; None without one."""
    for length in (4096, MAX_HEADER_BYTES):
        head = b"\n" + window.bytes_at(start, length)
        ends = _HEADERS_END.search(head)
        if ends is not None and ends[1]:
            return None
        if ends is not None:
            stated = _CONTENT_LENGTH.search(head, 0, ends.start() + 1)
            return start + ends.end() - 1 + int(stated[1]) if stated else None
    return None


def _landing(window: Window, stated: int) -> int | None:
    """Return where the next From_ line begins, or the end, if `stated` lands right before it."""
    if stated > window.end:
        return None
    around = window.bytes_at(stated - 1, AHEAD_BYTES)
    found = _LANDING.match(around, 1)
    if found is None:
        return None
    at = found.end()
    if stated - 1 + at == window.end:
        return window.end
    if around[at - 1 : at] != b"\n":
        return None
    return stated - 1 + at if _DATED.match(around, at) or _YEAR.match(around, at) else None

"""Which characters of a body are quoted or a signature; must not change the body.

Rules of our own instead of expressions that backtrack: each line is looked at a fixed number of
times, so that the cost is linear whatever a sender writes.
"""

from __future__ import annotations

from itertools import accumulate

from holdfast.core.records import Span
from holdfast.parsers.quoting_words import (
    CLOSINGS,
    DEVICE_STARTS,
    DIVIDER_LINES,
    DIVIDER_TEXTS,
    HEADER_KINDS,
    STARTERS,
    VERB_ENDINGS,
    VERBS_WITH_NAME,
)

MAX_HEADER_BLOCK_LINES = 12
MAX_FIELD_NAME_CHARS = 24
MAX_ATTRIBUTION_LINES = 3
MAX_ATTRIBUTION_CHARS = 300
MAX_SIGNATURE_LINES = 25
MAX_CLOSING_LINES = 8
MAX_DEVICE_WORDS = 9
MAX_SHORT_LINE_CHARS = 80
_RULE = "-_=*—－"
_COLONS = (":", "：")
_MARKED_STARTS = frozenset(">＞" + _RULE)
_MARKED_ENDS = frozenset("：" + _RULE)
_FOOTER_MARKS = ("-", "_")
MAX_CLOSING_CHARS = 40
MIN_FOOTER_RULE_CHARS = 40


def find_spans(body: str) -> tuple[Span, ...]:
    """Return the quoted and signature parts of a body: sorted, not overlapping, within the body.

    A span covers whole lines. Lines with `>` are quoted, with the attribution above them; a
    divider, a block of header fields, or an attribution without `>` below it quotes all that
    follows.
    """
    lines = body.split("\n")
    lengths = list(accumulate(map(len, lines)))
    spans: list[Span] = []
    own_start = 0
    for start, stop in [*_quoted_lines(lines), (len(lines), len(lines))]:
        signature = _signature_lines(lines, own_start, start)
        for kind, (first, last) in (("signature", signature), ("quote", (start, stop))):
            if first < last:
                begin = lengths[first - 1] + first if first else 0
                end = min(lengths[last - 1] + last, len(body))
                spans.append(Span(kind, begin, end))
        own_start = stop
    return tuple(spans)


def _quoted_lines(lines: list[str]) -> list[tuple[int, int]]:
    """Return the quoted ranges of lines, in order."""
    ranges: list[tuple[int, int]] = []
    ended = 0
    for at in _marked_lines(lines):
        if at < ended:
            continue
        if _is_quoted(lines[at]):
            ended = _run_end(lines, at)
            ranges.append((at, ended))
            continue
        start = _introduction(lines, at, ended)
        if start < 0:
            continue
        following = _next_text(lines, at + 1)
        if following == len(lines) or not _is_quoted(lines[following]):
            ranges.append((start, len(lines)))
            break
        ended = _run_end(lines, following)
        ranges.append((start, ended))
    return ranges


def _marked_lines(lines: list[str]) -> list[int]:
    """Sort out most lines at little cost; those that are left are looked at closely."""
    return [
        at
        for at, line in enumerate(lines)
        if ":" in line
        or (
            (text := line.strip())
            and (
                text[0] in _MARKED_STARTS
                or text[-1] in _MARKED_ENDS
                or (not line.isascii() and "：" in line[:MAX_FIELD_NAME_CHARS])
            )
        )
    ]


def _is_quoted(line: str) -> bool:
    return line.lstrip(" \t")[:1] in (">", "＞")


def _run_end(lines: list[str], at: int) -> int:
    """Return the line after a run of quoted lines; empty lines inside belong to it."""
    end = at + 1
    for index in range(end, len(lines)):
        line = lines[index]
        if line[:1] == ">" or _is_quoted(line):
            end = index + 1
        elif line.strip():
            break
    return end


def _next_text(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _introduction(lines: list[str], at: int, floor: int) -> int:
    """Return the line where a quote begins that this line introduces; -1 when it does not.

    Args:
        lines: The body.
        at: A line that is not quoted itself.
        floor: First line that belongs to no earlier quote.
    """
    line = lines[at]
    text = line.strip()
    if (text[:1] in _RULE or text[-1:] in _RULE) and _is_divider(text):
        return at
    if ":" not in line and "：" not in line:
        return -1
    if text.endswith(_COLONS):
        if text.lower() in DIVIDER_LINES:
            return at
        start = _attribution_start(lines, at, floor)
        if start >= 0:
            return start
    if _field_kind(line) in ("from", "date") and _is_header_block(lines, at):
        return _with_rule_above(lines, at, floor)
    return -1


def _is_divider(text: str) -> bool:
    text = text.replace("&nbsp;", " ")  # as QQ Mail writes it in plain text too
    inner = text.strip("-_=*—－ \t\xa0")
    return len(text) - len(inner) >= len("----") and inner.lower() in DIVIDER_TEXTS


def _attribution_start(lines: list[str], at: int, floor: int) -> int:
    """Return the first line of `On … wrote:`, which may be wrapped; -1 when this line ends none."""
    text = lines[at].strip()[:-1].rstrip()
    has_verb = text.endswith(VERB_ENDINGS)
    if not has_verb and not (text.endswith((">", ")")) and ("@" in text or "<" in text)):
        return -1
    start = at
    lowest = max(floor, at - MAX_ATTRIBUTION_LINES + 1)
    while not lines[start].startswith(STARTERS) or not _has_digit(lines[start]):
        if start == lowest or not lines[start - 1].strip():
            start = at
            break
        start -= 1
    whole = " ".join(lines[start : at + 1])
    if len(whole) > MAX_ATTRIBUTION_CHARS:
        return -1
    return start if _reads_as_attribution(lines, at, whole, has_verb=has_verb) else -1


def _reads_as_attribution(lines: list[str], at: int, whole: str, *, has_verb: bool) -> bool:
    """Tell an attribution from a sentence that ends in the same word."""
    padded = whole.replace("\t", " ")
    if has_verb or any(verb in padded for verb in VERBS_WITH_NAME):
        if _has_digit(whole) or "@" in whole:
            return True
        following = _next_text(lines, at + 1)
        return following < len(lines) and _is_quoted(lines[following])
    return "@" in whole and _has_clock(whole)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _has_clock(text: str) -> bool:
    """Return whether there is a time of day such as 9:05 or 21:05."""
    at = text.find(":")
    while at >= 0:
        if text[at - 1 : at].isdigit() and text[at + 1 : at + 3].isdigit():
            return True
        at = text.find(":", at + 1)
    return False


def _field_kind(line: str) -> str:
    """Return the kind of header field that a line looks like, as in `HEADER_KINDS`; or nothing."""
    head = line[:MAX_FIELD_NAME_CHARS]
    if not head.isascii():
        head = head.replace("：", ":")
    name, colon, _ = head.partition(":")
    if not colon:
        return ""
    name = name.strip("* \t\xa0\u3000").lower()
    kind = HEADER_KINDS.get(name)
    if kind is None and not name.isascii():
        kind = HEADER_KINDS.get("".join(name.split()))
    return kind or ""


def _is_header_block(lines: list[str], at: int) -> bool:
    """Return whether header fields of a quoted message begin here.

    Asked for are three kinds of fields, the sender among them, and a subject or an address: a
    timetable has From, To and Date as well.
    """
    kinds: set[str] = set()
    has_address = False
    gap = 0
    for line in lines[at : at + MAX_HEADER_BLOCK_LINES]:
        kind = _field_kind(line)
        if kind:
            kinds.add(kind)
            gap = 0
            has_address = has_address or (kind == "from" and "@" in line)
        else:
            gap += 1  # a folded list of addresses, or the empty lines of HTML
        if gap > 1 and len(kinds) > 1:
            break
    return "from" in kinds and len(kinds) >= 3 and ("subject" in kinds or has_address)


def _with_rule_above(lines: list[str], at: int, floor: int) -> int:
    """Return the line of the rule that Outlook draws above its header block, else `at`."""
    above = at - 1
    while above >= max(floor, at - 2) and not lines[above].strip():
        above -= 1
    if above >= floor and above >= 0:
        text = lines[above].strip()
        if len(text) >= len("-----") and not text.strip(_RULE):
            return above
    return at


def _signature_lines(lines: list[str], start: int, stop: int) -> tuple[int, int]:
    """Return the range of the signature that ends an own part; an empty range without one."""
    while stop > start and not lines[stop - 1].strip():
        stop -= 1
    lowest = max(start, stop - MAX_SIGNATURE_LINES)
    for at in range(lowest, stop):
        line = lines[at]
        if line[:1] in _FOOTER_MARKS and _opens_signature(lines, at, stop):
            return at, stop
    for at in range(max(start, stop - MAX_CLOSING_LINES), stop):
        if _is_closing(lines[at]) and _are_short(lines[at + 1 : stop]):
            return at, stop
    if stop > start and _names_device(lines[stop - 1]):
        return stop - 1, stop
    return stop, stop


def _opens_signature(lines: list[str], at: int, stop: int) -> bool:
    """RFC 3676 section 4.3, also without its final space; or the footer of a mailing list."""
    text = lines[at].strip()
    if text == "--":
        return True
    if len(text) < MIN_FOOTER_RULE_CHARS or text.strip("_-"):
        return False
    return any("mailing list" in line or "/listinfo/" in line for line in lines[at + 1 : stop])


def _is_closing(line: str) -> bool:
    return (
        len(line) <= MAX_SHORT_LINE_CHARS and line.strip(" \t,，.。!！~～:：").lower() in CLOSINGS
    )


def _are_short(lines: list[str]) -> bool:
    return all(len(line) <= MAX_SHORT_LINE_CHARS for line in lines)


def _names_device(line: str) -> bool:
    text = line.strip()
    return (
        len(text) <= MAX_SHORT_LINE_CHARS
        and text.lower().startswith(DEVICE_STARTS)
        and len(text.split()) <= MAX_DEVICE_WORDS
    )

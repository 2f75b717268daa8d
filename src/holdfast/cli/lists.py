"""Show interactions as lists that align, wide characters included; it reads nothing."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from holdfast.cli.safe_text import safe_line
from holdfast.cli.screen import ACCENT, QUIET, styled
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.query import Part
from holdfast.core.senders import sender_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from rich.text import Text

    from holdfast.cli.screen import Screen
    from holdfast.core.records import Record, RecordParticipant
    from holdfast.indexer.highlight import Snippet

WHEN_WIDTH = 16
ID_WIDTH = 17
MAX_WIDTH = 160
_FROM_SHARE = 0.3
_GAP = "  "


def when(instant: datetime, zone: ZoneInfo) -> str:
    """Return an instant in the user's zone, to the minute."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M}"


def person(participant: RecordParticipant) -> str:
    """Return how a participant is named in one line."""
    if participant.name and participant.address:
        return f"{participant.name} <{participant.address}>"
    return participant.name or participant.address


def subject_of(record: Record, screen: Screen) -> str:
    """Return the subject, or that there is none."""
    return record.title or screen.words("(no subject)")


def fitted(
    text: str, width: int, style: str = "", *, marks: Iterable[tuple[int, int]] = ()
) -> Text:
    """Return the text cut or padded to exactly so many columns of the terminal."""
    shown = styled(safe_line(text), style, marks=marks)
    shown.truncate(width, overflow="ellipsis", pad=True)
    return shown


def heading(
    record: Record, screen: Screen, zone: ZoneInfo, *, marks: Iterable[tuple[int, int]] = ()
) -> Text:
    """Return one line: when, who, what, and the id to go on with.

    Args:
        record: What to show.
        screen: Where it will be shown.
        zone: Of the dates.
        marks: Ranges of the subject that stand out.
    """
    width = min(screen.out.width, MAX_WIDTH)
    left = width - WHEN_WIDTH - ID_WIDTH - 3 * len(_GAP)
    from_width = max(int(left * _FROM_SHARE), 10)
    subject_width = max(left - from_width, 10)
    line = styled("")  # without a style of its own, which would colour what is appended
    line.append_text(fitted(when(record.at, zone), WHEN_WIDTH, QUIET))
    line.append(_GAP)
    line.append_text(fitted(sender_of(record), from_width))
    line.append(_GAP)
    subject = subject_of(record, screen)
    line.append_text(fitted(subject, subject_width, "bold", marks=marks))
    line.append(_GAP)
    line.append(public_id("msg", record.id), ACCENT)
    return line


def width_beneath(screen: Screen) -> int:
    """Return how many columns `beneath` leaves."""
    return max(min(screen.out.width, MAX_WIDTH) - WHEN_WIDTH - len(_GAP), 20)


def beneath(text: Text, screen: Screen) -> Text:
    """Return a line that belongs to the heading above it: indented below its second column."""
    from rich.text import Text as RichText

    text.truncate(width_beneath(screen), overflow="ellipsis")
    return RichText(" " * (WHEN_WIDTH + len(_GAP))).append_text(text)


def around(
    text: str, marks: Sequence[tuple[int, int]], width: int
) -> tuple[str, list[tuple[int, int]]]:
    """Return the text with single spaces, begun so that its first mark is seen, and its marks."""
    places: list[int] = []
    kept: list[str] = []
    for place, character in enumerate(text):
        is_gap = character.isspace()
        if not (is_gap and (not kept or kept[-1] == " ")):
            places.append(place)
            kept.append(" " if is_gap else character)
    moved = [(bisect_left(places, start), bisect_left(places, end)) for start, end in marks]
    first = moved[0][0] if moved else 0
    begin = max(first - width // 3, 0)
    if begin:
        space = kept.index(" ", begin, first) + 1 if " " in kept[begin:first] else begin
        begin = space
    shown = "".join(kept[begin:])
    return shown, [(start - begin, end - begin) for start, end in moved]


def label_of(piece: Snippet, record: Record) -> str:
    """Return where a snippet is from, unless it is the body: the file's name, or the field."""
    if piece.part is Part.ATTACHMENT:
        return f"[{record.attachments[piece.index].filename or '…'}] "
    return "" if piece.part in {Part.BODY, Part.CONTENT} else f"[{piece.part.value}] "


def record_value(record: Record) -> dict[str, Any]:
    """Return the facts of a record as JSON knows them, without its texts."""
    return {
        "id": public_id("msg", record.id),
        "kind": str(record.kind),
        "channel": record.channel,
        "at": _stamp(record.at),
        "captured_at": _stamp(record.captured_at),
        "direction": record.direction,
        "subject": record.subject,
        "participants": [
            {"role": p.role.value, "name": p.name, "address": p.address,
             "contact_id": public_id("con", p.contact_id) if p.contact_id else None}
            for p in record.participants
        ],
        "attachments": [
            {"filename": a.filename, "type": a.media_type, "size_bytes": a.size_bytes,
             "text_state": a.text_state.value}
            for a in record.attachments
        ],
        "thread_id": public_id("thr", record.thread_id),
        "message_id": record.message_id,
        "size_bytes": record.size_bytes,
        "sources": list(record.sources),
        "custodians": list(record.custodians),
        "folders": list(record.folders),
        "labels": list(record.labels),
        "sha256": list(record.sha256s),
        "defects": list(record.defects),
        "lang": record.lang,
        "is_bulk": record.is_bulk,
        "is_truncated": record.is_truncated,
        "is_duplicate": record.is_duplicate,
        "shares_message_id": record.shares_message_id,
        "conversation_id": public_id("cnv", record.conversation_id)
        if record.conversation_id
        else None,
        "conversation": record.conversation,
        "marks": list(record.marks),
    }  # fmt: skip


def _stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def people_of(record: Record, roles: Sequence[Role]) -> Iterator[str]:
    """Yield the participants in these roles, in order, each address once."""
    seen: set[str] = set()
    for participant in record.participants:
        if participant.role in roles:
            key = participant.address.strip().casefold() or participant.name
            if key not in seen:
                seen.add(key)
                yield person(participant)

"""The text of a message for people: folded where it quotes, marked where a query finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.api.asking import asked, guarded, record_in_scope
from holdfast.api.masks import mask_for
from holdfast.api.trail import note
from holdfast.core.identity import public_id
from holdfast.core.kinds import Role
from holdfast.core.query import Part
from holdfast.core.rights import Forbidden
from holdfast.core.senders import sender_of
from holdfast.indexer.highlight import highlight
from holdfast.indexer.query_language.errors import QueryError
from holdfast.parsers.quoting import find_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.api.masks import Mask
    from holdfast.api.pages.visits import Visit
    from holdfast.core.query import Node
    from holdfast.core.records import Record, RecordParticipant, Span

MAX_SHOWN_CHARS = 400_000
"""Of one text on a page; more is in the original."""
Marks = tuple[tuple[int, int], ...]
_HEAD = (
    ("From", (Role.FROM, Role.SENDER)),
    ("To", (Role.TO, Role.DELIVERED_TO)),
    ("Cc", (Role.CC,)),
    ("Bcc", (Role.BCC,)),
    ("Reply to", (Role.REPLY_TO,)),
    ("Recipients", (Role.RECIPIENT,)),
    ("By way of", (Role.EXPANDED, Role.FORWARDED)),
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of a text: the author's own words, a quotation or a signature."""

    kind: str
    """`own`, `quote` or `signature`."""
    text: str
    marks: Marks
    lines: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One message as a page shows it."""

    id: str
    record: Record
    """Masked, if numbers are."""
    is_masked: bool
    people: tuple[tuple[str, tuple[RecordParticipant, ...]], ...]
    """Field and who stands in it; every From address is shown, however many there are."""
    sender: str
    subject_marks: Marks
    segments: tuple[Segment, ...]
    is_cut: bool
    query: str


def seen_text(visit: Visit, name: str, query: str = "", reason: str = "") -> Seen:
    """Return a message with its text; that it is read is in the audit log on return.

    Args:
        visit: Who reads.
        name: Public id.
        query: What is marked in the texts.
        reason: Why numbers are to be seen; empty leaves them masked.

    Raises:
        NotFound: It is not in the scope.
        Forbidden: A reason was given by somebody who may not unmask.
    """
    record = record_in_scope(visit.served, visit.principal, name)
    mask = mask_for(visit.principal, reason)
    noted(visit, record, {"how": "text", "unmask_reason": reason})
    return _seen(visit, record, mask, query)


def noted(visit: Visit, record: Record, what: dict[str, str]) -> None:
    """Write into the audit log that a message is looked at, before it is."""
    kept = {name: value for name, value in what.items() if value}
    note(visit.served, visit.principal, "read", kept, [("msg", record.id)])


def _seen(visit: Visit, record: Record, mask: Mask, query: str) -> Seen:
    shown = mask.record(record)
    node = _marking(visit, query, mask)
    found = mask.marked(highlight(node, shown)) if node is not None else []
    marks = {one.part: tuple(one.marks) for one in found if one.part in {Part.SUBJECT, Part.BODY}}
    body = shown.body[:MAX_SHOWN_CHARS]
    spans = find_spans(body)
    return Seen(
        id=public_id("msg", record.id),
        record=shown,
        is_masked=mask.is_on,
        people=tuple(people_of(shown)),
        sender=sender_of(shown),
        subject_marks=marks.get(Part.SUBJECT, ()),
        segments=tuple(segments(body, spans, marks.get(Part.BODY, ()))),
        is_cut=len(shown.body) > MAX_SHOWN_CHARS,
        query=query,
    )


def _marking(visit: Visit, query: str, mask: Mask) -> Node | None:
    if not query.strip():
        return None
    try:
        node = asked(visit.served, visit.principal, query).node
    except (QueryError, Forbidden):
        return None
    return guarded(visit.principal, node).node if mask.is_on else node


def people_of(record: Record) -> Iterator[tuple[str, tuple[RecordParticipant, ...]]]:
    """Yield the fields of the head with who stands in them; empty ones are left out."""
    for title, roles in _HEAD:
        found: dict[tuple[str, str], RecordParticipant] = {}
        for person in record.participants:
            if person.role in roles:
                found.setdefault((person.name, person.address.strip().casefold()), person)
        if found:
            yield title, tuple(found.values())


def segments(body: str, spans: Sequence[Span], marks: Marks) -> Iterator[Segment]:
    """Cut a body at its quotations and signatures; each piece has the marks that fall into it."""
    upto = 0
    for span in spans:
        yield from _segment("own", body, (upto, span.start), marks)
        yield from _segment(span.kind, body, (span.start, span.end), marks)
        upto = span.end
    yield from _segment("own", body, (upto, len(body)), marks)


def _segment(kind: str, body: str, place: tuple[int, int], marks: Marks) -> Iterator[Segment]:
    start, end = place
    text = body[start:end]
    if not text.strip():
        return
    inside = tuple(
        (max(low, start) - start, min(high, end) - start)
        for low, high in marks
        if low < end and high > start
    )
    yield Segment(kind, text, inside, len(text.strip().splitlines()))

"""Hide telephone, identity-card and bank numbers in what is shown to whoever may not see them.

Lengths and separators stay, so that places in the texts stay true. Who may see what is decided by
`core.rights`; that no search tells what is hidden here is the matter of `core.number_guard`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from holdfast.core.analysis import normalise, normalise_with_offsets
from holdfast.core.number_forms import NumberKind
from holdfast.core.numbers import find_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from holdfast.core.records import Record, RecordAttachment, RecordParticipant

MASK = "*"
_AT = re.compile("[@\uff20\ufe6b]")
"""What `analysis.normalise` makes an `@`."""


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """Characters `[start, end)` of a text that are a number."""

    kind: NumberKind
    start: int
    end: int


def number_spans(text: str) -> tuple[NumberSpan, ...]:
    """Return the numbers of a text in order; none overlaps another.

    Telephone numbers in the forms that people write (Chinese mobile and fixed lines, after `+`, in
    groups, or behind a word like 电话); numbers of Chinese identity cards and of bank cards whose
    check digit is right; IBANs. Digits may be full-width, separated, and have invisible characters
    between them.
    """
    return tuple([span for span, _ in _located(text)])


def mask(text: str) -> str:
    """Return the text with the telling digits of each number replaced by `*`.

    Seen stay: of a telephone number all but four digits ahead of the last four (two where it is
    short), of a card the first and last four, of an identity number the first three and last four
    characters, of an IBAN letters and the first and last four characters.
    """
    letters: list[str] | None = None
    for _, hidden in _located(text):
        if letters is None:
            letters = list(text)
        for at in hidden:
            letters[at] = MASK
    return text if letters is None else "".join(letters)


def _located(text: str) -> Iterator[tuple[NumberSpan, list[int]]]:
    """Yield each number with the places of its hidden characters.

    Outside ASCII a line at a time: no number reaches over its end, and most lines hold none.
    """
    if text.isascii():
        for number in find_numbers(text.lower()):  # every character stays in its place
            yield NumberSpan(number.kind, number.start, number.end), list(number.hidden)
        return
    start = 0
    for line in text.split("\n"):
        yield from _in_line(line, start)
        start += len(line) + 1


def _in_line(line: str, start: int) -> Iterator[tuple[NumberSpan, list[int]]]:
    found = list(find_numbers(normalise(line)))
    if not found:
        return
    _, offsets = normalise_with_offsets(line)
    for number in found:
        end = offsets[number.end - 1] + 1
        span = NumberSpan(number.kind, start + offsets[number.start], start + end)
        yield span, [start + offsets[at] for at in number.hidden]


def mask_marks(text: str, marks: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the marks of a text that touch no number in it.

    It cannot know why a mark is there: of a proximity to a hidden number the other word stays
    marked. Marks that are found in the masked record (`indexer.highlight`) tell nothing at all.

    Args:
        text: Before it was masked.
        marks: `[start, end)`, ascending.
    """
    spans = list(reversed(number_spans(text)))
    kept: list[tuple[int, int]] = []
    for start, end in marks:
        while spans and spans[-1].end <= start:
            spans.pop()
        if not spans or spans[-1].start >= end:
            kept.append((start, end))
    return tuple(kept)


def mask_record(record: Record) -> Record:
    """Return the record with every text masked: of the domains of addresses nothing is hidden."""
    return replace(
        record,
        subject=mask(record.subject),
        body=mask(record.body),
        participants=tuple(map(_mask_person, record.participants)),
        attachments=tuple(map(_mask_attachment, record.attachments)),
        headers=tuple((name, mask(value)) for name, value in record.headers),
        conversation=mask(record.conversation),
    )


def _mask_attachment(attachment: RecordAttachment) -> RecordAttachment:
    return replace(attachment, filename=mask(attachment.filename), text=mask(attachment.text))


def _mask_person(person: RecordParticipant) -> RecordParticipant:
    return replace(person, name=mask(person.name), address=mask_address(person.address))


def mask_address(address: str) -> str:
    """Return an address with the numbers in its local part masked."""
    ends = [found.start() for found in _AT.finditer(address)]
    local = ends[-1] if ends else len(address)
    return mask(address[:local]) + address[local:]


def mask_facets(
    facets: Mapping[str, Iterable[tuple[str, int]]],
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return the counts of a search with masked values; those that look alike are added up.

    Args:
        facets: As `Page.facets`.
    """
    return {
        name: _masked_counts(values, _FACETS[name]) if name in _FACETS else tuple(values)
        for name, values in facets.items()
    }


def _mask_domain(domain: str) -> str:
    return mask_address(domain) if _AT.search(domain) else domain


_FACETS: dict[str, Callable[[str], str]] = {"sender": mask_address, "domain": _mask_domain}
"""Facets with values of addresses; of the others none comes from a text that is masked."""


def _masked_counts(
    values: Iterable[tuple[str, int]], masked: Callable[[str], str]
) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for value, count in values:
        counts[masked(value)] += count
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))

"""Which characters of a body are quoted or a signature; must not change the body."""

from __future__ import annotations

from holdfast.core.records import Span


def find_spans(body: str) -> tuple[Span, ...]:
    """Return the quoted and signature parts of a body: sorted, not overlapping, within the body."""
    spans: list[Span] = []
    at = 0
    for line in body.splitlines(keepends=True):
        end = at + len(line)
        if line.startswith(">"):
            if spans and spans[-1].end == at:
                spans[-1] = Span("quote", spans[-1].start, end)
            else:
                spans.append(Span("quote", at, end))
        at = end
    return tuple(spans)

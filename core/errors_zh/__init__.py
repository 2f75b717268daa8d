"""What failures, `verify` and `doctor` say in Simplified Chinese, by fields of work.

A key is the English text as the code writes it, with `{}` where the code fills something in. In the
Chinese `{0}` is what stands in the first of these holes. `{0:word}` looks it up in `pieces`, for
the words that the code itself puts there; `{0:said}` takes it for the text of another failure.
Anything else from a hole stays as it is.
"""

from __future__ import annotations

from holdfast.core.errors_zh import (
    api,
    catalogue,
    commands,
    doctoring,
    findings,
    governance,
    index,
    keeping,
    mailboxes,
    outside,
    pieces,
    proofs,
    queries,
    rights,
    setup,
    sources,
)

TEXTS: dict[str, str] = {
    **api.TEXTS,
    **catalogue.TEXTS,
    **commands.TEXTS,
    **doctoring.TEXTS,
    **findings.TEXTS,
    **governance.TEXTS,
    **index.TEXTS,
    **keeping.TEXTS,
    **mailboxes.TEXTS,
    **outside.TEXTS,
    **proofs.TEXTS,
    **queries.TEXTS,
    **rights.TEXTS,
    **setup.TEXTS,
    **sources.TEXTS,
}
WORDS = pieces.WORDS

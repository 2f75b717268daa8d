"""Read public ids that clients give; what is none names nothing."""

from __future__ import annotations

from holdfast.core.errors import HoldfastError, NotFound
from holdfast.core.identity import row_id


def number_of(prefix: str, text: str) -> int:
    """Return the row id behind a public id.

    Raises:
        NotFound: It is no id of this kind.
    """
    try:
        return row_id(prefix, text)
    except HoldfastError as error:
        raise NotFound(f"There is nothing called {text[:40]!r}.") from error

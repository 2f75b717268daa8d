"""Reads the text files that options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path


def text_in(path: Path) -> str:
    """Return the text of a file in UTF-8.

    Raises:
        Refused: It cannot be read, or is no such text.
    """
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise Refused(
            f"{path} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is no text in UTF-8.", next_step="Save it as UTF-8.") from error

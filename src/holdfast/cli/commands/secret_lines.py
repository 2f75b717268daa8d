"""Reads secrets from files, standard input and the keyboard; takes none from an argument."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.text_files import text_in
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.screen import Screen


def first_line(path: Path | None) -> str:
    """Return the first line of a file, or of standard input.

    Raises:
        Refused: It cannot be read, is empty, or holds what no server takes.
    """
    from holdfast.ingest.imap.hosts import refuse_controls

    try:
        text = sys.stdin.readline() if path is None else _line(path)
    except OSError as error:
        raise Refused(
            f"{path} cannot be read: {error.strerror}.", next_step="Check the path."
        ) from error
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise Refused("The secret is empty.", next_step="Write it on the first line.")
    refuse_controls(secret)
    return secret


def whole_secret(path: Path | None) -> str:
    """Return all of a file, or of standard input, without white space around it.

    Raises:
        Refused: It cannot be read, or is empty.
    """
    text = sys.stdin.read() if path is None else text_in(path)
    if not text.strip():
        raise Refused("The secret is empty.", next_step="Write it into the file.")
    return text.strip()


def _line(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.readline()


def can_ask() -> bool:
    """Tell whether somebody sits at the keyboard."""
    return sys.stdin.isatty()


def asked_twice(screen: Screen) -> str:
    """Ask for a new password, which is not shown; empty when nothing was typed.

    Raises:
        Refused: The second time something else was typed.
    """
    first = getpass.getpass(screen.words("Password: "))
    if first and getpass.getpass(screen.words("Once more: ")) != first:
        raise Refused("The two were not the same.", next_step="Try again.")
    return first

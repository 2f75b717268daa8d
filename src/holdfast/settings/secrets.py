"""Gives the value of a secret setting: from the settings, from its file or from its command.

It must not put a secret into an error, a log or the arguments of a process.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.settings.sections import Section

COMMAND_S = 30.0


def secret(section: Section, name: str) -> str:
    """Return the secret, empty when none is set; a trailing line end of a file is not part of it.

    Raises:
        Refused: The file cannot be read, or the command failed.
    """
    file: Path | None = getattr(section, f"{name}_file")
    command: str = getattr(section, f"{name}_command")
    if file is not None or command:
        return secret_of(name, file, command)
    return str(getattr(section, name).get_secret_value())


def secret_of(name: str, file: Path | None, command: str) -> str:
    """Return a secret that is no setting from its file or the output of its command; as above."""
    return _from_command(command, name) if file is None else _from_file(file, name)


def _from_file(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            f"The file of {name} cannot be read: {error}.",
            next_step="Check its path, owner and mode.",
        ) from error


def _from_command(command: str, name: str) -> str:
    try:
        words = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the administrator's own command, without a shell
            words, capture_output=True, check=True, timeout=COMMAND_S, text=True
        )
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        # What the command printed stays unsaid: it may be the secret.
        raise Refused(
            f"The command of {name} failed ({type(error).__name__}).",
            next_step="Run it by hand as the user of the service.",
        ) from None
    return done.stdout.rstrip("\r\n")

"""What every command starts from: whose archive, on whose behalf, printed where; opens it once."""

from __future__ import annotations

import os
import pwd
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.screen import Screen
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.settings import Flags, Loaded, Settings
    from holdfast.wiring.archive import Services


@dataclass(frozen=True, slots=True)
class Choices:
    """What was said about the archive, before or after the command's name."""

    data: Path | None = None
    config: Path | None = None
    actor: str = ""
    values: tuple[str, ...] = ()
    """`section.key=value`."""
    language: str = ""
    """Of the messages; empty: the environment's."""

    def over(self, outer: Choices) -> Choices:
        """Return these choices, with `outer` where nothing was said."""
        return Choices(
            self.data or outer.data,
            self.config or outer.config,
            self.actor or outer.actor,
            (*outer.values, *self.values),
            self.language or outer.language,
        )


@dataclass(slots=True)
class Session:
    """One run of one command."""

    choices: Choices
    screen: Screen = field(default_factory=Screen)
    _loaded: Loaded | None = None

    @property
    def loaded(self) -> Loaded:
        """The settings and where they came from, read at first use."""
        if self._loaded is None:
            from holdfast.settings import load

            self._loaded = load(self.flags())
        return self._loaded

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.loaded.settings

    @property
    def actor(self) -> str:
        """Who acts: `--as`, else the operating system's user."""
        return self.choices.actor or system_user()

    def flags(self) -> Flags:
        """Return what the command line says about settings.

        Raises:
            Refused: A `--set` is not `section.key=value`.
        """
        from holdfast.settings import Flags

        values = {}
        for text in self.choices.values:
            name, equals, value = text.partition("=")
            if not equals:
                raise Refused(
                    f"--set {text!r} is not a setting.",
                    next_step="Write it as --set section.key=value.",
                )
            values[name.strip()] = value.strip()
        return Flags(self.choices.data, self.choices.config, values)

    def choose(self, values: Mapping[str, object]) -> None:
        """Let options of the command set these settings, as flags do."""
        shown = (
            f"{name}={' '.join(value) if isinstance(value, list) else value}"
            for name, value in values.items()
        )
        self.choices = replace(self.choices, values=(*self.choices.values, *shown))
        self._loaded = None

    def instant(self, text: str) -> datetime:
        """Read a date, or a date with a time, in the user's zone.

        Raises:
            Refused: It is neither.
        """
        try:
            read = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise Refused(
                f"{text!r} is not a date.", next_step="Write 2024-03-15 or 2024-03-15T10:30."
            ) from error
        return read if read.tzinfo else read.replace(tzinfo=self.settings.zone)

    @contextmanager
    def archive(self) -> Iterator[Services]:
        """Open the archive for the length of the block.

        Raises:
            NotFound: There is no archive in the data folder.
        """
        from holdfast.wiring.archive import open_archive

        with open_archive(self.settings, self.actor) as services:
            yield services


def system_user() -> str:
    """Return the operating system's user; the environment is not asked, for it can say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return f"uid-{os.getuid()}"

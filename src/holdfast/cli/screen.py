"""Print: results on standard output, notes on standard error; the only module that writes there.

Whatever is printed passes `safe_text`, so no command can forget it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from holdfast.cli.safe_text import is_safe, safe_block, safe_json, safe_line

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

ACCENT = "bold cyan"
QUIET = "dim"
GOOD = "green"
BAD = "bold red"
WARNING = "yellow"
MARKED = "bold yellow"
PIPE_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    is_number: bool = False
    style: str = ""
    ratio: int = 0
    """Share of the width that is left; 0: as wide as its content."""
    min_width: int = 0


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    # What another program reads is neither cut nor wrapped to the width of a screen.
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


@dataclass(slots=True)
class Screen:
    """Standard output and standard error of one command."""

    messages: Mapping[str, str] = field(default_factory=dict)
    """English template → translation; what is missing stays English."""
    language: str = "en"
    """Of what failures say; see `told`."""
    out: Console = field(default_factory=lambda: _console(sys.stdout))
    err: Console = field(default_factory=lambda: _console(sys.stderr))

    def words(self, template: str, /, **facts: object) -> str:
        """Return the message in the user's language, with its facts filled in."""
        return self.messages.get(template, template).format(**facts)

    def told(self, text: str) -> str:
        """Return the cause or the next step of a failure in the user's language."""
        if self.language == "en":
            return text
        from holdfast.core.error_texts import translated

        return translated(text, self.language)

    def retold(self, text: str) -> str:
        """Return a failure that was kept as one text, cause and next step, in that language."""
        if self.language == "en":
            return text
        from holdfast.core.error_texts import retold

        return retold(text, self.language)

    def counted(self, count: int, one: str, many: str) -> str:
        """Return the singular message, or the plural one with its `count` filled in."""
        return self.words(one) if count == 1 else self.words(many, count=amount(count))

    def result(self, template: str = "", /, *, style: str = "", **facts: object) -> None:
        """Print a line of the result."""
        self.show(styled(self.words(template, **facts), style))

    def note(self, template: str = "", /, *, style: str = QUIET, **facts: object) -> None:
        """Print a line that is about the result, not part of it."""
        self.err.print(styled(self.words(template, **facts), style))

    def warn(self, template: str, /, **facts: object) -> None:
        """Print a note that should not be overlooked."""
        self.note(template, style=WARNING, **facts)

    def hint(self, template: str, /, **facts: object) -> None:
        """Print a note that holds something to copy: it is never broken into lines."""
        self.err.print(styled(self.words(template, **facts), QUIET), soft_wrap=True)

    def show(self, *pieces: RenderableType) -> None:
        """Print what rich can render; text in it is made safe once more."""
        from rich.text import Text

        for piece in pieces:
            if isinstance(piece, str):
                piece = Text(safe_block(piece))
            elif isinstance(piece, Text) and not is_safe(piece.plain):
                piece = Text(safe_block(piece.plain), style=piece.style, spans=piece.spans)
            self.out.print(piece)

    def plain(self, text: str) -> None:
        """Print text that is neither wrapped nor coloured, for other programs."""
        self.out.print(safe_block(text), soft_wrap=True)

    def json(self, value: object) -> None:
        """Print one line of JSON."""
        self.out.print(safe_json(value), soft_wrap=True)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str | Text]]) -> None:
        """Print a table; cells that do not fit end in an ellipsis."""
        from rich.table import Table

        fills = self.out.width < PIPE_WIDTH and any(column.ratio for column in columns)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=fills)
        for column in columns:
            table.add_column(
                _cell(self.words(column.title)),
                justify="right" if column.is_number else "left",
                style=column.style,
                header_style=QUIET,
                ratio=(column.ratio or None) if fills else None,
                min_width=column.min_width or None,
                no_wrap=True,
                overflow="ellipsis",
            )
        for row in rows:
            table.add_row(*(_cell(cell) for cell in row))
        self.out.print(table)

    def facts(self, pairs: Iterable[tuple[str, str | Text]]) -> None:
        """Print names and values, one pair a line."""
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(style=QUIET, no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in pairs:
            table.add_row(_cell(self.words(name)), _cell(value))
        self.out.print(table)

    def title(self, template: str, /, **facts: object) -> None:
        """Print the heading of a part of the result."""
        self.show(styled(self.words(template, **facts), ACCENT))


def _cell(cell: str | Text) -> Text:
    from rich.text import Text

    if isinstance(cell, str):
        return Text(safe_line(cell))
    if is_safe(cell.plain) and "\n" not in cell.plain:
        return cell
    return Text(safe_line(cell.plain), style=cell.style, spans=cell.spans)


def styled(text: str, style: str = "", *, marks: Iterable[tuple[int, int]] = ()) -> Text:
    """Return safe text in a style; `marks` are ranges of characters to stand out."""
    from rich.text import Text

    shown = Text(safe_block(text), style=style)
    for start, end in marks:
        shown.stylize(MARKED, start, end)
    return shown


def amount(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}"


def size(size_bytes: float) -> str:
    """Return a size as people say it: `512 B`, `14.2 KB`, `1.3 GB` (powers of 1,000)."""
    if size_bytes < 1000:
        return f"{size_bytes:.0f} B"
    for unit in ("KB", "MB", "GB", "TB"):
        size_bytes /= 1000
        if size_bytes < 1000 or unit == "TB":
            break
    return f"{size_bytes:.{1 if size_bytes < 100 else 0}f} {unit}"

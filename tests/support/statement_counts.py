"""Counts the statements that an engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Engine


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Yield a list that gets every statement of the block."""
    run: list[str] = []

    def note(*arguments: Any) -> None:
        run.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", note)

"""Makes events of what libraries log, without a word of what clients sent; prints nothing.

Left alone, Python prints warnings of a library as they are: as lines that are no JSON, with the
words of whoever is at the other end in them. An event names what the library says in general (the
text before anything is put into it), and of an error its kind and where it was raised.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Report = Callable[[dict[str, object]], None]
_FRAMES = 8


@contextmanager
def libraries_told(report: Report, *names: str) -> Iterator[None]:
    """Report warnings and errors of these loggers, which print nothing meanwhile.

    Args:
        report: Is told `library.warning` or `library.error`, in the thread where it happens.
        names: Of loggers.
    """
    handler = _Told(report)
    loggers = [logging.getLogger(name) for name in names]
    before = [one.propagate for one in loggers]
    for one in loggers:
        one.addHandler(handler)
        one.propagate = False
    try:
        yield
    finally:
        for one, propagates in zip(loggers, before, strict=True):
            one.removeHandler(handler)
            one.propagate = propagates


class _Told(logging.Handler):
    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        is_error = record.levelno >= logging.ERROR
        about = {"event": "library.error" if is_error else "library.warning"}
        self._report({**about, "logger": record.name, "cause": str(record.msg), **_raised(record)})


def _raised(record: logging.LogRecord) -> dict[str, object]:
    """Name an error by its kind and place: its words may hold what somebody sent."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(one.filename).name}:{one.lineno} {one.name}" for one in frames]
    return {"error": type(error).__name__, "places": places}

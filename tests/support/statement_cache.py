"""Lets all databases that a process of tests opens share the statements that were compiled.

SQLAlchemy keeps compiled statements by engine, and tests open hundreds of engines that ask the
same: compiling them anew was half of the work of opening, reading and verifying a small archive.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, event

MOST = 4000
"""Statements that are kept; then all are let go, to bound memory."""


class Compiled(dict[Any, Any]):
    """Compiled statements by what they are, whichever engine they were compiled for."""

    def get(self, key: Any, default: Any = None) -> Any:
        """Return what was compiled for any engine of this kind."""
        return super().get(_for_any(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(_for_any(key), compiled)


def _for_any(key: Any) -> Any:
    """Replace the dialect, of which each engine has its own, by all that compiling asks of it."""
    dialect, *statement = key
    return (type(dialect), dialect.server_version_info, *statement)


def share_statements() -> None:
    """Give every connection from now on the cache of this process."""
    shared = Compiled()

    @event.listens_for(Engine, "engine_connect")
    def use(connection: Connection) -> None:
        connection.execution_options(compiled_cache=shared)

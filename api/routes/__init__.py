"""The routes of `/api/v1`, a module for each kind of thing; `ROUTERS` is the whole list."""

from __future__ import annotations

from holdfast.api.routes import (
    audit,
    contacts,
    exports,
    jobs,
    ledger,
    matters,
    records,
    search,
    sources,
    threads,
    users,
)

ROUTERS = (
    search.router,
    records.router,
    threads.router,
    contacts.router,
    sources.router,
    ledger.router,
    jobs.router,
    matters.router,
    exports.router,
    audit.router,
    users.router,
)

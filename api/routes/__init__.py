"""The routes of `/api/v1`, a module for each kind of thing; `ROUTERS` is the whole list."""

from __future__ import annotations

from holdfast.api.routes import (
    audit,
    bulk_metadata,
    contacts,
    disposals,
    embedding,
    exports,
    hooks,
    jobs,
    ledger,
    matters,
    policies,
    record_metadata,
    records,
    search,
    sources,
    teams,
    threads,
    users,
    webhooks,
)

ROUTERS = (
    search.router,
    records.router,
    threads.router,
    contacts.router,
    embedding.router,
    sources.router,
    ledger.router,
    jobs.router,
    matters.router,
    exports.router,
    record_metadata.router,
    bulk_metadata.router,
    policies.router,
    disposals.router,
    audit.router,
    users.router,
    teams.router,
    webhooks.router,
    hooks.router,
)

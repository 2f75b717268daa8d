"""Loads what worker processes need, and forks the process that they come from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.ingest.jobs.seedbed import Seedbed, Serve

_LOADED = (
    "holdfast.indexer.tantivy_index",
    "holdfast.ingest.jobs.crew",
    "holdfast.ingest.jobs.kinds",
    "holdfast.ingest.work",
    "holdfast.wiring.archive",
    "holdfast.wiring.outgoing",
    "holdfast.wiring.runs",
)


def seedbed(serve: Serve) -> Seedbed:
    """Return where workers that do this are started; to be called before anything is opened."""
    from holdfast.ingest.jobs.seedbed import Seedbed

    for name in _LOADED:
        import_module(name)
    return Seedbed(serve)

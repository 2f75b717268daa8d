"""Puts one archive together: the only place that picks implementations and opens them."""

from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.engines import SystemClock
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import (
    CATALOGUE,
    CHECKPOINT,
    INDEX,
    KEYRING,
    LOG,
    LOG_LOCK,
    SPOOL,
)
from holdfast.wiring.runs import (
    import_paths,
    parser_pool,
    rebuild_index,
    sync_sources,
    watch_folder,
)

__all__ = [
    "CATALOGUE",
    "CHECKPOINT",
    "INDEX",
    "KEYRING",
    "LOG",
    "LOG_LOCK",
    "SPOOL",
    "Services",
    "SystemClock",
    "create_archive",
    "import_paths",
    "open_archive",
    "parser_pool",
    "rebuild_index",
    "sync_sources",
    "watch_folder",
]

"""Names what an archive keeps where, in its data folder and beside its keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.wiring.engines import archive_id

if TYPE_CHECKING:
    from sqlalchemy import Engine

SPOOL = "spool"
KEYRING = "keyring.json"
CHECKPOINT = "checkpoint"
"""Copy of the last checkpoint, beside the keyring: it tells when the log was cut or rolled back."""
LOG_LOCK = "log.lock"


def log_origin(engine: Engine) -> str:
    """Name the log for good: what the archive is called in the settings may change."""
    return f"holdfast/{archive_id(engine)}"

"""Names what an archive keeps where, in its data folder and beside its keyring."""

from __future__ import annotations

CATALOGUE = "catalogue.sqlite3"
FOUNDING_LOCK = "founding.lock"
INDEX = "index"
LOG = "log"
LOG_LOCK = "log.lock"
SPOOL = "spool"
EXPORTS = "exports"
"""What unfinished exports need; empty when none is under way."""
PACKAGES = "packages"
"""Exports that were made through the service, to be taken from there; mail in clear."""
KEYRING = "keyring.json"
CHECKPOINT = "checkpoint"
"""Copy of the last checkpoint, beside the keyring: it tells when the log was cut or rolled back."""

"""Names all kinds of jobs, without what doing them takes: the help of a command is quick."""

from __future__ import annotations

NAMES = (
    "sequence", "anchor", "index", "process", "webhook", "sync", "settle", "remind", "verify",
    "backfill", "import",
)  # fmt: skip
"""The most urgent first."""

"""Messages about anchors of the audit log; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {}

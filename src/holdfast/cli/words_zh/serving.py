"""Messages about the service; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {}

"""Messages about tags, notes and other metadata; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {}

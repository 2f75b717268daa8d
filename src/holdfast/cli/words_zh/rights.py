"""Messages about users, keys, teams and scopes; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {}

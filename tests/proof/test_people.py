"""Links, merges, splits and their undoing in any order: 20,000 steps against plain counting."""

from __future__ import annotations

from collections.abc import Callable

from catalogue_kit import Homes
from home_fixtures import databases, homes, shared_postgres
from people_kit import run_people

__all__ = ["databases", "homes", "shared_postgres"]
STEPS_EACH = 30
EXAMPLES = 700


def test_contacts_are_as_if_what_was_undone_had_never_been(
    homes: Homes, report: Callable[..., None]
) -> None:
    report(steps=run_people(homes, EXAMPLES, STEPS_EACH), examples=EXAMPLES)

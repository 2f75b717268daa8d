"""Which retention rules there may be, and which changes of them shorten; runs no statement.

A floor keeps what it matches for at least so many days; a ceiling lets it be disposed of once so
many days have passed. Neither of them destroys anything: see `decisions` and `disposal`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.core.errors import Refused
from holdfast.core.query import EVERYTHING, NOTHING, And, Or
from holdfast.core.rules import Kind, Rule

if TYPE_CHECKING:
    from holdfast.core.query import Node

DAY_MS = 86_400_000
MOST_DAYS = 36_500
"""A hundred years: what lasts longer is a rule to keep for ever, which needs none."""
DELAY_MS = 72 * 3_600_000
"""A change that shortens is in force so long after a second person approved of it (F57)."""


def retired(rule: Rule, version: int) -> Rule:
    """Return the version that ends a policy."""
    return Rule(rule.policy_id, version, rule.name, rule.kind, 0, NOTHING, rule.citation)


def check_rule(kind: str, days: int) -> Kind:
    """Return the kind.

    Raises:
        Refused: The kind is unknown, or the days are not from 1 to `MOST_DAYS`.
    """
    if kind not in tuple(Kind):
        raise Refused(f"{kind!r} is no kind of policy.", next_step="Give floor or ceiling.")
    if not 1 <= days <= MOST_DAYS:
        raise Refused(f"A policy lasts 1 to {MOST_DAYS} days.", days=days)
    return Kind(kind)


def shortens(before: Rule | None, after: Rule) -> bool:
    """Tell whether something may go earlier by the new version than by the one before.

    Judged by form, and when in doubt it does: another query may match less, whatever it says.
    """
    if before is None or before.is_retired:
        return after.kind is Kind.CEILING and not after.is_retired
    if before.kind is not after.kind:  # a floor that is gone, or a ceiling that is
        return before.kind is Kind.FLOOR
    if after.is_retired:
        return after.kind is Kind.FLOOR
    if after.days < before.days:
        return True
    if after.kind is Kind.FLOOR:
        return not _covers(after.node, before.node)
    return not _covers(before.node, after.node)


def _covers(wide: Node, narrow: Node) -> bool:
    """Tell whether one query matches, by its form, all that the other one does."""
    if wide in (narrow, EVERYTHING):
        return True
    if isinstance(wide, Or) and narrow in wide.children:
        return True
    return isinstance(narrow, And) and wide in narrow.children

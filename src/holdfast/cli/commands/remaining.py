"""Says what is left in the vault of what a disposal destroyed; removes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.cli.screen import amount

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.governance.remains import Remains

PARTIAL = 3
"""Something stays that only time, or whoever keeps the store, can remove."""


def tell_remains(session: Session, left: Remains) -> None:
    """Print what is left and why, nothing where all is gone."""
    from holdfast.cli.commands.disposing import when

    screen, count = session.screen, amount(left.originals)
    if left.is_on_hold:
        screen.warn(
            "Not all is gone: {count} originals lie in objects of which {locked} are locked, by a "
            "legal hold of the store too. No key opens them.",
            count=count,
            locked=amount(left.locked),
        )
    elif left.locked and left.until is not None:
        screen.warn(
            "Not all is gone: {count} originals lie in objects of which the store has locked "
            "{locked} until {when}. No key opens them; 'holdfast compact' removes them after that.",
            count=count,
            locked=amount(left.locked),
            when=when(session, int(left.until.timestamp() * 1000)),
        )
    elif left.segments:
        screen.note(
            "{count} originals, which no key opens, go with the next 'holdfast compact'.",
            count=count,
        )

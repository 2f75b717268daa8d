"""`hold release|approve|withdraw`: end a hold, which takes two persons and a delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.hold_shown import say_what_goes, value_of
from holdfast.cli.persons import By, Code, PasswordFile, Proof, person_of
from holdfast.cli.screen import GOOD
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.cli.session import Session
    from holdfast.retention.release import Step

_HOLD = typer.Argument(metavar="HOLD", help="A hold: its name, or hld_….", show_default=False)
_STATUSES = (0, 1, 2, 4, 5, 7)


def register(group: typer.Typer) -> None:
    """Add the commands to the group of holds."""
    add(group, "release", release, ReleaseOptions, _STATUSES)
    add(group, "approve", approve, StepOptions, _STATUSES)
    add(group, "withdraw", withdraw, StepOptions, _STATUSES)


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """Options of `hold release`."""

    hold: Annotated[str, _HOLD]
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = ""
    dry_run: Annotated[
        bool, flag("--dry-run", text="Say what would become deletable; ask for nothing.")
    ] = False
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


@dataclass(frozen=True, slots=True)
class StepOptions:
    """Options of `hold approve` and `hold withdraw`."""

    hold: Annotated[str, _HOLD]
    dry_run: Annotated[
        bool, flag("--dry-run", text="Say what would become deletable; change nothing.")
    ] = False
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def release(session: Session, options: ReleaseOptions) -> None:
    """Ask for the release of a hold; another person must approve it."""
    from holdfast.retention.release import ask

    def step(person_id: int) -> Step:
        return ask(person_id, options.reason)

    _take(session, options, "ask", step)


def approve(session: Session, options: StepOptions) -> None:
    """Approve a release that somebody else asked for; the hold ends after the delay."""
    from holdfast.retention.release import approve as approval

    def step(person_id: int) -> Step:
        return approval(person_id, session.settings.governance.release_delay_days)

    _take(session, options, "approve", step)


def withdraw(session: Session, options: StepOptions) -> None:
    """Take a release back, approved or not, while the hold has not ended."""
    from holdfast.retention.release import withdraw as withdrawal

    _take(session, options, "withdraw", lambda _: withdrawal())


def _take(
    session: Session,
    options: ReleaseOptions | StepOptions,
    act: str,
    step: Callable[[int], Step],
) -> None:
    from holdfast.storage.governance.holds import find_hold
    from holdfast.storage.governance.releasing import change_release, freed_by

    proof = Proof(options.by, options.password_file, options.code)
    with session.archive() as services:
        store = services.store
        hold = find_hold(store, options.hold)
        taken = step(person_of(session, services, proof, Action.RELEASE))
        if options.dry_run:
            taken(hold.release, store.now_ms())
        else:
            hold = change_release(store, hold.id, act, taken)
        freed, now_ms = freed_by(store, hold.id), store.now_ms()
    if options.as_json:
        shown = {**value_of(hold, now_ms), "held": freed.held, "held_by_no_other": freed.free}
        session.screen.json({"schema": "holdfast.hold/1", **shown})
        return
    if not options.dry_run:
        _say_done(session, act, hold.name)
    say_what_goes(session, hold, freed, now_ms)
    if act == "ask" and not options.dry_run:
        session.screen.hint(
            "Next, by another person: holdfast hold approve {id} --by LOGIN", id=hold.public
        )


def _say_done(session: Session, act: str, name: str) -> None:
    screen = session.screen
    if act == "ask":
        screen.result("The release of {name} is asked for.", style=GOOD, name=name)
    elif act == "approve":
        screen.result("The release of {name} is approved.", style=GOOD, name=name)
    else:
        screen.result("The release of {name} is withdrawn.", style=GOOD, name=name)

"""`disposal except|review|approve|execute|withdraw`: the acts of a disposal, each by a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.remaining import PARTIAL, tell_remains
from holdfast.cli.persons import By, ClockChecked, Code, PasswordFile, Proof, person_of
from holdfast.cli.screen import GOOD, amount
from holdfast.core.rights import Action

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.governance.disposals import KeptDisposal
    from holdfast.wiring.archive import Services

_STATUSES = (0, 1, 2, 4, 5, 7)
_DISPOSAL = Annotated[str, typer.Argument(metavar="DISPOSAL", help="A disposal (dsp_…).")]
_AsJson = Annotated[bool, flag("--json", text="Print JSON.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    add(group, "except", except_one, ExceptOptions, _STATUSES)
    add(group, "review", review, ActOptions, _STATUSES)
    add(group, "approve", approve, ApproveOptions, _STATUSES)
    add(group, "execute", execute, ExecuteOptions, (*_STATUSES, PARTIAL))
    add(group, "withdraw", withdraw, ActOptions, _STATUSES)


@dataclass(frozen=True, slots=True)
class ExceptOptions:
    """Options of `disposal except`."""

    disposal: _DISPOSAL
    id: Annotated[str, typer.Argument(metavar="ID", help="An item of it (msg_…).")]
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it stays.")]
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""


def except_one(session: Session, options: ExceptOptions) -> None:
    """Leave one message out of a disposal, with a reason; its digest stays as it is."""
    from holdfast.core.identity import row_id
    from holdfast.retention.disposal import except_item

    with session.archive() as services:
        _person(session, services, options, Action.DISPOSE)
        disposal, item = row_id("dsp", options.disposal), row_id("msg", options.id)
        except_item(services.store, disposal, item, options.reason)
    session.screen.result("{id} stays.", style=GOOD, id=options.id)


def _person(session: Session, services: Services, options: Any, action: Action) -> int:
    proof = Proof(options.by, options.password_file, options.code)
    return person_of(session, services, proof, action)


@dataclass(frozen=True, slots=True)
class ActOptions:
    """Options of `disposal review` and `disposal withdraw`."""

    disposal: _DISPOSAL
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    as_json: _AsJson = False


def review(session: Session, options: ActOptions) -> None:
    """Say that you have looked at what would go; without that nothing can be approved."""
    from holdfast.core.identity import row_id
    from holdfast.retention import disposal

    with session.archive() as services:
        asked = disposal.Asked(_person(session, services, options, Action.DISPOSE))
        kept = disposal.review(services.store, row_id("dsp", options.disposal), asked)
        _print(session, services, kept, as_json=options.as_json)


def withdraw(session: Session, options: ActOptions) -> None:
    """Give a disposal up, as long as nothing of it has gone."""
    from holdfast.core.identity import row_id
    from holdfast.retention import disposal

    with session.archive() as services:
        _person(session, services, options, Action.DISPOSE)
        kept = disposal.withdraw(services.store, row_id("dsp", options.disposal))
        _print(session, services, kept, as_json=options.as_json)


def _print(session: Session, services: Services, kept: KeptDisposal, *, as_json: bool) -> None:
    from holdfast.cli.commands.disposals import print_disposal
    from holdfast.storage.governance.disposals import states_of

    counts = states_of(services.store, kept.id)
    print_disposal(session, kept, counts, as_json=as_json)


@dataclass(frozen=True, slots=True)
class ApproveOptions:
    """Options of `disposal approve`."""

    disposal: _DISPOSAL
    manifest: Annotated[
        str, typer.Option("--manifest", metavar="HEX", help="The digest of what you approve.")
    ]
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    clock_checked: ClockChecked = False
    as_json: _AsJson = False


def approve(session: Session, options: ApproveOptions) -> None:
    """Approve, as a second person, exactly what the digest names; it cools off before it goes."""
    from holdfast.core.identity import row_id
    from holdfast.retention import disposal

    with session.archive() as services:
        person = _person(session, services, options, Action.APPROVE)
        asked = disposal.Asked(person, is_clock_checked=options.clock_checked)
        hours = services.settings.governance.cooling_off_hours
        wanted = row_id("dsp", options.disposal)
        kept = disposal.approve(services.store, wanted, asked, options.manifest, hours)
        _print(session, services, kept, as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class ExecuteOptions:
    """Options of `disposal execute`."""

    disposal: _DISPOSAL
    by: By = ""
    password_file: PasswordFile = None
    code: Code = ""
    clock_checked: ClockChecked = False
    dry_run: Annotated[bool, flag("--dry-run", text="Only show what would become of it.")] = False
    as_json: _AsJson = False


def execute(session: Session, options: ExecuteOptions) -> int:
    """Destroy what was approved and nothing keeps now, clear it out of every file, certify it.

    Each message is asked once more, by itself: what a hold or a floor keeps by now is blocked. An
    interrupted execution goes on where it was. Where the store has locked what holds destroyed
    originals, they are without a key, and the command says until when they stay.
    """
    from holdfast.cli.progress import Counter as Bar
    from holdfast.core.identity import row_id
    from holdfast.retention.disposal import Asked
    from holdfast.storage.governance.disposals import disposal_of
    from holdfast.storage.governance.remains import remains_of
    from holdfast.wiring import disposing

    with session.archive() as services:
        wanted = row_id("dsp", options.disposal)
        total, ends = disposal_of(services.store, wanted).items, Counter[str]()
        if options.dry_run:
            _foresee(session, services, wanted, as_json=options.as_json)
            return 0
        person = _person(session, services, options, Action.DISPOSE)
        asked = Asked(person, is_clock_checked=options.clock_checked)
        with Bar(session.screen, "Destroying") as bar:

            def count(state: str) -> None:
                ends[state] += 1
                bar.show(ends.total(), total)

            kept = disposing.execute(services, wanted, asked, count)
        left = remains_of(services.store, wanted)
        _print(session, services, kept, as_json=options.as_json)
    tell_remains(session, left)
    return PARTIAL if left.locked else 0


def _foresee(session: Session, services: Services, disposal_id: int, *, as_json: bool) -> None:
    from holdfast.retention.disposal import foreseen

    ends = foreseen(services.store, disposal_id)
    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.disposal-foreseen/1", "states": dict(ends)})
        return
    for state, count in sorted(ends.items()):
        screen.result("{count} would be {state}.", count=amount(count), state=screen.words(state))
    screen.note("Nothing was changed.")


def when(session: Session, ms: int | None) -> str:
    """Return an instant in the user's zone; a dash for none."""
    from datetime import UTC, datetime

    from holdfast.cli.lists import when as shown

    if ms is None:
        return "–"
    return shown(datetime.fromtimestamp(ms / 1000, UTC), session.settings.zone)

"""`doctor`: examine archive and host, and heal the index; originals are for `verify`."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import BAD, GOOD, QUIET, WARNING, styled

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.ingest.doctor import Answer

FAILED = 1
_NAME_WIDTH = 12
_STATE_WIDTH = 9
_STYLES = {"ok": GOOD, "healed": GOOD, "warning": WARNING, "bad": BAD}


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "doctor", doctor, DoctorOptions)


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """Options of `doctor`."""

    dry_run: Annotated[bool, flag("--dry-run", text="Look only; heal nothing.")] = False
    as_json: Annotated[bool, flag("--json", text="Print a JSON line for each answer.")] = False


def doctor(session: Session, options: DoctorOptions) -> int:
    """Examine libraries, keys, disk, jail, ledger and log; bring the index up to date.

    Ends with 1 when something is bad. A warning is said and ends with 0.
    """
    from holdfast.ingest.doctor import Patient, State, examine
    from holdfast.wiring.vouching import issuer_of

    settings, status = session.settings, 0
    with session.archive() as services:
        places = (settings.data, settings.keys_folder)
        issuer = issuer_of(settings)
        silent_s = settings.smtp.silent_s
        patient = Patient(services.desk, *places, services.anchoring, issuer, silent_s)
        for answer in examine(patient, heals=not options.dry_run):
            _print(session, answer, as_json=options.as_json)
            if answer.state is State.BAD:
                status = FAILED
    return status


def _print(session: Session, answer: Answer, *, as_json: bool) -> None:
    from holdfast.cli.lists import fitted

    screen, state = session.screen, answer.state.value
    if as_json:
        shown = {"examined": answer.examined, "state": state, "seen": answer.seen}
        screen.json({"schema": "holdfast.doctor/1", **shown, "next_step": answer.next_step})
        return
    line = styled("").append_text(fitted(screen.words(state), _STATE_WIDTH, _STYLES[state]))
    line.append_text(fitted(screen.words(answer.examined), _NAME_WIDTH, "bold"))
    indent = " " * (_STATE_WIDTH + _NAME_WIDTH)
    width = max(screen.out.width - len(indent), 30)
    if screen.language == "zh":
        width //= 2  # a Han character takes two columns
    first, *rest = textwrap.wrap(screen.told(answer.seen), width) or [""]
    line.append_text(styled(first))
    screen.show(line)
    for more in rest:
        screen.show(indent + more)
    for more in textwrap.wrap(screen.told(answer.next_step), width):
        screen.show(styled(indent + more, QUIET))

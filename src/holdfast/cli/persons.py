"""Says which person acts, once they have proved who they are; keeps nothing of what they gave."""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.core.errors import Refused
from holdfast.core.rights import ROLES, Action, Forbidden

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.wiring.archive import Services

By = Annotated[
    str, typer.Option("--by", metavar="LOGIN", help="The user who acts.", show_default=False)
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File whose first line is the password; else it is asked for.",
        show_default=False,
    ),
]
Code = Annotated[
    str,
    typer.Option(
        "--code", metavar="DIGITS", help="Of the second factor, if it is on.", show_default=False
    ),
]
ClockChecked = Annotated[
    bool,
    typer.Option(
        "--clock-checked",
        metavar="",
        help="You have compared this machine's clock with another one.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Proof:
    """What the options say of who acts."""

    login: str
    password_file: Path | None
    code: str


def person_of(session: Session, services: Services, proof: Proof, action: Action) -> int:
    """Return the person behind a user who proved to be it, and whose role has the action.

    Raises:
        Refused: Nobody was named, or the password cannot be asked for.
        SignInRefused: Not proven.
        Forbidden: The role does not have the action.
    """
    from holdfast.storage.rights.signing_in import authenticate

    if not proof.login:
        raise Refused("Nobody was named who does this.", next_step="Say who: --by LOGIN.")
    password = _password(session, proof)
    user = authenticate(services.store, proof.login, password, proof.code)
    if action not in ROLES[user.role]:
        raise Forbidden(
            f"The role {user.role.value} may not do this: {action.value}.",
            next_step="Ask somebody whose role may.",
            action=action.value,
        )
    return user.person_id


def _password(session: Session, proof: Proof) -> str:
    from holdfast.cli.commands.secret_lines import first_line

    if proof.password_file is not None:
        return first_line(proof.password_file)
    if not sys.stdin.isatty():
        raise Refused(
            "Nobody can be asked for the password here.", next_step="Give --password-file."
        )
    return getpass.getpass(session.screen.words("Password of {login}: ", login=proof.login))


def confirmed(session: Session, *, is_sure: bool) -> bool:
    """Tell whether the person goes on after reading what was shown.

    Raises:
        Refused: Nobody can be asked here.
    """
    if is_sure:
        return True
    if not sys.stdin.isatty():
        raise Refused(
            "Nobody can be asked here whether to go on.",
            next_step="Read what was shown, then repeat with --yes.",
        )
    return typer.confirm(session.screen.words("Go on?"), err=True)

"""`user password|totp|link`: how users prove who they are; takes no secret from an argument."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.secret_lines import asked_twice, can_ask, first_line
from holdfast.cli.commands.user_words import LOGIN, user_value
from holdfast.cli.screen import GOOD
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.screen import Screen
    from holdfast.cli.session import Session

_GENERATED_BYTES = 18


def register(group: typer.Typer) -> None:
    """Add the commands to the group of users."""
    add(group, "password", password, PasswordOptions)
    add(group, "totp", totp, TotpOptions, (0, 1, 2, 4, 5, 7))
    add(group, "link", link, LinkOptions, (0, 1, 2, 4, 5, 7))


@dataclass(frozen=True, slots=True)
class Given:
    """A new password, and whether it is to be shown."""

    password: str = field(repr=False)
    is_made: bool = False
    """By us: nobody knows it yet."""

    @property
    def shown(self) -> dict[str, str]:
        """What JSON shows of it."""
        return {"password": self.password} if self.is_made else {}

    def tell(self, screen: Screen) -> None:
        """Show it if nobody knows it yet."""
        if self.is_made:
            screen.result("Password: {password}", password=self.password)
            screen.note("It is shown this once. Let its owner change it.")


def new_password(
    session: Session, file: Path | None, *, generates: bool, is_optional: bool = False
) -> Given:
    """Take a password from a file, make one, or ask for it.

    Raises:
        Refused: Both are wanted, or neither and nobody can be asked.
    """
    if file is not None and generates:
        raise Refused(
            "A password comes from a file or is made, not both.", next_step="Leave one out."
        )
    if generates:
        return Given(secrets.token_urlsafe(_GENERATED_BYTES), is_made=True)
    if file is not None:
        return Given(first_line(file))
    typed = asked_twice(session.screen) if can_ask() else ""
    if not typed and not is_optional:
        raise Refused(
            "There is no password.", next_step="Type one, or give --password-file or --generate."
        )
    return Given(typed)


@dataclass(frozen=True, slots=True)
class PasswordOptions:
    """Options of `user password`."""

    login: Annotated[str, LOGIN]
    password_file: Annotated[
        Path | None,
        typer.Option("--password-file", metavar="FILE", help="Its first line is the password."),
    ] = None
    generate: Annotated[bool, flag("--generate", text="Make a password and show it once.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def password(session: Session, options: PasswordOptions) -> None:
    """Give a user a new password: typed, from a file, or made. All their sessions end."""
    from holdfast.storage.rights.users import set_password, user_view

    with session.archive() as services:
        user_view(services.store, options.login)  # nobody types a password for nobody
        given = new_password(session, options.password_file, generates=options.generate)
        user = set_password(services.store, options.login, given.password)
    if options.as_json:
        session.screen.json({"schema": "holdfast.user/1", **user_value(user), **given.shown})
        return
    session.screen.result("{login} has a new password.", style=GOOD, login=user.login)
    given.tell(session.screen)


@dataclass(frozen=True, slots=True)
class TotpOptions:
    """Options of `user totp`."""

    login: Annotated[str, LOGIN]
    confirm: Annotated[
        str,
        typer.Option(
            "--confirm", metavar="CODE", show_default=False,
            help="A code that the user's device shows: ask for codes from now on.",
        ),
    ] = ""  # fmt: skip
    remove: Annotated[bool, flag("--remove", text="Ask for no codes any more.")] = False
    dry_run: Annotated[bool, flag("--dry-run", text="With --remove: change nothing.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def totp(session: Session, options: TotpOptions) -> None:
    """Set up a second factor: first make a secret for the user's device, then confirm a code."""
    from holdfast.storage.rights.totp import confirm_totp, remove_totp
    from holdfast.storage.rights.users import user_view

    screen = session.screen
    if options.remove and options.confirm:
        raise Refused("A code is not needed to remove it.", next_step="Leave one out.")
    if not options.remove and not options.confirm:
        _enrol(session, options)
        return
    with session.archive() as services:
        if options.dry_run:
            user = user_view(services.store, options.login)
        elif options.remove:
            user = remove_totp(services.store, options.login)
        else:
            user = confirm_totp(services.store, options.login, options.confirm)
    if options.as_json:
        screen.json({"schema": "holdfast.user/1", **user_value(user)})
    elif options.dry_run:
        screen.note("Nothing was changed.")
    elif options.remove:
        screen.result("{login} is asked for no code any more.", style=GOOD, login=user.login)
    else:
        screen.result("{login} is asked for codes from now on.", style=GOOD, login=user.login)


def _enrol(session: Session, options: TotpOptions) -> None:
    from holdfast.storage.rights.totp import enrol_totp

    with session.archive() as services:
        made = enrol_totp(services.store, options.login)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.totp/1", "secret": made.secret, "uri": made.uri})
        return
    screen.result("Secret: {secret}", secret=made.secret)
    screen.plain(made.uri)
    screen.note("It is shown this once.")
    screen.hint("Next: holdfast user totp {login} --confirm CODE", login=options.login)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Options of `user link`."""

    login: Annotated[str, LOGIN]
    issuer: Annotated[
        str, typer.Argument(metavar="[ISSUER]", help="URL of the OpenID Connect issuer.")
    ] = ""
    subject: Annotated[
        str, typer.Argument(metavar="[SUBJECT]", help="As whom the issuer knows the user (sub).")
    ] = ""
    remove: Annotated[bool, flag("--remove", text="Let nobody vouch for the user.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def link(session: Session, options: LinkOptions) -> None:
    """Let an OpenID Connect issuer vouch for a user; without a link its word counts nothing."""
    from holdfast.storage.rights.users import link_user

    if options.remove == bool(options.issuer):
        raise Refused("Link whom to what?", next_step="Give ISSUER and SUBJECT, or --remove.")
    with session.archive() as services:
        user = link_user(services.store, options.login, options.issuer, options.subject)
    if options.as_json:
        session.screen.json({"schema": "holdfast.user/1", **user_value(user)})
    else:
        session.screen.result("Changed {login}.", style=GOOD, login=user.login)

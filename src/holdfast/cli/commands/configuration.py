"""`config show` and `config check`; must not change a setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from holdfast.cli.command import NoOptions, add, flag
from holdfast.cli.screen import BAD, GOOD, Column
from holdfast.cli.session import Session
from holdfast.core.errors import Refused


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Show and check the settings.")
    add(group, "show", show, ShowOptions, (0, 2))
    add(group, "check", check, NoOptions, (0, 2))
    app.add_typer(group, name="config")


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `config show`."""

    origin: Annotated[bool, flag("--origin", text="Say where each value came from.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> None:
    """Show every setting with the value that is in force."""
    rows = [(name, value, session.loaded.origins[name]) for name, value in _values(session)]
    if options.as_json:
        settings = [{"name": n, "value": v, "origin": o} for n, v, o in rows]
        session.screen.json({"schema": "holdfast.config/1", "settings": settings})
    elif options.origin:
        columns = [Column("Setting"), Column("Value", ratio=1), Column("Origin", ratio=1)]
        session.screen.table(columns, [(n, _text(v), o) for n, v, o in rows])
    else:
        session.screen.table(
            [Column("Setting"), Column("Value", ratio=1)], [(n, _text(v)) for n, v, _ in rows]
        )


def _values(session: Session) -> list[tuple[str, object]]:
    from holdfast.settings import leaves

    settings = session.settings
    shown: dict[str, object] = dict(leaves(settings.model_dump(mode="json")))
    shown["keys.path"] = str(settings.keys_folder)
    shown["archive.zone"] = settings.zone.key
    shown["work.processes"] = settings.processes
    return list(shown.items())


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    return str(value)


def check(session: Session, _options: NoOptions) -> int:
    """Check the settings file and the environment; list everything that is wrong."""
    from holdfast.core.error_texts import told
    from holdfast.settings import secret

    screen = session.screen
    try:
        loaded = session.loaded
    except Refused as error:
        problems = error.facts.get("problems")
        for problem in problems if isinstance(problems, list) else [error.cause]:
            screen.result("{problem}", style=BAD, problem=screen.told(problem))
        return error.exit_status
    try:
        secret(loaded.settings.oidc, "client_secret")
    except Refused as error:
        screen.result("{problem}", style=BAD, problem=told(error, screen.language))
        return error.exit_status
    if loaded.file.exists():
        screen.result("{file}: every setting is known and valid.", style=GOOD, file=loaded.file)
    else:
        screen.result(
            "No settings file at {file}; the defaults are in force.", style=GOOD, file=loaded.file
        )
    return 0

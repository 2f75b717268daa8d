"""`versions`: what people added to a message, change by change; it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import Column

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.cli.session import Session
    from holdfast.storage.annotations.values import Difference, Metadata
    from holdfast.storage.annotations.versions import Version


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "versions", versions, VersionsOptions, (0, 1, 2, 4, 6, 7))


@dataclass(frozen=True, slots=True)
class VersionsOptions:
    """Options of `versions`."""

    id: Annotated[str, typer.Argument(metavar="ID", help="A message, as a search shows it.")]
    diff: Annotated[
        tuple[int, int] | None,
        typer.Option(
            "--diff", metavar="A B", help="What differs between two versions; 0: before the first."
        ),
    ] = None
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def versions(session: Session, options: VersionsOptions) -> None:
    """Show what people added to a message: every version, who made it, before and after."""
    from holdfast.cli.trail import note_reading
    from holdfast.core.identity import public_id
    from holdfast.storage.annotations.values import difference
    from holdfast.storage.annotations.versions import state_at, versions_of
    from holdfast.storage.catalogue.reading import find_interaction

    with session.archive() as services:
        found = find_interaction(services.store, options.id)
        made = versions_of(services.store, found)
        name = public_id("msg", found)
        note_reading(services, [(name, found)], "versions")
    if options.diff is not None:
        states = [state_at(made, number) for number in options.diff]
        _show_diff(session, name, difference(*states), as_json=options.as_json)
    elif options.as_json:
        shown = [_value(one) for one in made]
        session.screen.json({"schema": "holdfast.versions/1", "id": name, "versions": shown})
    elif made:
        _show(session, made)
    else:
        session.screen.note("Nobody has added anything to it.")


def _show(session: Session, made: Iterable[Version]) -> None:
    from holdfast.cli.lists import when

    zone = session.settings.zone
    rows = []
    for one in made:
        first = [str(one.number), when(_instant(one.changed_ms), zone), one.actor_name or one.actor]
        for change in one.changes:
            rows.append([*first, *_cells(session, change)])
            first = ["", "", ""]
    session.screen.table(
        [
            Column("Version", is_number=True),
            Column("When", style="dim"),
            Column("Who"),
            *_columns(),
        ],
        rows,
    )


def _columns() -> list[Column]:
    return [Column("Field"), Column("Before", ratio=1), Column("After", ratio=1)]


def _show_diff(session: Session, name: str, found: Iterable[Difference], *, as_json: bool) -> None:
    found = tuple(found)
    if as_json:
        shown = [_difference(one) for one in found]
        session.screen.json({"schema": "holdfast.difference/1", "id": name, "fields": shown})
    elif found:
        session.screen.table(_columns(), [_cells(session, one) for one in found])
    else:
        session.screen.note("Nothing differs.")


def _cells(session: Session, change: Difference) -> list[str]:
    return [_FIELDS.get(change.field, change.field), *(
        _cell(session, change.field, value) for value in (change.before, change.after)
    )]  # fmt: skip


_FIELDS = {"retain_from_ms": "retain_from"}


def _cell(session: Session, field: str, value: Any) -> str:
    if field == "notes":
        return "; ".join(note.text for note in value)
    if field == "retain_from_ms":
        return f"{_instant(value).astimezone(session.settings.zone):%Y-%m-%d}" if value else ""
    return value if isinstance(value, str) else ", ".join(value)


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _value(one: Version) -> dict[str, Any]:
    from holdfast.core.identity import public_id

    return {
        "version": one.number,
        "actor": one.actor_name or one.actor,
        "at": _stamp(one.changed_ms),
        "job": public_id("job", one.job_id) if one.job_id else None,
        "undoes": public_id("job", one.undoes) if one.undoes else None,
        "changes": [_difference(change) for change in one.changes],
        "state": _state(one.state),
    }


def _difference(one: Difference) -> dict[str, Any]:
    sides = {"before": _plain(one.field, one.before), "after": _plain(one.field, one.after)}
    return {"field": _FIELDS.get(one.field, one.field), **sides}


def _state(state: Metadata) -> dict[str, Any]:
    from holdfast.storage.annotations.values import FIELDS

    return {_FIELDS.get(name, name): _plain(name, getattr(state, name)) for name in FIELDS}


def _plain(field: str, value: Any) -> Any:
    if field == "notes":
        return [{"text": n.text, "actor": n.actor, "at": _stamp(n.at_ms)} for n in value]
    if field == "retain_from_ms":
        return _stamp(value) if value is not None else None
    return value


def _stamp(ms: int) -> str:
    return _instant(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")

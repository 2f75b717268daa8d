"""Checks the field map of a source when it is set; reads no event."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from holdfast.core.errors import Refused
from holdfast.parsers.chat.events.fields import FIELDS
from holdfast.parsers.chat.events.paths import PathWrong, steps_of

FieldPaths = Mapping[str, str | tuple[str, ...]]
"""A path, a text, or several of them, by the name of one of `FIELDS`."""
MAX_PATHS = 200


def checked_fields(fields: FieldPaths, zone: str, country: str) -> None:
    """Check what people write into settings.

    Raises:
        Refused: A field, a path, a zone or a calling code is none.
    """
    if unknown := sorted(fields.keys() - FIELDS.keys()):
        raise Refused(
            f"There is no field {', '.join(unknown)}.", next_step=f"Use {', '.join(FIELDS)}."
        )
    paths = [one for given in fields.values() for one in listed(given)]
    if len(paths) > MAX_PATHS:
        raise Refused(f"More than {MAX_PATHS} paths are given.")
    for one in paths:
        _check_path(one)
    if country and not (country.isascii() and country.isdigit() and len(country) <= 3):
        raise Refused(f"{country!r} is no calling code.", next_step="Give digits alone, as 86.")
    if zone:
        _check_zone(zone)


def _check_path(path: str) -> None:
    try:
        steps_of(path)
    except PathWrong as error:
        raise Refused(
            f"The path {path!r} cannot be read: {error}.", next_step="Write it as $.data.phone."
        ) from None


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Refused(
            f"There is no zone {zone!r}.", next_step="Use a name as Asia/Shanghai."
        ) from None


def listed(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return one or several paths as several."""
    return (given,) if isinstance(given, str) else given


def context_extra(fields: FieldPaths, more: Mapping[str, object]) -> Mapping[str, object]:
    """Return what the parser of mapped events needs, without what is empty."""
    paths: object = {name: [*listed(given)] for name, given in fields.items()}
    return {name: value for name, value in {"fields": paths, **more}.items() if value}

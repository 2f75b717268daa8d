"""Changes when a source runs and what it takes, for the command line and the API."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from holdfast.core.errors import Refused
from holdfast.ingest.folder.place import KIND as FOLDER
from holdfast.ingest.folder.place import read as read_folder
from holdfast.ingest.folder.place import written as written_folder
from holdfast.ingest.imap.account import KIND as MAILBOX
from holdfast.ingest.imap.account import read, written
from holdfast.ingest.imap.plan import Plan, read_plan, written_plan
from holdfast.storage.catalogue.source_schedule import change_account
from holdfast.storage.catalogue.unkept import forget_lifted

if TYPE_CHECKING:
    from holdfast.storage.catalogue.accounts import KeptAccount
    from holdfast.storage.store import Store


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes another; None: it stays. Names are those of the command line's options."""

    every: float | None = None
    watch: int | None = None
    late: float | None = None
    reconcile: float | None = None
    since: str | None = None
    until: str | None = None
    only: tuple[str, ...] | None = None
    without: tuple[str, ...] | None = None
    folder: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    drafts: str | None = None
    exact_sizes: bool | None = None
    settle: float | None = None
    keep: bool | None = None


_PLANNED = {
    "every": "every_s",
    "watch": "watches",
    "late": "late_s",
    "reconcile": "reconcile_s",
    "since": "since",
    "until": "until",
    "only": "people",
    "without": "strangers",
    "drafts": "drafts",
}
_PLACED = {"folder": "folders", "exclude": "excludes", "exact_sizes": "has_exact_sizes"}
_OF_FOLDERS = {"settle": "settle_s", "keep": "keeps"}
_OF_OTHERS = ("every", "late")
"""Of what comes by itself, or by a bridge."""


def change_source(store: Store, kept: KeptAccount, changes: Changes) -> dict[str, Any]:
    """Change a source; return all that can be changed of it, as it is now.

    Raises:
        Refused: Something is said that says nothing of a source of this kind, or cannot be.
        Conflict: Somebody else changed it since it was read.
    """
    if kept.kind == FOLDER:
        _refuse_foreign(kept, changes, _OF_FOLDERS)
        return _change_folder(store, kept, changes)
    if kept.kind == MAILBOX:
        _refuse_foreign(kept, changes, _PLANNED | _PLACED)
        return _change_mailbox(store, kept, changes)
    _refuse_foreign(kept, changes, dict.fromkeys(_OF_OTHERS))
    return _change_other(store, kept, changes)


def _refuse_foreign(kept: KeptAccount, changes: Changes, own: dict[str, Any]) -> None:
    """Refuse what says nothing of a source of this kind: it would be passed over silently."""
    given = {one.name for one in fields(changes) if getattr(changes, one.name) is not None}
    foreign = sorted(given - own.keys())
    if foreign:
        raise Refused(
            f"{foreign[0]!r} says nothing of the source {kept.name!r}, which is of kind "
            f"{kept.kind}.",
            next_step="See 'holdfast source list' for its kind, and leave the option out.",
        )


def _given(changes: Changes, names: dict[str, str]) -> dict[str, Any]:
    """Return what is said, under the names that it has where it is kept.

    An empty text in a list is no pattern: alone it lifts the rule, as nothing at all does.
    """
    said = {kept: getattr(changes, name) for name, kept in names.items()}
    return {
        kept: tuple(filter(None, value)) if isinstance(value, tuple) else value
        for kept, value in said.items()
        if value is not None
    }


def _change_folder(store: Store, kept: KeptAccount, changes: Changes) -> dict[str, Any]:
    before = read_folder(kept.settings)
    place = replace(before, **_given(changes, _OF_FOLDERS))
    if place != before:
        change_account(store, kept, {"settings": written_folder(place)})
    return {"path": place.path, "settle": place.settle_s, "keep": place.keeps}


def _change_other(store: Store, kept: KeptAccount, changes: Changes) -> dict[str, Any]:
    before = read_plan(kept.plan)
    plan = replace(before, **_given(changes, _PLANNED))
    if plan != before:
        change_account(store, kept, {"plan": written_plan(plan)})
    return {name: getattr(plan, _PLANNED[name]) for name in _OF_OTHERS}


def _change_mailbox(store: Store, kept: KeptAccount, changes: Changes) -> dict[str, Any]:
    before: tuple[Plan, Any] = read_plan(kept.plan), read(kept.settings)
    plan = replace(before[0], **_given(changes, _PLANNED))
    account = replace(before[1], **_given(changes, _PLACED))
    if (plan, account) != before:
        values = {"plan": written_plan(plan), "settings": written(account)}
        change_account(store, kept, values)
        forget_lifted(store, kept.source_id, plan.rules)
    return {
        one.name: getattr(plan, _PLANNED[one.name])
        if one.name in _PLANNED
        else getattr(account, _PLACED[one.name])
        for one in fields(changes)
        if one.name in _PLANNED | _PLACED
    }

"""What can be added to an interaction, how a change is applied and taken back; no statements."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from holdfast.core.errors import Refused
from holdfast.core.field_values import fold_value
from holdfast.core.query import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_TAG_CHARS = 100
MAX_LINK_CHARS = 2000
MAX_OWNER_CHARS = 200
MAX_TEXT_CHARS = 20_000
"""Of a note or a summary."""
MAX_EACH = 500
"""Tags, notes and links, each."""
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Keep(Enum):
    """Stands for no change where None is a value."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody noted."""

    text: str
    actor: str
    """Opaque id, as in the audit log."""
    at_ms: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What people have added to one interaction."""

    tags: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    links: tuple[str, ...] = ()
    """Addresses of pages, or ids of other records."""
    owner: str = ""
    summary: str = ""
    retain_from_ms: int | None = None
    """Retention counts from this instant instead of the time of receipt."""
    version: int = 0
    """Of the last change; 0 before the first. Other changes of the interaction are counted too."""


FIELDS = tuple(one.name for one in fields(Metadata) if one.name != "version")
_LISTS = ("tags", "notes", "links")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed; the rest stays."""

    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    add_notes: tuple[str, ...] = ()
    remove_notes: tuple[str, ...] = ()
    """By their texts."""
    add_links: tuple[str, ...] = ()
    remove_links: tuple[str, ...] = ()
    owner: str | None = None
    """Empty: nobody."""
    summary: str | None = None
    """Empty: none."""
    retain_from_ms: int | Keep | None = KEEP


NO_CHANGE = Change()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs between two states."""

    field: str
    before: Any
    after: Any


def difference(one: Metadata, other: Metadata) -> tuple[Difference, ...]:
    """Return what differs between two states of an interaction's metadata, field by field."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in FIELDS)
    return tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])


def checked(change: Change) -> Change:
    """Return the change with its texts cleaned.

    Raises:
        Refused: A text is empty, too long or not printable, or nothing is to be changed.
    """
    made = Change(
        add_tags=_cleaned(change.add_tags, "tag", MAX_TAG_CHARS),
        remove_tags=_cleaned(change.remove_tags, "tag", MAX_TAG_CHARS),
        add_notes=tuple(_text(one, "note") for one in change.add_notes),
        remove_notes=tuple(_text(one, "note") for one in change.remove_notes),
        add_links=_cleaned(change.add_links, "link", MAX_LINK_CHARS),
        remove_links=_cleaned(change.remove_links, "link", MAX_LINK_CHARS),
        owner=_line(change.owner, "owner", MAX_OWNER_CHARS) if change.owner else change.owner,
        summary=_text(change.summary, "summary") if change.summary else change.summary,
        retain_from_ms=change.retain_from_ms,
    )
    if made == NO_CHANGE:
        raise Refused("Nothing is to be changed.", next_step="Say what: a tag, a note …")
    return made


def _cleaned(texts: Iterable[str], what: str, most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_line(one, what, most) for one in texts))


def _line(text: str, what: str, most: int) -> str:
    line = _SPACE.sub(" ", text).strip()
    if not line or len(line) > most or _CONTROL.search(line):
        raise Refused(f"A {what} has 1 to {most} printable characters.", next_step="Write another.")
    return line


def _text(text: str, what: str) -> str:
    if not text.strip() or len(text) > MAX_TEXT_CHARS or _CONTROL.search(text):
        raise Refused(
            f"A {what} has 1 to {MAX_TEXT_CHARS} printable characters.",
            next_step="Write another.",
        )
    return text.strip()


def applied(before: Metadata, change: Change, actor: str, now_ms: int) -> Metadata:
    """Return the state after a change; the version is still that before.

    Tags are the same when search takes them for the same (`tag:`), whatever their case.

    Raises:
        Refused: There would be more than `MAX_EACH` of something.
    """
    notes = tuple(Note(text, actor, now_ms) for text in change.add_notes)
    after = replace(
        before,
        tags=_joined(before.tags, change.add_tags, change.remove_tags, _folded_tag),
        notes=(*(one for one in before.notes if one.text not in change.remove_notes), *notes),
        links=_joined(before.links, change.add_links, change.remove_links, str),
        owner=before.owner if change.owner is None else change.owner,
        summary=before.summary if change.summary is None else change.summary,
        retain_from_ms=(
            before.retain_from_ms
            if isinstance(change.retain_from_ms, Keep)
            else change.retain_from_ms
        ),
    )
    for name in _LISTS:
        if len(getattr(after, name)) > MAX_EACH:
            raise Refused(f"A message has at most {MAX_EACH} {name}.", next_step="Remove some.")
    return after


def _folded_tag(tag: str) -> str:
    return fold_value(Field.TAG, tag)


def _joined(
    kept: Iterable[str], added: Iterable[str], removed: Iterable[str], key: Callable[[str], str]
) -> tuple[str, ...]:
    gone = {key(one) for one in removed}
    found: dict[str, str] = {}
    for one in (*(one for one in kept if key(one) not in gone), *added):
        found.setdefault(key(one), one)
    return tuple(found.values())


def taken_back(before: Metadata, after: Metadata, now: Metadata) -> Metadata:
    """Return a later state without what one change did to it.

    What somebody else has changed since stays: of lists only what the change added goes and what it
    removed comes back; a single value goes back only where it is still the one that was set.

    Args:
        before: State before the change.
        after: State after it.
        now: The present state.
    """
    values: dict[str, Any] = {}
    for name in FIELDS:
        was, made, is_now = (getattr(one, name) for one in (before, after, now))
        if is_now == made:
            values[name] = was
        elif name in _LISTS:
            stays = [one for one in is_now if one in was or one not in made]
            back = [one for one in was if one not in made and one not in stays]
            values[name] = (*stays, *back)
    return replace(now, **values)


def is_taken_back(before: Metadata, after: Metadata, made: Metadata) -> bool:
    """Tell whether nothing of a change is left in what `taken_back` made."""
    return all(
        getattr(made, one.field) == one.before or one.field in _LISTS
        for one in difference(before, after)
    )


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One change as the row of its version keeps it."""

    act: int
    """Of one change, or of all changes of one job."""
    after: dict[str, Any]
    """Only the fields that changed, as `before`."""
    before: dict[str, Any]
    is_job: bool = False
    undoes: int = 0
    """The job that was taken back by it."""


class _Row(msgspec.Struct, frozen=True):
    metadata: Written


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(_Row).decode


def written(before: Metadata, after: Metadata, act: Act) -> str:
    """Return the text that a version's row keeps: the fields that changed, before and after."""
    differing = difference(before, after)
    row = Written(
        act=act.id,
        before={one.field: msgspec.to_builtins(one.before) for one in differing},
        after={one.field: msgspec.to_builtins(one.after) for one in differing},
        is_job=act.is_job,
        undoes=act.undoes,
    )
    return _encode(_Row(row)).decode()


@dataclass(frozen=True, slots=True)
class Act:
    """On what occasion changes are made."""

    id: int
    is_job: bool = False
    undoes: int = 0


def beginning_of(act_id: int) -> str:
    """Return how the texts of all changes of one act begin."""
    return f'{{"metadata":{{"act":{act_id},'


def is_written(text: str) -> bool:
    """Tell whether the row of a version is about metadata."""
    return text.startswith('{"metadata":')


def read_written(text: str) -> Written:
    """Read back what `written` made.

    Raises:
        msgspec.MsgspecError: It is not that.
    """
    return _decode(text).metadata


def after_change(state: Metadata, one: Written, version: int) -> Metadata:
    """Return the state that a kept change leads to.

    Raises:
        msgspec.MsgspecError: Its values are of another kind.
    """
    return _with(state, one.after, version)


def before_change(state: Metadata, one: Written) -> Metadata:
    """Return a state with what was there before the change; errors as `after_change`."""
    return _with(state, one.before, state.version)


def _with(state: Metadata, values: dict[str, Any], version: int) -> Metadata:
    known = {name: values[name] for name in FIELDS if name in values}
    changed = msgspec.convert(known, Metadata)
    return replace(state, **{name: getattr(changed, name) for name in known}, version=version)

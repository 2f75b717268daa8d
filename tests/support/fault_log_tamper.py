"""F43: alters the audit log as its owner could; tells whether it is named, and where."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Executable, delete, func, insert, select, update

from archive_kit import bring_in
from fault_mail import offering
from fault_tamper import findings_of
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import open_sqlite, writing
from holdfast.storage.catalogue.schema import audit_events
from holdfast.wiring.places import CATALOGUE

Statement = Callable[[int], Executable]
"""Made when the highest number of the log is known."""
_seq = audit_events.c.seq
_ASIDE = 10**9
OF_THE_LOG = ("The audit log was cut", "leaves, the catalogue")
"""What is said of a log that is shorter than it was, and of a catalogue that is."""


@dataclass(frozen=True, slots=True)
class Alteration:
    """What somebody does to the rows of the log, and the first number that is wrong then."""

    statements: tuple[Statement, ...]
    first_bad: Callable[[int], int]


def _moved(seq: int, to: int) -> Statement:
    return lambda top: update(audit_events).where(_seq == seq).values(seq=to)


def _forged(behind: int) -> Statement:
    row = {"id": 1, "kind": "capture", "subject_id": None, "salt": None, "leaf": b"{}"}
    return lambda top: insert(audit_events).values(**row, seq=top + behind)


ALTERATIONS: dict[str, Alteration] = {
    "edited": Alteration(
        (lambda top: update(audit_events).where(_seq == 5).values(leaf=b"{}"),), lambda top: 5
    ),
    "deleted": Alteration((lambda top: delete(audit_events).where(_seq == 7),), lambda top: 7),
    "swapped": Alteration((_moved(5, _ASIDE), _moved(9, 5), _moved(_ASIDE, 9)), lambda top: 5),
    "tail": Alteration(
        (lambda top: delete(audit_events).where(_seq > top - 3),), lambda top: top - 2
    ),
    "forged behind a gap": Alteration((_forged(100),), lambda top: top + 1),
    "forged as the next": Alteration((_forged(1),), lambda top: top + 1),
}


def alteration_is_named(copy: Settings, alteration: Alteration) -> None:
    """F43: alter rows of the log; the first bad number must be the first one that is named.

    Raises:
        AssertionError: The verification names no event, or another one first.
    """
    engine = open_sqlite(copy.data / CATALOGUE)
    with writing(engine) as connection:
        top = connection.scalar(select(func.max(_seq))) or 0
        for statement in alteration.statements:
            connection.execute(statement(top))
    engine.dispose()
    found = [one for one in findings_of(copy) if one.startswith("event seq ")]
    assert found, "no event is named"
    first = f"event seq {alteration.first_bad(top)}: "
    assert found[0].startswith(first), f"another one is named first: {found[0]}"


def older_parts_are_caught(copy: Settings, folder: Path, restored: tuple[str, ...]) -> None:
    """F43: put these parts back as they were before the last import, the checkpoint not with them.

    Raises:
        AssertionError: Nobody says that the log or the catalogue is shorter than it was.
    """
    older = folder / "older"
    shutil.copytree(copy.data, older)
    bring_in(copy, offering(folder / "more", 10, first=900).folder)
    for part in restored:
        place = copy.data / part
        if place.is_dir():
            shutil.rmtree(place)
            shutil.copytree(older / part, place)
        else:
            shutil.copy(older / part, place)
    found = findings_of(copy)
    said = [one for one in found if any(words in one for words in OF_THE_LOG)]
    assert said, f"nobody says that it is older: {found[:3]}"

"""Cards of people, and what an archive says of everybody, for tests of directories."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from holdfast.core.identity import row_id
from holdfast.ingest.directory.cards import Rules
from holdfast.ingest.directory.importing import Order, import_directory
from holdfast.ingest.directory.report import Problem, Report
from holdfast.settings import Settings
from holdfast.storage.catalogue.contact_fields import fields_in
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.identities import FORGOTTEN
from holdfast.storage.catalogue.schema import identities
from holdfast.storage.catalogue.sightings import joined_key
from holdfast.storage.directory.undoing import undo_directory
from holdfast.storage.store import Store
from holdfast.wiring.archive import open_archive


def vcard(*lines: str, version: str = "3.0") -> str:
    """Return one card of these lines."""
    return "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""))


@dataclass(frozen=True, slots=True)
class Someone:
    """One card of a property."""

    name: str
    addresses: tuple[str, ...]
    groups: tuple[str, ...] = ()
    title: str = ""

    def text(self) -> str:
        """Return the card."""
        lines = [f"FN:{self.name}"] if self.name else []
        lines += [f"{_name(one)}:{one}" for one in self.addresses]
        lines += [f"CATEGORIES:{','.join(self.groups)}"] if self.groups else []
        lines += [f"TITLE:{self.title}"] if self.title else []
        return vcard(*lines)


def _name(address: str) -> str:
    if "@" in address:
        return "EMAIL"
    return "TEL" if address.startswith("+") else "UID"


def write_cards(path: Path, cards: Iterable[str]) -> Path:
    """Write cards as one file."""
    path.write_bytes("".join(cards).encode())
    return path


def bring(store: Store, *paths: Path, trial: bool = False, overwrites: bool = False) -> Report:
    """Import the files."""
    return import_directory(Order(paths, Rules(), overwrites=overwrites, is_trial=trial), store)


def undo_in(settings: Settings, batch: str) -> None:
    """Take an import back, in an archive that nobody has open here."""
    with open_archive(settings, "tester") as services:
        undo_directory(services.store, row_id("bat", batch))


def problems_of(store: Store, path: Path, rules: Rules | None = None) -> list[Problem]:
    """Import a file and return everything that was not taken."""
    found: list[Problem] = []
    import_directory(Order((path,), rules or Rules()), store, on_problem=found.append)
    return found


def everybody(store: Store) -> set[tuple[frozenset[str], str]]:
    """Return the addresses of each contact, and all that is said of it."""
    with reading(store.engine) as connection:
        rows = connection.execute(select(identities).where(identities.c.kind != FORGOTTEN)).all()
    people: dict[int, set[str]] = {}
    for row in rows:
        if row.contact_id is not None:
            people.setdefault(row.contact_id, set()).add(joined_key(row.kind, row.value))
    return {(frozenset(keys), repr(fields_in(store, one)[0])) for one, keys in people.items()}

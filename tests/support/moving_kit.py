"""Archives to be backed up and moved, what they answer, and processes that die on the way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, event, select

from archive_kit import ACTOR, NOW, bring_in, findings, kept, message, opened, write_mbox
from holdfast.core.errors import Conflict
from holdfast.core.ports import SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.settings import Settings
from holdfast.storage.backup.manifest import Backup, find
from holdfast.storage.catalogue.engine import open_sqlite, reading, writing
from holdfast.storage.catalogue.merging import merge
from holdfast.storage.catalogue.migrations import upgrade
from holdfast.storage.catalogue.schema import contacts, metadata
from holdfast.storage.moving.tables import columns, moving_tables, rows
from holdfast.wiring.arrivals import catalogue, index_arrived
from holdfast.wiring.backups import BackedUp, KeyPlace, Restored, back_up_archive, restore_archive
from holdfast.wiring.migrating import Move, Moved, move_archive
from ready_programs import processes
from server_postgres import Server
from server_s3 import S3Server, vault_in

PASSPHRASE = "correct horse battery staple"
DEADLINE_S = 300.0
"""Against hanging only."""
QUERIES = (
    *(f"word{number}" for number in range(0, 12, 3)),
    "message",
    "subject:number",
    "from:sender3@example.com",
    "from:sender1@example.com body",
    '"the body of message"',
    "Ünïcödé OR 合同",
    "-word1 from:sender1@example.com",
    "wor*",
)
_PASSING = frozenset(
    {"index_versions", "writers", "audit_events", "audit_actors", "jobs", "clock_marks"}
)
"""Tables to which opening or indexing an archive adds."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What somebody sees of an archive: equal before and after."""

    rows: dict[str, list[tuple[Any, ...]]]
    originals: tuple[bytes, ...]
    found: tuple[tuple[int, ...], ...]
    findings: tuple[str, ...]


def fill(settings: Settings, folder: Path, numbers: range = range(12)) -> None:
    """Import messages, one of them in another script, one much longer than the others."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [message(number) for number in numbers]
    texts.append(message(1000 + numbers.start, body="Ünïcödé 合同 \N{GRINNING FACE}"))
    texts.append(message(2000 + numbers.start, body="long words " * 20_000))
    reply = ("In-Reply-To: <late@example.com>", "References: <early@example.com>")
    texts.append(message(3000 + numbers.start, headers=reply))
    bring_in(settings, write_mbox(folder / f"{numbers.start}.mbox", texts), custodian="Li Qiang")


def merge_two(settings: Settings) -> None:
    """Merge two contacts, the later one winning, so that a row refers to one behind it."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(contacts.c.id).order_by(contacts.c.id)).all()
        merge(services.store, ids[-1], ids[0])


def answers(settings: Settings) -> Answers:
    """Look at an archive from all sides."""
    with opened(settings) as services:
        services.desk.feed.drain()
        with reading(services.store.engine) as connection:
            held = {
                str(table.name): [
                    tuple(
                        value
                        for name, value in zip(columns(table), row, strict=True)
                        if name not in ("segment", "offset", "length")
                    )
                    for row in rows(connection, table)
                ]
                for table in moving_tables()
                if table.name not in _PASSING
            }
        found = tuple(
            tuple(
                hit.id
                for hit in services.index.search(
                    SearchRequest(
                        parse_query(text, now=NOW, zone=settings.zone).node,
                        Scope.whole_archive(ACTOR),
                        limit=500,
                    )
                ).hits
            )
            for text in QUERIES
        )
    wrong = tuple(f"{one.part} {one.name}: {one.cause}" for one in findings(settings))
    return Answers(held, tuple(kept(settings)), found, wrong)


def keys_of(settings: Settings) -> KeyPlace:
    """The archive's own keys, unsealed."""
    return KeyPlace(settings.keys_folder, lambda: PASSPHRASE)


def sealed_in(folder: Path, passphrase: str = PASSPHRASE) -> KeyPlace:
    """Keys sealed in a folder."""
    return KeyPlace(folder, lambda: passphrase)


def back_up_to(settings: Settings, folder: Path, keys: KeyPlace | None = None) -> BackedUp:
    """Make a backup as the command does."""
    return back_up_archive(settings, ACTOR, folder, keys, quiet)


def restore_to(settings: Settings, backup: Backup | Path, keys: KeyPlace) -> Restored:
    """Restore the newest backup of a folder, or this one, as the command does."""
    chosen = find(backup) if isinstance(backup, Path) else backup
    done = restore_archive(settings, chosen, keys, ACTOR, quiet)
    index_arrived(settings, ACTOR, lambda step, total: None)
    return done


def restore_from(settings: Settings, folder: Path, keys_folder: Path) -> None:
    """Restore the newest backup, in a process of its own."""
    restore_to(settings, folder, sealed_in(keys_folder))


def bring_up(path: Path) -> None:
    """Upgrade a catalogue, in a process of its own."""
    upgrade(open_sqlite(path))


def move_to(old: Settings, new: Settings) -> Moved:
    """Move an archive as the command does."""
    done = move_archive(moving(old, new), quiet)
    index_arrived(new, ACTOR, lambda step, total: None)
    return done


def moving(old: Settings, new: Settings) -> Move:
    """The move from one to the other."""
    return Move(old, new, f"--config {new.data.name}.toml", ACTOR)


def quiet(_stage: str, _done: int, _total: int, _size: int) -> None:
    """Show no progress."""


def on_engines(folder: Path, postgres: Server, s3: S3Server) -> Settings:
    """Settings with a fresh database and a fresh bucket."""
    database, bucket = postgres.empty_database(), s3.new_bucket()
    return Settings.model_validate(
        {
            "data": folder / "archive",
            "work": {"processes": 1},
            "catalogue": {"url": database.url, "password": database.password},
            "vault": vault_in(bucket),
        }
    )


def killed(act: Callable[[], object], statement: int) -> int:
    """Run the act in a process that dies, as `kill -9` does, before its n-th statement.

    It does not come from this one: threads of the engines' clients do not live through a fork.

    Returns:
        The exit status: 9 when it was killed, 0 when it came to its end before.
    """
    child = processes().Process(target=_die_at, args=(act, statement))
    child.start()
    child.join(DEADLINE_S)
    if child.exitcode not in (0, 9):
        child.kill()
        raise AssertionError(f"it ended with {child.exitcode}")
    return int(child.exitcode)


def moved_now_or_before(old: Settings, new: Settings) -> None:
    """Move the archive; all is well too where a move was killed behind its last step."""
    try:
        move_archive(moving(old, new), quiet)
    except Conflict as error:
        if not error.cause.startswith("The archive has moved to"):
            raise


def killed_on_the_way(act: Callable[[], object], first: int, more: int) -> Iterator[int]:
    """Run the act again and again, each time some statements further; yield after each death."""
    statement = first
    while killed(act, statement):
        yield statement
        statement += more


def _die_at(act: Callable[[], object], statement: int) -> None:
    steps = iter(range(statement))

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_: object) -> None:
        if next(steps, None) is None:
            os._exit(9)

    act()
    os._exit(0)


def wipe(settings: Settings, names: Sequence[str]) -> None:
    """Delete all rows of tables past the product."""
    with catalogue(settings) as engine, writing(engine) as connection:
        for name in names:
            connection.execute(delete(metadata.tables[name]))


def renamed(settings: Settings, name: str) -> Settings:
    """The same settings with another data folder beside the first."""
    return settings.model_copy(update={"data": settings.data.with_name(name)})

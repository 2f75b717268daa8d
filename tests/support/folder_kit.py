"""A watched folder for tests, through the product's own wiring, and what its results say."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive_kit import ACTOR, findings, kept, opened
from holdfast.ingest.folder.looking import Outlook
from holdfast.ingest.folder.place import KIND, WatchedFolder, written
from holdfast.ingest.folder.taking import Taken, take
from holdfast.ingest.readers.offers import portable
from holdfast.ingest.sources.bench import Bench
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account, find_account
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures
from holdfast.wiring.archive import open_archive
from holdfast.wiring.founding import create_archive
from holdfast.wiring.runs import parser_pool

SOURCE = "drop"


@dataclass(slots=True)
class Pause:
    """Notes how long it was asked to wait, and acts instead."""

    act: Any = None
    asked_s: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.asked_s.append(seconds)
        if self.act is not None:
            self.act()


@dataclass(frozen=True, slots=True)
class Dropping:
    """One folder that is watched, and the archive that takes from it."""

    settings: Settings
    folder: Path

    def put(self, name: str | bytes, raw: bytes) -> Path:
        """Drop a file whole, as a robot that renames does."""
        path = self.folder / os.fsdecode(name)
        fresh = self.folder / ".on-its-way"
        fresh.write_bytes(raw)
        fresh.rename(path)
        return path

    def take(
        self,
        outlook: Outlook | None = None,
        pause: Pause | None = None,
        progress: Callable[[object], None] = lambda counts: None,
    ) -> Taken:
        """Take what is there, as the command does; nobody sleeps."""
        with parser_pool(self.settings) as pool, open_archive(self.settings, ACTOR) as services:
            bench = Bench(services.desk, pool, services.spool, pause or Pause(), progress)
            account = find_account(services.store, SOURCE)
            return take(account, bench, outlook)

    def result(self, place: str) -> Any:
        """The result that lies there, below the folder."""
        return json.loads((self.folder / f"{place}.result.json").read_text("utf-8"))

    def results(self) -> list[Any]:
        """All results, wherever they lie."""
        found = sorted(self.folder.rglob("*.result.json"))
        return [json.loads(path.read_text("utf-8")) for path in found]

    def names(self, room: str = ".") -> set[str]:
        """Names in a folder below, without results, and without what is ours."""
        there = self.folder / room
        listed = {path.name for path in there.iterdir()} if there.is_dir() else set()
        return {name for name in listed if not name.endswith(".result.json")} - {
            ".holdfast", "done", "failed",
        }  # fmt: skip

    def captured(self) -> Counter[int]:
        """Originals → how often each was captured."""
        with opened(self.settings) as services, reading(services.store.engine) as connection:
            return Counter(connection.scalars(select(captures.c.original_id)))

    def kept(self) -> list[bytes]:
        """All originals."""
        return kept(self.settings)

    def findings(self) -> list[Any]:
        """What a full verification names."""
        return findings(self.settings)


def dropping(
    settings: Settings, folder: Path, *, settle_s: float = 0.0, keeps: bool = False
) -> Dropping:
    """Make a folder, and a source that watches it."""
    folder.mkdir(parents=True, exist_ok=True)
    create_archive(settings)
    place = WatchedFolder(portable(str(folder)), settle_s, keeps)
    with opened(settings) as services:
        new = NewAccount(SOURCE, KIND, place.identity, written(place), custodian="Ann")
        add_account(services.store, new, b"")
    return Dropping(settings, folder)

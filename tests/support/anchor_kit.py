"""Archives that are anchored, and somebody who owns the machine and the signing key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update

from archive_kit import opened, settings_in
from holdfast.ingest.anchoring import Outcome
from holdfast.settings import Settings
from holdfast.storage.anchoring.anchors import (
    EVENT,
    Anchor,
    anchor_digest,
    anchor_of,
)
from holdfast.storage.audit import Event, canonical_digest, event_row, record_events
from holdfast.storage.catalogue.engine import open_sqlite, reading, writing
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.storage.catalogue.schema import audit_events, metadata
from holdfast.storage.keyring import Keyring
from holdfast.storage.tlog_tiles import TileLog
from holdfast.storage.verify import Finding, Tally, Verification
from holdfast.storage.verifying.anchors import anchor_check
from holdfast.wiring.archive import Services
from holdfast.wiring.engines import log_origin
from holdfast.wiring.founding import create_archive
from holdfast.wiring.places import CATALOGUE, CHECKPOINT, KEYRING, LOG

SECRET, LATER_SECRET = "search", "merge"
"""Kinds of events that somebody wants to have never happened."""


def new_archive(folder: Path, **anchored: Any) -> Settings:
    """Make an archive with some events; what is given are settings of its anchors."""
    settings = settings_in(folder, anchors=anchored)
    create_archive(settings)
    happens(settings, "import", SECRET, "read", "read")
    return settings


def happens(settings: Settings, *kinds: str) -> None:
    """Let events happen, and number them."""
    with opened(settings) as services:
        store = services.store
        events = [
            Event(kind, "", None, store.now_ms(), store.actor, canonical_digest([kind]))
            for kind in kinds
        ]
        with writing(store.engine) as connection:
            record_events(connection, events, store.ids)
        services.desk.sequencer.run()


def tried(settings: Settings) -> list[Outcome]:
    """Anchor now, in all places that are set."""
    with opened(settings) as services:
        return services.anchoring.make(services.desk, services.anchoring.kinds)


def anchored(settings: Settings) -> list[Anchor]:
    """Anchor now; fail where a place does not work."""
    outcomes = tried(settings)
    assert [one.error for one in outcomes if one.error] == []
    made = [one.anchor for one in outcomes if one.anchor]
    assert made
    return made


def said(settings: Settings, *, looks_outside: bool = True) -> list[Finding]:
    """Verify as the command does; without looking outside it is the control."""
    with opened(settings) as services:
        also = (anchor_check(services.anchoring.places),) if looks_outside else ()
        return list(Verification(services.store, services.log, also=also).run(Tally()))


def without_anchors(settings: Settings) -> Settings:
    """The same archive, where nobody knows of places outside."""
    return settings.model_copy(update={"anchors": type(settings.anchors)()})


@contextmanager
def kept_aside(settings: Settings, folder: Path) -> Iterator[None]:
    """Put everything back as it was before the block: catalogue, log, and the folder of keys."""
    for place in (settings.data, settings.keys_folder):
        shutil.copytree(place, folder / place.name)
    yield
    for place in (settings.data, settings.keys_folder):
        shutil.rmtree(place)
        shutil.copytree(folder / place.name, place)


def rewrite(settings: Settings, *, keeps_anchors: bool, hidden: str = SECRET) -> None:
    """Make a history without some events, signed with the right key, that fits in every row.

    Args:
        settings: Of the archive, which must be closed.
        keeps_anchors: Rows of anchors are forged to fit; else they and their events are removed.
        hidden: Kind of the events that shall never have happened.
    """
    engine = open_sqlite(settings.data / CATALOGUE)
    forger = _Forger(settings, log_origin(engine))
    with reading(engine) as connection:
        events = connection.execute(select(audit_events).order_by(audit_events.c.seq)).all()
        kept = [anchor_of(row) for row in connection.execute(select(anchors))]
    with writing(engine) as connection:
        connection.execute(update(audit_events).values(seq=None))
        for event in events:
            is_gone = event.kind == hidden or (event.kind == EVENT and not keeps_anchors)
            where = audit_events.c.id == event.id
            if is_gone:
                _forget(connection, event.id)
                continue
            values = {"leaf": event.leaf, "salt": event.salt}
            if event.kind == EVENT:
                (old,) = (one for one in kept if one.id == event.subject_id)
                new = forger.forged(old)
                row = {"size": new.size, "root": new.root, "note": new.note}
                connection.execute(update(anchors).where(anchors.c.id == new.id).values(row))
                values = _event_again(event, new)
            seq = forger.add(values["leaf"])
            connection.execute(update(audit_events).where(where).values(**values, seq=seq))
        if not keeps_anchors:
            connection.execute(delete(anchors))
    engine.dispose()
    forger.put_in_place()


def _forget(connection: Connection, event_id: int) -> None:
    """Remove an event, and whatever is told about it elsewhere."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.references(audit_events.c.id):
                connection.execute(delete(table).where(column == event_id))
    connection.execute(delete(audit_events).where(audit_events.c.id == event_id))


class _Forger:
    """Writes a log of its own with the stolen key, and remembers every checkpoint of it."""

    def __init__(self, settings: Settings, origin: str) -> None:
        self._settings = settings
        self._folder = settings.data / "forged"
        signer = Keyring.open(settings.keys_folder / KEYRING).signing_key()
        TileLog.create(self._folder, signer, origin)
        self._log = TileLog(self._folder, signer, origin)

    def add(self, leaf: bytes) -> int:
        self._log.append([leaf])
        return self._log.size - 1

    def forged(self, old: Anchor) -> Anchor:
        """Make of an anchor one of this history."""
        now = self._log.checkpoint
        return replace(old, size=now.size, root=now.root, note=self._log.note)

    def put_in_place(self) -> None:
        shutil.rmtree(self._settings.data / LOG)
        self._folder.rename(self._settings.data / LOG)
        (self._settings.keys_folder / CHECKPOINT).write_bytes(self._log.note)


def _event_again(event: Any, anchor: Anchor) -> dict[str, Any]:
    told = msgspec.json.decode(event.leaf)
    about = (told["id"], event.subject_id, told["t"], told["actor"])
    row = event_row(Event(EVENT, *about, anchor_digest(anchor)), event.id)
    return {"leaf": row["leaf"], "salt": row["salt"]}


def rows(services: Services) -> list[Anchor]:
    """All anchors, oldest first."""
    with reading(services.store.engine) as connection:
        return [anchor_of(row) for row in connection.execute(select(anchors).order_by("id"))]

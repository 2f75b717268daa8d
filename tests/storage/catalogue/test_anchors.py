"""Rows of anchors on both databases: written with their event, found by kind."""

from __future__ import annotations

from sqlalchemy import select

from catalogue_kit import Home
from holdfast.core.identity import public_id
from holdfast.storage.anchoring.anchors import (
    Anchor,
    Cast,
    Kind,
    Stamped,
    anchor_digest,
    keep_anchor,
    list_anchors,
    newest,
    newest_made_ms,
    newest_token,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from holdfast.storage.checkpoint import Checkpoint
from holdfast.storage.store import Store
from holdfast.storage.verifying.report import events_of

NOTE = "a note, — signed".encode()


def cast(kind: Kind, size: int, stamped: Stamped | None = None, place: str = "here") -> Cast:
    return Cast(kind, place, Checkpoint("holdfast/one", size, bytes([size] * 32)), NOTE, stamped)


def filled(store: Store) -> list[Anchor]:
    return [
        keep_anchor(store, cast(Kind.TOKEN, 5, Stamped(b"first", 1_000))),
        keep_anchor(store, cast(Kind.WITNESS, 5)),
        keep_anchor(store, cast(Kind.TOKEN, 9, Stamped(b"second", 2_000))),
        keep_anchor(store, cast(Kind.WITNESS, 9, place="there")),
    ]


def test_rows_come_back_as_they_were_written_newest_first(home: Home) -> None:
    store = home.store()
    with reading(store.engine) as connection:
        assert newest_token(connection) is None
        assert newest_made_ms(connection) == {}
    made = filled(store)
    with reading(store.engine) as connection:
        assert list_anchors(connection, 10) == made[::-1]
        assert list_anchors(connection, 1) == made[-1:]


def test_newest_of_each_kind_and_place_is_found(home: Home) -> None:
    store = home.store()
    made = filled(store)
    with reading(store.engine) as connection:
        assert newest_token(connection) == made[2]
        assert newest(connection, Kind.WITNESS) == made[3]
        assert newest(connection, Kind.WITNESS, "here") == made[1]
        assert newest(connection, Kind.LOCK) is None
        ages = newest_made_ms(connection)
    assert ages == {"token": made[2].made_ms, "witness": made[3].made_ms}
    token = made[2]
    assert (token.token, token.stamped_ms, token.size, token.note) == (b"second", 2_000, 9, NOTE)


def test_event_commits_to_the_whole_row(home: Home) -> None:
    store = home.store()
    made = filled(store)
    with reading(store.engine) as connection:
        events = events_of(connection, ["anchor"])["anchor"]
        kinds = connection.scalars(select(audit_events.c.kind)).all()
    assert kinds == ["anchor"] * 4
    for one in made:
        (told,) = events[one.id]
        assert told.commits_to(anchor_digest(one))
        assert told.leaf.id == one.public_id == public_id("anc", one.id)

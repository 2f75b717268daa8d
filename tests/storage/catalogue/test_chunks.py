"""Whatever the values are, and however many, the rows that have them are found and no others."""

from __future__ import annotations

from sqlalchemy import select

from catalogue_kit import Home
from holdfast.storage.catalogue.chunks import ARRAY_CHUNK, by_value, insert_rows, insert_values
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import archive_facts, audit_events, index_queue

LARGEST = (1 << 63) - 1
TEXTS = [
    "",
    "0",
    "00",
    "1e3",
    "null",
    '"',
    "'",
    "\\",
    "\\u0041",
    "a\nb",
    "\x7f\x01",
    "é",
    "\U0001f600",
]
DIGESTS = [bytes(32), b"\0\xff" * 16, b'"' * 32, b"a" * 32, b"A" * 32]


def test_texts_of_any_kind_are_found(home: Home) -> None:
    engine = home.store().engine
    texts = [*TEXTS, "a\0b", "a\0c"] if engine.dialect.name == "sqlite" else TEXTS
    with writing(engine) as connection:
        insert_rows(
            connection, archive_facts, [{"name": one, "value": one} for one in [*texts, "another"]]
        )
    with reading(engine) as connection:
        for chosen in (texts, *([one] for one in texts)):
            rows = by_value(connection, select(archive_facts), archive_facts.c.name, chosen)
            assert sorted(row.value for row in rows) == sorted(chosen)


def test_bytes_of_any_kind_are_found(home: Home) -> None:
    engine = home.store().engine
    rows = [
        {"id": at, "kind": "x", "subject_id": None, "salt": one, "leaf": b"", "seq": None}
        for at, one in enumerate([*DIGESTS, b"b" * 32])
    ]
    with writing(engine) as connection:
        insert_rows(connection, audit_events, rows)
    with reading(engine) as connection:
        found = by_value(connection, select(audit_events), audit_events.c.salt, DIGESTS)
    assert sorted(row.salt for row in found) == sorted(DIGESTS)


def test_values_come_back_as_they_were_given(home: Home) -> None:
    engine = home.store().engine
    columns = ("id", "kind", "subject_id", "salt", "leaf", "seq")
    rows = [(1, "x", None, b"\0\xff", b"", None), (LARGEST, "", 2, b"", b"a", 0)]
    with writing(engine) as connection:
        insert_values(connection, audit_events, columns, rows)
        insert_values(connection, audit_events, columns, [])
    with reading(engine) as connection:
        query = select(*(audit_events.c[name] for name in columns))
        found = by_value(connection, query, audit_events.c.id, [1, LARGEST])
    assert sorted(map(tuple, found)) == rows


def test_more_numbers_than_one_array_takes_are_each_found_once(home: Home) -> None:
    engine = home.store().engine
    numbers = [LARGEST - at for at in range(ARRAY_CHUNK + 2)]
    queue = [{"interaction_id": one, "ticket": one} for one in numbers[1:]]
    with writing(engine) as connection:
        insert_rows(connection, index_queue, queue)
    with reading(engine) as connection:
        key = index_queue.c.interaction_id
        found = by_value(connection, select(index_queue), key, [*numbers, *numbers[:5]])
        assert by_value(connection, select(index_queue), key, []) == []
    assert sorted(row.ticket for row in found) == sorted(numbers[1:])

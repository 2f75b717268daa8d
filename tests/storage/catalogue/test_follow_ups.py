"""What somebody planned is due, until it is done or planned anew, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select, update

from catalogue_kit import Home
from chat_filing import ChatFiling, Item
from holdfast.core.records import Record
from holdfast.parsers.chat.values import Context
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.follow_ups import fallen_due, planned
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import batches, interactions
from holdfast.storage.store import Store

COLUMNS = {
    "时间": "at", "类型": "kind", "电话": "phone", "内容": "body", "下次跟进": "next_at",
    "编号": "id", "状态": "result", "负责人": "owner",
}  # fmt: skip
TENANT = "crm"


def row(day: str, body: str, due: str = "", kind: str = "拜访", **more: str) -> Item:
    """A row about one customer, by somebody of ours."""
    values = {
        "时间": day,
        "类型": kind,
        "电话": "13800138000",
        "内容": body,
        "负责人": "li",
        **more,
    }
    if due:
        values["下次跟进"] = due
    context = Context("visits", TENANT, zone="UTC", extra={"columns": COLUMNS})
    return Item("table.row", values, context)


def ms(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def due(store: Store, day: str) -> list[tuple[str, str]]:
    """Return what is due by then: the text, and the day."""
    found = planned(store, ms(day))
    known: dict[int, Record] = {
        one.id: one for one in records(store, [one.interaction_id for one in found])
    }
    return [
        (
            known[one.interaction_id].body.partition("\n")[0],
            f"{datetime.fromtimestamp(one.due_ms / 1000, UTC):%m-%d}",
        )
        for one in found
    ]


@pytest.fixture
def store(home: Home) -> Store:
    return home.store()


def test_plan_is_due_from_its_day_on_and_names_whom_it_is_about(store: Store) -> None:
    ChatFiling(store)(row("2024-03-05 10:00", "first", "2024-03-12"))
    assert due(store, "2024-03-11T23:59") == []
    assert due(store, "2024-03-12") == [("first", "03-12")]
    (found,) = planned(store, ms("2024-03-12"))
    (record,) = records(store, [found.interaction_id])
    assert set(found.contact_ids) < set(record.contact_ids)
    assert len(found.contact_ids) == 1
    assert found.owner == ""


@pytest.mark.parametrize(
    ("day", "kind", "is_left"),
    [
        ("2024-03-10 23:00", "通话", True),
        ("2024-03-11 09:00", "通话", False),
        ("2024-03-12 09:00", "拜访", False),
        ("2024-03-13 09:00", "消息", False),
        ("2024-03-13 09:00", "备注", True),
    ],
)
def test_it_is_done_once_people_were_in_touch(
    store: Store, day: str, kind: str, *, is_left: bool
) -> None:
    items = [row("2024-03-05 10:00", "first", "2024-03-12"), row(day, "later", kind=kind)]
    file = ChatFiling(store)
    for one in reversed(items):
        file(one)
    assert due(store, "2024-04-01") == ([("first", "03-12")] if is_left else [])


def test_visit_does_not_do_what_it_plans_for_the_same_day(store: Store) -> None:
    ChatFiling(store)(row("2024-03-05 10:00", "first", "2024-03-05 18:00"))
    assert due(store, "2024-03-06") == [("first", "03-05")]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_newest_plan_of_a_contact_counts_and_tasks_stand_side_by_side(
    store: Store, order: Sequence[int]
) -> None:
    items = [
        row("2024-03-05 10:00", "first", "2024-03-12"),
        row("2024-03-08 10:00", "second", "2024-03-20"),
        row("2024-03-01 10:00", "task", "2024-03-13", kind="任务", 状态="进行中"),
    ]
    file = ChatFiling(store)
    for at in order:
        file(items[at])
    assert due(store, "2024-03-15") == [("task", "03-13")]
    assert due(store, "2024-03-21") == [("task", "03-13"), ("second", "03-20")]


def test_row_that_is_imported_anew_says_what_counts_and_undoing_it_what_counted(
    store: Store,
) -> None:
    file = ChatFiling(store)
    first = row("2024-03-05 10:00", "first", "2024-03-12", 编号="7")
    file(first)
    file(first)
    assert due(store, "2024-03-12") == [("first", "03-12")]
    file(row("2024-03-05 10:00", "first", "2024-03-19", 编号="7"))
    assert due(store, "2024-03-12") == []
    assert due(store, "2024-03-19") == [("first", "03-19")]
    file(row("2024-03-05 10:00", "first", 编号="7"))
    assert due(store, "2024-04-01") == []
    for expected in ([("first", "03-19")], [("first", "03-12")]):
        with reading(store.engine) as connection:
            alive = select(batches.c.id).where(batches.c.undone_ms.is_(None))
            last = max(connection.scalars(alive))
        undo_batch(store, last)
        assert due(store, "2024-04-01") == expected


def test_done_task_is_not_due_and_what_cannot_be_read_is_said(store: Store) -> None:
    file = ChatFiling(store)
    file(row("2024-03-05 10:00", "open", "2024-03-12", kind="任务", 编号="1"))
    assert due(store, "2024-04-01") == [("open", "03-12")]
    file(row("2024-03-05 10:00", "open", "2024-03-12", kind="任务", 编号="1", 状态="已完成"))
    assert due(store, "2024-04-01") == []
    file(row("2024-03-05 10:00", "odd", "soon"))
    file(row("2024-03-05 10:00", "visited", "2024-03-12", 状态="已完成"))
    assert due(store, "2024-04-01") == [("visited", "03-12")]


def test_nobody_outside_who_is_known(store: Store) -> None:
    item = row("2024-03-05 10:00", "alone", "2024-03-12")
    item.value.pop("电话")
    ChatFiling(store)(item)
    (found,) = planned(store, ms("2024-04-01"))
    assert found.contact_ids == ()


def test_what_was_filed_before_such_dates_were_read_gets_them_when_it_comes_again(
    store: Store,
) -> None:
    file = ChatFiling(store)
    file(row("2024-03-05 10:00", "first", "2024-03-12"))
    with writing(store.engine) as connection:
        connection.execute(update(interactions).values(due_ms=None, parser_version=4))
    assert due(store, "2024-04-01") == []
    again = row("2024-03-05 10:00", "first", "2024-03-12")
    file(Item(again.form, dict(reversed(again.value.items())), again.context))
    assert due(store, "2024-04-01") == [("first", "03-12")]


def test_it_is_told_of_once_when_it_is_due_or_filed_too_late(store: Store) -> None:
    ChatFiling(store)(row("2025-12-20 10:00", "first", "2025-12-30"))  # filed on 1 January
    day = timedelta(days=1) // timedelta(milliseconds=1)

    def told(since: str, until: str) -> int:
        with reading(store.engine) as connection:
            return len(fallen_due(connection, ms(since), ms(until), 7 * day))

    assert told("2025-12-29", "2025-12-30") == 1
    assert told("2025-12-31", "2026-01-02") == 1
    assert told("2026-01-02", "2026-01-03") == 0
    assert told("2025-12-01", "2026-01-07") == 0


def test_plan_that_fell_due_of_late_is_told_of_only_if_none_is_newer(store: Store) -> None:
    """Whatever is due later or earlier than what is looked at counts as well."""
    file, day = ChatFiling(store), timedelta(days=1) // timedelta(milliseconds=1)
    file(row("2025-12-20 10:00", "first", "2025-12-30"))
    file(row("2025-12-19 10:00", "older", "2025-12-29", 电话="13900139000"))
    file(row("2025-12-21 10:00", "put off", "2026-02-01"))
    file(row("2025-12-22 10:00", "too long ago", "2025-12-22 12:00", 电话="13900139000"))
    with reading(store.engine) as connection:
        assert fallen_due(connection, ms("2025-12-28"), ms("2025-12-31"), 7 * day) == []
        (one,) = fallen_due(connection, ms("2025-12-21"), ms("2025-12-31"), 30 * day)
    assert one.due_ms == ms("2025-12-22T12:00")


def crm(form: str, value: Any, **more: Any) -> Item:
    return Item(form, value, Context("crm", zone="UTC", extra=more))


def test_open_tasks_of_hubspot_are_due_until_they_are_done(store: Store) -> None:
    def task(status: str, updated: str, **more: Any) -> Item:
        value = {
            "id": "1", "createdAt": "2024-03-01T00:00:00Z", "updatedAt": updated, **more,
            "properties": {"hs_timestamp": "2024-03-12T09:00:00Z", "hs_task_status": status,
                           "hs_task_subject": "call back", "hs_task_body": "call back"},
            "associations": {"contacts": {"results": [{"id": "151"}]}},
        }  # fmt: skip
        return crm("hubspot.activity", value)

    file = ChatFiling(store)
    file(task("NOT_STARTED", "2024-03-01T00:00:00Z"))
    assert due(store, "2024-03-13") == [("call back", "03-12")]
    assert len(planned(store, ms("2024-03-13"))[0].contact_ids) == 1
    file(task("COMPLETED", "2024-03-14T00:00:00Z"))
    file(task("IN_PROGRESS", "2024-03-10T00:00:00Z"))
    assert due(store, "2024-03-20") == []
    file(task("NOT_STARTED", "2024-03-15T00:00:00Z", archived=True))
    assert due(store, "2024-03-20") == []


@pytest.mark.parametrize(
    ("more", "is_due"),
    [
        ({}, True),
        ({"IsClosed": "true"}, False),
        ({"Status": "Completed"}, False),
        ({"CompletedDateTime": "2024-03-02T00:00:00.000Z"}, False),
        ({"IsDeleted": "true"}, False),
        ({"ActivityDate": ""}, False),
        ({"ActivityDate": "3/5/2024"}, False),
        ({"ActivityDate": "12.03.2024 noon"}, False),
    ],
)
def test_open_tasks_of_salesforce_are_due(
    store: Store, more: dict[str, str], *, is_due: bool
) -> None:
    task = {
        "Id": "00T5g00000AbCdEEAV", "WhoId": "0035g00000XyZabAAB", "Subject": "call back",
        "ActivityDate": "2024-03-12", "Status": "Not Started", "OwnerId": "0055g000001AbcDAAS",
        "Description": "call back", "IsDeleted": "false", "IsClosed": "false",
        "CreatedDate": "2024-03-01T00:00:00.000Z", "TaskSubtype": "Task", **more,
    }  # fmt: skip
    raw = ",".join(f'"{one}"' for one in task.values())

    class Line(Item):
        @property
        def raw(self) -> bytes:
            return raw.encode()

    headers = [one.lower() for one in task]
    context = Context("salesforce", zone="UTC", extra={"headers": headers, "encoding": "utf-8"})
    ChatFiling(store)(Line("salesforce.task", {}, context))
    assert bool(due(store, "2024-03-13")) is is_due
    with reading(store.engine) as connection:
        query = select(interactions.c.kind, interactions.c.defects)
        assert [row.kind for row in connection.execute(query)] == ["task"]

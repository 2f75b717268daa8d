"""Changed items become records; a reader that breaks the promise is caught."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat_fuzz import SYSTEMS, fuzz, samples_of
from holdfast.core.kinds import Kind
from holdfast.core.records import Parsed
from holdfast.parsers.chat.forms import FormItem, parse_form


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_changed_items_become_records(system: str) -> None:
    done = fuzz(samples_of(*SYSTEMS[system]), 1500, seed=20_26_11)
    assert done.problems == []
    assert done.inputs == 1500
    assert 0 < done.unread < done.inputs  # some are damaged beyond reading, and not all
    assert done.inputs - done.unread > 50


def raising(form: str, item: FormItem) -> Parsed:
    record = parse_form(form, item)
    if record.kind is Kind.UNKNOWN:
        raise ValueError("a reader that raises")
    return record


def surrogate(form: str, item: FormItem) -> Parsed:
    record = parse_form(form, item)
    return replace(record, body="\ud800") if record.defects else record


class Changing:
    """A reader that remembers, as none may."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, form: str, item: FormItem) -> Parsed:
        self.count += 1
        return replace(parse_form(form, item), subject=str(self.count))


@pytest.mark.parametrize("reader", [raising, surrogate, Changing()])
def test_broken_reader_is_caught(reader: object) -> None:
    done = fuzz(samples_of("teams-graph"), 2000, seed=1, reader=reader)  # type: ignore[arg-type]
    assert done.problems

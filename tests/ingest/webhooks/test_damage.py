"""Damaged requests and contents: every answer is one of ours, and every record keeps its promises.

A short round; `tests/proof/test_hooks.py` runs the full one.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.records import Parsed
from holdfast.ingest.webhooks.checking import json_object
from holdfast.ingest.webhooks.registry import Vendor
from holdfast.ingest.webhooks.request import Denied, Deny, Handshake, Reply, Request, Taken
from holdfast.parsers.chat.events.paths import MAX_STEPS, PathWrong, found_at, steps_of
from holdfast.parsers.chat.forms import FormItem, parse_form
from hook_fuzz import CONTEXT, FORMS, Parse, problem_of, request_problem, targets
from hook_kit import CASES, NOW, SECRET, Case, posted, taken

TARGETS = targets()
SHORT = 150


@pytest.mark.parametrize("name", TARGETS)
def test_damage_breaks_no_promise(name: str) -> None:
    chance = random.Random(f"{name} 1")
    found = {TARGETS[name](chance) for _ in range(SHORT)}
    assert found == {""}


def _half_characters(form: str, item: FormItem) -> Parsed:
    return replace(parse_form(form, item), subject="\ud83d")


def _local_times(form: str, item: FormItem) -> Parsed:
    return replace(parse_form(form, item), sent_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the bug


def _growing_texts(form: str, item: FormItem) -> Parsed:
    return replace(parse_form(form, item), body="x" * 100_000)


@pytest.mark.parametrize("broken", [_half_characters, _local_times, _growing_texts])
def test_a_parser_that_breaks_a_promise_is_found_out(broken: Parse) -> None:
    assert problem_of("hook.event", b"{}", broken)


@pytest.mark.parametrize(
    "case",
    [one for one in CASES if one.covers_body and one.name != "teams"],
    ids=lambda case: case.name,
)
def test_a_handler_that_looks_at_no_signature_is_found_out(case: Case) -> None:
    def take(request: Request, _settings: Any) -> Taken:
        """Take whatever comes, as its own clear text."""
        event = taken(case.handle(case.good())).events[0]
        return Taken((replace(event, raw=request.body, opened=b""),), Reply(200))

    broken = replace(case, vendor=Vendor(case.name, type(case.settings), take))
    chance = random.Random(f"{case.name} 1")
    assert {request_problem(broken, chance) for _ in range(SHORT)} != {""}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("form", FORMS)
@given(content=st.binary(max_size=200))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_bytes_are_a_record(form: str, content: bytes) -> None:
    assert problem_of(form, content) == ""
    again = parse_form(form, FormItem(content, CONTEXT))
    assert again == parse_form(form, FormItem(content, CONTEXT))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(body=st.binary(max_size=200), headers=st.dictionaries(st.text(), st.text(), max_size=3))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_any_request_has_an_answer(case: Case, body: bytes, headers: dict[str, str]) -> None:
    assert isinstance(case.handle(posted(body, NOW, headers)), Denied)
    signed = case.handle(case.signed(body, NOW, SECRET))
    assert isinstance(signed, Denied | Handshake | Taken)


@given(content=st.binary(max_size=300))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_any_body_is_an_object_or_is_denied(content: bytes) -> None:
    denied = 0
    try:
        assert isinstance(json_object(content), dict)
    except Deny as deny:
        denied = deny.denied.status
    assert denied in (0, 400)


@given(path=st.text(alphabet="$.[]*'\"ab0 ", max_size=30), value=JSON)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_path_finds_something_or_nothing(path: str, value: object) -> None:
    assert isinstance(found_at(value, path), list)
    with suppress(PathWrong):
        assert len(steps_of(path)) <= MAX_STEPS

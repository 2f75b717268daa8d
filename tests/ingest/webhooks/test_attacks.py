"""F34, F35: what no vendor would send is refused, and a handler without a check is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from holdfast.ingest.webhooks.checking import MAX_DEPTH, MAX_INFLATED_BYTES
from holdfast.ingest.webhooks.request import Denied, Outcome, Reply, Request, Taken, content_key
from hook_checks import (
    attacks_are_refused,
    bomb,
    bomb_costs_little,
    secrets_are_compared_in_constant_time,
)
from hook_kit import (
    CASES,
    CLOCK,
    NOW,
    SECRET,
    SHAPE,
    SIGNING,
    TYPE,
    Case,
    deep,
    inflating,
    let_in,
    moved,
    signed_hmac,
    taken,
    with_header,
)

BY_NAME = {case.name: case for case in CASES}
each_case = pytest.mark.parametrize("case", CASES, ids=BY_NAME)


@each_case
def test_a_good_request_is_taken(case: Case) -> None:
    (event,) = taken(case.handle(case.good())).events
    assert (event.opened or event.raw) == case.content
    assert event.key


@each_case
def test_f34_every_attack_is_refused(case: Case) -> None:
    attacks_are_refused(case)


@pytest.mark.parametrize(
    "case", [one for one in CASES if one.name != "teams"], ids=lambda one: one.name
)
def test_f34_secrets_are_compared_in_constant_time(case: Case) -> None:
    secrets_are_compared_in_constant_time(case)


@each_case
def test_f34_just_inside_the_window_is_taken(case: Case) -> None:
    for seconds in (case.window_s - 1, 1 - case.window_s):
        taken(case.handle(moved(case.good(), seconds if case.name != "teams" else 0)))


def without_signature_check(case: Case) -> Callable[[Request], Outcome]:
    """Sign whatever comes, as if nobody looked."""

    def broken(request: Request) -> Outcome:
        outcome = case.handle(request)
        is_caught = isinstance(outcome, Denied) and outcome.code.startswith("signature_")
        return case.handle(case.good()) if is_caught else outcome

    return broken


def without_clock(case: Case) -> Callable[[Request], Outcome]:
    return lambda request: case.handle(replace(request, now=NOW))


def without_type_check(case: Case) -> Callable[[Request], Outcome]:
    right = case.good().headers["content-type"]
    return lambda request: case.handle(with_header(request, "content-type", right))


def without_bounds(case: Case) -> Callable[[Request], Outcome]:
    def broken(request: Request) -> Outcome:
        outcome = case.handle(request)
        is_caught = isinstance(outcome, Denied) and outcome.code == "malformed"
        return Taken((), Reply(200)) if is_caught else outcome

    return broken


@each_case
@pytest.mark.parametrize(
    ("breaks", "attacks"),
    [
        (without_signature_check, SIGNING),
        (without_clock, CLOCK),
        (without_type_check, TYPE),
        (without_bounds, SHAPE),
    ],
)
def test_f34_a_handler_without_the_check_is_found_out(
    case: Case, breaks: Callable[[Case], Callable[[Request], Outcome]], attacks: tuple[str, ...]
) -> None:
    found = let_in(case, breaks(case))
    if case.name == "generic-bearer" and attacks is CLOCK:
        assert found == {}  # nothing in such a request tells when it was made
    else:
        assert found
        assert found.keys() <= set(attacks)


@each_case
def test_f34_an_event_that_is_sent_again_has_the_same_key(case: Case) -> None:
    requests = (case.good(), case.good(), moved(case.signed(case.content, NOW, SECRET), 1))
    keys = {taken(case.handle(one)).events[0].key for one in requests}
    (other,) = taken(case.handle(case.signed(case.other, NOW, SECRET))).events
    assert len(keys) == 1
    assert other.key not in keys


def test_f34_keys_of_what_was_sent_would_not_know_an_event_again() -> None:
    """What is sealed anew for each try has other bytes: the control of the test above."""
    sealed = [one for one in CASES if taken(one.handle(one.good())).events[0].opened]
    assert {one.name for one in sealed} == {"feishu-encrypted", "dingtalk-event", "wecom", "teams"}
    for case in sealed:
        assert len({content_key(case.good().body) for _ in range(2)}) == 2


@pytest.mark.parametrize("case", [one for one in CASES if one.is_json], ids=lambda one: one.name)
def test_f35_json_as_deep_as_allowed_is_not_refused_for_its_depth(case: Case) -> None:
    outcome = case.handle(case.signed(deep(MAX_DEPTH - 1), NOW, SECRET))
    assert not isinstance(outcome, Denied) or outcome.code != "malformed"


def test_compressed_bodies_are_taken_by_the_generic_hook_alone() -> None:
    for case in CASES:
        request = with_header(case.good(), "content-encoding", "gzip")
        outcome = case.handle(request)
        assert isinstance(outcome, Denied)
        assert outcome.status == (400 if case.name.startswith("generic") else 415)


def generic(body: bytes, coding: str = "gzip") -> Outcome:
    request = with_header(signed_hmac(body, NOW, SECRET), "content-encoding", coding)
    return BY_NAME["generic-hmac"].handle(request)


def test_an_inflated_body_is_the_content_and_the_sent_one_the_original() -> None:
    sent = inflating(10)
    (event,) = taken(generic(sent)).events
    assert event.raw == sent
    assert event.opened == b'{"a":"xxxxxxxxxx"}'


def test_f35_what_inflates_beyond_the_limit_is_refused() -> None:
    bomb = inflating(MAX_INFLATED_BYTES)
    assert len(bomb) < 20_000
    outcome = generic(bomb)
    assert isinstance(outcome, Denied)
    assert (outcome.status, outcome.code) == (413, "too_large")
    taken(generic(inflating(MAX_INFLATED_BYTES - 8)))


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (inflating(10) + b"more", "gzip"),
        (inflating(10)[:-1], "gzip"),
        (b"{}", "gzip"),
        (inflating(10), "deflate"),
    ],
    ids=["trailing", "cut", "plain", "other-coding"],
)
def test_what_is_not_one_whole_stream_is_refused(body: bytes, coding: str) -> None:
    outcome = generic(body, coding)
    assert isinstance(outcome, Denied)
    assert (outcome.status, outcome.code) == (400, "malformed")


def test_f35_a_bomb_costs_little() -> None:
    bomb_costs_little(BY_NAME["generic-hmac"].handle, bomb())


def test_f35_a_bomb_that_is_not_signed_is_not_even_inflated() -> None:
    request = replace(signed_hmac(b"{}", NOW, SECRET), body=inflating(MAX_INFLATED_BYTES))
    outcome = BY_NAME["generic-hmac"].handle(with_header(request, "content-encoding", "gzip"))
    assert isinstance(outcome, Denied)
    assert outcome.code == "signature_wrong"


def test_reasons_hold_no_secret_and_no_content() -> None:
    for case in CASES:
        assert SECRET not in repr(case.settings)
        assert "PRIVATE KEY" not in repr(case.settings)
        request = case.good()
        assert str(request.body) not in repr(request)

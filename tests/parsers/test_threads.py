"""Threads: the same whatever the order of arrival, whole, and free of circles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.threads import (
    SUBJECT_WINDOW,
    ThreadInput,
    ThreadNode,
    base_subject,
    is_reply_or_forward,
    thread,
)

START = datetime(2024, 3, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("Hello  World", "hello world"),
        ("Re: Hello", "hello"),
        ("RE: Fwd: FW: Re: Hello", "hello"),
        ("AW: WG: Hallo", "hallo"),
        ("SV: VS: Hej", "hej"),
        ("Re[2]: a", "a"),
        ("Re^3: a", "a"),
        ("Re(4): a", "a"),
        ("RE : a", "a"),
        ("回复：合同", "合同"),
        ("答复: 转发：Re: 合同", "合同"),
        ("回覆: 轉寄: 報價", "報價"),
        ("返信: 転送：見積", "見積"),
        ("自动答复: 会议", "会议"),
        ("Ｒｅ：x", "x"),
        ("[list] Re: [list] a", "a"),
        ("Re: [JIRA] (AB-1) a", "(ab-1) a"),
        ("a (fwd)", "a"),
        ("[only a tag]", "[only a tag]"),
        ("Re:", ""),
        ("", ""),
        ("Reply: a", "reply: a"),
        ("Research: a", "research: a"),
    ],
)
def test_base_subject(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@pytest.mark.parametrize("subject", ["Re: a", "[x] AW: a", "转发：a", "a (fwd)", "Re:", "İLT: a"])
def test_reply_is_told(subject: str) -> None:
    assert is_reply_or_forward(subject)


@pytest.mark.parametrize("subject", ["a", "[x] a", "Regarding: a", "", "a Re: b"])
def test_other_subject_is_no_reply(subject: str) -> None:
    assert not is_reply_or_forward(subject)


@given(st.text())
def test_base_subject_of_a_reply_is_that_of_the_message(subject: str) -> None:
    base = base_subject(subject)
    assert base_subject(f"Re: {subject}") == base
    assert base_subject(f"转发：{subject}") == base


def message(key: int, **facts: object) -> ThreadInput:
    facts = {"sent_at": START + timedelta(hours=key), "message_id": f"m{key}", **facts}
    return ThreadInput(key=key, **facts)  # type: ignore[arg-type]


def test_answers_follow_their_message_by_time() -> None:
    found = thread(
        [
            message(4, references=("m1", "m2")),
            message(3, references=("m1",)),
            message(2, in_reply_to=("m1",)),
            message(1),
        ]
    )
    assert found == [
        ThreadNode(1, 1, None, 0),
        ThreadNode(2, 1, 1, 1),
        ThreadNode(4, 1, 2, 2),
        ThreadNode(3, 1, 1, 1),
    ]


def test_answers_to_a_missing_message_are_one_thread() -> None:
    found = thread([message(1, references=("gone",)), message(2, references=("gone",))])
    assert [(node.thread, node.parent) for node in found] == [(1, None), (1, None)]


def test_nearest_known_reference_is_the_parent() -> None:
    found = thread([message(1), message(2, references=("m1", "gone"))])
    assert found[1] == ThreadNode(2, 1, 1, 1)


def test_thread_index_joins_where_references_do_not() -> None:
    found = thread([message(1, thread_index="ab"), message(2, thread_index="ab")])
    assert found[1] == ThreadNode(2, 1, 1, 1)


def test_loose_reply_joins_the_last_message_of_its_subject_within_the_window() -> None:
    found = thread(
        [
            message(1, subject="合同"),
            message(2, subject="回复：合同"),
            message(3, subject="合同"),
            message(4, subject="Re: 合同", sent_at=START + SUBJECT_WINDOW + timedelta(days=1)),
            message(5, subject="Re: 别的"),
            message(6, subject="Re: 别的", references=("x",)),
            message(7, subject="Re: 合同", sent_at=None),
        ]
    )
    assert {node.key: node.thread for node in found} == {1: 1, 2: 1, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7}


def test_references_in_a_circle_are_survived() -> None:
    found = thread(
        [
            message(1, references=("m2",)),
            message(2, references=("m3",)),
            message(3, references=("m1", "m3")),
        ]
    )
    assert {node.thread for node in found} == {1}
    assert len(found) == 3


def test_copies_with_one_message_id_are_one_thread() -> None:
    found = thread([message(1), message(2, message_id="m1"), message(3, references=("m1",))])
    assert {node.key: (node.thread, node.parent) for node in found} == {
        1: (1, None),
        2: (1, None),
        3: (1, 1),
    }


def test_chain_of_many_answers_is_walked_without_recursion() -> None:
    found = thread(message(n, in_reply_to=(f"m{n - 1}",)) for n in range(20_000))
    assert found[-1] == ThreadNode(19_999, 0, 19_998, 19_999)


NAMES = st.sampled_from(["", "a", "b", "c", "d", "e"])
INPUTS = st.lists(
    st.builds(
        ThreadInput,
        key=st.integers(0, 10_000),
        message_id=NAMES,
        in_reply_to=st.lists(NAMES, max_size=2).map(tuple),
        references=st.lists(NAMES, max_size=3).map(tuple),
        thread_index=st.sampled_from(["", "", "", "f0", "f1"]),
        subject=st.sampled_from(["", "x", "Re: x", "回复：y", "y"]),
        sent_at=st.one_of(
            st.none(), st.integers(0, 100).map(lambda days: START + timedelta(days=days))
        ),
    ),
    unique_by=lambda item: item.key,
    max_size=12,
)


@given(INPUTS, st.randoms())
def test_threads_do_not_depend_on_the_order_of_messages(items: list[ThreadInput], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(items)
    random.shuffle(shuffled)
    assert thread(shuffled) == thread(items)


@given(INPUTS)
def test_each_message_appears_once_below_its_parent_and_without_circles(
    items: list[ThreadInput],
) -> None:
    nodes = thread(items)
    assert sorted(node.key for node in nodes) == sorted(item.key for item in items)
    seen: dict[int, ThreadNode] = {}
    for node in nodes:
        if node.parent is None:
            assert node.depth == 0
        else:
            above = seen[node.parent]
            assert (node.depth, node.thread) == (above.depth + 1, above.thread)
        seen[node.key] = node


@given(INPUTS)
def test_messages_that_name_a_common_message_share_a_thread(items: list[ThreadInput]) -> None:
    threads = {node.key: node.thread for node in thread(items)}
    by_name: dict[str, set[int]] = {}
    for item in items:
        for name in {item.message_id, *item.in_reply_to, *item.references} - {""}:
            by_name.setdefault(name, set()).add(threads[item.key])
    assert all(len(found) == 1 for found in by_name.values())

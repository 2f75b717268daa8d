"""Ids: they only grow, no two writers share one, and people can type what they are shown."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.identity import EPOCH_MS, WRITERS, IdFactory, public_id, row_id

CLOCKS = st.lists(st.integers(EPOCH_MS - 5, EPOCH_MS + 5), min_size=1, max_size=60)
ROW_IDS = st.integers(0, 2**63 - 1)


@given(CLOCKS, st.integers(0, 3 * WRITERS))
def test_ids_grow_whatever_the_clock_does(stamps: list[int], writer: int) -> None:
    clock = iter(stamps)
    factory = IdFactory(writer, lambda: next(clock))
    taken = [factory.take() for _ in stamps]
    assert taken == sorted(set(taken))
    assert all(0 <= each < 2**63 for each in taken)


def test_two_writers_never_make_the_same_id_though_the_clock_stands_still() -> None:
    """More ids than one millisecond has room for, so that both borrow from the next."""
    first, second = (IdFactory(writer, lambda: EPOCH_MS + 1) for writer in (7, 8))
    taken = [factory.take() for _ in range(3000) for factory in (first, second)]
    assert len(set(taken)) == len(taken)


def test_threads_that_share_a_factory_never_get_the_same_id() -> None:
    """The clock gives way in the middle of each id, where another thread would come between."""

    def yielding() -> int:
        time.sleep(0)
        return EPOCH_MS + 1

    factory = IdFactory(1, yielding)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: [factory.take() for _ in range(250)], range(8)))
    assert len({one for ones in taken for one in ones}) == 8 * 250
    assert all(ones == sorted(ones) for ones in taken)


@given(ROW_IDS)
def test_shown_id_reads_back_however_it_was_typed(number: int) -> None:
    shown = public_id("msg", number)
    assert row_id("msg", f" {shown.upper()}\n") == row_id("msg", shown) == number


@given(st.lists(ROW_IDS, min_size=2, max_size=2, unique=True))
def test_shown_ids_sort_as_ids_do(numbers: list[int]) -> None:
    low, high = sorted(numbers)
    assert public_id("msg", low) < public_id("msg", high)


@given(st.text(max_size=3), st.text("0123456789abcdefghijklmnopqrstuvwxyz_", max_size=15))
def test_what_is_no_id_of_the_kind_is_refused(head: str, letters: str) -> None:
    with suppress(Refused):
        number = row_id("msg", f"{head}_{letters}")
        assert public_id("msg", number) == f"{head}_{letters}".strip().lower()


@pytest.mark.parametrize(
    "text",
    ["msg_8000000000000", "msg_zzzzzzzzzzzzz", "msg_000000000000", "att_0000000000000", "", "msg"],
)
def test_id_beyond_the_range_or_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        row_id("msg", text)
    assert str(refused.value).endswith("Copy it whole.")

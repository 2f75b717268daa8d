from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.index import INDEX_CHECKS, IndexUnderTest
from holdfast.core.records import Record
from holdfast.indexer.memory_index import MemoryIndex


@pytest.mark.parametrize("check", INDEX_CHECKS, ids=lambda check: check.__name__)
def test_memory_index_keeps_the_contract(check: Callable[[IndexUnderTest], None]) -> None:
    records: dict[int, Record] = {}
    check(IndexUnderTest(MemoryIndex(records), records))

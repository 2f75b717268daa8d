from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from conformance.index import INDEX_CHECKS, IndexUnderTest
from elastic_kit import fresh_index
from server_elasticsearch import Cluster


@pytest.fixture
def case(cluster: Cluster) -> Iterator[IndexUnderTest]:
    with fresh_index(cluster) as index:
        yield IndexUnderTest(index, {})


@pytest.mark.parametrize("check", INDEX_CHECKS, ids=lambda check: check.__name__)
def test_elasticsearch_keeps_the_contract(
    case: IndexUnderTest, check: Callable[[IndexUnderTest], None]
) -> None:
    check(case)

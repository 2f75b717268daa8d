"""Chat is found by its kind, channel, room and marks, in every index alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from holdfast.core.identity import public_id
from holdfast.core.matching import matches
from holdfast.core.ports import SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.memory_index import MemoryIndex
from holdfast.indexer.query_parser import QueryError, parse_query
from holdfast.indexer.tantivy_index import TantivyIndex
from query_kit import NOW, sample_record
from search_equality import fill

ROOM = {"conversation_id": 77, "conversation": "Sales Café 群"}
IM = sample_record(id=1, kind="im", channel="slack", body="hello", **ROOM)
RECORDS = [
    replace(IM, marks=("edited",)),
    replace(IM, id=2, marks=("edited", "version")),
    replace(IM, id=3, channel="wecom", marks=("recalled",), conversation_id=78, conversation=""),
    replace(IM, id=4, channel="feishu", marks=("deleted",)),
    replace(IM, id=5, kind="reaction", marks=("aside",)),
    replace(IM, id=6, kind="call", channel="call", conversation_id=0, conversation=""),
    sample_record(id=7, body="hello"),
]
QUERIES = {
    "kind:im": {1, 2, 3, 4}, "kind:聊天": {1, 2, 3, 4}, "kind:reaction": {5}, "种类:电话": {6},
    "kind:email": {7}, "channel:slack": {1, 2, 5}, "channel:企业微信": {3}, "渠道:飞书": {4},
    "channel:Lark": {4}, "channel:mail": {7}, "channel:邮件": {7}, "channel:电话": {6},
    'conversation:"sales café 群"': {1, 2, 4, 5}, 'room:"SALES CAFÉ 群"': {1, 2, 4, 5},
    f"conversation:{public_id('cnv', 78)}": {3}, f"群:{public_id('cnv', 77)}": {1, 2, 4, 5},
    "is:edited": {1, 2}, "is:编辑过": {1, 2}, "is:version": {2}, "is:recalled": {3},
    "is:已撤回": {3}, "is:deleted": {4}, "is:aside": {5}, "hello -is:version -is:aside":
    {1, 3, 4, 6, 7}, "kind:im is:edited -is:version": {1}, "channel:nowhere": set(),
}  # fmt: skip


@pytest.fixture(params=["memory", "tantivy"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryIndex | TantivyIndex]:
    if request.param == "memory":
        brute = MemoryIndex({one.id: one for one in RECORDS})
        fill(brute, RECORDS)
        yield brute
        return
    made = TantivyIndex(tmp_path / "index")
    fill(made, RECORDS)
    yield made
    made.close()


def test_every_question_about_chat(index: MemoryIndex | TantivyIndex) -> None:
    for text, expected in QUERIES.items():
        node = parse_query(text, now=NOW, zone=UTC).node
        request = SearchRequest(node, Scope.whole_archive("tester"), limit=20)
        assert {hit.id for hit in index.search(request).hits} == expected, text
        assert {one.id for one in RECORDS if matches(node, one)} == expected, text


@pytest.mark.parametrize("text", ["kind:nonsense", "is:nonsense"])
def test_values_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"nonsense"):
        parse_query(text, now=NOW, zone=UTC)

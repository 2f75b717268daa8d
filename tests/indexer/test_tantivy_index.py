from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.index import INDEX_CHECKS, IndexUnderTest, mail
from holdfast.core.errors import Refused, Unavailable
from holdfast.core.ports import SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    And,
    Field,
    Fuzzy,
    Header,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Regex,
    Scope,
    Term,
    Wildcard,
)
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.tantivy_index import TantivyIndex

OWNER = Scope.whole_archive("owner")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[IndexUnderTest]:
    index = TantivyIndex(tmp_path / "index")
    yield IndexUnderTest(index, {})
    index.close()


@pytest.mark.parametrize("check", INDEX_CHECKS, ids=lambda check: check.__name__)
def test_embedded_index_keeps_the_contract(
    case: IndexUnderTest, check: Callable[[IndexUnderTest], None]
) -> None:
    check(case)


def test_committed_documents_are_there_after_reopening(
    case: IndexUnderTest, tmp_path: Path
) -> None:
    case.hold(mail(1, "one"), mail(2, "two"))
    again = TantivyIndex(tmp_path / "index")
    assert sorted(again.ids()) == [1, 2]


def test_reader_sees_what_another_process_committed(case: IndexUnderTest, tmp_path: Path) -> None:
    reader = TantivyIndex(tmp_path / "index")
    assert reader.search(SearchRequest(EVERYTHING, OWNER)).total == 0
    case.hold(mail(1, "one"))
    assert reader.search(SearchRequest(EVERYTHING, OWNER)).total == 1


def test_second_writer_is_told_to_wait(case: IndexUnderTest, tmp_path: Path) -> None:
    case.hold(mail(1, "one"))
    other = TantivyIndex(tmp_path / "index")
    with pytest.raises(Unavailable, match="Another process is writing"):
        other.add([analyse_record(mail(2))])
    case.index.close()
    other.add([analyse_record(mail(2))])
    other.commit()
    other.close()
    assert case.found(EVERYTHING) == {1, 2}


def test_closing_gives_up_what_was_not_committed(case: IndexUnderTest, tmp_path: Path) -> None:
    case.hold(mail(1, "one"))
    case.index.add([analyse_record(mail(2))])
    case.index.close()
    assert list(TantivyIndex(tmp_path / "index").ids()) == [1]


def test_commit_without_changes_does_nothing(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path / "index")
    index.commit()
    index.close()
    assert list(index.ids()) == []


def test_index_of_another_version_is_refused(tmp_path: Path) -> None:
    TantivyIndex(tmp_path)
    (tmp_path / "holdfast-index.json").write_text('{"analysis":"0.0","schema":0}')
    with pytest.raises(Unavailable, match="holdfast reindex"):
        TantivyIndex(tmp_path)


def test_unreadable_version_is_refused(tmp_path: Path) -> None:
    TantivyIndex(tmp_path)
    (tmp_path / "holdfast-index.json").write_text("{")
    with pytest.raises(Unavailable, match="holdfast reindex"):
        TantivyIndex(tmp_path)


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("hello")
    with pytest.raises(Unavailable, match="holdfast reindex"):
        TantivyIndex(tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "hello"


def test_damaged_index_is_refused(tmp_path: Path) -> None:
    TantivyIndex(tmp_path)
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(Unavailable, match="holdfast reindex"):
        TantivyIndex(tmp_path)


WRITER = """
import sys
from pathlib import Path
from conformance.index import mail
from holdfast.indexer.documents import analyse_record
from holdfast.indexer.tantivy_index import TantivyIndex
index = TantivyIndex(Path(sys.argv[1]))
for batch in range(1000):
    first = batch * 50 + 1
    index.add([analyse_record(mail(n, f"number{n} " * 50)) for n in range(first, first + 50)])
    index.commit()
    print(first + 49, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 3, 8])
def test_killed_writer_leaves_every_commit_it_acknowledged(tmp_path: Path, batches: int) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "index")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert writer.stdout is not None
    with writer.stdout as acknowledged:
        last = [int(acknowledged.readline()) for _ in range(batches)][-1]
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        last = max(
            [last, *(int(line) for line in acknowledged.readlines() if line.endswith(b"\n"))]
        )
    index = TantivyIndex(tmp_path / "index")
    held = sorted(index.ids())
    assert held == list(range(1, len(held) + 1))
    assert len(held) >= last
    index.add([analyse_record(mail(1_000_000))])
    index.commit()
    index.close()
    assert len(list(index.ids())) == len(held) + 1


def deep(levels: int) -> Node:
    node: Node = Phrase("x")
    for _ in range(levels):
        node = Not(And((node,)))
    return node


@pytest.mark.parametrize(
    "query",
    [
        deep(100_000),
        Or(tuple(Phrase("x") for _ in range(10_001))),
        Or(tuple(Term(Field.TAG, str(one)) for one in range(10_001))),
        Near((Phrase("a"), Phrase("b"), Phrase("c")), 30),
        Near((Phrase("a"), Phrase("b")), 5000),
        Fuzzy("word", 3),
        Fuzzy("word", -1),
        Fuzzy("w\x02rd"),
        Wildcard("a" * 100 + "?" * 1000),
        Wildcard("\x02*"),
        Regex("("),
        Regex("^a"),
        Regex("(?i)a"),
        Regex(r"\bword"),
        Header("Received", "mx.example.com"),
        Header("X" * 300, ""),
    ],
    ids=lambda query: type(query).__name__,
)
def test_what_cannot_be_answered_exactly_is_refused_in_words(
    case: IndexUnderTest, query: Node
) -> None:
    case.hold(mail(1, "word"))
    with pytest.raises(Refused) as refusal:
        case.found(query)
    assert len(str(refusal.value)) > 20


def test_expansion_of_a_character_beyond_the_engines_limit_is_refused(case: IndexUnderTest) -> None:
    letters = [chr(code) for code in range(0x20000, 0x20000 + 17_000)]
    case.hold(mail(1, "x " + " ".join(f"中{letter}" for letter in letters)))
    assert case.found(Phrase("中")) == {1}
    with pytest.raises(Refused):
        case.found(Phrase("x 中"))


def test_trace_header_is_known_to_exist(case: IndexUnderTest) -> None:
    case.hold(mail(1, headers=(("Received", "by mx"),)), mail(2, headers=(("x" * 300, "a"),)))
    assert case.found(Header("received", "")) == {1}

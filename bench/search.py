"""Measure the embedded index on made-up mail: adding, and each kind of search against its bar.

    python bench/search.py [--messages 100000] [--folder DIR | --index DIR] [--json FILE]

Text is drawn from Zipf-distributed vocabularies of English and of Chinese words of one to three
letters, half the messages each. The first 25,000 texts are drawn, later messages bring them again
with other dates, sizes, threads and owners. Everything is seeded: the same number of messages gives
the same index. With `--index` an index is kept there, and asked again if it is there. Besides the
wall time of each search its CPU time is shown: on a busy machine it tells more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.core.kinds import Role
from holdfast.core.ports import SearchRequest
from holdfast.core.query import (
    EVERYTHING,
    And,
    Dates,
    Field,
    Fuzzy,
    Near,
    Node,
    Not,
    Or,
    Part,
    Phrase,
    Scope,
    Term,
    Wildcard,
)
from holdfast.core.records import Record, RecordParticipant
from holdfast.indexer.documents import analyse_original, complete
from holdfast.indexer.facets import FACETS
from holdfast.indexer.tantivy_index import TantivyIndex

START = datetime(2015, 1, 1, tzinfo=UTC)
DISTINCT = 25_000
BATCH = 10_000
ROUNDS = 25
BAR_MS = 20.0
FACET_BAR_MS = 50.0


@dataclass(frozen=True)
class Vocabulary:
    """Words with Zipf frequencies."""

    words: list[str]
    weights: list[float]

    @classmethod
    def of(cls, words: list[str]) -> Vocabulary:
        return cls(words, list(itertools.accumulate(1 / (rank + 3) for rank in range(len(words)))))

    def draw(self, rnd: random.Random, number: int) -> list[str]:
        return rnd.choices(self.words, cum_weights=self.weights, k=number)


class Mailbox:
    """An endless, seeded row of records."""

    def __init__(self, seed: int) -> None:
        rnd = self._rnd = random.Random(seed)
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        english = {
            "".join(rnd.choices(letters, range(26, 0, -1), k=rnd.randint(2, 9)))
            for _ in range(60_000)
        }
        self.english = Vocabulary.of(sorted(english, key=lambda word: (len(word), word)))
        han = [chr(0x4E00 + code) for code in rnd.sample(range(0x5000), 3500)]
        weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(han))))
        chinese = {
            "".join(rnd.choices(han, cum_weights=weights, k=rnd.choice((1, 2, 2, 2, 3))))
            for _ in range(40_000)
        }
        self.chinese = Vocabulary.of(sorted(chinese, key=lambda word: (len(word) != 2, word)))
        self._senders = Vocabulary.of([f"user{n}" for n in range(20_000)])

    def record(self, id_: int) -> Record:
        rnd = self._rnd
        is_chinese = id_ % 2 == 0
        people = self._senders.draw(rnd, rnd.randint(2, 4))
        participants = tuple(
            RecordParticipant(
                Role.TO if at else Role.FROM,
                f"Name {name}",
                f"{name}@company{len(name) * 7 + int(name[-2:], 36) % 400}.example",
            )
            for at, name in enumerate(people)
        )
        subject = self._sentence(is_chinese, 6)
        message_id = f"{id_}@company.example"
        return Record(
            kind="email",
            channel="email",
            subject=subject,
            body=self._body(is_chinese),
            participants=participants,
            attachments=(),
            headers=(
                ("Subject", subject),
                ("X-Mailer", "Mailer 1.0"),
                ("Message-ID", f"<{message_id}>"),
                ("MIME-Version", "1.0"),
                ("Content-Type", "text/plain; charset=utf-8"),
            ),
            folders=("INBOX",),
            companies=tuple({one.address.partition("@")[2] for one in participants}),
            lang="zh" if is_chinese else "en",
            **self._facts(id_),
        )

    def again(self, id_: int, first: Record) -> Record:
        """Return a message with the text and people of another."""
        return replace(first, **self._facts(id_))

    def _facts(self, id_: int) -> dict[str, Any]:
        rnd = self._rnd
        return {
            "id": id_,
            "at": START + timedelta(seconds=rnd.randrange(300_000_000)),
            "captured_at": START + timedelta(days=4000, milliseconds=id_),
            "size_bytes": rnd.randint(2000, 200_000),
            "message_id": f"{id_}@company.example",
            "thread_id": id_ // 3 + 1,
            "sources": (f"source {rnd.randrange(8)}",),
            "custodians": (f"custodian{rnd.randrange(200)}",),
            "sha256s": (f"{rnd.getrandbits(256):064x}",),
            "tags": ("review",) if rnd.random() < 0.05 else (),
        }

    def _sentence(self, is_chinese: bool, words: int) -> str:  # noqa: FBT001
        if is_chinese:
            return "".join(self.chinese.draw(self._rnd, words)) + "。"
        return " ".join(self.english.draw(self._rnd, words)) + ". "

    def _body(self, is_chinese: bool) -> str:  # noqa: FBT001
        return "".join(self._sentence(is_chinese, 10) for _ in range(45))


def build(index: TantivyIndex, mailbox: Mailbox, messages: int) -> dict[str, float]:
    """Fill the index; return microseconds of CPU per message of each half, and bytes of text."""
    before = time.process_time()
    records = [mailbox.record(id_) for id_ in range(1, min(messages, DISTINCT) + 1)]
    drawn_s, before = time.process_time() - before, time.process_time()
    texts = [(record, analyse_original(record)) for record in records]
    cut_s = time.process_time() - before
    print(f"drew {len(texts)} texts in {drawn_s:.0f} s", flush=True)
    add_s = wall_s = 0.0
    for first in range(1, messages + 1, BATCH):
        documents = []
        for id_ in range(first, min(first + BATCH, messages + 1)):
            record, analysed = texts[(id_ - 1) % len(texts)]
            facts = record if id_ <= len(texts) else mailbox.again(id_, record)
            documents.append(complete(analysed, facts))
        wall, before = time.perf_counter(), time.process_time()
        index.add(documents)
        index.commit()
        add_s += time.process_time() - before
        wall_s += time.perf_counter() - wall
    return {
        "analyse_us": cut_s / len(texts) * 1e6,
        "add_and_commit_us": add_s / messages * 1e6,
        "add_and_commit_wall_us": wall_s / messages * 1e6,
        "text_bytes": statistics.mean(len(record.body.encode()) for record in records),
    }


def questions(
    mailbox: Mailbox,
) -> Iterator[tuple[str, float, Callable[[random.Random], SearchRequest]]]:
    """Yield (name, bar in ms, maker of one question)."""
    owner = Scope.whole_archive("owner")
    clerk = Scope("clerk", Or(tuple(Term(Field.CUSTODIAN, f"custodian{n}") for n in range(20))))
    english, chinese = mailbox.english, mailbox.chinese

    def ask(
        make: Callable[[random.Random], Node], scope: Scope = owner, **more: object
    ) -> Callable[[random.Random], SearchRequest]:
        return lambda rnd: SearchRequest(make(rnd), scope, **more)  # type: ignore[arg-type]

    def dates(rnd: random.Random) -> Dates:
        start = START + timedelta(days=rnd.randrange(3000))
        return Dates(start, start + timedelta(days=90))

    def term(rnd: random.Random) -> Node:
        return Phrase(english.draw(rnd, 1)[0])

    def run(rnd: random.Random) -> Node:
        return Phrase("".join(chinese.draw(rnd, 2)))

    yield "term", BAR_MS, ask(term)
    yield "phrase of two words", BAR_MS, ask(lambda rnd: Phrase(" ".join(english.draw(rnd, 2))))
    yield "Chinese word", BAR_MS, ask(lambda rnd: Phrase(chinese.draw(rnd, 1)[0]))
    yield "Chinese phrase", BAR_MS, ask(run)
    yield "one Chinese character", BAR_MS, ask(lambda rnd: Phrase(chinese.draw(rnd, 1)[0][0]))
    yield (
        "term, 90 days, largest",
        BAR_MS,
        ask(lambda rnd: And((term(rnd), dates(rnd))), sort="largest"),
    )
    yield (
        "Chinese phrase, not, sender",
        BAR_MS,
        ask(lambda rnd: And((run(rnd), Not(term(rnd)), Phrase("user1", Part.FROM)))),
    )
    yield "term within scope", BAR_MS, ask(term, clerk)
    yield "everything within scope", BAR_MS, ask(lambda _: EVERYTHING, clerk)
    yield "everything, newest", BAR_MS, ask(lambda _: EVERYTHING)
    yield (
        "near 8",
        BAR_MS,
        ask(
            lambda rnd: Near(
                (
                    Phrase(english.draw(rnd, 1)[0], Part.BODY),
                    Phrase(english.draw(rnd, 1)[0], Part.BODY),
                ),
                8,
            )
        ),
    )
    yield "prefix", BAR_MS, ask(lambda rnd: Wildcard(english.draw(rnd, 1)[0][:4] + "*"))
    yield "infix", BAR_MS, ask(lambda rnd: Wildcard("*" + english.draw(rnd, 1)[0][:4] + "*"))
    yield "fuzzy 1", BAR_MS, ask(lambda rnd: Fuzzy(english.draw(rnd, 1)[0] + "x"))
    yield "term, collapsed by thread", FACET_BAR_MS, ask(term, collapse="thread")
    yield "term, all facets", FACET_BAR_MS, ask(term, facets=FACETS)
    yield (
        "everything, sender and month",
        FACET_BAR_MS,
        ask(lambda _: EVERYTHING, facets=("sender", "month")),
    )
    yield "everything, all facets", FACET_BAR_MS, ask(lambda _: EVERYTHING, facets=FACETS)
    # Counts of everything are remembered until the next commit, but not for another limit.
    limits = itertools.count(20)

    def unasked(facets: tuple[str, ...]) -> Callable[[random.Random], SearchRequest]:
        return lambda _: SearchRequest(EVERYTHING, owner, facets=facets, facet_limit=next(limits))

    yield "same, first time: two facets", FACET_BAR_MS, unasked(("sender", "month"))
    yield "same, first time: all facets", FACET_BAR_MS, unasked(FACETS)


def measure(
    index: TantivyIndex, make: Callable[[random.Random], SearchRequest], seed: int
) -> dict[str, float]:
    """Return p50 and p95 in milliseconds, and the mean total."""
    rnd = random.Random(seed)
    index.search(make(rnd))
    times, cpu, totals = [], [], []
    for _ in range(ROUNDS):
        request = make(rnd)
        before, worked = time.perf_counter(), time.process_time()
        totals.append(index.search(request).total)
        times.append((time.perf_counter() - before) * 1000)
        cpu.append((time.process_time() - worked) * 1000)
    times.sort()
    cpu.sort()
    return {
        "p50_ms": statistics.median(times),
        "p95_ms": times[int(0.95 * (len(times) - 1))],
        "p95_cpu_ms": cpu[int(0.95 * (len(cpu) - 1))],
        "mean_total": statistics.mean(totals),
    }


def opened(folder: Path, mailbox: Mailbox, messages: int) -> tuple[TantivyIndex, dict[str, float]]:
    """Return the index of a folder, and what making it took; made now if it is not there."""
    index, made = TantivyIndex(folder / "index"), folder / "made.json"
    if made.exists():
        built: dict[str, float] = json.loads(made.read_text())
        return index, built
    built = {"messages": messages, **build(index, mailbox, messages)}
    index.close()
    stored = sum(path.stat().st_size for path in (folder / "index").iterdir())
    built["index_bytes"] = stored / messages
    made.write_text(json.dumps(built))
    return index, built


def report(folder: Path, messages: int) -> dict[str, object]:
    """Build, ask, print; return everything for the JSON file."""
    mailbox = Mailbox(seed=1)
    index, built = opened(folder, mailbox, messages)
    print(
        f"{built['messages']:.0f} messages of {built['text_bytes']:.0f} B;"
        f" index {built['index_bytes']:.0f} B each"
    )
    print(
        f"CPU a message: cut {built['analyse_us']:.0f} us,"
        f" add and commit {built['add_and_commit_us']:.0f} us"
    )
    print(f"{'':32}{'p50 ms':>9}{'p95 ms':>9}{'p95 CPU':>9}{'bar':>6}{'hits':>10}")
    searches: dict[str, object] = {}
    for seed, (name, bar, make) in enumerate(questions(mailbox)):
        found = measure(index, make, seed)
        searches[name] = {**found, "bar_ms": bar, "holds": found["p95_ms"] <= bar}
        columns = (
            f"{found['p50_ms']:9.2f}{found['p95_ms']:9.2f}{found['p95_cpu_ms']:9.2f}{bar:6.0f}"
        )
        mark = "" if found["p95_ms"] <= bar else "  over"
        print(f"{name:32}{columns}{found['mean_total']:10.0f}{mark}")
    return {"cores": os.cpu_count(), **built, "searches": searches}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where to put an index that is then deleted")
    parser.add_argument("--index", type=Path, help="where to keep the index")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.index:
        arguments.index.mkdir(parents=True, exist_ok=True)
        result = report(arguments.index, arguments.messages)
    else:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            result = report(Path(folder), arguments.messages)
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

"""Settings of archives that lie in the real servers of this run, and comparisons with others."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from archive_kit import ACTOR, NOW, opened, settings_in
from fixed_queries import FIXED
from holdfast.core.errors import Refused
from holdfast.core.ports import SearchIndex, SearchRequest
from holdfast.core.query import Node, Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.ledger import sums
from holdfast.storage.catalogue.reading import original_bytes, records
from holdfast.storage.catalogue.schema import interactions, originals
from holdfast.storage.verify import Tally as Verified
from holdfast.storage.verify import Verification
from holdfast.wiring.archive import Services
from server_s3 import vault_in

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Engines:
    """The servers that an archive may lie in."""

    postgres: Any
    elasticsearch: Any
    s3: Any

    @contextmanager
    def settings(self, folder: Path, **sections: Any) -> Iterator[Settings]:
        """Give the settings of a new, empty archive in all three; the database goes at the end.

        Args:
            folder: For what stays on this host.
            sections: Further settings, by section.
        """
        database = self.postgres.empty_database()
        bucket = self.s3.new_bucket()
        ours: dict[str, dict[str, Any]] = {
            "catalogue": {"url": database.url, "password": database.password},
            "vault": vault_in(bucket),
            "index": {
                "url": " ".join(self.elasticsearch.urls),
                "user": self.elasticsearch.user,
                "password": self.elasticsearch.password,
                "prefix": f"t{secrets.token_hex(6)}",
            },
        }
        for name, values in sections.items():
            ours[name] = ours.get(name, {}) | values
        try:
            yield settings_in(folder, **ours)
        finally:
            self.postgres.drop(database)


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive holds, in words that two archives of the same mail have in common."""

    ledger: dict[str, dict[str, int]]
    originals: frozenset[str]
    """SHA-256 of what is read back of each."""
    interactions: int
    not_indexed: int
    findings: tuple[str, ...]
    """Of a verification of everything."""


def contents(settings: Settings) -> Contents:
    """Read everything back."""
    with opened(settings) as services:
        services.desk.feed.drain()
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(originals.c.id)).all()
            count = connection.scalar(select(func.count()).select_from(interactions)) or 0
        held = {_digest(services, row) for row in ids}
        found = Verification(services.store, services.log).run(Verified())
        return Contents(
            sums(services.store),
            frozenset(held),
            count,
            services.desk.feed.waiting(),
            tuple(f"{one.part} {one.name}: {one.cause}" for one in found),
        )


def _digest(services: Services, original_id: int) -> str:
    return hashlib.sha256(b"".join(original_bytes(services.store, original_id))).hexdigest()


@dataclass(slots=True)
class Asked:
    """What putting the same questions to two archives came to."""

    queries: int = 0
    with_hits: int = 0
    refused: int = 0
    differences: list[str] = field(default_factory=list)


@contextmanager
def both(one: Settings, other: Settings) -> Iterator[Comparison]:
    """Open two archives of the same mail to compare their answers."""
    with opened(one) as first, opened(other) as second:
        yield Comparison((first.index, second.index), (_names(first), _names(second)))


def _names(services: Services) -> dict[int, bytes]:
    query = select(interactions.c.id, interactions.c.fingerprint)
    with reading(services.store.engine) as connection:
        return {row.id: row.fingerprint for row in connection.execute(query)}


@dataclass(slots=True)
class Comparison:
    """Two archives whose ids differ and whose interactions are known by their fingerprints."""

    indices: tuple[SearchIndex, SearchIndex]
    names: tuple[dict[int, bytes], dict[int, bytes]]
    asked: Asked = field(default_factory=Asked)

    def ask(self, node: Node, text: str) -> None:
        """Put one question to both; note any difference of the sets or of the total."""
        self.asked.queries += 1
        try:
            answers = [self._answer(number, node) for number in (0, 1)]
        except Refused:
            self.asked.refused += 1
            return
        self.asked.with_hits += bool(answers[0])
        if answers[0] != answers[1]:
            counts = [len(answer) for answer in answers]
            self.asked.differences.append(f"{text}: {counts}")

    def _answer(self, number: int, node: Node) -> set[bytes]:
        request = SearchRequest(node, Scope.whole_archive(ACTOR), limit=PAGE)
        found: list[int] = []
        while True:
            page = self.indices[number].search(request)
            found += [hit.id for hit in page.hits]
            if not page.cursor:
                break
            request = replace(request, cursor=page.cursor)
        names = {self.names[number][one] for one in found}
        assert len(names) == len(found) == page.total
        return names


def parsed(text: str) -> Node:
    """Return the tree of a query as a person writes it."""
    return parse_query(text, now=NOW, zone=NOW.tzinfo or NOW.astimezone().tzinfo).node  # type: ignore[arg-type]


def words_of(texts: Sequence[str], rnd: random.Random) -> str:
    """Return some neighbouring words of one of the texts, without marks that mean something."""
    words = [w for w in rnd.choice(texts).split() if w.isalnum()] or ["holdfast"]
    start = rnd.randrange(len(words))
    return " ".join(words[start : start + rnd.randint(1, 3)])


def generated_query(texts: Sequence[str], rnd: random.Random) -> str:
    """Return a query of one to three parts over words that are there, or nearly."""
    forms = (
        "{0}", '"{0}"', "subject:({0})", "body:({0})", "-({0})", "({0}) OR ({1})", "({0}) -({1})",
        '"{0}" NEAR(8) "{1}"', "from:({0})", "({0}) has:attachment", "({0}) larger:4k",
        "({0}) after:2000-01-01", "{2}*", "*{2}", "({0}) is:bulk", "({0}) -has:attachment",
        "to:({1}) ({0})", "{2}?*",
    )  # fmt: skip
    first, second = words_of(texts, rnd), words_of(texts, rnd)
    stem = first.split()[0][: rnd.randint(2, 6)]
    return rnd.choice(forms).format(first, second, stem)


def texts_in(settings: Settings, limit: int = 300) -> list[str]:
    """Return the texts of some interactions."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(select(interactions.c.id).limit(limit)).all()
        found = records(services.store, ids)
    return [f"{one.subject} {one.body}" for one in found]


def ask_both(one: Settings, other: Settings, seed: int, generated: int) -> Asked:
    """Put the fixed questions and so many generated ones to both archives."""
    rnd, texts = random.Random(seed), texts_in(one)
    with both(one, other) as comparison:
        for text in FIXED:
            comparison.ask(parsed(text), text)
        assert comparison.asked.refused == 0
        while comparison.asked.queries < len(FIXED) + generated:
            text = generated_query(texts, rnd)
            try:
                node = parsed(text)
            except Refused:
                continue
            comparison.ask(node, text)
    assert comparison.asked.with_hits > generated // 4
    return comparison.asked

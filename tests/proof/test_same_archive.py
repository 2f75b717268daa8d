"""A whole corpus on the embedded archive and on the engines; `CORPUS` names real mail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from archive_kit import bring_in, settings_in
from engines_kit import Engines, ask_both, contents
from fixed_queries import FIXED
from server_fixtures import (
    elasticsearch_server,
    engines,
    postgres_server,
    s3_server,
    shared_elasticsearch,
    shared_postgres,
    shared_s3,
)
from whole_corpus import mboxes

__all__ = [
    "elasticsearch_server",
    "engines",
    "postgres_server",
    "s3_server",
    "shared_elasticsearch",
    "shared_postgres",
    "shared_s3",
]

GENERATED = 2000


def test_whole_corpus_is_the_same_on_the_engines(
    engines: Engines, tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    paths = mboxes(tmp_path / "mail", proof_seed)
    embedded = settings_in(tmp_path / "embedded", work={"processes": 0})
    bring_in(embedded, *paths)
    with engines.settings(tmp_path / "engines", work={"processes": 0}) as scaled:
        counts = bring_in(scaled, *paths).counts
        again = bring_in(scaled, *paths).counts
        kept, expected = contents(scaled), contents(embedded)
        asked = ask_both(embedded, scaled, seed=proof_seed, generated=GENERATED)
    report(
        offered=counts.offered,
        second_import_new=again.new,
        ledger=kept.ledger,
        originals=len(kept.originals),
        interactions=kept.interactions,
        not_indexed=kept.not_indexed,
        findings=len(kept.findings),
        fixed_queries=len(FIXED),
        queries=asked.queries,
        queries_with_hits=asked.with_hits,
        queries_refused=asked.refused,
        differences=len(asked.differences),
    )
    assert kept == expected
    assert again.new == again.duplicates == 0
    assert kept.findings == ()
    assert asked.differences == []

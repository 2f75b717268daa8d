"""Runs the benches and puts their figures into the report; a timing is reported, never asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GENERATED = 20_000
SEARCHED = 500_000


def bench(*command: object) -> None:
    subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def maildir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus as one Maildir, for the peers: `CORPUS` converted, or the demo generator's."""
    out = tmp_path_factory.mktemp("corpus")
    given = os.environ.get("CORPUS", "")
    wanted = ["--convert", given] if given else ["--maildir", "--messages", GENERATED]
    bench("bench/corpus.py", *wanted, "--out", out / "mail")
    return out / "mail" / "maildir"


def test_ingest_beside_notmuch_and_mu(
    maildir: Path, tmp_path: Path, report: Callable[..., None]
) -> None:
    bench("bench/ingest.py", maildir, "--rounds", 3, "--json", tmp_path / "ingest.json")
    figures = json.loads((tmp_path / "ingest.json").read_text())
    report(**figures)
    assert figures["messages"] > 0


def test_search_at_half_a_million(tmp_path: Path, report: Callable[..., None]) -> None:
    target = tmp_path / "search.json"
    bench("bench/search.py", "--messages", SEARCHED, "--json", target)
    report(**json.loads(target.read_text()))


def test_store_beside_a_maildir(tmp_path: Path, report: Callable[..., None]) -> None:
    target = tmp_path / "store.json"
    bench("bench/store.py", "--at", tmp_path, "--json", target)
    report(**json.loads(target.read_text()))


def test_export_of_ten_thousand_messages(tmp_path: Path, report: Callable[..., None]) -> None:
    bench("bench/export.py", "--messages", 10_000, "--json", tmp_path / "export.json")
    figures = json.loads((tmp_path / "export.json").read_text())
    report(**figures)
    assert figures["messages"] > 0

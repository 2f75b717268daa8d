"""Every message of a corpus read by four parsers; each difference has a class that docs explain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from differential import Difference, differences, messages_of


def test_readings_differ_only_in_explained_classes(report: Callable[..., None]) -> None:
    corpus = Path(os.environ.get("CORPUS") or Path(__file__).resolve().parents[1] / "corpus")
    read = 0
    found: list[Difference] = []
    for name, raw in messages_of(corpus):
        read += 1
        found += differences(name, raw)
    classes = Counter(item.label for item in found)
    unexplained = [
        f"{item.file} {item.oracle} {item.field}" for item in found if item.label == "unclassified"
    ]
    report(messages=read, differences=len(found), unexplained=len(unexplained), classes=classes)
    assert read > 0
    assert unexplained == []

"""Every message of a corpus read by four parsers; each difference has a class that docs explain."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from differential import differences, files_of


def test_readings_differ_only_in_explained_classes(report: Callable[..., None]) -> None:
    corpus = Path(os.environ.get("CORPUS") or Path(__file__).resolve().parents[1] / "corpus")
    paths = files_of(corpus)
    found = [item for path in paths for item in differences(path.name, path.read_bytes())]
    classes = Counter(item.label for item in found)
    unexplained = [
        f"{item.file} {item.oracle} {item.field}" for item in found if item.label == "unclassified"
    ]
    report(
        messages=len(paths), differences=len(found), unexplained=len(unexplained), classes=classes
    )
    assert paths
    assert unexplained == []

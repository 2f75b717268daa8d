"""What others made is as they published it, complete, and named with its licence."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES: list[dict[str, Any]] = tomllib.loads(
    (ROOT / "api/static/vendor.toml").read_text(encoding="utf-8")
)["file"]


@pytest.mark.parametrize("file", FILES, ids=lambda one: str(one["name"]))
def test_vendored_file_is_the_one_that_was_published(file: dict[str, Any]) -> None:
    content = (ROOT / file["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == file["sha256"]


@pytest.mark.parametrize("file", FILES, ids=lambda one: str(one["name"]))
def test_vendored_file_says_version_and_licence_and_is_in_the_notice(file: dict[str, Any]) -> None:
    assert file["version"] in (ROOT / file["path"]).read_text(encoding="utf-8")
    assert file["licence"] in {"0BSD", "MIT", "MPL-2.0"}
    assert file["path"] in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_every_minified_file_is_listed() -> None:
    found = [*(ROOT / "api").rglob("*.min.*"), *(ROOT / "tests/browser").rglob("*.min.*")]
    assert {str(path.relative_to(ROOT)) for path in found} == {one["path"] for one in FILES}

"""`source try`: a map is tried on a sample, and nothing of it is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli_archive import Desk

MAP = {"channel": "calls", "fields": {"kind": "$.type", "id": "$.no", "from": "$.caller"}}
BODY = {"type": "call", "no": 7, "caller": "+8613800138000", "at": "2026-01-05T09:30:00+08:00"}


@pytest.fixture
def desk(own: Desk) -> Desk:
    """An archive without sources."""
    own.run("init")
    return own


def file(folder: Path, name: str, value: object) -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_map_that_is_not_added_yet_is_tried(desk: Desk, tmp_path: Path) -> None:
    chosen = ("--settings-file", file(tmp_path, "map.json", MAP))
    body = file(tmp_path, "body.json", BODY)
    shown = desk.run("source", "try", body, *chosen).out
    for words in ("$.caller", "+8613800138000", "calls:call/7", "from phone:+8613800138000"):
        assert words in shown
    made = desk.run("source", "try", body, *chosen, "--json").json
    assert made["record"]["kind"] == "call"
    assert {one["name"] for one in made["fields"] if one["is_mapped"]} == {"kind", "id", "from"}
    assert desk.run("source", "list", "--json").json["sources"] == []


def test_what_the_sample_has_not_is_said(desk: Desk, tmp_path: Path) -> None:
    chosen = ("--settings-file", file(tmp_path, "map.json", MAP))
    body = file(tmp_path, "body.json", {"type": "call", "no": 7})
    assert "not in the sample: from" in desk.run("source", "try", body, *chosen).out
    odd = file(tmp_path, "odd.json", {**BODY, "type": "dance"})
    assert "with defects" in desk.run("source", "try", odd, *chosen).out
    broken = file(tmp_path, "broken.json", "{")
    assert "would be refused" in desk.run("source", "try", broken, *chosen).out


def test_map_of_a_source_is_tried(desk: Desk, tmp_path: Path) -> None:
    chosen = ("--settings-file", file(tmp_path, "map.json", MAP))
    secret = ("--secret-file", file(tmp_path, "secret", "0123456789abcdef0123456789abcdef"))
    desk.run("source", "add", "hook", "calls", "--vendor", "generic", *chosen, *secret)
    body = file(tmp_path, "body.json", BODY)
    tried = desk.run("source", "try", body, "--source", "calls")
    assert "nothing is missing" in tried.out


@pytest.mark.parametrize(
    "words", [("--vendor", "slack"), ("--source", "nowhere"), ("--vendor", "x")]
)
def test_what_has_no_map_is_refused(desk: Desk, tmp_path: Path, words: tuple[str, str]) -> None:
    body = file(tmp_path, "body.json", BODY)
    assert desk.run("source", "try", body, *words, status=None).status in {2, 4}
    assert desk.run("source", "try", tmp_path / "absent", status=2).err

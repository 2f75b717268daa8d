"""A bridge as a source at the command line: added, tried, synced and set."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli_archive import Desk
from wecom_kit import BRIDGE, LINES, closed, wrapped


@pytest.fixture
def told(own: Desk, tmp_path: Path) -> dict[str, Any]:
    """What a settings file says of a bridge that gives two messages, one of them closed."""
    own.run("init")
    lines = b"\n".join((wrapped(1, LINES[0]), closed(2, LINES[1])))
    (tmp_path / "messages.jsonl").write_bytes(lines)
    (tmp_path / "keys").mkdir()
    secrets = tmp_path / "secrets.json"
    secrets.write_text('{"corp_secret": "hush"}', encoding="utf-8")
    secrets.chmod(0o600)
    return {
        "corp": "ww1",
        "command": [sys.executable, str(BRIDGE), str(tmp_path)],
        "secrets": str(secrets),
        "keys": str(tmp_path / "keys"),
    }


def add(desk: Desk, folder: Path, told: dict[str, Any], status: int = 0) -> str:
    path = folder / "settings.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    words = ("source", "add", "wecom", "chats", "--settings-file", path)
    return desk.run(*words, "--custodian", "Sales", status=status).err


def test_bridge_is_added_tried_synced_and_set(
    own: Desk, told: dict[str, Any], tmp_path: Path
) -> None:
    add(own, tmp_path, told)
    (listed,) = own.run("source", "list", "--json").json["sources"]
    assert (listed["kind"], listed["bridge"]) == ("wecom", sys.executable)
    tried = own.run("source", "test", "chats", "--lang", "zh").out
    assert "桥接程序" in tried
    ran = own.run("source", "sync", "chats", "-j", 1, status=3)
    assert "2 new messages from chats" in ran.out
    assert "Kept encrypted: 1 (key_missing)" in ran.err
    (again,) = own.run("source", "sync", "--json").json["sources"]
    assert (again["cursor"], again["closed"], again["failed"]) == (2, {}, 0)
    assert own.run("search", "--count", "报价单").out.strip() == "1"
    shown = own.run("source", "set", "chats", "--every", 60, "--late", 7200, "--json").json
    assert (shown["every"], shown["late"]) == (60, 7200)
    assert "'keep' says nothing" in own.run("source", "set", "chats", "--keep", status=2).err
    assert "key_missing" in own.run("source", "logs", "chats").out


def test_settings_that_cannot_work_are_refused(
    own: Desk, told: dict[str, Any], tmp_path: Path
) -> None:
    secrets = Path(told["secrets"])
    for changed, cause in (
        ({"corp": ""}, "Which corporation"),
        ({"command": ["bridge"]}, "Which program"),
        ({"page": 5000}, "A page of 5000"),
        ({"page": "many"}, "cannot be read"),
        ({"keys": str(tmp_path / "nowhere")}, "no directory"),
        ({"secrets": str(tmp_path / "nowhere")}, "no file"),
    ):
        assert cause in add(own, tmp_path, {**told, **changed}, status=2)
    secrets.chmod(0o644)
    assert "Others can read" in add(own, tmp_path, told, status=2)
    secrets.chmod(0o600)
    assert "Which bridge?" in own.run("source", "add", "wecom", "chats", status=2).err
    gone = ("source", "add", "wecom", "chats", "--settings-file", tmp_path / "gone.json")
    assert "cannot be read" in own.run(*gone, status=2).err
    add(own, tmp_path, told)
    secrets.chmod(0o644)
    assert "Others can read" in own.run("source", "test", "chats", status=2).err
    secrets.chmod(0o600)
    (tmp_path / "trouble.json").write_text('{"babbles": 1, "words": "no"}', encoding="utf-8")
    assert "no JSON" in own.run("source", "test", "chats", status=7).err

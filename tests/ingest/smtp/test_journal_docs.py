"""What the pages about mail servers say to write is what the product, and the tests, take."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from holdfast.cli.app import application
from holdfast.settings.loading import load_file
from holdfast.wiring.listener import smtp_config

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs/connectors"
SERVERS = ("exchange", "microsoft-365", "google-workspace", "postfix", "exim")
PAGES = tuple(f"{name}{end}" for name in SERVERS for end in (".md", ".zh-CN.md"))
each_page = pytest.mark.parametrize("page", PAGES)
SHARED = {"--data", "--config", "--set", "--as", "--lang", "--help"}


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def code_in(page: str, language: str) -> list[str]:
    blocks = re.findall(r"^```([a-z]*)\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE)
    return [code for name, code in blocks if name == language]


@each_page
def test_page_is_in_the_index_and_leads_to_files_that_exist(page: str) -> None:
    assert f"](connectors/{page})" in (ROOT / "docs/index.md").read_text(encoding="utf-8")
    overview = "journal.zh-CN.md" if page.endswith(".zh-CN.md") else "journal.md"
    assert f"]({page})" in text_of(overview)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(page))
    assert [one for one in links if not (DOCS / one).exists()] == []


@each_page
def test_settings_of_the_page_are_taken(page: str, tmp_path: Path) -> None:
    (settings,) = code_in(page, "toml")
    file = tmp_path / "holdfast.toml"
    file.write_text(settings, encoding="utf-8")
    config = smtp_config(load_file(file).settings)
    is_reported = page.startswith(("exchange", "microsoft"))
    assert bool(config.addresses) == is_reported
    assert bool(config.copy_addresses) == (not is_reported)
    (address,) = config.own
    assert text_of(page).count(address) > 1, "the server is told another address"


@each_page
def test_commands_of_the_page_exist(page: str) -> None:
    lines = re.findall(r"^(holdfast .*)$", "\n".join(code_in(page, "sh")), re.MULTILINE)
    assert {line.split()[1] for line in lines} >= {"init", "config", "smtpd", "search", "ledger"}
    for line in lines:
        command: Any = get_command(application())
        words = shlex.split(line, comments=True)[1:]
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        known = {option for one in command.params for option in one.opts} | SHARED
        assert not hasattr(command, "commands"), line
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("server", ["exim", "postfix"])
@pytest.mark.parametrize("end", [".md", ".zh-CN.md"])
def test_page_shows_the_files_that_the_tests_run_with(server: str, end: str) -> None:
    shown = code_in(f"{server}{end}", "")
    files = sorted((ROOT / "deploy" / server).iterdir())
    assert files
    assert [file.name for file in files if file.read_text(encoding="utf-8") not in shown] == []

"""Every setting, command, option, exit status and error kind appears in the documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from holdfast.cli.app import application
from holdfast.cli.command import STATUSES
from holdfast.core import errors
from holdfast.settings import Settings, leaves, variable

DOCS = Path(__file__).resolve().parents[1] / "docs"
CLI = (DOCS / "cli.md").read_text(encoding="utf-8")
SETTINGS = (DOCS / "settings.md").read_text(encoding="utf-8")


def walk(command: Any, name: str = "holdfast") -> Iterator[tuple[str, Any]]:
    yield name, command
    for child, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{name} {child}")


COMMANDS = dict(walk(get_command(application())))
LEAVES = {name: one for name, one in COMMANDS.items() if not hasattr(one, "commands")}


def section(name: str) -> str:
    """The part of the page under the heading of this command's first word."""
    first = name.split()[1]
    found = re.search(rf"^## holdfast {first}\b.*?(?=^## |\Z)", CLI, re.M | re.S)
    assert found, f"docs/cli.md has no heading for {name}"
    return found[0]


@pytest.mark.parametrize("name", LEAVES)
def test_command_is_documented(name: str) -> None:
    words = name.split()[1:]
    assert " ".join(words) in section(name)


SHARED = {"--data", "--config", "--set", "--as", "--lang", "--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    text = CLI if name == "holdfast" or name not in LEAVES else section(name)
    for parameter in COMMANDS[name].params:
        for option in parameter.opts:
            if option.startswith("-") and (option not in SHARED or name == "holdfast"):
                assert f"`{option}" in text or option == "-h" or option == "--help"


def test_no_option_is_documented_that_does_not_exist() -> None:
    known = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts, "--help", "--")
    }
    assert {found for found in re.findall(r"`(--[a-z-]*)", CLI) if found not in known} == set()


@pytest.mark.parametrize("name", LEAVES)
def test_help_states_what_the_command_does_and_its_exit_statuses(name: str) -> None:
    assert LEAVES[name].help
    assert "EXIT STATUS" in LEAVES[name].epilog
    assert all(p.help for p in LEAVES[name].params if p.name != "help")


@pytest.mark.parametrize("status", STATUSES)
def test_exit_status_is_documented(status: int) -> None:
    assert f"\n| {status} | " in CLI


def kinds() -> list[type[errors.HoldfastError]]:
    found = [one for _, one in inspect.getmembers(errors, inspect.isclass)]
    return [one for one in found if issubclass(one, errors.HoldfastError)]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_error_kind_is_documented_with_its_exit_status(kind: type[errors.HoldfastError]) -> None:
    (row,) = re.findall(rf"^\| (\d+) \|.*`{kind.__name__}`.*$", CLI, re.M)
    assert int(row) == kind.exit_status


@pytest.mark.parametrize("name", dict(leaves(Settings().model_dump())))
def test_setting_is_documented_with_its_variable(name: str) -> None:
    assert f"| `{name}` | `{variable(name)}` |" in SETTINGS


def test_no_setting_is_documented_that_does_not_exist() -> None:
    known = dict(leaves(Settings().model_dump()))
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", SETTINGS, re.M)) == set(known)


def test_documented_defaults_are_the_defaults() -> None:
    for name, value in leaves(Settings().model_dump()):
        if isinstance(value, bool):
            assert f"| `{variable(name)}` | {str(value).lower()} |" in SETTINGS
        elif isinstance(value, int | float):
            assert f"| `{variable(name)}` | {value:g} |" in SETTINGS


SYSTEMS = (
    "IMAP", "Postfix", "Exim", "Exchange", "Microsoft 365", "Google",
    "企业微信", "钉钉", "飞书", "微信 WeChat", "QQ", "腾讯企点", "Salesforce",
    "Zoho", "HubSpot", "Slack", "Microsoft Teams", "Telegram", "WhatsApp", "Mattermost", "简道云",
    "支道平台", "纷享销客", "销售易", "用友 CRM", "U8", "金蝶云星辰", "Zapier", "Worktile", "Excel",
    "Paper", "RPA",
    "呼叫中心", "工单", "OA", "ERP", "财务", "进销存", "表单", "自研", "成品 CRM", "无代码",
)  # fmt: skip
VERDICTS = {"works here", "documented format, simulator-tested", "generic path only"}


def test_every_system_has_a_row_with_one_of_three_verdicts() -> None:
    page = (DOCS / "integrations.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][1:]
    assert {row[1] for row in rows} == VERDICTS
    named = " ".join(row[0] for row in rows)
    assert [one for one in SYSTEMS if one not in named] == []


def test_every_connector_has_a_page_in_both_languages() -> None:
    pages = {path.name for path in (DOCS / "connectors").glob("*.md")}
    english = {name for name in pages if ".zh-CN" not in name}
    assert pages - english == {name.replace(".md", ".zh-CN.md") for name in english}

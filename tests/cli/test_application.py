"""Each command is found whether all of them are loaded or it alone."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
import typer

from holdfast.cli.app import COMMANDS, application


def names(app: typer.Typer) -> list[str | None]:
    return [one.name for one in app.registered_commands + app.registered_groups]


@pytest.mark.parametrize("module", COMMANDS)
def test_each_module_adds_the_commands_that_the_list_says(module: str) -> None:
    made = typer.Typer()
    import_module(f"holdfast.cli.commands.{module}").register(made)
    assert tuple(sorted(map(str, names(made)))) == tuple(sorted(COMMANDS[module]))


@pytest.mark.parametrize(
    "words",
    [
        ["search", "verify"],
        ["--data", "verify", "search", "x"],
        ["--data=verify", "--set", "a.b=c", "--as", "import", "search"],
    ],
)
def test_command_is_the_word_that_belongs_to_no_option(words: list[str]) -> None:
    assert names(application(words)) == ["search"]


@pytest.mark.parametrize(
    "words", [[], ["--help"], ["-h", "search"], ["--data"], ["find", "verify"], ["--verison"]]
)
def test_all_are_loaded_where_none_is_named(words: list[str]) -> None:
    assert len(names(application(words))) == sum(len(each) for each in COMMANDS.values())


def test_command_loads_no_others() -> None:
    program = (
        "import sys; from holdfast.cli.app import application; application(['init']);"
        "print([m for m in sys.modules if m.startswith('holdfast.cli.commands.')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stdout.strip() == "['holdfast.cli.commands.creation']"

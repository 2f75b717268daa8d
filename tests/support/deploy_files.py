"""Reads what deploy/ holds, and asks the product whether the words in it exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from typer.main import get_command

from holdfast.cli.app import application
from holdfast.settings import Settings, leaves, variable

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
VARIABLES = {variable(name) for name, _ in leaves(Settings().model_dump())} | {"HOLDFAST_CONFIG"}
OURS = {"HOLDFAST_REQUIRE", "HOLDFAST_PROOF"}


def load_yaml(path: Path) -> Any:
    """The one document of a file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def documents(text: str) -> list[Any]:
    """All documents of a stream that are not empty."""
    return [one for one in yaml.safe_load_all(text) if one]


def unknown_words(words: Sequence[str]) -> list[str]:
    """Return what of a command line, without the program's name, the product does not know.

    Words in capitals, in angle brackets and behind a shell's variable stand for something.
    """
    command: Any = get_command(application())
    shared = {option for one in command.params for option in one.opts}
    rest = list(words)
    while rest and hasattr(command, "commands"):
        word = rest.pop(0)
        if word.startswith("-"):
            if word not in shared:
                return [word]
            continue
        if word not in command.commands:
            return [word]
        command = command.commands[word]
    known = shared | {option for one in command.params for option in one.opts} | {"--help"}
    return [word for word in rest if word.startswith("-") and word.split("=")[0] not in known]


def commands_in(markdown: str) -> Iterator[list[str]]:
    """Yield the words behind each `holdfast` that begins a code span."""
    for span in re.findall(r"`holdfast ([^`]+)`", markdown):
        yield shlex.split(span)


def checker(name: str) -> Path | None:
    """Return the program if deploy/dev/checkers.sh installed it."""
    shown = subprocess.run(
        [DEPLOY / "dev/checkers.sh", "path"], capture_output=True, text=True, check=True
    )
    program = Path(shown.stdout.strip()) / name
    return program if os.access(program, os.X_OK) else None


def ran(*command: object, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a checker; return its status and everything it said."""
    ended = subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, check=False,
        env=dict(os.environ) | dict(environment or {}),
    )  # fmt: skip
    return ended.returncode, ended.stdout + ended.stderr

"""Every command, setting and file that the runbook names exists."""

from __future__ import annotations

import re

import pytest

from deploy_files import DEPLOY, ROOT, VARIABLES, commands_in, unknown_words
from holdfast.settings import Settings, leaves

RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
COMMANDS = sorted({" ".join(words) for words in commands_in(RUNBOOK) if words})


@pytest.mark.parametrize("command", COMMANDS)
def test_command_exists_with_its_options(command: str) -> None:
    assert unknown_words(command.split()) == []


def test_many_commands_are_found_at_all() -> None:
    assert {"doctor", "reindex --full", "jobs list --state dead", "keys rotate"} <= set(COMMANDS)


def test_files_of_the_project_exist() -> None:
    named = set(re.findall(r"\b(?:deploy|docs)/[\w./@*-]*\w", RUNBOOK))
    made = {"deploy/secrets", "deploy/.env", "deploy/secrets/vault_secret_key"}
    assert named
    assert {name for name in named - made if not list(ROOT.glob(name))} == set()


def test_variables_and_settings_exist() -> None:
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    for name in set(re.findall(r"\bHOLDFAST_\w+", RUNBOOK)):
        assert name in VARIABLES or f"${{{name}:-" in compose, name
    known = {name for name, _ in leaves(Settings().model_dump())}
    named = set(re.findall(r"`((?:archive|catalogue|vault|index|work|limits|keys)\.\w+)`", RUNBOOK))
    assert named
    assert named <= known

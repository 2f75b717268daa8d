"""A million inputs for each reader of chat and of webhooks' events, guided by what they reach."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chat_fuzz import SYSTEMS
from hook_fuzz import FORMS

PROGRAM = Path(__file__).resolve().parents[1] / "support" / "guided_fuzz.py"
FULL = 1_000_000
_DONE = re.compile(r"#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)")


@pytest.fixture(autouse=True)
def _engine(need: Callable[[bool, str], None]) -> None:
    need(importlib.util.find_spec("atheris") is not None, "atheris is made for Linux on x86-64")


def fed(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_broken_reader_is_found_out(tmp_path: Path) -> None:
    ended = fed("wecom", "--broken", "--runs", 20_000, "--findings", tmp_path)
    assert ended.returncode != 0
    assert "BrokenPromise" in ended.stderr + ended.stdout
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["crash"]


@pytest.mark.parametrize("system", [*sorted(SYSTEMS), *FORMS])
def test_guided_inputs_break_no_promise(
    system: str, tmp_path: Path, proof_seed: int, report: Callable[..., None]
) -> None:
    ended = fed(system, "--runs", FULL, "--seed", proof_seed, "--findings", tmp_path)
    found = [path.read_bytes().hex() for path in tmp_path.iterdir()]
    if found:
        said = ended.stderr.partition("Uncaught Python exception")[2][:2000]
        report(found=found, said=said)
    assert (ended.returncode, found) == (0, []), ended.stderr[-3000:]
    done = _DONE.search(ended.stderr)
    assert done is not None, ended.stderr[-3000:]
    inputs, places, features, kept = map(int, done.groups())
    report(inputs=inputs, places=places, features=features, kept=kept)
    assert inputs >= FULL

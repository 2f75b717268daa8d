"""The demonstration builds itself, finds what it must find, and is built once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli_archive import Desk, write_mbox


def test_demo_archives_finds_and_verifies_and_a_second_run_uses_it_again(own: Desk) -> None:
    first = own.run("up", "--demo")
    assert "messages of 24 people" in first.out
    for wanted in ("launch never left", "阴阳合同", "[TW-4471.pdf]", "Leila Hartmann", "Intact:"):
        assert wanted in first.out
    assert "holdfast import PATH" in first.out
    assert own.run("search", "阴阳合同", "--count").out == "3\n"
    sums = own.run("ledger", "--json").json["sources"]
    assert sum(one["offered"] for one in sums) == 2000
    again = own.run("demo")
    assert "already" in again.err
    assert "Intact:" in again.out
    assert own.run("ledger", "--json").json["sources"] == sums


def test_demo_never_touches_another_archive(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    assert "not the demonstration" in own.run("demo", status=5).err
    assert own.run("search", "*", "--count").out == "5\n"


def test_help_and_version_need_nothing(tmp_path: Path) -> None:
    for words, wanted in ((["--help"], "Usage"), (["--version"], "holdfast "), ([], "Usage")):
        ran = subprocess.run(
            [sys.executable, "-m", "holdfast", *words],
            capture_output=True, text=True, cwd=tmp_path, timeout=60,
        )  # fmt: skip
        assert wanted in ran.stdout + ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unmeasured
def test_help_imports_nothing_heavy_and_an_import_no_client_of_token_services() -> None:
    heavy = ("sqlalchemy", "tantivy", "pydantic", "cryptography", "lxml", "lark")
    program = (
        "import sys; from holdfast.cli.app import application; application();"
        f"print([m for m in {heavy!r} if m in sys.modules]);"
        "import holdfast.wiring.runs;"
        "print([m for m in ('httpx2', 'authlib') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "[]\n[]\n"

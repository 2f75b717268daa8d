"""The report of `make proof`: what was cut off keeps its figures, and only equal runs count."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "proof" / "run.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("proof_run", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["proof_run"] = module
    spec.loader.exec_module(module)
    return module


def circumstances(program: ModuleType, **others: Any) -> Any:
    return program.Circumstances(
        **({"commit": "c", "changes": "", "seed": 1, "corpus": ""} | others)
    )


def entry(program: ModuleType, outcome: str) -> dict[str, Any]:
    known: dict[str, Any] = circumstances(program).of("tests/proof/test_x.py::test_y")
    return known | {"outcome": outcome, "figures": {"points": 3}}


def test_killed_run_leaves_the_figures_of_every_proof(tmp_path: Path, program: ModuleType) -> None:
    report = program.Report(tmp_path / "report.json")
    report.note("first", entry(program, "passed"))
    report.note("second", entry(program, "running"))
    again = program.Report(tmp_path / "report.json")
    again.load()
    assert again.entries["first"]["outcome"] == "passed"
    assert again.entries["second"]["outcome"] == "interrupted"
    assert again.entries["second"]["figures"] == {"points": 3}


@pytest.mark.parametrize("outcome", ["failed", "not run", "interrupted", "running"])
def test_only_what_passed_is_not_run_again(
    tmp_path: Path, program: ModuleType, outcome: str
) -> None:
    report = program.Report(tmp_path / "report.json")
    known = circumstances(program).of("p")
    report.note("p", entry(program, outcome))
    assert not report.holds("p", known)
    report.note("p", entry(program, "passed"))
    assert report.holds("p", known)


@pytest.mark.parametrize("other", [{"commit": "d"}, {"changes": "x"}, {"seed": 2}])
def test_result_of_another_commit_or_seed_does_not_count(
    tmp_path: Path, program: ModuleType, other: dict[str, Any]
) -> None:
    report = program.Report(tmp_path / "report.json")
    report.note("p", entry(program, "passed"))
    assert not report.holds("p", circumstances(program, **other).of("p"))


def test_another_corpus_counts_only_where_mail_is_taken(program: ModuleType) -> None:
    mail = "tests/proof/test_import_proof.py::test_whole_corpus"
    demo, real = circumstances(program), circumstances(program, corpus="/mail")
    assert demo.of(mail) != real.of(mail)
    assert demo.of("tests/faults/test_kill.py") == real.of("tests/faults/test_kill.py")


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        ("assert True", "passed", ""),
        ("assert 1 == 2, 'two is missing'", "failed", "two is missing"),
        ("import pytest; pytest.skip('not run (no strace)')", "not run", "not run (no strace)"),
        ("import os; os._exit(3)", "failed", "ended with 3"),
    ],
)
def test_outcome_says_why(
    tmp_path: Path, program: ModuleType, body: str, outcome: str, reason: str
) -> None:
    proof = tmp_path / "test_one.py"
    proof.write_text(f"def test_one():\n    {body}\n", encoding="utf-8")
    (tmp_path / "own").mkdir()
    found = program.Run(str(proof), tmp_path / "own", {}).end()
    assert found["outcome"] == outcome
    assert reason in found["reason"]
    assert found["seconds"] > 0


def test_figures_of_a_proof_that_dies_are_kept(tmp_path: Path, program: ModuleType) -> None:
    proof = tmp_path / "test_one.py"
    text = """
        import json, os, pathlib
        def test_one():
            pathlib.Path(os.environ["HOLDFAST_FIGURES"]).write_text(json.dumps({"points": 7}))
            os.abort()
    """
    proof.write_text("\n".join(line[8:] for line in text.splitlines()), encoding="utf-8")
    (tmp_path / "own").mkdir()
    found = program.Run(str(proof), tmp_path / "own", {}).end()
    assert (found["outcome"], found["figures"]) == ("failed", {"points": 7})


def test_report_states_the_machine(tmp_path: Path, program: ModuleType) -> None:
    program.Report(tmp_path / "report.json").note("p", entry(program, "passed"))
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(written["machine"]) == {"system", "cores", "memory_mb", "python"}
    assert written["outcomes"] == {"passed": 1}

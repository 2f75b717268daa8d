"""Runs each full proof by itself and keeps what it showed in one report; must not judge for it.

    make proof                       all of them, going on where an earlier run of this commit ended
    make proof ONLY=kill,every_step  those whose name holds one of the words
    make proof FRESH=1               all of them again
    make proof CORPUS=path           on real mail, where a proof takes mail; else the demo generator

The report is written after each proof, and holds the figures of one that was interrupted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_26_11
LIMIT_S = 3 * 3600
"""Against hanging only."""
ELSEWHERE = (
    "tests/parsers/test_rfc822_hostile.py::test_1000000_empty_parts_are_read",
    "tests/acceptance",
    "tests/api/test_openapi.py",
    "tests/browser/test_hostile_mail.py",
    "tests/discovery/test_export_kill.py",
    "tests/ingest/test_chat_pieces.py",
    "tests/discovery/test_offline_verifier.py::test_p8_mutated_proofs_are_never_accepted",
    "tests/storage/catalogue/test_many_writers.py",
    "tests/storage/catalogue/test_migrations.py::test_upgrade_killed_at_any_step_is_begun_again",
    "tests/storage/test_backup.py::test_backup_killed_at_any_step_leaves_older_ones_whole",
    "tests/storage/test_backup_versions.py",
    "tests/storage/test_verify_rows.py",
    "tests/storage/test_merkle.py::test_p8_mutated_proofs_are_never_accepted",
    "tests/storage/test_segments.py::test_f41_random_flips_in_a_larger_segment_are_found",
    "tests/faults/test_bad_disk.py",
    "tests/faults/test_connectors_every_step.py",
    "tests/faults/test_connectors_power_cut.py",
    "tests/faults/test_creation.py",
    "tests/faults/test_every_step.py",
    "tests/faults/test_kill.py",
    "tests/faults/test_power_cut.py",
    "tests/faults/test_same_message_id.py",
    "tests/faults/test_tampering.py",
    "tests/faults/test_two_writers.py",
)
"""Proofs whose home is another folder; those of tests/faults bring the controls."""
TAKES_MAIL = ("test_import_proof", "ingest_beside", "every_file_of_a_corpus", "test_differential")
FULL = {
    "HOLDFAST_PROOF": "1",
    "HOLDFAST_PROOF_MUTATIONS": "1000000",
    "HOLDFAST_PROOF_FLIPS": "10000",
}
DONE = "passed"
NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What makes a result the result of this run."""

    commit: str
    changes: str
    """Fingerprint of what differs from the commit; empty for a clean tree."""
    seed: int
    corpus: str

    def of(self, proof: str) -> dict[str, Any]:
        """Return what a proof's entry says about them."""
        takes_mail = any(part in proof for part in TAKES_MAIL)
        own = (self.corpus or "demo generator") if takes_mail else "its own"
        return {
            "commit": self.commit, "changes": self.changes, "seed": self.seed, "corpus": own,
        }  # fmt: skip


@dataclass(slots=True)
class Report:
    """The file, and what is in it."""

    path: Path
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def load(self) -> None:
        """Take over what an earlier run wrote; what was running then was interrupted."""
        with suppress(FileNotFoundError, json.JSONDecodeError):
            self.entries = json.loads(self.path.read_text(encoding="utf-8")).get("proofs", {})
        for entry in self.entries.values():
            if entry["outcome"] == "running":
                entry |= {"outcome": "interrupted", "reason": "the run was killed"}

    def holds(self, key: str, circumstances: dict[str, Any]) -> bool:
        """Tell whether the proof has passed already under the same circumstances."""
        entry = self.entries.get(key, {})
        return entry.get("outcome") == DONE and circumstances.items() <= entry.items()

    def note(self, key: str, entry: dict[str, Any]) -> None:
        """Keep what is known of a proof, durably enough for a killed run."""
        self.entries[key] = entry
        written = {
            "schema": "holdfast.proof/1",
            "written_at": _now(),
            "machine": {
                "system": platform.platform(),
                "cores": os.cpu_count(),
                "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
                "python": platform.python_version(),
            },
            "outcomes": dict(Counter(one["outcome"] for one in self.entries.values())),
            "proofs": self.entries,
        }
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(self.path)


@dataclass(slots=True)
class Run:
    """One proof in a process group of its own."""

    proof: str
    folder: Path
    environment: dict[str, str]

    def end(self) -> dict[str, Any]:
        """Run it to its end; return outcome, reason, seconds, peak memory and figures."""
        started = time.monotonic()
        status, peak_bytes = self._wait(started + LIMIT_S)
        entry = {
            "seconds": round(time.monotonic() - started, 1),
            "peak_mb": peak_bytes // 1_000_000,
            "figures": self.figures(),
        }
        return entry | self._judged(status)

    def figures(self) -> dict[str, Any]:
        """Return what the proof reported so far."""
        with suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads(self._own("figures").read_text(encoding="utf-8"))
            return found
        return {}

    def _wait(self, deadline: float) -> tuple[int, int]:
        words = [
            Path(sys.executable).with_name("pytest"),
            self.proof,
            "-q",
            "-p",
            "no:cacheprovider",
        ]
        words += ["--junitxml", self._own("junit"), "--basetemp", self._own("work")]
        environment = (
            os.environ | self.environment | {"HOLDFAST_FIGURES": str(self._own("figures"))}
        )
        with self._own("log").open("wb") as log:
            process = subprocess.Popen(
                list(map(str, words)), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        try:
            while time.monotonic() < deadline:
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                if ended:
                    process.returncode = os.waitstatus_to_exitcode(status)
                    return process.returncode, usage.ru_maxrss * 1024
                time.sleep(0.2)
            return -signal.SIGKILL, 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.returncode is None:
                process.wait()

    def _judged(self, status: int) -> dict[str, Any]:
        if not self._own("junit").exists():
            why = f"over {LIMIT_S} s" if status == -signal.SIGKILL else f"ended with {status}"
            return {"outcome": "failed", "reason": f"{why}: {self._last_words()}"}
        cases = ElementTree.parse(self._own("junit")).findall(".//testcase")  # noqa: S314 - our own
        skipped = [case.find("skipped") for case in cases if case.find("skipped") is not None]
        reasons = sorted({one.get("message", "") for one in skipped if one is not None})
        if status != 0:
            return {"outcome": "failed", "reason": self._last_words()}
        if cases and len(skipped) == len(cases):
            return {"outcome": NOT_RUN, "reason": "; ".join(reasons)}
        partly = f"{len(skipped)} of {len(cases)} not run: {'; '.join(reasons)}" if skipped else ""
        return {"outcome": DONE, "reason": partly, "tests": len(cases)}

    def _last_words(self) -> str:
        lines = self._own("log").read_text("utf-8", "replace").splitlines()
        return "\n".join(line for line in lines if line.startswith(("E ", "FAILED", "ERROR")))[
            -4000:
        ]

    def _own(self, name: str) -> Path:
        return self.folder / name


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; return 0 when nothing failed."""
    chosen = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    circumstances = Circumstances(
        _git("rev-parse", "HEAD").decode().strip(),
        _changes(),
        int(os.environ.get("HOLDFAST_SEED") or SEED),
        os.environ.get("CORPUS", ""),
    )
    report = Report(Path(os.environ.get("HOLDFAST_REPORT") or ROOT / "proof-report.json"))
    report.load()
    words = [word for word in chosen.only.split(",") if word]
    proofs = [one for one in _proofs() if not words or any(word in one for word in words)]
    if chosen.list:
        _say("\n".join(proofs))
        return 0
    was_interrupted = False
    try:
        for number, proof in enumerate(proofs, 1):
            _say(f"{number}/{len(proofs)}  {proof}")
            _prove(proof, circumstances.of(proof), report, is_fresh=chosen.fresh)
    except KeyboardInterrupt:
        was_interrupted = True
    keys = [_key(proof, circumstances.of(proof)) for proof in proofs]
    _print_table(report, keys)
    outcomes = {report.entries.get(key, {}).get("outcome", "") for key in keys}
    return 130 if was_interrupted else int(not outcomes <= {DONE, NOT_RUN})


def _prove(proof: str, known: dict[str, Any], report: Report, *, is_fresh: bool) -> None:
    key = _key(proof, known)
    if not is_fresh and report.holds(key, known):
        _say("      passed before, kept")
        return
    entry = known | {"proof": proof, "started_at": _now(), "outcome": "running", "figures": {}}
    report.note(key, entry)
    folder = Path(tempfile.mkdtemp(prefix="holdfast-proof-"))
    run = Run(proof, folder, FULL | {"HOLDFAST_SEED": str(known["seed"])})
    try:
        entry = entry | run.end()
    except KeyboardInterrupt:
        entry = entry | {"outcome": "interrupted", "figures": run.figures()}
        raise
    finally:
        report.note(key, entry)
        shutil.rmtree(folder, ignore_errors=True)
        _say(f"      {entry['outcome']}  {entry.get('seconds', '')} s  {_short(entry['figures'])}")


def _key(proof: str, known: dict[str, Any]) -> str:
    return (
        proof
        if known["corpus"] in {"its own", "demo generator"}
        else f"{proof} @ {known['corpus']}"
    )


def _proofs() -> list[str]:
    words = [Path(sys.executable).with_name("pytest"), "tests/proof", "--collect-only", "-q"]
    shown = subprocess.run(
        list(map(str, words)), cwd=ROOT, env=os.environ | FULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = [line for line in shown.stdout.splitlines() if "::" in line]
    if shown.returncode != 0 or not found:
        raise SystemExit(f"The proofs cannot be collected:\n{shown.stdout}{shown.stderr}")
    return [*found, *ELSEWHERE]


def _print_table(report: Report, keys: Sequence[str]) -> None:
    _say("\noutcome      seconds  peak MB  proof")
    for key in keys:
        entry = report.entries.get(key, {"outcome": "to do", "figures": {}})
        seconds, peak = entry.get("seconds", ""), entry.get("peak_mb", "")
        _say(f"{entry['outcome']:<11} {seconds:>8} {peak:>8}  {key.removeprefix('tests/')}")
        for line in (_short(entry["figures"]), entry.get("reason", "").partition("\n")[0]):
            if line:
                _say(f"{'':31}{line[:140]}")
    counted = Counter(report.entries.get(key, {}).get("outcome", "to do") for key in keys)
    _say(
        f"\n{', '.join(f'{n} {outcome}' for outcome, n in sorted(counted.items()))}: {report.path}"
    )


def _short(figures: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value}" for name, value in figures.items() if not isinstance(value, dict | list)
    )


def _changes() -> str:
    changed = _git("diff", "HEAD") + _git("ls-files", "--others", "--exclude-standard")
    return hashlib.sha256(changed).hexdigest()[:16] if changed else ""


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False).stdout


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument(
        "--only", default="", help="run proofs whose name holds one of these, by comma"
    )
    parser.add_argument("--fresh", action="store_true", help="run again what has passed already")
    parser.add_argument("--list", action="store_true", help="name the proofs and end")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

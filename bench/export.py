"""Times `holdfast export` of 10,000 messages with hashes, proofs, certificate, and its verifier.

    python bench/export.py [MAILDIR] [--messages 10000] [--rounds 3] [--json FILE]

Without a Maildir mail is made up by bench/corpus.py. One archive is made; each round exports all of
it by the command line and verifies the package by its own script. Messages are originals: a record
that came in several forms has several. Besides the clock the processor time of the children is
shown: on a busy machine it tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOLDFAST = [sys.executable, "-m", "holdfast"]
BAR_PER_S = 1000


@dataclass(frozen=True)
class Timing:
    """One run of one command."""

    wall_s: float
    cpu_s: float


def timed(*command: object) -> Timing:
    """Run to the end; its output matters only when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    wall = time.monotonic() - start
    if done.returncode not in (0, 3):
        raise SystemExit(f"{command} failed: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(wall, cpu)


def maildir_of(options: argparse.Namespace, scratch: Path) -> Path:
    """Return the mail to archive: what was given, or made up."""
    if options.maildir is not None:
        return Path(options.maildir).absolute()
    words = ["--maildir", "--messages", options.messages, "--out", scratch / "mail"]
    timed(sys.executable, HERE / "corpus.py", *words)
    return scratch / "mail" / "maildir"


def measured(options: argparse.Namespace, scratch: Path) -> dict[str, object]:
    """Archive once, export and verify in rounds; return the figures."""
    maildir = maildir_of(options, scratch)
    archive = [*HOLDFAST, "--data", scratch / "archive"]
    timed(*archive, "import", maildir)
    exports, verifications = [], []
    package = scratch / "package.zip"
    for number in range(options.rounds):
        package.unlink(missing_ok=True)
        exports.append(timed(*archive, "export", "create", "--out", package))
        verifications.append(timed(*HOLDFAST, "export", "verify", package))
        print(f"round {number + 1}: {exports[-1]}, {verifications[-1]}", file=sys.stderr)
    with zipfile.ZipFile(package) as opened:
        counts = json.loads(opened.read("query.json"))["counts"]
    messages = counts["originals"]
    wall, cpu = (statistics.median(getattr(one, n) for one in exports) for n in ("wall_s", "cpu_s"))
    return {
        "measures": "export",
        "input": "given" if options.maildir else "generated",
        "messages": messages,
        "records": counts["exported"],
        "mean_bytes": round(counts["bytes"] / max(counts["originals"], 1)),
        "package_bytes": package.stat().st_size,
        "rounds": options.rounds,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "export_s": round(wall, 2),
        "export_cpu_s": round(cpu, 2),
        "messages_per_s": round(messages / wall),
        "messages_per_cpu_s": round(messages / cpu),
        "verify_s": round(statistics.median(one.wall_s for one in verifications), 2),
        "bars": {"messages_per_s": BAR_PER_S},
    }


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("maildir", type=Path, nargs="?")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
        result = measured(options, Path(scratch))
    text = json.dumps(result, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""A program that was forked from one that had loaded it behaves as a fresh one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from fault_command import environment, start
from ready_programs import start_ready
from work_kinds import until

SCRIPT = """
import json, os, signal, sys
print(json.dumps({
    "words": sys.argv,
    "name": __name__,
    "folder": os.getcwd(),
    "environment": dict(os.environ),
    "leads": os.getsid(0) == os.getpid() == os.getpgid(0),
    "input": sys.stdin.read(),
    "is_terminal": sys.stdout.isatty(),
    "encoding": sys.stdout.encoding,
    "signals": [str(signal.getsignal(one)) for one in (signal.SIGINT, signal.SIGTERM)],
}))
print("said", file=sys.stderr)
sys.exit(5)
"""


def test_forked_program_sees_says_and_ends_as_a_fresh_one(tmp_path: Path) -> None:
    script, out, err = (tmp_path / name for name in ("script.py", "out", "err"))
    script.write_text(SCRIPT)
    words, env = [str(script), "a", "b c"], environment() | {"SEEN": "1"}
    fresh = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=env,
        stdin=subprocess.DEVNULL, start_new_session=True, check=False,
    )  # fmt: skip
    forked = start_ready(words, out, err, env)
    assert forked.wait() == fresh.returncode == 5
    assert json.loads(out.read_text()) == json.loads(fresh.stdout)
    assert err.read_text() == fresh.stderr == "said\n"


def test_forked_program_has_loaded_the_product_and_is_not_measured(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys; print(*sys.modules)")
    loaded = start([sys.executable, script], tmp_path).finish().out.split()
    assert {"holdfast.wiring.runs", "holdfast.ingest.tasks"} <= set(loaded)
    assert "coverage" not in loaded


def test_forked_program_is_killed_with_all_it_started(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal; os.fork(); print(os.getpid(), flush=True); signal.pause()"
    )
    running = start([sys.executable, script], tmp_path)
    assert not running.is_over_before(lambda: len(running.out.read_text().split()) == 2)
    ended = running.kill()
    assert ended.status == -signal.SIGKILL
    until(lambda: not any(_is_alive(pid) for pid in ended.out.split()))


def _is_alive(pid: str) -> bool:
    with suppress(ProcessLookupError, FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False

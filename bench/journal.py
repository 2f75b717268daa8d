"""Measure the journal listener beside Postfix and smtp-sink: messages a second, as JSON.

    python bench/journal.py [--messages 3000] [--bytes 5120] [--connections 20] [--rounds 3]
                            [--idle N] [--reconnect] [--json FILE]

smtp-source, which comes with Postfix, sends the same load to each in turn, so many rounds; medians
are reported. smtp-sink keeps nothing; Postfix writes and syncs its queue, and throws the mail away;
ours answers after the group commit, while the process beside it files what was received before.
With `--idle` the load is sent to ours once more beside so many connections that say nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "journal@archive.example"


def free_port() -> int:
    """Return a port that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return when something listens there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


@contextmanager
def sink() -> Iterator[int]:
    """Run smtp-sink."""
    port = free_port()
    words = ["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "200"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


@contextmanager
def postfix(folder: Path) -> Iterator[int]:
    """Run Postfix, which throws away what it has queued."""
    script = str(ROOT / "deploy" / "dev" / "postfix.sh")
    said = subprocess.run(
        [script, "start", str(folder)], check=True, capture_output=True, text=True
    )
    try:
        yield int(said.stdout.partition("PORT=")[2].split()[0])
    finally:
        subprocess.run([script, "stop", str(folder)], check=True)


@contextmanager
def ours(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the service over a new archive; give its port and its process."""
    program = [sys.executable, "-m", "holdfast"]
    place = ["--data", str(folder / "archive")]
    subprocess.run([*program, "init", *place], check=True, capture_output=True)
    port = free_port()
    chosen = ["--set", f"smtp.port={port}", "--set", f"smtp.addresses={ADDRESS}"]
    for name in ("connections", "connections_per_peer"):
        chosen += ["--set", f"smtp.{name}=10000"]
    words = [*program, "smtpd", *place, *chosen]
    with (folder / "events").open("w") as events:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=events)
        try:
            wait_for(port)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(600)


@contextmanager
def idle(port: int, number: int) -> Iterator[None]:
    """Hold so many connections that were greeted and say nothing."""
    with ExitStack() as stack:
        for _ in range(number):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", port), 60))
            if not one.recv(200).startswith(b"220 "):
                raise SystemExit("a connection was refused")
        yield


def resident_mib(process: int) -> float:
    """Return the most memory that the process has held, in MiB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def rate(port: int, given: argparse.Namespace) -> float:
    """Send the load; return messages a second."""
    words = ["smtp-source", "-s", str(given.connections), "-l", str(given.bytes)]
    words += ["-m", str(given.messages), "-f", "a@x.example", "-t", ADDRESS]
    words += [] if given.reconnect else ["-d"]
    started = time.perf_counter()
    subprocess.run([*words, f"127.0.0.1:{port}"], check=True)
    return float(given.messages) / (time.perf_counter() - started)


def measured(given: argparse.Namespace) -> dict[str, list[float]]:
    """Run all rounds, each target once in each."""
    rates: dict[str, list[float]] = {"smtp-sink": [], "postfix": [], "holdfast": []}
    rates |= {"resident MiB": []} | ({"beside idle": []} if given.idle else {})
    for _ in range(given.rounds):
        folder = Path(tempfile.mkdtemp(prefix="holdfast-bench-"))
        folder.chmod(0o755)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            targets = {
                "smtp-sink": stack.enter_context(sink()),
                "postfix": stack.enter_context(postfix(folder / "postfix")),
            }
            for name, port in targets.items():
                rates[name].append(rate(port, given))
            with ours(folder) as (port, process):
                rates["holdfast"].append(rate(port, given))
                if given.idle:
                    with idle(port, given.idle):
                        rates["beside idle"].append(rate(port, given))
                rates["resident MiB"].append(resident_mib(process))
    return rates


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--bytes", type=int, default=5120)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=0, help="silent connections beside the load")
    parser.add_argument("--reconnect", action="store_true", help="a connection for each message")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    rates = measured(given)
    medians = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    figures = {
        "messages": given.messages,
        "bytes": given.bytes,
        "connections": given.connections,
        "reconnects": given.reconnect,
        "rounds": given.rounds,
        "resident_mib": max(rates["resident MiB"]),
        "messages_per_s": {name: one for name, one in medians.items() if "MiB" not in name},
        "all_rounds": {name: [round(one, 1) for one in found] for name, found in rates.items()},
        "ratio_to_postfix": round(medians["holdfast"] / medians["postfix"], 3),
        "ratio_to_sink": round(medians["holdfast"] / medians["smtp-sink"], 3),
        "idle": given.idle,
        "ratio_beside_idle": round(medians["beside idle"] / medians["holdfast"], 3)
        if given.idle
        else None,
        "load_before": round(load, 2),
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
    }
    text = json.dumps(figures, indent=1)
    sys.stdout.write(text + "\n")
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

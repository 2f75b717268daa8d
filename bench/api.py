"""Times the HTTP service on an archive that exists: searches, records, trails, against the bar.

python bench/api.py DATA [--rounds 50] [--json FILE]

Starts `holdfast serve` on the archive, adds a user and a key, and asks over one connection that is
kept open, as a client library does. What is asked is drawn from the archive itself: its most
frequent senders and contacts, words of its subjects. The audit log is written before each answer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

HOLDFAST = Path(sys.executable).with_name("holdfast")
BAR_MS = 100
LOGIN = "bench"


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request: how to send it, for the number of a round."""

    name: str
    send: Callable[[int], httpx2.Response]


def command(data: Path, *words: str, given: str = "") -> str:
    """Run `holdfast` on the archive and return what it printed."""
    done = subprocess.run(
        [str(HOLDFAST), "--data", str(data), *words],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and "already" not in done.stderr:
        raise SystemExit(f"holdfast {words[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def service(data: Path) -> Iterator[str]:
    """Serve the archive; yields the address of its API."""
    place = ["--data", str(data), "--set", "service.requests_per_minute=0"]
    process = subprocess.Popen(
        [str(HOLDFAST), "serve", "--port", "0", "--json", *place],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        told = json.loads(process.stdout.readline() if process.stdout else "")
        yield f"http://{told['host']}:{told['port']}/api/v1"
    finally:
        process.terminate()
        process.wait()


def requests_of(client: httpx2.Client) -> list[Asked]:
    """Return what is measured, drawn from what the archive holds."""
    first = client.post("/search", json={"facets": ["sender", "month"], "limit": 200}).json()
    records = [hit["record"] for hit in first["hits"]]
    words = [w for one in records for w in one["subject"].split() if len(w) > 3] or ["mail"]
    people = [one["value"] for one in first["facets"]["sender"]]
    contacts = [p["contact_id"] for one in records for p in one["participants"] if p["contact_id"]]

    def search(**order: Any) -> Callable[[int], httpx2.Response]:
        def send(number: int) -> httpx2.Response:
            made = {k: v(number) if callable(v) else v for k, v in order.items()}
            return client.post("/search", json={"limit": 20, **made})

        return send

    return [
        Asked("term", search(query=lambda n: words[n % len(words)])),
        Asked("two terms", search(query=lambda n: f"{words[n % len(words)]} {words[-1]}")),
        Asked("phrase", search(query=lambda n: f'"{records[n % len(records)]["subject"][:40]}"'
                               .replace("\\", ""))),
        Asked("sender, newest", search(query=lambda n: f"from:{people[n % len(people)]}")),
        Asked("everything, facets", search(query="", facets=["sender", "month", "domain"])),
        Asked("record", lambda n: client.get(f"/records/{records[n % len(records)]['id']}")),
        Asked("trail", lambda n: client.get(f"/contacts/{contacts[n % len(contacts)]}/timeline")),
    ]  # fmt: skip


def measure(asked: Asked, rounds: int) -> dict[str, object]:
    """Return percentiles of one kind of request, in milliseconds."""
    taken = []
    for number in range(rounds):
        start = time.perf_counter()
        answer = asked.send(number)
        taken.append((time.perf_counter() - start) * 1000)
        if answer.status_code not in {200, 400}:
            raise SystemExit(f"{asked.name}: {answer.status_code} {answer.text[:300]}")
    p95 = statistics.quantiles(taken, n=20)[-1]
    result = {"name": asked.name, "p50_ms": round(statistics.median(taken), 1)}
    return {**result, "p95_ms": round(p95, 1), "bar_ms": BAR_MS, "is_met": p95 <= BAR_MS}


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    command(options.data, "user", "add", LOGIN, "--role", "legal", "--generate")
    key = json.loads(command(options.data, "key", "create", LOGIN, "--name", "bench", "--json"))
    with service(options.data) as place:
        headers = {"Authorization": f"Bearer {key['key']}"}
        with httpx2.Client(base_url=place, headers=headers, timeout=120) as client:
            total = client.post("/search", json={"limit": 0}).json()["total"]
            rows = [measure(one, options.rounds) for one in requests_of(client)]
    machine = {"system": platform.platform(), "cores": os.cpu_count()}
    text = json.dumps({"messages": total, "machine": machine, "requests": rows}, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

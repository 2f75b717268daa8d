"""Times ingest and search on the embedded archive beside PostgreSQL, Elasticsearch and S3.

    python bench/engines.py MAILDIR [--rounds 3] [--searches 40] [--json FILE]

Starts the servers of deploy/dev with throw-away data on this machine, imports the same Maildir into
both archives in turn, then asks both the same questions and compares the answers. One machine runs
servers and product alike: what the engines are for, many machines, is not measured here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg

from holdfast.core.ports import SearchRequest
from holdfast.core.query import Scope
from holdfast.indexer.query_parser import parse_query
from holdfast.settings import Flags, load
from holdfast.wiring.archive import open_archive

HOLDFAST = Path(sys.executable).with_name("holdfast")
SERVERS = Path(__file__).resolve().parent.parent / "deploy" / "dev"
BUCKET = "holdfast-bench"
QUERIES = (
    "meeting",
    '"mailing list"',
    "subject:re patch",
    "from:org after:2000-01-01",
    "has:attachment larger:10k",
    "中国",
    "linux OR windows",
    "kernel -windows",
    "patch*",
)


@contextmanager
def server(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """Run one of the servers; give what its script says of it."""
    script = str(SERVERS / f"{name}.sh")
    started = subprocess.run(
        [script, "start", str(folder)], capture_output=True, text=True, check=False
    )
    if started.returncode:
        raise SystemExit(f"{name} did not start: {started.stderr[-1000:]}")
    try:
        yield dict(line.split("=", 1) for line in started.stdout.splitlines() if "=" in line)
    finally:
        subprocess.run([script, "stop", str(folder)], capture_output=True, check=False)


class Engines:
    """The servers, and archives that lie in them."""

    def __init__(self, scratch: Path, stack: ExitStack) -> None:
        self._said = {
            name: stack.enter_context(server(name, scratch / name))
            for name in ("postgres", "elasticsearch", "s3")
        }
        store = self._said["s3"]
        boto3.client(
            "s3",
            endpoint_url=store["S3_ENDPOINT"],
            region_name=store["S3_REGION"],
            aws_access_key_id=store["S3_ACCESS_KEY"],
            aws_secret_access_key=store["S3_SECRET_KEY"],
        ).create_bucket(Bucket=BUCKET)

    def place(self, number: int) -> dict[str, str]:
        """Return the environment of a new, empty archive."""
        postgres, search, store = (self._said[n] for n in ("postgres", "elasticsearch", "s3"))
        name = f"round{number}"
        admin_url, password = postgres["ADMIN_URL"], postgres["PASSWORD"]
        with psycopg.connect(admin_url, password=password, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} OWNER holdfast TEMPLATE template0")
        return {
            "HOLDFAST_CATALOGUE__URL": postgres["URL"].rpartition("/")[0] + f"/{name}",
            "HOLDFAST_CATALOGUE__PASSWORD": postgres["PASSWORD"],
            "HOLDFAST_INDEX__URL": search["URL"],
            "HOLDFAST_INDEX__USER": search.get("USER", ""),
            "HOLDFAST_INDEX__PASSWORD": search.get("PASSWORD", ""),
            "HOLDFAST_INDEX__PREFIX": name,
            "HOLDFAST_VAULT__URL": f"s3://{BUCKET}/{name}",
            "HOLDFAST_VAULT__ENDPOINT": store["S3_ENDPOINT"],
            "HOLDFAST_VAULT__REGION": store["S3_REGION"],
            "HOLDFAST_VAULT__ACCESS_KEY": store["S3_ACCESS_KEY"],
            "HOLDFAST_VAULT__SECRET_KEY": store["S3_SECRET_KEY"],
        }


def ingest(maildir: Path, data: Path, environment: Mapping[str, str]) -> float:
    """Import into a new archive; return seconds on the clock."""
    command = [str(HOLDFAST), "--data", str(data), "import", str(maildir)]
    start = time.monotonic()
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 3}:
        raise SystemExit(f"The import failed: {done.stderr[-2000:]}")
    return time.monotonic() - start


def ask(data: Path, environment: Mapping[str, str], searches: int) -> dict[str, dict[str, Any]]:
    """Ask every question so often; return hits and milliseconds."""
    os.environ.update(environment)
    answers = {}
    with open_archive(load(Flags(data=data)).settings, "bench") as services:
        index = services.index
        for text in QUERIES:
            node = parse_query(text, now=datetime.now(UTC), zone=UTC).node
            request = SearchRequest(node, Scope.whole_archive("bench"))
            total, times = index.search(request).total, []
            for _ in range(searches):
                start = time.perf_counter()
                index.search(request)
                times.append((time.perf_counter() - start) * 1000)
            p95 = statistics.quantiles(times, n=20)[-1]
            answers[text] = {
                "total": total,
                "median_ms": round(statistics.median(times), 2),
                "p95_ms": round(p95, 2),
            }
    for name in environment:
        del os.environ[name]
    return answers


def measure(maildir: Path, options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Run both in turn; the last round's archives are asked."""
    walls: dict[str, list[float]] = {"embedded": [], "engines": []}
    with ExitStack() as stack:
        servers = Engines(scratch, stack)
        for number in range(options.rounds):
            places = {"embedded": {}, "engines": servers.place(number)}
            for name, environment in places.items():
                data = scratch / f"{name}-{number}"
                walls[name].append(ingest(maildir, data, environment))
                print(f"round {number + 1}, {name}: {walls[name][-1]:.1f} s", file=sys.stderr)
        last = options.rounds - 1
        answers = {
            name: ask(scratch / f"{name}-{last}", environment, options.searches)
            for name, environment in places.items()
        }
    wall = {name: statistics.median(values) for name, values in walls.items()}
    messages = sum(1 for path in maildir.rglob("*") if path.is_file())
    return {
        "messages": messages,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "wall_s": {name: round(value, 2) for name, value in wall.items()},
        "messages_per_s": {name: round(messages / value) for name, value in wall.items()},
        "wall_ratio": round(wall["engines"] / wall["embedded"], 2),
        "searches": answers,
        "equal_totals": all(
            answers["embedded"][text]["total"] == answers["engines"][text]["total"]
            for text in QUERIES
        ),
    }


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("maildir", type=Path, help="made by bench/corpus.py --maildir")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--searches", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # the servers run as users of their own
        result = measure(options.maildir.absolute(), options, folder)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

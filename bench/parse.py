"""Times the message parser beside others on one corpus, in one interleaved run.

Ours gives more than the others: defects, quotes, fingerprint, HTML as text. The corpus is a folder
of messages (a Maildir too) or, without one, what the demonstration writes. Prints JSON; also writes
it with `--json FILE`. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import importlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from holdfast.ingest.demo.generating import generate
from holdfast.parsers.rfc822 import parse

Parser = Callable[[bytes], object]
MAX_MESSAGE_BYTES = 1 << 20


def stdlib(policy: email.policy.Policy) -> Parser:
    """The standard library, with what a reader of mail needs: header fields and decoded texts."""

    def run(raw: bytes) -> object:
        message = email.message_from_bytes(raw, policy=policy)
        fields = [(name, str(value)) for name, value in message.items()]
        return fields, [part.get_payload(decode=True) for part in message.walk()]

    return run


def parsers() -> dict[str, Parser]:
    """Ours and every peer that is installed, by name."""
    found: dict[str, Parser] = {
        "holdfast": parse,
        "email compat32": stdlib(email.policy.compat32),
        "email default": stdlib(email.policy.default),
    }
    for name, module, function in (
        ("mail-parser", "mailparser", "parse_from_bytes"),
        ("fast-mail-parser", "fast_mail_parser", "parse_email"),
    ):
        try:
            found[name] = getattr(importlib.import_module(module), function)
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
    return found


def corpus(folder: Path | None, limit: int) -> list[bytes]:
    """Read at most `limit` messages, evenly chosen."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch:
            generate(Path(scratch), seed=1, messages=limit)
            return messages_in(Path(scratch), limit)
    return messages_in(folder, limit)


def messages_in(folder: Path, limit: int) -> list[bytes]:
    """Read whole files as messages; containers are no use here and left out."""
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".mbox" and path.stat().st_size <= MAX_MESSAGE_BYTES
    )
    step = max(len(paths) // limit, 1)
    return [path.read_bytes() for path in paths[::step][:limit]]


def timed(run: Parser, messages: Sequence[bytes]) -> tuple[float, int]:
    """Return the processor seconds for all messages, and how many made the parser raise."""
    failed = 0
    start = time.process_time()
    for raw in messages:
        try:
            run(raw)
        except Exception:  # noqa: BLE001 - whatever a peer raises counts as one failure
            failed += 1
    return time.process_time() - start, failed


def measure(messages: Sequence[bytes], rounds: int) -> dict[str, object]:
    """Run every parser once a round, in turn; medians, rates and ratios."""
    runs: dict[str, list[float]] = {}
    failures: dict[str, int] = {}
    found = parsers()
    for _ in range(rounds):
        for name, run in found.items():
            seconds, failures[name] = timed(run, messages)
            runs.setdefault(name, []).append(seconds)
    cpu = {name: statistics.median(seconds) for name, seconds in runs.items()}
    return {
        "messages": len(messages),
        "bytes": sum(map(len, messages)),
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "messages_per_cpu_s": {name: round(len(messages) / value) for name, value in cpu.items()},
        "times_as_fast": {
            name: round(value / cpu["holdfast"], 2)
            for name, value in cpu.items()
            if name != "holdfast"
        },
        "raised": failures,
    }


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="messages, one a file")
    parser.add_argument("--limit", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    text = json.dumps(measure(corpus(options.folder, options.limit), options.rounds), indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Feeds readers of chat with inputs that their own coverage guides; a program of its own.

    python guided_fuzz.py SYSTEM --runs 1000000 --seed 1 --findings DIR

`SYSTEM` is one of `chat_fuzz.SYSTEMS`, or a form of webhooks (`hook_fuzz.FORMS`). The engine is
atheris, that is libFuzzer: it ends the program with an error at the first broken promise, and
writes the input into the folder of findings.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["holdfast.parsers"], enable_loader_override=False):
    from chat_fuzz import SYSTEMS, Sample, samples_of
    from chat_promises import broken_promise
    from holdfast.core.records import Parsed
    from holdfast.parsers.chat.forms import FormItem, parse_form
    from hook_fuzz import CONTEXT, samples

LONGEST_BYTES = 1 << 14
MOST_WAYS = 256


class BrokenPromise(Exception):
    """What no input may do."""


def samples_for(system: str) -> list[Sample]:
    """Return good items to begin with."""
    if system in SYSTEMS:
        return samples_of(*SYSTEMS[system])
    return [Sample(system, raw, CONTEXT) for raw in samples(system)]


def parse_badly(form: str, item: FormItem) -> Parsed:
    """Read as the product does, but for a record with a defect: its text cannot be written."""
    record = parse_form(form, item)
    return replace(record, body="\ud800") if record.defects else record


class Target:
    """Reads one input: the first byte says as which form, and in which context."""

    def __init__(self, good: list[Sample], *, is_broken: bool) -> None:
        self._parse = parse_badly if is_broken else parse_form
        ways = sorted({(one.form, one.context) for one in good})
        self._ways = ways[:MOST_WAYS]
        self.seeds = [
            bytes([self._ways.index((one.form, one.context))]) + one.raw
            for one in good
            if (one.form, one.context) in self._ways and len(one.raw) < LONGEST_BYTES
        ]

    def __call__(self, data: bytes) -> None:
        """Read it.

        Raises:
            BrokenPromise: The record is none.
        """
        if not data:
            return
        form, context = self._ways[data[0] % len(self._ways)]
        problem = broken_promise(self._parse(form, FormItem(data[1:], context)))
        if problem:
            raise BrokenPromise(problem)


def main() -> None:
    """Feed; ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system")
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, required=True)
    parser.add_argument("--broken", action="store_true", help="a reader that must be found out")
    options = parser.parse_args()
    target = Target(samples_for(options.system), is_broken=options.broken)
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(target.seeds):
            Path(folder, str(number)).write_bytes(seed)
        words = [
            f"-runs={options.runs}", f"-seed={options.seed}", f"-max_len={LONGEST_BYTES}",
            f"-artifact_prefix={options.findings}/", "-print_final_stats=1", "-timeout=10",
        ]  # fmt: skip
        atheris.Setup([sys.argv[0], *words, folder], target, internal_libfuzzer=True)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""Makes mail to measure with: the demo at any size, or a Maildir from any mailbox, for peers.

    python bench/corpus.py --messages 60000 --seed 7 --out DIR [--maildir]
    python bench/corpus.py --convert FILE.mbox --out DIR [--copies 3]

Below DIR come `mail/` (mbox files and Maildirs), `story.json` (what must be found in it) and, with
`--maildir` or `--convert`, `maildir/`: one plain Maildir with every message, for notmuch and mu.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import asdict
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from holdfast.core.records import RawItem
from holdfast.ingest.demo.generating import DEFAULT_MESSAGES, generate
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader

_IDS = re.compile(rb"^(?:message-id|in-reply-to|references):.*\n(?:[ \t].*\n)*", re.I | re.M)
"""Fields that name messages, with their folded lines."""
_DATE = re.compile(rb"^date:.*(?:\n[ \t].*)*", re.I | re.M)


def renamed(raw: bytes, copy: int) -> bytes:
    """Return the message under an id of its own, and its answers' references with it."""
    head, blank, body = raw.partition(b"\n\n")
    ids = _IDS.sub(lambda found: found[0].replace(b"<", b"<copy%d." % copy), head + b"\n")
    dated = _DATE.sub(lambda found: _later(found[0], copy), ids, count=1)
    return dated[:-1] + blank + body


def _later(field: bytes, days: int) -> bytes:
    """Return a Date field of so many days later, or the same where it cannot be read."""
    try:
        at = parsedate_to_datetime(field.partition(b":")[2].decode().strip())
        return b"Date: " + format_datetime(at + timedelta(days=days)).encode()
    except (ValueError, OverflowError):
        return field


def convert(source: Path, target: Path, copies: int = 1) -> int:
    """Write every message below `source` into one plain Maildir; return how many.

    Names and order are the same each time; files lie in `cur`, all of them seen.

    Args:
        source: Anything that can be imported.
        target: A new Maildir.
        copies: So many times the whole, each time under other Message-IDs and a day later, so that
            all are different messages: a larger archive of real text.
    """
    for name in ("cur", "new", "tmp"):
        (target / name).mkdir(parents=True)
    count = 0
    with Reader() as reader:
        for copy in range(copies):
            for offered in plan(source):
                item = reader.read(offered)
                if isinstance(item, RawItem):
                    count += 1
                    name = f"{1_700_000_000 + count}.M{count}P1.bench:2,S"
                    raw = renamed(bytes(item.raw), copy) if copy else item.raw
                    (target / "cur" / name).write_bytes(raw)
                elif offered.kind != "skipped":
                    print(f"not converted: {offered.key}: {item.reason}")
    return count


def main() -> None:
    """Read the command line and write what it asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=DEFAULT_MESSAGES)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="a new directory")
    parser.add_argument("--maildir", action="store_true", help="a plain Maildir, too")
    parser.add_argument("--convert", type=Path, help="a mailbox to convert, instead of the demo")
    parser.add_argument("--copies", type=int, default=1, help="of what is converted")
    options = parser.parse_args()
    began, source = time.perf_counter(), options.convert
    if source is None:
        source = options.out / "mail"
        told = generate(source, seed=options.seed, messages=options.messages)
        story = json.dumps(asdict(told), default=str, ensure_ascii=False, indent=1)
        (options.out / "story.json").write_text(story + "\n", "utf-8")
        seconds = time.perf_counter() - began
        print(f"{told.stored} messages in {seconds:.1f} s: {told.stored / seconds:.0f} a second")
    if options.maildir or options.convert:
        count = convert(source, options.out / "maildir", options.copies)
        print(f"{count} messages in {options.out / 'maildir'}")


if __name__ == "__main__":
    main()

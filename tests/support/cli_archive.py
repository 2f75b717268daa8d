"""A small archive that tests of the command line look at, and how they run commands."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from typer import Typer
from typer.main import get_command
from typer.testing import CliRunner

from holdfast.cli.app import application

HOSTILE_SUBJECT = "=?utf-8?B?G10wO293bmVkB+KArmdwai5leGU=?="
"""ESC ] 0 ; owned BEL, then a right-to-left override and gpj.exe."""

LETTERS: tuple[tuple[str, ...], ...] = (
    (
        "Message-ID: <offer@jia.example>",
        "From: =?utf-8?B?546L5pWP?= <wang.min@jia.example>",
        "To: Li Qiang <li@our.example>",
        "Date: Fri, 15 Mar 2024 10:22:00 +0800",
        "Subject: =?utf-8?B?5oql5Lu35Y2V56Gu6K6k?=",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "价格可以按 8.5 折，下周签合同。",
    ),
    (
        "Message-ID: <answer@our.example>",
        "In-Reply-To: <offer@jia.example>",
        "References: <offer@jia.example>",
        "From: Li Qiang <li@our.example>",
        "To: wang.min@jia.example",
        "Cc: boss@our.example",
        "Date: Fri, 15 Mar 2024 11:00:00 +0800",
        "Subject: Re: =?utf-8?B?5oql5Lu35Y2V56Gu6K6k?=",
        "",
        "Agreed, the discount is fine.",
        "",
        "> quoted words",
    ),
    (
        "Message-ID: <budget@our.example>",
        "From: Anna Berg <anna@berg.example>",
        "To: li@our.example",
        "Date: Mon, 18 Mar 2024 09:00:00 +0000",
        "Subject: Budget for the harbour",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "The budget is attached, with some discount.",
        "--b",
        'Content-Type: text/plain; name="plan.txt"',
        "Content-Disposition: attachment; filename=plan.txt",
        "",
        "lighthouse renovation",
        "--b--",
    ),
    (
        "Message-ID: <hostile@evil.example>",
        'From: "=?utf-8?B?G1sybWV2aWw=?=" <evil@evil.example>',
        "To: li@our.example",
        "Date: Tue, 19 Mar 2024 09:00:00 +0000",
        f"Subject: {HOSTILE_SUBJECT}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "harmless \x1b]0;owned\x07 \x1b[2J text",
    ),
    (
        "Message-ID: <wang2@mail.example>",
        "From: Wang Min <wang.min@mail.example>",
        "To: li@our.example",
        "Date: Wed, 20 Mar 2024 09:00:00 +0000",
        "Subject: From my other address",
        "",
        "Please use this one.",
    ),
)
FROM_LINE = b"From somebody@example Fri Mar 15 10:22:00 2024\n"


def letter(number: int) -> bytes:
    """Return one letter as its file holds it."""
    return "\n".join(LETTERS[number]).encode() + b"\n"


def write_mbox(path: Path, numbers: range = range(len(LETTERS))) -> Path:
    """Write letters as an mbox file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(FROM_LINE + letter(number) + b"\n" for number in numbers))
    return path


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str
    raw: bytes

    @property
    def json(self) -> Any:
        """The one line of JSON that was printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Every line, as JSON."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Desk:
    """Runs commands on one archive, in this process."""

    data: Path
    env: dict[str, str] = field(default_factory=dict)

    def run(self, *words: object, status: int | None = 0, **env: str) -> Ran:
        """Run `holdfast` with these words; fail unless it ends with `status` (None: any)."""
        settings = {
            "HOLDFAST_DATA": str(self.data),
            "TZ": "Asia/Shanghai",
            "COLUMNS": None,
            "LC_ALL": "C",
        }
        typed = [str(word) for word in words]
        program = built(application(typed))
        ended = 0
        with CliRunner().isolation(env={**settings, **self.env, **env}) as (out, err, _):
            try:
                program.main(typed, prog_name="holdfast")
            except SystemExit as end:
                ended = int(end.code or 0)
            sys.stdout.flush()
            sys.stderr.flush()
            raw = out.getvalue()
            ran = Ran(ended, _text(raw), _text(err.getvalue()), raw)
        if status is not None:
            assert ran.status == status, (ran.status, ran.out, ran.err)
        return ran


@cache
def built(program: Typer) -> Any:
    """Return what Typer makes of a program, which takes it longer than most commands."""
    return get_command(program)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")

"""Times the pull of a mailbox from Dovecot beside mbsync, interleaved; prints ratios as JSON.

    python bench/imap.py [--messages 10000] [--folders 20] [--rounds 3] [--mail MAILBOX] [--tls]
                         [--json FILE]

mbsync writes a Maildir, once as it is by default (it syncs every message to disk) and once without;
ours seals every original, keeps ledger, catalogue and audit log, and makes all of it searchable.
Two moments are taken of ours, seen from outside: everything is sealed, durable and in the ledger,
which is what mbsync has at its end; and everything is filed and searchable. What is written stays
until the end: ext4 is slow to give out inodes again that were freed a moment ago.
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
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pysqlite3

from holdfast.core.records import RawItem
from holdfast.ingest.demo.generating import generate
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "deploy" / "dev" / "dovecot.sh"
USER = "bench"
PEERS: dict[str, tuple[str, ...]] = {"mbsync": (), "mbsync_no_fsync": ("FSync no",)}
OURS = ("sealed", "searchable")
WATCH_S = 0.02
"""Between two looks into the catalogue."""


@dataclass(frozen=True)
class Server:
    """A running Dovecot with the mail."""

    port: int
    tls_port: int
    password: str
    ca_file: str


@dataclass(frozen=True)
class Timing:
    """One run of one program; processor time without the server's."""

    wall_s: float
    cpu_s: float


@contextmanager
def dovecot(folder: Path) -> Iterator[Server]:
    """Run the server."""
    ran = subprocess.run(
        [str(SCRIPT), "start", str(folder)], check=True, capture_output=True, text=True
    )
    said = dict(line.split("=", 1) for line in ran.stdout.splitlines())
    try:
        yield Server(int(said["PORT"]), int(said["TLS_PORT"]), said["PASSWORD"], said["CA_FILE"])
    finally:
        subprocess.run([str(SCRIPT), "stop", str(folder)], check=True)


def fill(folder: Path, mail: Path, messages: int, folders: int) -> int:
    """Put messages of a mailbox into the server's Maildirs, turn by turn; return how many."""
    home = folder / "mail" / USER
    places = [home, *(home / f".Box {number}" for number in range(1, folders))]
    for place in places:
        for name in ("cur", "new", "tmp"):
            (place / name).mkdir(parents=True)
    count = 0
    with Reader() as reader:
        for offered in plan(mail):
            item = reader.read(offered) if count < messages else None
            if isinstance(item, RawItem):
                name = f"{1_700_000_000 + count}.M{count}P1.bench:2,S"
                raw = bytes(item.raw).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                (places[count % folders] / "cur" / name).write_bytes(raw)
                count += 1
    subprocess.run(["chown", "-R", "dovecot:dovecot", str(folder / "mail")], check=True)
    return count


def timed(run: Callable[[], None]) -> Timing:
    """Run and measure the clock and the processor time of all children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    run()
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(wall, cpu)


def quietly(command: list[str], given: str = "") -> str:
    """Run to the end; its output matters only when it fails."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


def mbsync(server: Server, scratch: Path, messages: int, *options: str, tls: bool) -> None:
    """Pull everything into a Maildir."""
    (scratch / "secret").write_text(server.password)
    (scratch / "mail").mkdir()
    how = "SSLType IMAPS" if tls else "SSLType None"
    port = server.tls_port if tls else server.port
    lines = [
        *options, "IMAPAccount a", "Host localhost", f"Port {port}", f"User {USER}",
        f'PassCmd "cat {scratch}/secret"', how, f"CertificateFile {server.ca_file}", "AuthMechs *",
        "", "IMAPStore far", "Account a", "",
        "MaildirStore near", f"Path {scratch}/mail/", f"Inbox {scratch}/mail/INBOX",
        "SubFolders Verbatim", "", "Channel c", "Far :far:", "Near :near:", "Patterns *",
        "Sync Pull", "Create Near", f"SyncState {scratch}/state/",
    ]  # fmt: skip
    (scratch / "state").mkdir()
    (scratch / "rc").write_text("\n".join(lines) + "\n")
    quietly(["mbsync", "-q", "-c", str(scratch / "rc"), "-a"])
    found = sum(1 for path in (scratch / "mail").rglob("*") if path.parent.name in {"cur", "new"})
    if found != messages:
        raise SystemExit(f"mbsync: {found} of {messages}")


def prepare_holdfast(server: Server, scratch: Path, *, tls: bool) -> None:
    """Make an archive with the mailbox as its source; this is not timed."""
    program = [sys.executable, "-m", "holdfast", "--data", str(scratch / "archive")]
    quietly([*program, "init"])
    port = server.tls_port if tls else server.port
    way = ["--tls", "implicit", "--ca-file", server.ca_file] if tls else ["--tls", "none"]
    words = ["--host", "localhost", "--port", str(port), "--user", USER, *way, "--secret-stdin"]
    quietly([*program, "source", "add", "imap", "bench", *words], server.password + "\n")


def holdfast(scratch: Path, messages: int) -> tuple[Timing, Timing]:
    """Pull everything into the archive; return when it was sealed, and when it was searchable."""
    archive = scratch / "archive"
    program = [sys.executable, "-m", "holdfast", "--data", str(archive)]
    sealed_s = 0.0

    def run() -> None:
        nonlocal sealed_s
        started = time.monotonic()
        with (scratch / "said").open("w+") as said:
            with subprocess.Popen(
                [*program, "source", "sync", "bench", "--json"],
                stdout=said, stderr=subprocess.DEVNULL,
            ) as process:  # fmt: skip
                sealed_s = watched(archive, messages, process) - started
            said.seek(0)
            (ended,) = json.load(said)["sources"]
        if ended["offered"] != messages:
            raise SystemExit(f"holdfast: {ended}")

    whole = timed(run)
    return Timing(sealed_s, whole.cpu_s), whole


def watched(archive: Path, messages: int, process: subprocess.Popen[bytes]) -> float:
    """Return the moment at which the catalogue has captures of so many messages."""
    catalogue = pysqlite3.connect(f"file:{archive}/catalogue.sqlite3?mode=ro", uri=True)
    with closing(catalogue):
        while process.poll() is None:
            (count,) = catalogue.execute("SELECT count(*) FROM captures").fetchone()
            if count >= messages:
                break
            time.sleep(WATCH_S)
    return time.monotonic()


def measure(
    server: Server, given: argparse.Namespace, messages: int, scratch: Path
) -> dict[str, list[Timing]]:
    """Run every program once a round, in turn, each from nothing."""
    timings: dict[str, list[Timing]] = {name: [] for name in (*PEERS, *OURS)}
    for number in range(-1, given.rounds):  # the first lets the server index, and does not count
        taken: dict[str, Timing] = {}
        for name, options in PEERS.items():
            place = fresh(scratch, f"{name}-{number}")
            run = partial(mbsync, server, place, messages, *options, tls=given.tls)
            taken[name] = timed(run)
        place = fresh(scratch, f"holdfast-{number}")
        prepare_holdfast(server, place, tls=given.tls)
        taken |= zip(OURS, holdfast(place, messages), strict=True)
        for name, timing in taken.items():
            print(f"round {number + 1}, {name}: {timing}", file=sys.stderr)
            if number >= 0:
                timings[name].append(timing)
    return timings


def fresh(scratch: Path, name: str) -> Path:
    """Return a new folder, with all that was written before on the disk."""
    os.sync()
    (scratch / name).mkdir()
    return scratch / name


def summary(timings: dict[str, list[Timing]], messages: int, mailbox: str) -> dict[str, object]:
    """Medians, rates, and the ratios that the bar is stated in."""
    wall = {name: statistics.median(t.wall_s for t in runs) for name, runs in timings.items()}
    cpu = {name: statistics.median(t.cpu_s for t in runs) for name, runs in timings.items()}
    return {
        "messages": messages,
        "mailbox": mailbox,
        "machine": {"system": platform.platform(), "cores": os.cpu_count()},
        "wall_s": {name: round(value, 2) for name, value in wall.items()},
        "cpu_s": {name: round(value, 2) for name, value in cpu.items()},
        "messages_per_s": {name: round(messages / value) for name, value in wall.items()},
        "wall_ratio": {
            ours: {peer: round(wall[peer] / wall[ours], 2) for peer in PEERS} for ours in OURS
        },
        "bars": {"wall_ratio": {"sealed": {"mbsync": 1.0}}, "goals": {"sealed": {"mbsync": 2.0}}},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--folders", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mail", type=Path, help="a mailbox of any kind, instead of the demo")
    parser.add_argument("--tls", action="store_true", help="TLS for both")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        served = scratch / "dovecot"
        served.mkdir(mode=0o755)
        mail = given.mail or scratch / "mail"
        if given.mail is None:
            generate(mail, seed=7, messages=given.messages)
        with dovecot(served) as server:
            messages = fill(served, mail, given.messages, given.folders)
            timings = measure(server, given, messages, scratch)
            figures = summary(timings, messages, str(given.mail or "demo"))
    text = json.dumps(figures, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

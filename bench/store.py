"""Measure the vault beside a Maildir with fsync: messages a second and bytes a message, as JSON.

    python bench/store.py [--messages FOLDER] [--count 3000] [--rounds 3] [--at FOLDER]

Every round runs each way once, one after the other; medians are reported. Without --messages, text
is generated with word frequencies like those of a language, and the report says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from holdfast.storage.frames import prepare
from holdfast.storage.local_vault import LocalVault, LocalVaultConfig


class SystemClock:
    """The system's time."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


def generated(count: int) -> list[bytes]:
    """Return mails of 2 to 14 KB; the same ones every time."""
    chance = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 10))) for _ in range(20_000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    head = "From: {}@example.com\r\nTo: {}@example.org\r\nSubject: {}\r\nMessage-ID: <{}>\r\n\r\n"
    mails = []
    for _ in range(count):
        body = " ".join(chance.choices(words, weights, k=chance.randint(300, 2000)))
        lines = "\r\n".join(body[at : at + 72] for at in range(0, len(body), 72))
        some = chance.choices(words, k=3)
        mails.append((head.format(*some, chance.getrandbits(64)) + lines).encode())
    return mails


def read_from(folder: Path, count: int) -> list[bytes]:
    """Return up to `count` files beneath the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [path.read_bytes() for path in files[:count]]


def to_maildir(mails: Sequence[bytes], folder: Path) -> int:
    """Deliver as a careful delivery agent does: tmp, fsync, rename, fsync of the folder."""
    new, temporary = folder / "new", folder / "tmp"
    new.mkdir()
    temporary.mkdir()
    names = os.open(new, os.O_RDONLY)
    for number, mail in enumerate(mails):
        with (temporary / str(number)).open("wb") as file:
            file.write(mail)
            file.flush()
            os.fsync(file.fileno())
        (temporary / str(number)).rename(new / str(number))
        os.fsync(names)
    os.close(names)
    return sum(path.stat().st_size for path in new.iterdir())


def to_vault(batch: int) -> Callable[[Sequence[bytes], Path], int]:
    """Return a way that hashes, compresses, encrypts and keeps `batch` mails per fsync."""

    def way(mails: Sequence[bytes], folder: Path) -> int:
        config = LocalVaultConfig(folder, bytes(16))
        LocalVault.create(config)
        vault = LocalVault(config, SystemClock())
        for start in range(0, len(mails), batch):
            vault.append([prepare(mail, spool=folder) for mail in mails[start : start + batch]])
        vault.close()
        return vault.stats().size_bytes

    return way


WAYS: dict[str, Callable[[Sequence[bytes], Path], int]] = {
    "maildir, fsync each": to_maildir,
    "vault, fsync per 1": to_vault(1),
    "vault, fsync per 10": to_vault(10),
    "vault, fsync per 100": to_vault(100),
}


def measured(mails: Sequence[bytes], rounds: int, at: Path | None) -> dict[str, dict[str, float]]:
    """Return the figures of every way, from interleaved rounds."""
    rates: dict[str, list[float]] = {name: [] for name in WAYS}
    sizes: dict[str, float] = {}
    for _ in range(rounds):
        for name, way in WAYS.items():
            folder = Path(tempfile.mkdtemp(dir=at))
            started = time.perf_counter()
            kept_bytes = way(mails, folder)
            rates[name].append(len(mails) / (time.perf_counter() - started))
            sizes[name] = kept_bytes / len(mails)
            shutil.rmtree(folder)
    peer = statistics.median(rates["maildir, fsync each"])
    return {
        name: {
            "messages_per_s": round(statistics.median(some)),
            "bytes_per_message": round(sizes[name]),
            "times_maildir": round(statistics.median(some) / peer, 2),
        }
        for name, some in rates.items()
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=Path, help="folder of message files")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at", type=Path, help="folder on the disk to measure")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    given = options.messages
    mails = read_from(given, options.count) if given else generated(options.count)
    report = {
        "measures": "store",
        "input": "given" if given else "generated",
        "messages": len(mails),
        "mean_bytes": round(statistics.mean(map(len, mails))),
        "rounds": options.rounds,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "ways": measured(mails, options.rounds, options.at),
    }
    text = json.dumps(report, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

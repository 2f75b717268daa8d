"""Check an export of a Holdfast archive without Holdfast: verify.py [PACKAGE] [--key KEY].

PACKAGE: the ZIP, or the folder it was unpacked to (by default where this file is). KEY: a public
key from a source that you trust, or a file that holds it. Exit status 0: all holds; 1: it does not.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import zipfile
from itertools import groupby
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SAID = {
    "files": ("files compared with the manifest", "个文件已与清单核对"),
    "records": ("records compared with the signed log", "条记录已与签名日志核对"),
    "own": ("which is the package's own: compare it, or give --key", "取自包内：请核对或用 --key"),
    "good": ("GOOD: this is what the archive exported", "通过：这就是归档库所导出的内容"),
    "faults": ("faults: this is NOT what the archive exported", "处问题：并非归档库所导出的内容"),
    "name": ("unsafe name", "文件名不安全"), "missing": ("missing", "缺失"),
    "extra": ("not listed, or twice", "未列出或重复"), "changed": ("changed", "已被改动"),
    "unread": ("unreadable", "无法读取"), "unsigned": ("not signed by this key", "并非此密钥签名"),
    "event": ("not in the log", "不在日志中"), "custody": ("custody incomplete", "保管链不完整"),
    "false": ("states what is not so", "所述不实"), "key": ("signed by", "签名公钥"),
}  # fmt: skip
LANGUAGE = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
WORDS = {key: both[LANGUAGE.lower().startswith("zh")] for key, both in SAID.items()}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
HERE, faults = os.path.dirname(os.path.abspath(__file__)), list[str]()


def bad(name: str, why: str) -> None:
    """Name what is not as it must be."""
    faults.append(name)
    print(f"BAD  {ascii(name)[1:-1]}: {WORDS[why]}")


def sha256(pieces: Any) -> bytes:
    """Hash the pieces one after the other."""
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.digest()


class Package:
    """The files of a ZIP or of a folder, and the key that they shall be signed by."""

    key = ""

    def __init__(self, path: str) -> None:
        self.open: Any = lambda name: open(os.path.join(path, name), "rb")
        if os.path.isdir(path):
            found = [os.path.join(at, name) for at, _, some in os.walk(path) for name in some]
            self.names = {os.path.relpath(name, path).replace(os.sep, "/") for name in found}
            return
        package, spare = zipfile.ZipFile(path), os.path.getsize(path) - 22
        self.names, self.open = set(package.namelist()), package.open
        for one in package.infolist():  # headers, content, descriptor: nothing else may be there
            spare -= 101 + 2 * len(one.filename.encode()) + len(one.extra) + one.compress_size
            spare -= 28 * (max(one.header_offset, one.file_size) > 4293656841)
        if spare not in (0, 76) or len(self.names) != len(package.infolist()):
            bad(path, "extra")

    def lines(self, name: str) -> Any:
        """Yield a file by lines, none of them longer than 64 MiB."""
        with self.open(name) as file:
            yield from iter(lambda: file.readline(1 << 26), b"")

    def read(self, name: str) -> bytes:
        """Return a whole file; one that is not there is empty."""
        return b"".join(self.lines(name)) if name in self.names else b""

    def signed(self, name: str) -> list[str]:
        """Return the lines of a note that the key signed (c2sp.org/signed-note), or raise."""
        origin, key_id, encoded = self.key.split("+", 2)
        key = base64.b64decode(encoded, validate=True)
        named = sha256([origin.encode(), b"\n", key])[:4]
        text, _, signatures = self.read(name).decode().rpartition("\n\n")
        for line in signatures.split("\n")[:-1]:
            found = base64.b64decode(line.rpartition(" ")[2])
            is_ours = found[:4] == named == bytes.fromhex(key_id) and key[:1] == b"\1"
            if is_ours and line == f"— {origin} {base64.b64encode(found).decode()}":
                public = Ed25519PublicKey.from_public_bytes(key[1:])
                public.verify(found[4:], f"{text}\n".encode())
                return text.split("\n")
        raise ValueError(name)


def included(leaf: bytes, index: int, size: int, path: bytes, root: bytes) -> bool:
    """Tell whether the path leads from the leaf to the root (RFC 9162, 2.1.3)."""
    inner, found = (index ^ size - 1).bit_length(), sha256([b"\0", leaf])
    steps = inner + bin(index >> inner).count("1")
    for at in range(steps):
        pair = [found, path[32 * at : 32 * at + 32]]
        found = sha256([b"\1", *(pair if at < inner and not index >> at & 1 else pair[::-1])])
    return 0 <= index < size and len(path) == 32 * steps and found == root


def check_files(package: Package, listed: dict[str, str]) -> None:
    """Compare files and manifest, both ways, then the manifest with its signature."""
    lines = list(package.lines("manifest.sha256"))
    listed.update((line[66:-1].decode(), line[:64].decode()) for line in lines)
    for name in sorted({*package.names, *listed} - {"manifest.sha256", "signature"}):
        why = "missing" if name not in package.names else "" if name in listed else "extra"
        why = why if NAME.fullmatch(name) else "name"
        try:
            if why or sha256(package.lines(name)).hex() != listed[name]:
                bad(name, why or "changed")
        except Exception:
            bad(name, "changed")
    print(f"     {len(listed)} {WORDS['files']}")
    text = [*package.signed("signature"), str(package.read("signature").count(b"\n"))]
    if [text[0], *text[2:]] != ["holdfast export/1", sha256(lines).hex(), "5"]:
        bad("manifest.sha256", "unsigned")


def events(package: Package) -> Any:
    """Yield record number, leaf and salt of each event, after looking for it in the signed log."""
    _, size, root, *_ = package.signed("proofs/checkpoint")
    for one in map(json.loads, package.lines("custody.jsonl")):
        leaf, path = one["leaf"].encode(), base64.b64decode(one["path"])
        if not included(leaf, one["seq"], int(size), path, base64.b64decode(root)):
            bad(f"custody.jsonl: record {one['number']}, event {one['seq']}", "event")
        yield one["number"], json.loads(leaf), base64.b64decode(one["salt"])


def check_record(record: Any, told: list[tuple[Any, bytes]], listed: dict[str, str]) -> None:
    """Compare a line of the index with its events and with the manifest."""
    owners = {record["id"], *(one["id"] for one in record["captures"])}
    kinds = {leaf["kind"] for leaf, _ in told if leaf["id"] in owners}
    if not kinds >= {"capture", "file", "export"} or {leaf["id"] for leaf, _ in told} - owners:
        bad(f"{record['id']} (record {record['number']})", "custody")
    for one in record["originals"]:
        digest = bytes.fromhex(one["sha256"])
        if not any(s and sha256([s, digest]).hex() == leaf.get("commit") for leaf, s in told):
            bad(one["file"], "event")
    for one in [*record["originals"], *record["attachments"], record["text"] or {"file": ""}]:
        if one["file"] and listed.get(one["file"]) != one["sha256"]:
            bad(one["file"], "changed")


def check_records(package: Package, listed: dict[str, str]) -> None:
    """Go through index and events side by side, then compare what is stated of them."""
    groups = groupby(events(package), lambda event: event[0])
    ((_, begun, salt),) = next(groups)[1]
    ids, count = hashlib.sha256(), 0
    for count, record in enumerate(map(json.loads, package.lines("index.jsonl")), 1):
        number, group = next(groups, (0, ()))
        check_record(record, [e[1:] for e in group if number == record["number"]], listed)
        ids.update(f"{record['id']}\n".encode())
    print(f"     {count} {WORDS['records']}")
    query, paper = (json.loads(package.read(name)) for name in ("query.json", "certificate.json"))
    order, counts = query["order"], query["counts"]
    form = json.dumps(order, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    stated = [begun["kind"], begun["id"], begun["ctx"], paper["export"], paper["counts"]]
    stated += [counts["exported"], counts["hits"], counts["originals"], next(groups, None)]
    originals = sum(name.startswith("originals/") for name in listed)
    known = ["export_begun", query["export"], sha256([salt, sha256([form])]).hex()]
    known += [query["export"], counts, count, count + counts["gone"], originals, None]
    if stated != known or (ids.hexdigest() != order["records_sha256"] and not counts["gone"]):
        bad("query.json, certificate.json", "false")


def main(words: list[str]) -> int:
    """Check the package that the words name; return the exit status."""
    at = words.index("--key") if "--key" in words else len(words)
    path, key = next(iter(words[:at] + words[at + 2 :]), HERE), "".join(words[at + 1 : at + 2])
    listed: dict[str, str] = {}
    try:
        package = Package(path)
        own = package.read("log.pub").decode(errors="replace").strip()
        package.key = open(key).read().strip() if os.path.isfile(key) else key or own
        if package.key != own:
            bad("log.pub", "unsigned")
        for name, check in (("signature", check_files), ("index.jsonl", check_records)):
            try:
                check(package, listed)
            except Exception:
                bad(name, "unsigned" if check is check_files else "unread")
        print(f"     {WORDS['key']} {package.key}{'' if key else ', ' + WORDS['own']}")
    except Exception:
        bad(path, "unread")
    print(f"{len(faults)} {WORDS['faults']}" if faults else WORDS["good"])
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

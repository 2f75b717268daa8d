"""A second verifier of packages, written from docs/exports.md alone; shares no code with any other.

It reads everything into memory and follows the pseudo code of RFC 9162, 2.1.3.2.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def is_good(path: Path, key: str = "") -> bool:
    """Tell whether the package is one that the holder of the key exported."""
    try:
        _check(path, key)
    except (AssertionError, InvalidSignature, LookupError, TypeError, ValueError, OSError,
            zipfile.BadZipFile, NotImplementedError, RuntimeError):  # fmt: skip
        return False
    except zipfile.zlib.error:  # type: ignore[attr-defined]
        return False
    return True


def _check(path: Path, key: str) -> None:
    files = _files(path)
    key = key or files["log.pub"].decode().strip()
    assert files["log.pub"].decode() == f"{key}\n"
    manifest = _manifest(files)
    _check_signature(files, key, manifest)
    origin, size, root = _opened(files["proofs/checkpoint"], key).split("\n")[:3]
    custody = [json.loads(line) for line in files["custody.jsonl"].splitlines()]
    for one in custody:
        leaf = hashlib.sha256(b"\x00" + one["leaf"].encode()).digest()
        assert _walked(leaf, one["seq"], int(size), b64decode(one["path"])) == b64decode(root)
    index = [json.loads(line) for line in files["index.jsonl"].splitlines()]
    assert [(c["number"], c["seq"]) for c in custody] == sorted(
        (c["number"], c["seq"]) for c in custody
    )
    numbers = [one["number"] for one in index]
    assert numbers == sorted(set(numbers))
    assert {one["number"] for one in custody} == {0, *numbers}
    for one in index:
        _check_record(one, [c for c in custody if c["number"] == one["number"]], manifest)
    _check_statements(files, index, custody, (origin, int(size), root, key))


def _files(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        names = package.namelist()
        assert len({name.lower() for name in names}) == len(names)
        form = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
        assert all(form.fullmatch(name) for name in names)
        return {name: package.read(name) for name in names}


def _manifest(files: dict[str, bytes]) -> dict[str, str]:
    lines = files["manifest.sha256"].decode("ascii").splitlines()
    pairs = [(line[66:], line[:64]) for line in lines]
    assert [name for name, _ in pairs] == sorted(files.keys() - {"manifest.sha256", "signature"})
    assert all(hashlib.sha256(files[name]).hexdigest() == digest for name, digest in pairs)
    return dict(pairs)


def _check_signature(files: dict[str, bytes], key: str, manifest: dict[str, str]) -> None:
    first, export, digest, end = _opened(files["signature"], key).split("\n")
    assert (first, end) == ("holdfast export/1", "")
    assert digest == hashlib.sha256(files["manifest.sha256"]).hexdigest()
    assert export == json.loads(files["query.json"])["export"]
    assert files["signature"].count(b"\n") == 5
    assert "signature" not in manifest


def _opened(note: bytes, key: str) -> str:
    name, key_id, encoded = key.split("+", 2)
    raw = b64decode(encoded, validate=True)
    assert raw[0] == 1
    assert hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8] == key_id
    text, _, last = note.decode().rpartition("\n\n")
    dash, signer, blob = last.removesuffix("\n").split(" ")
    assert (dash, signer, last[-1]) == ("—", name, "\n")
    signature = b64decode(blob, validate=True)
    assert b64encode(signature).decode() == blob
    assert signature[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], f"{text}\n".encode())
    return f"{text}\n"


def _walked(leaf: bytes, index: int, size: int, path: bytes) -> bytes:
    """RFC 9162, 2.1.3.2, step by step."""
    assert 0 <= index < size
    fn, sn, r = index, size - 1, leaf
    for at in range(0, len(path), 32):
        p = path[at : at + 32]
        assert len(p) == 32
        assert sn != 0
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\x01" + p + r).digest()
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = hashlib.sha256(b"\x01" + r + p).digest()
        fn >>= 1
        sn >>= 1
    assert sn == 0
    return r


def _check_record(one: dict[str, Any], events: list[Any], manifest: dict[str, str]) -> None:
    owners = {one["id"], *(capture["id"] for capture in one["captures"])}
    leaves = [(json.loads(event["leaf"]), b64decode(event["salt"])) for event in events]
    assert all(leaf["id"] in owners for leaf, _ in leaves)
    assert {"capture", "file", "export"} <= {leaf["kind"] for leaf, _ in leaves}
    for file in one["originals"]:
        digest = bytes.fromhex(file["sha256"])
        commits = {leaf["commit"]: salt for leaf, salt in leaves if leaf["kind"] == "capture"}
        assert any(hashlib.sha256(salt + digest).hexdigest() == c for c, salt in commits.items())
    for file in [*one["originals"], *one["attachments"], *([one["text"]] if one["text"] else [])]:
        assert not file["file"] or manifest[file["file"]] == file["sha256"]


def _check_statements(
    files: dict[str, bytes], index: list[Any], custody: list[Any], log: tuple[str, int, str, str]
) -> None:
    query, paper = json.loads(files["query.json"]), json.loads(files["certificate.json"])
    counts, order = query["counts"], query["order"]
    (own,) = [one for one in custody if one["number"] == 0]
    leaf = json.loads(own["leaf"])
    form = json.dumps(order, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    told = hashlib.sha256(b64decode(own["salt"]) + hashlib.sha256(form).digest()).hexdigest()
    assert (leaf["kind"], leaf["id"], leaf["ctx"]) == ("export_begun", query["export"], told)
    assert counts["exported"] == len(index) == counts["hits"] - counts["gone"]
    assert counts["originals"] == sum(len(one["originals"]) for one in index)
    if not counts["gone"]:
        ids = "".join(f"{one['id']}\n" for one in index)
        assert order["records_sha256"] == hashlib.sha256(ids.encode()).hexdigest()
    assert (paper["counts"], paper["export"]) == (counts, query["export"])
    assert (paper["log"]["origin"], paper["log"]["size"]) == log[:2]
    assert (paper["log"]["root"], paper["log"]["key"]) == log[2:]
    rows = list(csv.reader(io.StringIO(files["index.csv"].decode("utf-8-sig"), newline="")))
    assert len(rows) - 1 == len(index)

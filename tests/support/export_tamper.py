"""Ways to alter a package, each with the names that a verifier should come upon."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from export_kit import Members
from holdfast.storage.checkpoint import Checkpoint, sign_checkpoint, sign_note, verifier_key
from holdfast.storage.merkle import folded, inclusion_proof, leaf_hash, root_hash

MANIFEST, SIGNATURE = "manifest.sha256", "signature"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tampered with."""

    newer: Members
    older: Members
    """A true package of the same archive, made before."""
    chance: random.Random


@dataclass(frozen=True, slots=True)
class Tampered:
    """An altered package."""

    files: Members
    names: set[str]
    """At least one of them should be named."""
    what: str


def tamper(trial: Trial, way: str) -> Tampered:
    """Alter the newer package in this way, at a random place."""
    return _WAYS[way](trial)


def _named(name: str) -> set[str]:
    return {name, MANIFEST, SIGNATURE} if name in (MANIFEST, SIGNATURE) else {name}


def _change(trial: Trial) -> Tampered:
    files = dict(trial.newer)
    name = trial.chance.choice([one for one in files if files[one]])
    raw = bytearray(files[name])
    at = trial.chance.randrange(len(raw))
    raw[at] ^= 1 << trial.chance.randrange(8)
    files[name] = bytes(raw)
    names = _named(name)
    if name == MANIFEST:  # the line that is not what it was names its file
        names |= set(trial.newer)
        names |= {line[66:] for line in files[name].decode("latin-1").splitlines()}
    return Tampered(files, names, f"bit {at} of {name}")


def _remove(trial: Trial) -> Tampered:
    files = dict(trial.newer)
    name = trial.chance.choice(list(files))
    del files[name]
    return Tampered(files, {*_named(name), MANIFEST, SIGNATURE}, f"{name} removed")


def _add(trial: Trial) -> Tampered:
    files = {"originals/9999999.eml": b"From: nobody\n\nx"} | trial.newer
    return Tampered(files, {"originals/9999999.eml"}, "a message added")


def _swap(trial: Trial) -> Tampered:
    files = dict(trial.newer)
    one, other = trial.chance.sample([name for name in files if name.startswith("origin")], 2)
    files[one], files[other] = files[other], files[one]
    return Tampered(files, {one, other}, f"{one} and {other} exchanged")


def _reorder(trial: Trial) -> Tampered:
    files = dict(trial.newer)
    name = trial.chance.choice(["index.jsonl", "custody.jsonl", "index.csv", MANIFEST])
    lines = files[name].splitlines(keepends=True)
    one, other = trial.chance.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    files[name] = b"".join(lines)
    return Tampered(files, _named(name), f"lines {one} and {other} of {name}")


def _truncate(trial: Trial) -> Tampered:
    files = dict(trial.newer)
    name = trial.chance.choice([one for one in files if files[one]])
    files[name] = files[name][: trial.chance.randrange(len(files[name]))]
    names = _named(name) | (set(files) if name == MANIFEST else set())
    return Tampered(files, names, f"{name} cut")


def _replace(trial: Trial) -> Tampered:
    """A file of a true package, in the place of another one's."""
    files = dict(trial.newer)
    differing = [n for n in files if n in trial.older and trial.older[n] != files[n]]
    name = trial.chance.choice(differing)
    files[name] = trial.older[name]
    names = _named(name) | (set(files) if name == MANIFEST else set())
    return Tampered(files, names, f"{name} of the older package")


def _roll_back(trial: Trial) -> Tampered:
    """Everything but the messages of the older package, as if less had been found."""
    keep = {one for one in trial.newer if "/" in one and not one.startswith("proofs/")}
    files = {n: trial.newer[n] if n in keep else c for n, c in trial.older.items()}
    files |= {n: trial.newer[n] for n in keep}
    return Tampered(files, keep - trial.older.keys() | keep, "rolled back")


def _restate(trial: Trial) -> Tampered:
    """A message is changed, and manifest and index say so; only the key is missing."""
    files = dict(trial.newer)
    name = trial.chance.choice([one for one in files if one.startswith("originals/")])
    old = hashlib.sha256(files[name]).hexdigest().encode()
    files[name] += b"x"
    new = hashlib.sha256(files[name]).hexdigest().encode()
    files["index.jsonl"] = files["index.jsonl"].replace(old, new)
    return Tampered(_relisted(files), {name}, f"{name} changed everywhere")


def _omit(trial: Trial) -> Tampered:
    """A record is left out, and manifest, index, custody and counts say so."""
    files = dict(trial.newer)
    lines = files["index.jsonl"].splitlines(keepends=True)
    gone = json.loads(lines.pop(trial.chance.randrange(len(lines))))
    files["index.jsonl"] = b"".join(lines)
    for one in (*gone["originals"], *gone["attachments"]):
        files.pop(one["file"], None)
    custody = files["custody.jsonl"].splitlines(keepends=True)
    rest = [line for line in custody if json.loads(line)["number"] != gone["number"]]
    files["custody.jsonl"] = b"".join(rest)
    for name in ("query.json", "certificate.json"):
        value = json.loads(files[name])
        value["counts"]["exported"] -= 1
        value["counts"]["hits"] -= 1
        files[name] = json.dumps(value).encode()
    names = {MANIFEST, "query.json, certificate.json"}
    return Tampered(_relisted(files), names, f"{gone['id']} left out")


def _invent(trial: Trial) -> Tampered:
    """An entry of the log is made up, with the proof of another one."""
    files = dict(trial.newer)
    lines = [json.loads(line) for line in files["custody.jsonl"].splitlines()]
    one = trial.chance.choice(lines)
    leaf = json.loads(one["leaf"])
    leaf["t"] += 1
    one["leaf"] = json.dumps(leaf, sort_keys=True, separators=(",", ":"))
    files["custody.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    name = f"custody.jsonl: record {one['number']}, event {one['seq']}"
    return Tampered(_relisted(files), {name}, name)


def _hide(trial: Trial) -> Tampered:
    """Somebody's reading, or the export itself, is taken out of the chain of custody."""
    files = dict(trial.newer)
    lines = files["custody.jsonl"].splitlines(keepends=True)
    kinds = [json.loads(json.loads(line)["leaf"])["kind"] for line in lines]
    chosen = [at for at, kind in enumerate(kinds) if kind == "export"]
    at = trial.chance.choice(chosen)
    number = json.loads(lines.pop(at))["number"]
    files["custody.jsonl"] = b"".join(lines)
    (record,) = [
        one for one in map(json.loads, files["index.jsonl"].splitlines()) if one["number"] == number
    ]
    names = {f"{record['id']} (record {number})", MANIFEST}  # another export is an event like it
    return Tampered(_relisted(files), names, "an event hidden")


def _relisted(files: Members) -> Members:
    """Let the manifest state what is there."""
    listed = sorted(files.keys() - {MANIFEST, SIGNATURE})
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in listed]
    return {**files, MANIFEST: "".join(lines).encode()}


def forged(files: Members, origin: str) -> Members:
    """Sign all of the package anew with a key of one's own, over a log of one's own."""
    key = Ed25519PrivateKey.generate()
    lines = [json.loads(line) for line in files["custody.jsonl"].splitlines()]
    leaves = [one["leaf"].encode() for one in sorted(lines, key=lambda one: one["seq"])]

    def subtree(height: int, index: int) -> bytes:
        some = leaves[index << height : (index + 1) << height]
        return folded([leaf_hash(leaf) for leaf in some])

    for one in lines:
        one["seq"] = leaves.index(one["leaf"].encode())
        path = inclusion_proof(one["seq"], len(leaves), subtree)
        one["path"] = base64.b64encode(b"".join(path)).decode()
    checkpoint = Checkpoint(origin, len(leaves), root_hash(len(leaves), subtree))
    paper = json.loads(files["certificate.json"])
    vkey = verifier_key(origin, key.public_key())
    root = base64.b64encode(checkpoint.root).decode()
    paper["log"] = {"origin": origin, "size": len(leaves), "root": root, "key": vkey}
    files = _relisted(
        files
        | {
            "log.pub": f"{vkey}\n".encode(),
            "proofs/checkpoint": sign_checkpoint(checkpoint, key),
            "custody.jsonl": b"".join(json.dumps(one).encode() + b"\n" for one in lines),
            "certificate.json": json.dumps(paper).encode(),
        }
    )
    digest = hashlib.sha256(files[MANIFEST]).hexdigest()
    text = f"holdfast export/1\n{paper['export']}\n{digest}\n"
    return files | {SIGNATURE: sign_note(text, origin, key)}


_WAYS = {
    "change": _change,
    "remove": _remove,
    "add": _add,
    "swap": _swap,
    "reorder": _reorder,
    "truncate": _truncate,
    "replace": _replace,
    "roll back": _roll_back,
    "restate": _restate,
    "omit": _omit,
    "invent": _invent,
    "hide": _hide,
}
WAYS = tuple(_WAYS)

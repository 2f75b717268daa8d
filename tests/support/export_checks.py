"""What must hold of exports: harmless names and cells, and killed ones that go on."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from export_kit import HOSTILE, exporting, key_of, made, members_of, verdict
from holdfast.core.errors import HoldfastError
from holdfast.discovery.exporting import run_export
from holdfast.settings import Settings
from holdfast.storage.governance.exports import list_exports
from ready_programs import Program, start_ready

_PROGRAM = Path(__file__).with_name("export_program.py")
_OUR_NAMES = re.compile(
    r"attachments/\d+-\d{3}\.[a-z0-9]+|(?!attachments/)[A-Za-z0-9][\w.-]*(/[\w.-]+)?", re.ASCII
)


def index_of(path: Path) -> list[dict[str, Any]]:
    """Return what a package says of each record."""
    return [json.loads(line) for line in members_of(path)["index.jsonl"].splitlines()]


def table(path: Path, name: str) -> list[dict[str, str]]:
    """Return a table of a package."""
    text = members_of(path)[name].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def hostile_names_stay_inside(settings: Settings, out: Path) -> None:
    """F59: what senders call their files names no member, and is no formula of a table.

    Raises:
        AssertionError: A member has a name of theirs, or a cell begins as a formula or a line.
    """
    made(settings, out, with_attachments=True)
    files = members_of(out)
    theirs = [name for name in files if not _OUR_NAMES.fullmatch(name)]
    assert not theirs, f"members that senders named: {theirs}"
    rows = {row["number"]: row for row in table(out, "index.csv")}
    records = index_of(out)
    for row in rows.values():
        for value in row.values():
            is_formula = value.lstrip().startswith(tuple("=+-@＝＋－＠"))
            assert not is_formula, f"a formula: {value!r}"
            assert not value.startswith(("\t", "\r", "\n")), f"begins as a line: {value!r}"
            assert "\0" not in value, f"a line of its own: {value!r}"
            assert "\n" not in value, f"a line of its own: {value!r}"
    assert len(rows) == len(records)
    attached = [one for record in records for one in record["attachments"]]
    names = {one["name"] for one in attached}
    assert {"=1+1", "CON", "../../etc/passwd", "a\u202egpj.exe"} <= names
    assert len(attached) == len(HOSTILE)
    assert all(hashlib.sha256(files[one["file"]]).hexdigest() == one["sha256"] for one in attached)


def manifest_is_the_recount(settings: Settings, out: Path) -> None:
    """F59: the manifest names every file with its sum, as does the certificate its own part.

    Raises:
        AssertionError: A file is not listed, or has another content.
    """
    made(settings, out)
    files = members_of(out)
    lines = files["manifest.sha256"].decode().splitlines()
    listed = {line[66:]: line[:64] for line in lines}
    named = sorted(files.keys() - {"manifest.sha256", "signature"})
    assert list(listed) == named, f"it lists other files: {set(named) ^ listed.keys()}"
    other = [n for n, digest in listed.items() if hashlib.sha256(files[n]).hexdigest() != digest]
    assert other == [], f"of another content: {other}"
    paper = json.loads(files["certificate.json"])
    rest = "".join(f"{line}\n" for line in lines if "  certificate." not in line)
    assert paper["files_sha256"] == hashlib.sha256(rest.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Exporting:
    """The program at work, and the number of steps that it writes at its end."""

    program: Program
    said: Path

    def ended(self) -> int:
        """Wait for the end; return its status, negative for the signal that killed it."""
        return self.program.wait(60)


def start_export(settings: Settings, out: Path, step: int, bug: str = "") -> Exporting:
    """Begin to export in a process of its own, which is killed at this step.

    Args:
        settings: Of the archive.
        out: The package.
        step: An operation of the disk; 0 is never reached.
        bug: One of `export_program.BUGS`.
    """
    said = settings.data.with_name("said")
    words = [str(_PROGRAM), str(settings.data), str(out), str(step), *([bug] if bug else [])]
    return Exporting(start_ready(words, said, said.with_name("errors"), os.environ), said)


def export_goes_on(settings: Settings, out: Path, count: int) -> None:
    """F59: resume what was begun for this package, and see that it is whole and alone.

    Raises:
        AssertionError: It does not go on, lacks something, or something is left beside it.
    """
    with exporting(settings) as (archive, _):
        begun = [one for one in list_exports(archive.store) if one.file == str(out)]
        for row in begun:
            try:
                export = run_export(archive, row.id)
            except HoldfastError as error:
                raise AssertionError(f"it does not go on: {error}") from error
            assert (export.state, export.order["records"]) == ("complete", count)
            assert not (archive.work / row.name).exists(), "its work is left"
    if begun:
        said = verdict(out, key_of(settings))
        assert said.status == 0, f"not whole: {said.out}"
        assert f"{count} records compared" in said.out
    assert [one for one in out.parent.iterdir() if one != out] == [], "something is left beside it"

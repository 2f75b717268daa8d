"""A1: a dispute: hold, export, verify without us, and an altered byte that is named."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office
from story_kit import Ground, house, house_mail

PERIOD = "after:2024-03-01 before:2024-06-01"


def of_jia() -> int:
    return sum("jia.example" in f"{mail.sender} {mail.to}" for mail in house_mail())


def verified(package: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the verifier that the package brings, with our program out of sight."""
    with zipfile.ZipFile(package) as file:
        (folder / "verify.py").write_bytes(file.read("verify.py"))
    command = [sys.executable, "-I", str(folder / "verify.py"), str(package)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def altered(package: Path, into: Path) -> str:
    """Write the package again with one byte of one original changed; return the original's name."""
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(into, "w") as new:
        names = [one.filename for one in old.infolist()]
        victim = next(name for name in names if name.endswith(".eml"))
        for name in names:
            content = bytearray(old.read(name))
            if name == victim:
                content[len(content) // 2] ^= 1
            new.writestr(name, bytes(content))
    return victim


def exported(office: Office, order: dict[str, Any]) -> bytes:
    asked = office.post("legal1", "/exports", 202, json=order)["export"]
    assert office.ended_export("legal1", asked["id"])["state"] == "complete"
    return office.ask("legal1", "GET", f"/exports/{asked['id']}/file").content


@pytest.mark.unmeasured
def test_a1_held_mail_is_exported_and_proves_itself(tmp_path: Path, ground: Ground) -> None:
    with house(tmp_path, ground) as (office, _):
        matter = office.post("legal1", "/matters", 201, json={"name": "K1"})["id"]
        order = {"name": "jia", "reason": "dispute", "query": f"with:jia.example {PERIOD}"}
        placed = office.post("legal1", f"/matters/{matter}/holds", 201, json=order)
        office.services.desk.feed.drain()  # as a worker does
        assert placed["held"] == of_jia() == office.search("legal1", "matter:K1")["total"]
        content = exported(office, {"query": "matter:K1", "matter": "K1"})
    package = tmp_path / "K1.zip"
    package.write_bytes(content)
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert sum(name.endswith(".eml") for name in names) == of_jia()
    assert {"manifest.sha256", "custody.jsonl", "certificate.zh.txt", "certificate.en.txt"} <= set(
        names
    )
    query = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("query.json"))
    assert "matter:K1" in json.dumps(query)

    good = verified(package, tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = tmp_path / "bad.zip"
    victim = altered(package, bad)
    seen = verified(bad, tmp_path)
    assert seen.returncode != 0
    assert victim in seen.stdout + seen.stderr

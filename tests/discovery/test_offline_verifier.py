"""The verifier that every package carries: it needs nothing of ours, and finds what is altered."""

from __future__ import annotations

import ast
import importlib.util
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from archive_kit import bring_in, message, write_mbox
from export_kit import key_of, made, members_of, new_archive, verdict, write_package
from export_reader import is_good
from export_tamper import WAYS, Trial, forged, tamper
from holdfast.discovery.offline_verifier import included
from holdfast.settings import Settings
from holdfast.storage import merkle

SCRIPT = Path(__file__).resolve().parents[2] / "discovery" / "offline_verifier.py"
MUTATIONS = int(os.environ.get("HOLDFAST_PROOF_MUTATIONS", "6000"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return new_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def packages(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An older package of the archive and a newer one, of more mail."""
    folder = tmp_path_factory.mktemp("packages")
    older, newer = folder / "older.zip", folder / "newer.zip"
    made(settings, older, with_attachments=True)
    bring_in(settings, write_mbox(folder / "b.mbox", [message(n) for n in (21, 22)]))
    made(settings, newer, with_attachments=True)
    return older, newer


@pytest.fixture(scope="module")
def newer(packages: tuple[Path, Path]) -> Path:
    return packages[1]


def test_script_is_short_enough_to_be_read() -> None:
    """Lines that do something: neither empty nor documentation."""
    text = SCRIPT.read_text(encoding="utf-8")
    documented: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            first = node.body[0]
            documented.update(range(first.lineno, (first.end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    assert sum(1 for number, line in lines if line.strip() and number not in documented) <= 150
    assert "holdfast." not in text


def test_package_carries_the_very_script(newer: Path) -> None:
    assert members_of(newer)["verify.py"] == SCRIPT.read_bytes()


def bare_site(folder: Path) -> Path:
    """A folder with `cryptography` and what that needs, and nothing else."""
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            origin = origin.parent if origin.name == "__init__.py" else origin
            (folder / origin.name).symlink_to(origin)
    return folder


def ran(package: Path, site: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the package's own script in a Python that has no Holdfast."""
    script = site / "verify.py"
    script.write_bytes(members_of(package)["verify.py"])
    start = "import sys, runpy; sys.path.insert(0, sys.argv.pop(1)); sys.argv.pop(0)\n"
    start += "assert not any('holdfast' in one for one in sys.path[1:])\n"
    start += "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    command = [sys.executable, "-I", "-S", "-c", start, str(site), str(script), *words]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **env}
    return subprocess.run(
        command, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def test_runs_where_holdfast_is_not_in_two_languages(
    settings: Settings, newer: Path, tmp_path: Path
) -> None:
    site = bare_site(tmp_path)
    good = ran(newer, site, str(newer), "--key", key_of(settings))
    assert (good.returncode, good.stderr) == (0, "")
    assert "GOOD" in good.stdout
    key = tmp_path / "archive.pub"
    key.write_text(key_of(settings) + "\n")
    files = members_of(newer)
    files["originals/0000003.eml"] += b"more"
    bad = write_package(tmp_path / "bad.zip", files)
    chinese = ran(bad, site, "--key", str(key), str(bad), LC_ALL="zh_CN.UTF-8")
    assert chinese.returncode == 1
    assert "originals/0000003.eml: 已被改动" in chinese.stdout


def test_unpacked_folder_is_checked_too(newer: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(newer) as package:
        package.extractall(tmp_path / "unpacked")
    assert verdict(tmp_path / "unpacked").status == 0
    (tmp_path / "unpacked" / "index.csv").write_text("other")
    (tmp_path / "unpacked" / "more.txt").write_text("more")
    assert verdict(tmp_path / "unpacked").bad == ["index.csv", "more.txt"]


def test_one_flipped_bit_in_a_message_names_the_file(newer: Path, tmp_path: Path) -> None:
    files = members_of(newer)
    raw = bytearray(files["originals/0000002.eml"])
    raw[20] ^= 4
    files["originals/0000002.eml"] = bytes(raw)
    said = verdict(write_package(tmp_path / "bad.zip", files))
    assert (said.status, said.bad) == (1, ["originals/0000002.eml"])


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_tampering_is_found_and_named(
    packages: tuple[Path, Path], tmp_path: Path, way: str
) -> None:
    older, newer = map(members_of, packages)
    chance = random.Random(way)
    for number in range(4):
        trial = tamper(Trial(newer, older, chance), way)
        path = write_package(tmp_path / f"{number}.zip", trial.files)
        said = verdict(path)
        assert said.status == 1, trial.what
        assert trial.names & set(said.bad), (trial.what, said.bad)
        assert not is_good(path), trial.what


def test_unharmed_packages_are_good_for_both_verifiers(
    packages: tuple[Path, Path], settings: Settings, tmp_path: Path
) -> None:
    for package in packages:
        again = write_package(tmp_path / package.name, members_of(package))
        for path in (package, again):
            assert verdict(path, key_of(settings)).status == 0
            assert is_good(path, key_of(settings))


def test_package_of_a_forger_is_caught_by_the_key(
    settings: Settings, newer: Path, tmp_path: Path
) -> None:
    """Whoever signs all of it anew makes a sound package, of another archive."""
    key = key_of(settings)
    path = write_package(tmp_path / "forged.zip", forged(members_of(newer), key.split("+")[0]))
    assert verdict(path).status == 0
    assert "package's own" in verdict(path).out
    said = verdict(path, key)
    assert said.status == 1
    assert {"log.pub", "signature", "index.jsonl"} <= set(said.bad)
    assert not is_good(path, key)


@pytest.mark.parametrize("key_file", [None, b"\xff\xfe not a key", b""])
def test_key_that_is_gone_or_no_text_is_named(
    settings: Settings, newer: Path, tmp_path: Path, key_file: bytes | None
) -> None:
    files = {name: raw for name, raw in members_of(newer).items() if name != "log.pub"}
    if key_file is not None:
        files["log.pub"] = key_file
    path = write_package(tmp_path / "altered.zip", files)
    alone, with_key = verdict(path), verdict(path, key_of(settings))
    assert (alone.status, with_key.status) == (1, 1)
    assert "signature" in alone.bad
    assert "log.pub" in with_key.bad


def test_bytes_that_are_no_file_are_found(newer: Path, tmp_path: Path) -> None:
    raw = newer.read_bytes()
    directory = raw.rindex(b"PK\x01\x02", 0, raw.index(b"README.txt", len(raw) // 2))
    for number, changed in enumerate(
        (
            raw + b"more",
            b"before" + raw,
            raw[:directory] + b"between" * 3 + raw[directory:],
            raw[:-1],
        )
    ):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(changed)
        assert verdict(path).status == 1, number


def test_unsafe_and_double_names_are_refused(newer: Path, tmp_path: Path) -> None:
    files = list(members_of(newer).items())
    for name in ("../evil", "/etc/passwd", "a/../../b", "c:\\evil", "a/b/c", "\u202egpj", "-rf"):
        said = verdict(write_package(tmp_path / "bad.zip", [*files, (name, b"x")]))
        assert said.status == 1
        assert ascii(name)[1:-1] in said.bad
    said = verdict(write_package(tmp_path / "bad.zip", [*files, files[0]]))
    assert said.status == 1


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_what_is_no_package_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    said = verdict(path)
    assert (said.status, said.bad) == (1, [str(path)])
    assert verdict(tmp_path / "none.zip").status == 1


def test_package_without_files_lacks_what_every_package_has(tmp_path: Path) -> None:
    said = verdict(write_package(tmp_path / "empty.zip", []))
    assert (said.status, said.bad) == (1, ["signature", "index.jsonl"])


class Tree:
    """Any tree, with the paths of RFC 9162 from our own implementation."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves

    def subtree(self, height: int, index: int) -> bytes:
        some = self.leaves[index << height : (index + 1) << height]
        return merkle.folded([merkle.leaf_hash(leaf) for leaf in some])


def test_p8_mutated_proofs_are_never_accepted() -> None:
    chance = random.Random(8)
    tree = Tree([chance.randbytes(9) for _ in range(90)])
    roots = [merkle.root_hash(size, tree.subtree) for size in range(91)]
    for _ in range(MUTATIONS):
        size = chance.randrange(1, 91)
        index = chance.randrange(size)
        path = b"".join(merkle.inclusion_proof(index, size, tree.subtree))
        leaf, root = tree.leaves[index], roots[size]
        assert included(leaf, index, size, path, root)
        other = bytearray(path)
        if other:
            other[chance.randrange(len(other))] ^= 1 << chance.randrange(8)
            assert not included(leaf, index, size, bytes(other), root)
            assert not included(leaf, index, size, path[: chance.randrange(len(path))], root)
        assert not included(
            leaf, index, size, path + chance.randbytes(chance.choice((1, 32))), root
        )
        assert not included(leaf + b"x", index, size, path, root)
        elsewhere = chance.choice((chance.randrange(-3, 200), index + size))
        if elsewhere != index:
            assert not included(leaf, elsewhere, size, path, root)


def test_many_proofs_at_once_are_those_of_one_at_a_time() -> None:
    chance = random.Random(9)
    tree = Tree([b"%d" % number for number in range(130)])
    for size in (1, 2, 3, 64, 65, 100, 127, 128, 129, 130):
        wanted = sorted(chance.sample(range(size), min(size, 40)))
        found = list(merkle.many_inclusion_proofs(wanted, size, tree.subtree))
        assert found == [merkle.inclusion_proof(index, size, tree.subtree) for index in wanted]

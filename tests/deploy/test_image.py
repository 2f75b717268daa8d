"""The image holds what the wheel needs and nothing of its builder, and runs as nobody special."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from deploy_files import DEPLOY, ROOT, VARIABLES

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
BUILD = (DEPLOY / "build-tree.sh").read_text(encoding="utf-8")


def test_image_runs_as_an_ordinary_user() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)$", last, re.M) == ["1000:1000"]
    assert last.index("USER ") < last.index("ENTRYPOINT ")


def test_base_is_of_one_version_that_the_product_supports() -> None:
    version = re.search(r"^ARG PYTHON=python:(3\.\d+)\.\d+-slim-\w+$", DOCKERFILE, re.M)
    assert version
    assert tuple(map(int, version[1].split("."))) >= (3, 11)


def test_variables_of_the_image_are_settings() -> None:
    assert set(re.findall(r"\bHOLDFAST_\w+", DOCKERFILE)) <= VARIABLES


def test_only_what_the_wheel_needs_goes_into_the_build() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, wheel = config["project"], config["tool"]["hatch"]["build"]["targets"]["wheel"]
    folders = {path.partition("/")[0] for path in wheel["only-include"]}
    files = {"pyproject.toml", *project["license-files"]}
    assert IGNORED[IGNORED.index("*")] == "*"
    admitted = {word[1:] for word in IGNORED if word.startswith("!")}
    assert folders | files <= admitted
    assert admitted - folders - files == {"README.md", "requirements/*.txt", "deploy/build-tree.sh"}


def test_everything_is_installed_by_hash_or_from_this_source() -> None:
    installs = re.findall(r"(?:install --quiet|^into) (.*)$", BUILD, re.M)
    assert installs
    for options in installs:
        if options != '--no-compile "$@"; }':
            assert "--require-hashes" in options or "--no-index" in options


def test_build_refuses_to_write_over_a_tree(tmp_path: Path) -> None:
    ended = subprocess.run([DEPLOY / "build-tree.sh", tmp_path], capture_output=True, check=False)
    assert ended.returncode == 5
    assert list(tmp_path.iterdir()) == []

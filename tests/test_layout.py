"""What the build, the links and the lists in pyproject.toml promise each other."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL = CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]
FOLDERS = [name for name in WHEEL["sources"] if name != "src"]
MAX_MODULE_LINES = 400


def product_modules() -> list[Path]:
    """Every module of the product, once: `rglob` does not go through links."""
    return [path for name in WHEEL["only-include"] for path in sorted((ROOT / name).rglob("*.py"))]


def requirements(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-", " "))]


def test_links_match_wheel_mapping() -> None:
    links = {p.name: p.readlink() for p in (ROOT / "src/holdfast").iterdir() if p.is_symlink()}
    assert links == {name: Path("../..") / name for name in FOLDERS}
    assert all(WHEEL["sources"][name] == f"holdfast/{name}" for name in FOLDERS)


def test_links_are_never_packed() -> None:
    excluded = CONFIG["tool"]["hatch"]["build"]["exclude"]
    assert excluded == [f"/src/holdfast/{name}" for name in FOLDERS]
    assert WHEEL["only-include"] == ["src/holdfast", *FOLDERS]


def test_coverage_measures_what_the_wheel_holds() -> None:
    assert CONFIG["tool"]["coverage"]["run"]["source"] == WHEEL["only-include"]


def test_dependencies_match_the_locked_list() -> None:
    assert CONFIG["project"]["dependencies"] == requirements("runtime.in")
    engines = CONFIG["project"]["optional-dependencies"]["engines"]
    assert engines == requirements("engines.in")


def test_locked_lists_name_the_extras_that_packages_ask_of_each_other() -> None:
    """Else pip before 23.3 takes the newest release for `name[extra]`, which has no hash here."""
    for name in ("runtime", "build", "engines", "dev"):
        locked = [Requirement(line.rstrip("\\ ")) for line in requirements(f"{name}.txt")]
        given = {canonicalize_name(one.name): one.extras for one in locked}
        missing = [
            (package, str(asked))
            for package in given
            for asked in _asked_by(package)
            if not asked.extras <= given.get(canonicalize_name(asked.name), set())
        ]
        assert missing == []


def _asked_by(package: str) -> list[Requirement]:
    try:
        found = metadata.requires(package) or []
    except metadata.PackageNotFoundError:  # of another platform
        return []
    asked = map(Requirement, found)
    return [one for one in asked if not one.marker or one.marker.evaluate({"extra": ""})]


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in product_modules()
        if path.parent.name != "versions"  # written by Alembic
    }
    assert {path: n for path, n in lines.items() if n > MAX_MODULE_LINES} == {}


@pytest.mark.parametrize("name", FOLDERS)
def test_folder_states_its_responsibility_and_its_limits(name: str) -> None:
    text = (ROOT / name / "__init__.py").read_text(encoding="utf-8")
    assert text.startswith('"""')


@pytest.mark.parametrize("name", ["runtime.txt", "engines.txt", "build.txt", "dev.txt", "fuzz.txt"])
def test_locked_requirements_name_no_host_and_no_machine(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--find-links" not in text
    assert " @ " not in text


def test_runtime_licences_allow_apache_2() -> None:
    """LGPL is fine as a dependency; GPL and AGPL would bind the whole product."""
    names = {one.name for one in _locked() if one.marker is None or one.marker.evaluate()}
    bound = {name for name in names if _is_strong_copyleft(metadata.metadata(name))}
    assert bound == set()


def _locked() -> list[Requirement]:
    lines = [*requirements("runtime.txt"), *requirements("engines.txt")]
    return [Requirement(line.rstrip(" \\")) for line in lines]


def _is_strong_copyleft(about: metadata.PackageMetadata) -> bool:
    fields = ("License-Expression", "Classifier")
    stated = [text for field in fields for text in about.get_all(field) or []]
    licences = [text.replace("LGPL", "").replace("Lesser General Public", "") for text in stated]
    return any("GPL" in text or "General Public License" in text for text in licences)

"""Hold each folder of the product to the least coverage that pyproject.toml asks of it.

Reads the report of `coverage json`; must not run tests or measure anything itself.

    coverage_floor.py REPORT PYPROJECT

Exit status: 0 when every folder reaches its floor, 1 when one does not, 2 when the report is empty.
"""

from __future__ import annotations

import json
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OTHER = "other"


@dataclass(frozen=True, slots=True)
class FolderCoverage:
    """What tests reached of one top-level folder."""

    folder: str
    reached: int
    """Lines and branches that ran."""
    total: int
    """Lines and branches there are."""
    floor: float
    """Least percentage asked for."""
    gaps: tuple[str, ...]
    """Files with something unreached, each with the first few places."""

    @property
    def percent(self) -> float:
        """Share reached, 100 for a folder without code."""
        return 100 * self.reached / self.total if self.total else 100.0

    @property
    def is_enough(self) -> bool:
        """Compares exactly: 99.996 % does not round up to 100."""
        return 100 * self.reached >= self.floor * self.total


def measure(report: dict[str, Any], floors: dict[str, float]) -> list[FolderCoverage]:
    """Sum a coverage report up by top-level folder, in the order of the alphabet."""
    files_of: dict[str, list[str]] = {}
    for path in sorted(report["files"]):
        files_of.setdefault(Path(path).parts[0], []).append(path)
    return [_sum_up(folder, paths, report, floors) for folder, paths in sorted(files_of.items())]


def _sum_up(
    folder: str, paths: list[str], report: dict[str, Any], floors: dict[str, float]
) -> FolderCoverage:
    files = {path: report["files"][path] for path in paths}
    summaries = [each["summary"] for each in files.values()]
    return FolderCoverage(
        folder=folder,
        reached=sum(s["covered_lines"] + s.get("covered_branches", 0) for s in summaries),
        total=sum(s["num_statements"] + s.get("num_branches", 0) for s in summaries),
        floor=floors.get(folder, floors[OTHER]),
        gaps=tuple(gap for path, each in files.items() if (gap := _gap(path, each))),
    )


def _gap(path: str, file: dict[str, Any]) -> str:
    places = [str(line) for line in file["missing_lines"]]
    places += [f"{start}->{end}" for start, end in file.get("missing_branches", [])]
    more = ", …" if len(places) > 12 else ""
    return f"{path}: {', '.join(places[:12])}{more}" if places else ""


def main(arguments: list[str]) -> int:
    """Print one line a folder, with the gaps of those below their floor."""
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    config = tomllib.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    folders = measure(report, config["tool"]["holdfast"]["coverage"])
    if not folders:
        print("coverage: the report names no file of the product")
        return 2
    for each in folders:
        verdict = "ok" if each.is_enough else "BELOW ITS FLOOR"
        print(
            f"coverage {each.folder:<10} {each.percent:6.2f} %  floor {each.floor:g} %  {verdict}"
        )
        if not each.is_enough:
            print("\n".join(f"  {gap}" for gap in each.gaps))
    return 0 if all(each.is_enough for each in folders) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

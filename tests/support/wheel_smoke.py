"""Try the installed wheel where the sources cannot be seen; `make wheel` runs it there.

Must not import anything but the standard library and the product.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

FOLDERS = (
    "core", "parsers", "storage", "indexer", "retention", "discovery", "ingest", "api",
)  # fmt: skip

FILES = (
    "api/static/app.css", "api/static/app.js", "api/static/htmx.min.js", "api/static/pico.min.css",
    "api/static/vendor.toml", "api/templates/base.html", "api/templates/search.html",
)  # fmt: skip
"""What pages are made of: no module imports them, so nothing else would miss them."""


def main() -> int:
    """Import every part from site-packages, find no part at the top level, and ask for help."""
    import holdfast

    where = Path(holdfast.__file__)
    if not where.is_relative_to(sys.prefix):
        raise SystemExit(f"holdfast came from {where}, not from the wheel")
    for folder in FOLDERS:
        importlib.import_module(f"holdfast.{folder}")
        if importlib.util.find_spec(folder) is not None:
            raise SystemExit(f"`import {folder}` works: the wheel leaks a top-level package")
    for name in FILES:
        if not (where.parent / name).is_file():
            raise SystemExit(f"{name} is not in the wheel")
    command = Path(sys.prefix) / "bin" / "holdfast"
    shown = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=60)
    if shown.returncode != 0 or "Usage" not in shown.stdout:
        raise SystemExit(f"holdfast --help ended with {shown.returncode}: {shown.stderr}")
    print(f"wheel: holdfast {holdfast.__version__} works with its sources hidden")
    return 0


if __name__ == "__main__":
    sys.exit(main())

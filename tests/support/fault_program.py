"""The command `holdfast` with a seeded bug: `fault_program.py BUG WORD…`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_bugs import BUGS
from holdfast.cli import main

if __name__ == "__main__":
    BUGS[sys.argv.pop(1)]()
    main()

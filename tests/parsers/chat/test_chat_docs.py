"""Every defect of chat and events is explained, and none is explained in vain."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_USED = re.compile(r"(?:Defect|\.add)\(\s*(.{0,60}?)[,)]", re.DOTALL)
_CODE = re.compile(r'"([a-z0-9]+(?:_[a-z0-9]+)+)"')


def test_every_defect_code_of_chat_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "parsers/chat").rglob("*.py")]
    used = {
        code for one in sources for found in _USED.findall(one) for code in _CODE.findall(found)
    }
    section = (ROOT / "docs/parsing.md").read_text(encoding="utf-8")
    section = section.partition("## Defects of chat and events\n")[2].partition("\n## ")[0]
    assert used == set(re.findall(r"^\| `([a-z0-9_]+)` \|", section, re.MULTILINE))
    assert "form_damaged" in used

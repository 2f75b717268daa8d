"""Messages about tags, notes and other metadata; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "There are no tags.": "还没有标签。",
    "Tag": "标签",
    "It is at version {version}.": "当前版本为 {version}。",
    "{messages} are meant.": "涉及{messages}。",
    "{changed} changed, {unchanged} were so already.": (
        "已更改 {changed} 封，{unchanged} 封原本如此。"
    ),
    "{count} are not in the archive any more.": "{count} 封已不在归档库中。",
    "{count} keep what others set since.": "{count} 封保留了他人之后的更改。",
    "To take it back: holdfast annotate --undo {job}": "撤销：holdfast annotate --undo {job}",
    "Nobody has added anything to it.": "还没有人为它添加任何内容。",
    "Nothing differs.": "没有差异。",
    "Version": "版本",
    "Field": "字段",
    "Before": "更改前",
    "After": "更改后",
}

"""Messages about anchors of the audit log; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "{kind}: {size} entries are anchored in {place}.": "{kind}：{size} 条记录已锚定到 {place}。",
    "{kind}: {cause}": "{kind}：{cause}",
    "An anchor outside says more than the archive: keep both as they are.": (
        "外部锚点比归档本身更可信：请将两者原样保留。"
    ),
    "anchors": "外部锚点",
    "Entries": "记录数",
    "Made": "生成时间",
    "Stamped": "时间戳",
    "Place": "位置",
}

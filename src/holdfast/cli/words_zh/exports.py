"""Messages about exports and their proof; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "{records} records, {size} of messages. Nothing was exported.": (
        "共 {records} 条记录，邮件 {size}。未导出任何内容。"
    ),
    "Exporting": "正在导出",
    "To go on: holdfast export resume {id}": "继续：holdfast export resume {id}",
    "{records} records are in {file} ({size}).": "{records} 条记录已导出到 {file}（{size}）。",
    "Not complete: exceptions.csv in it names what is missing.": (
        "不完整：包中的 exceptions.csv 列出了缺失项。"
    ),
    "To verify: holdfast export verify {file}": "校验：holdfast export verify {file}",
    "Records": "记录数",
    "Query": "查询",
    "running": "进行中",
    "complete": "完整",
    "partial": "不完整",
    "{name}: {state}": "{name}：{state}",
    "Understood as": "查询含义",
    "Matter": "案件",
    "Requested by": "申请人",
    "Requested": "申请时间",
    "Ended": "结束时间",
    "Done": "已完成",
    "File": "文件",
}

"""Messages about who is told what happens; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "It is shown this once. Give it to the receiver of {url}.": (
        "密钥仅显示这一次，请交给 {url} 的接收方。"
    ),
    "Next: holdfast webhook test {id}": "下一步：holdfast webhook test {id}",
    "Webhook": "Webhook",
    "Address": "地址",
    "Owner": "所有者",
    "Events": "事件",
    "Failed in a row": "连续失败",
    "active": "启用",
    "paused": "已暂停",
    "gone": "接收方已停用",
    "It took it (HTTP {status}).": "接收方已接收（HTTP {status}）。",
    "It did not take it: {error}": "接收方未接收：{error}",
    "It is tried again. See: holdfast webhook log {id}": (
        "稍后会重试。查看：holdfast webhook log {id}"
    ),
    "{id} is {state}.": "{id}：{state}。",
    "{url} would be told nothing more. Nothing was changed.": ("将不再通知 {url}。未作任何更改。"),
    "{url} is told nothing more.": "不再通知 {url}。",
    "Delivery": "投递",
    "Event": "事件",
    "Tries": "尝试次数",
    "Answer": "响应",
    "Next": "下次",
    "Cause": "原因",
    "waiting": "等待中",
    "delivered": "已送达",
    "failed": "失败",
    "void": "已作废",
    "{id} is told again.": "将重新投递 {id}。",
}

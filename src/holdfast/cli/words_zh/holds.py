"""Messages about matters and holds; must not hold anything else."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "Opened {name} ({id}).": "已立案：{name}（{id}）。",
    "Next: holdfast hold place {id} NAME --reason TEXT": (
        "下一步：holdfast hold place {id} NAME --reason TEXT"
    ),
    "Matter": "案件",
    "Reference": "案号",
    "Opened": "立案",
    "Closed": "结案",
    "Holds": "保全",
    "There is no matter. Next: holdfast matter open NAME": (
        "没有案件。下一步：holdfast matter open NAME"
    ),
    "Version": "版本",
    "Held": "已保全",
    "Changed {name}.": "已更改 {name}。",
    "Closed {name}.": "{name} 已结案。",
    "Hold": "保全",
    "Custodians": "保管人",
    "Query": "查询",
    "Ends": "终止",
    "in force": "生效中",
    "release asked": "已申请解除",
    "ending": "等待终止",
    "ended": "已终止",
    "everybody": "所有人",
    "Sent from": "发送时间起",
    "Sent before": "发送时间止（不含）",
    "In full": "完整查询",
    "Placed": "设立",
    "Not fully indexed": "未完整建立索引",
    "Held by no other hold": "仅由本保全覆盖",
    "Release asked": "申请解除",
    "Release reason": "解除原因",
    "Release approved": "批准解除",
    "It has ended and holds nothing.": "该保全已终止，不再保全任何邮件。",
    "From {when} on retention may dispose of {free}; {others} stay under other holds.": (
        "自 {when} 起，保留规则可处置 {free}；另有 {others} 封仍由其他保全覆盖。"
    ),
    (
        "Released now, {days} days after the approval retention may dispose of {free}; "
        "{others} stay under other holds."
    ): (
        "如现在解除，批准后满 {days} 天，保留规则可处置 {free}；另有 {others} 封仍由其他保全覆盖。"
    ),
    "Placed {name} ({id}) for {matter}.": "已为 {matter} 设立保全 {name}（{id}）。",
    "Next: holdfast hold notify {id}": "下一步：holdfast hold notify {id}",
    "Nobody is called {name} yet; what comes is held.": (
        "目前没有名为 {name} 的保管人；其邮件到达后即被保全。"
    ),
    "It would hold {messages}, of which {partly} are not fully indexed.": (
        "将保全 {messages}，其中 {partly} 封未完整建立索引。"
    ),
    "It holds {messages}, of which {partly} are not fully indexed.": (
        "已保全 {messages}，其中 {partly} 封未完整建立索引。"
    ),
    "Holding": "保全",
    "There is no hold. Next: holdfast hold place MATTER NAME": (
        "没有保全。下一步：holdfast hold place MATTER NAME"
    ),
    "The release of {name} is asked for.": "已申请解除 {name}。",
    "The release of {name} is approved.": "已批准解除 {name}。",
    "The release of {name} is withdrawn.": "已撤回对 {name} 的解除。",
    "Next, by another person: holdfast hold approve {id} --by LOGIN": (
        "下一步须由另一人执行：holdfast hold approve {id} --by LOGIN"
    ),
    "Code: {code}": "确认码：{code}",
    "Once they have read it: holdfast hold acknowledge CODE": (
        "对方阅读后：holdfast hold acknowledge CODE"
    ),
    "{custodian} has acknowledged the notice of {hold}.": "{custodian} 已确认 {hold} 的通知。",
    "Custodian": "保管人",
    "Given": "通知时间",
    "Acknowledged": "确认时间",
    "No notice waits for an answer.": "没有等待确认的通知。",
    "holds": "保全",
    "{id} is being carried out: {messages} went before this hold, the last on {when}.": (
        "{id} 正在执行：{messages}在本次保全之前已销毁，最后一封于 {when}。"
    ),
}

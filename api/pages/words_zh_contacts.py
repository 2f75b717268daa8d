"""What the pages of contacts say, in Simplified Chinese; it must not hold code."""

from __future__ import annotations

CONTACTS: dict[str, str] = {
    "Contacts": "联系人",
    "Name, pinyin, address or domain": "姓名、拼音、地址或域名",
    "Find": "查找",
    "Silent contacts": "久未联系",
    "Waiting for an answer": "待回复",
    "Company": "公司",
    "Addresses": "地址",
    "Address": "地址",
    "Kind": "类型",
    "Owner": "负责人",
    "Messages": "消息数",
    "First contact": "首次联系",
    "Last contact": "最近联系",
    "%(others)s others": "另有 %(others)s 个",
    "Only the %(most)s that were last in touch are looked at; say more to find others.": (
        "只查看最近联系的 %(most)s 位；请补充条件以查找其他联系人。"
    ),
    "Nobody is called that among those whom you may see.": "在您可以查看的联系人中没有找到。",
    "Looked after by %(owner)s": "负责人：%(owner)s",
    "Portrait": "画像",
    "of which %(count)s by people": "其中人工消息 %(count)s 条",
    "Silent for": "未联系时长",
    "usual from one day with messages to the next:": "通常联系间隔：",
    "They answer after": "对方回复用时",
    "We answer after": "我方回复用时",
    "(median)": "（中位数）",
    "Answers, hours and people are measured on the newest %(count)s messages by people.": (
        "回复用时、时段和相关人员按最近 %(count)s 条人工消息统计。"
    ),
    "People around": "相关人员",
    "Messages with %(name)s: %(count)s": "与 %(name)s 共同参与的消息：%(count)s",
    "They wrote last": "对方最后发言",
    "Timeline": "时间线",
    "Search in this timeline": "在时间线中搜索",
    "Direction": "方向",
    "Both ways": "全部方向",
    "Every channel": "全部渠道",
    "Show": "显示",
    "%(num)s minutes": "%(num)s 分钟",
    "%(num)s hours": "%(num)s 小时",
    "%(num)s days": "%(num)s 天",
    "%(month)s: %(received)s received, %(sent)s sent, %(count)s in all": (
        "%(month)s：收到 %(received)s，发出 %(sent)s，共 %(count)s"
    ),
    "Messages by month": "每月消息数",
    "other": "其他",
    "As a table": "以表格显示",
    "in all": "合计",
    "Messages by people, by weekday and hour": "人工消息的星期与时段分布",
    "way in": "收到",
    "way out": "发出",
    "way internal": "内部",
    "weekday 1": "周一",
    "weekday 2": "周二",
    "weekday 3": "周三",
    "weekday 4": "周四",
    "weekday 5": "周五",
    "weekday 6": "周六",
    "weekday 7": "周日",
    "Contacts from outside that nobody exchanged a message with, the longest silent first. "
    "Bulk mail does not count.": "无人与之往来的外部联系人，按未联系时长排列；群发邮件不计。",
    "Days without a message": "未联系天数",
    "Looked after by": "负责人",
    "anybody": "不限",
    "Nobody whom you may see has been silent for so long.": (
        "您可以查看的联系人中没有这么久未联系的。"
    ),
    "Threads of the last 90 days in which somebody outside wrote last, the longest waiting "
    "first.": ("最近 90 天内由外部人员最后发言的会话，按等待时长排列。"),
    "Days without an answer": "未回复天数",
    "%(num)s threads": "%(num)s 个会话",
    "Nobody waits.": "没有待回复的消息。",
    "Only the %(most)s that wait longest are shown.": "只显示等待最久的 %(most)s 个。",
}

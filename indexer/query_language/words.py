"""The words of the query language: operators, their aliases in English and Chinese, fixed values.

Aliases only: what an operator means is `query_language.leaves`.
"""

from __future__ import annotations

from holdfast.core.query import Field, Part

_NAMES = {
    "from": "from sender author f 发件人 寄件人 发送人 发自",
    "to": "to recipient 收件人 发给",
    "cc": "cc 抄送 抄送人",
    "bcc": "bcc 密送 密送人 暗送",
    "envelope": "envelope 信封收件人",
    "expanded": "expanded forwarded 经群组 经转发",
    "with": "with participant participants 参与人 参与者 往来 相关人",
    "recipients": "recipients 接收人 所有收件人",
    "subject": "subject title s 主题 标题",
    "body": "body 正文 内容",
    "content": "content 全文",
    "intext": "intext attachmenttext 附件内容 附件正文",
    "filename": "filename attachmentname attachmentnames file 文件名 附件名",
    "attachment": "attachment attachments 附件",
    "hasattachment": "hasattachment hasattachments 有附件",
    "filetype": "filetype mimetype mime type 文件类型 附件类型",
    "extension": "extension ext 扩展名",
    "date": "date sent received 日期 时间 发送时间 发送日期 接收时间 收件日期",
    "captured": "captured archived 归档时间 归档日期",
    "after": "after since newer 晚于 之后 起始",
    "before": "before older 早于 之前",
    "until": "until 截至 截止",
    "on": "on 当天 当日",
    "older_than": "older_than olderthan",
    "newer_than": "newer_than newerthan",
    "size": "size 大小",
    "larger": "larger larger_than bigger 大于",
    "smaller": "smaller smaller_than 小于",
    "re": "re regex 正则",
    "kind": "kind itemclass 种类",
    "channel": "channel 渠道",
    "direction": "direction 方向",
    "source": "source 来源",
    "custodian": "custodian mailbox account 保管人 邮箱 账号",
    "folder": "folder path maildir 文件夹 目录",
    "label": "label category 标签页",
    "list": "list listid 列表 邮件列表",
    "thread": "thread 话题",
    "conversation": "conversation room chat group 会话 群 群聊 聊天室",
    "id": "id 编号",
    "msgid": "msgid messageid message-id rfc822msgid mid",
    "sha256": "sha256 hash 哈希",
    "domain": "domain 域名",
    "address": "address addr 地址",
    "company": "company 公司",
    "contact": "contact 联系人",
    "header": "header headers 邮件头 信头",
    "tag": "tag 标签",
    "matter": "matter 案件",
    "hold": "hold 保全",
    "defect": "defect 缺陷",
    "lang": "lang language 语言",
    "has": "has 含有 包含",
    "is": "is 状态",
    "in": "in",
}
OPERATORS = {alias: name for name, aliases in _NAMES.items() for alias in aliases.split()}
"""Alias in lower case → canonical operator."""

LATER = {
    "saved": "saved searches", "query": "saved searches", "reviewer": "review",
    "note": "notes", "property": "message properties",
}  # fmt: skip
"""Operators of other archives, and what this one does not keep."""

SCHEMES = frozenset({"http", "https", "ftp", "file", "mailto", "tel", "urn", "imap", "smb"})
"""Words before a colon that make the whole a piece of text."""

PARTS = {
    "from": (Part.FROM,),
    "to": (Part.TO,),
    "cc": (Part.CC,),
    "bcc": (Part.BCC,),
    "envelope": (Part.ENVELOPE,),
    "expanded": (Part.EXPANDED,),
    "with": (Part.WITH,),
    "recipients": (Part.TO, Part.CC, Part.BCC, Part.ENVELOPE),
    "subject": (Part.SUBJECT,),
    "body": (Part.BODY,),
    "content": (Part.CONTENT,),
    "intext": (Part.ATTACHMENT,),
    "filename": (Part.FILENAME,),
    "attachment": (Part.FILENAME, Part.ATTACHMENT),
}
"""Operators whose value is text, and where it is looked for."""

PART_NAMES = {parts[0]: name for name, parts in PARTS.items() if len(parts) == 1}
"""Part → the operator that asks for it."""

INSIDE = {
    "body": Part.BODY, "正文": Part.BODY, "subject": Part.SUBJECT, "主题": Part.SUBJECT,
    "content": Part.CONTENT, "全文": Part.CONTENT, "attachment": Part.ATTACHMENT,
    "attachments": Part.ATTACHMENT, "附件": Part.ATTACHMENT, "filename": Part.FILENAME,
    "anywhere": Part.ANY,
}  # fmt: skip
"""Values of `in:`: where the words without an operator are looked for."""

FIELDS = {
    name: Field(name)
    for name in (
        "kind", "channel", "direction", "source", "custodian", "folder", "label", "list", "thread",
        "conversation", "id", "msgid", "sha256", "domain", "address", "company", "contact",
        "filetype", "extension", "defect", "tag", "matter", "hold", "lang", "has", "is",
    )
}  # fmt: skip
"""Operators whose value is exact."""

VALUES = {
    "kind": {
        "email": "email", "mail": "email", "邮件": "email", "calendar": "calendar",
        "meeting": "calendar", "meetings": "calendar", "日历": "calendar", "会议": "calendar",
        "dsn": "dsn", "bounce": "dsn", "退信": "dsn", "mdn": "mdn", "receipt": "mdn", "回执": "mdn",
        "im": "im", "chat": "im", "message": "im", "聊天": "im", "消息": "im",
        "recall": "recall", "撤回": "recall", "deletion": "deletion", "删除": "deletion",
        "reaction": "reaction", "表情回应": "reaction", "chat_event": "chat_event",
        "event": "chat_event", "conversation": "conversation", "profile": "profile",
        "file": "file", "文件": "file", "consent": "consent", "授权": "consent", "call": "call",
        "通话": "call", "电话": "call", "visit": "visit", "拜访": "visit",
        "appointment": "meeting", "ticket": "ticket", "工单": "ticket", "order": "order",
        "订单": "order", "form": "form", "表单": "form", "document": "document", "文档": "document",
        "note": "note", "备注": "note", "task": "task", "任务": "task", "unknown": "unknown",
        "未知": "unknown",
    },
    "direction": {
        "in": "in", "inbound": "in", "incoming": "in", "收": "in", "收到": "in", "out": "out",
        "outbound": "out", "outgoing": "out", "发": "out", "发出": "out", "internal": "internal",
        "内部": "internal", "unknown": "unknown",
    },
    "has": {
        "attachment": "attachment", "attachments": "attachment", "附件": "attachment",
        "defect": "defect", "缺陷": "defect", "text": "text", "文字": "text", "文本": "text",
        "number": "number", "numbers": "number", "号码": "number", "split_number": "split_number",
    },
    "is": {
        "duplicate": "duplicate", "重复": "duplicate", "truncated": "truncated",
        "截断": "truncated", "bulk": "bulk", "群发": "bulk", "unreadable": "unreadable",
        "不可读": "unreadable", "conflict": "conflict", "冲突": "conflict", "edited": "edited",
        "编辑过": "edited", "recalled": "recalled", "已撤回": "recalled", "deleted": "deleted",
        "已删除": "deleted", "version": "version", "版本": "version", "aside": "aside",
    },
}  # fmt: skip
"""Operators with a fixed list of values: alias → value."""

SYNONYMS = {
    "channel": {
        "mail": "email", "邮件": "email", "企业微信": "wecom", "企微": "wecom", "钉钉": "dingtalk",
        "飞书": "feishu", "lark": "feishu", "微信": "wechat", "电话": "call", "短信": "sms",
    },
}  # fmt: skip
"""Operators with any value, of which some have other names."""

YES = frozenset({"true", "yes", "1", "on", "有", "是"})
NO = frozenset({"false", "no", "0", "off", "无", "否", "没有"})

PUBLIC_IDS = {"id": "msg", "thread": "thr", "contact": "con"}
"""Operators that take an id as `core.identity.public_id` shows it, and its prefix."""

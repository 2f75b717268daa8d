"""What pages say, in Simplified Chinese; English texts are the keys. It must not hold code."""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    # Everywhere
    "Skip to content": "跳到正文",
    "Main": "主导航",
    "Search": "搜索",
    "Matters": "案件",
    "Sign out": "退出登录",
    "Welcome": "欢迎",
    "Your role works with the command line and the API; it has no page yet.": (
        "您的角色使用命令行和接口工作，目前还没有专用页面。"
    ),
    "Role:": "角色：",
    # Signing in
    "Sign in": "登录",
    "Login": "用户名",
    "Password": "密码",
    "Code of your second factor, if you have one": "双重验证码（如已启用）",
    "Login, password or code is wrong, or it was tried too often.": (
        "用户名、密码或验证码有误，或尝试次数过多。"
    ),
    "After five failures an account is locked for a minute, then longer each time.": (
        "连续五次失败后账号将锁定一分钟，此后每次锁定时间更长。"
    ),
    "Signing in was tried too often from this address.": "该地址尝试登录的次数过多。",
    "Try again after:": "请在此时间之后重试：",
    # Failures
    "Your role does not allow this. It was noted in the audit log.": (
        "您的角色不允许此操作，该尝试已记入审计日志。"
    ),
    "There is nothing here, or nothing that you may see.": "此处没有内容，或没有您可以查看的内容。",
    "You ask more often than is allowed. Wait a moment.": "请求过于频繁，请稍候。",
    "Something failed here. Nothing was changed; try again in a moment.": (
        "服务内部出错，未作任何更改，请稍后重试。"
    ),
    "The request cannot be answered as it is.": "无法处理这样的请求。",
    "Status": "状态",
    "Request": "请求编号",
    "Back to the beginning": "返回首页",
    # Search
    "Words, phrases and operators": "词语、短语和运算符",
    "from:wang after:2024-03-01 price NOT draft": "发件人:wang 之后:2024-03-01 价格 NOT 草稿",
    "Order": "排序",
    "newest": "最新在前",
    "oldest": "最早在前",
    "largest": "最大在前",
    "smallest": "最小在前",
    "captured": "按归档时间",
    "Show of each group": "分组显示",
    "by nothing": "显示每一封",
    "by thread": "每个会话一封",
    "by message_id": "每个 Message-ID 一封",
    "The query was not understood.": "无法理解该查询。",
    "Perhaps:": "建议：",
    "The query as it was understood": "系统理解的查询条件",
    "Without %(condition)s": "去掉条件 %(condition)s",
    "Numbers are masked for you. These conditions count only for messages without any:": (
        "您看到的号码已遮盖。以下条件只对不含号码的邮件有效："
    ),
    "Narrow down": "缩小范围",
    "Nothing to narrow down.": "没有可缩小的范围。",
    "sender": "发件人",
    "domain": "域名",
    "company": "公司",
    "month": "月份",
    "custodian": "保管人",
    "source": "来源",
    "channel": "渠道",
    "filetype": "附件类型",
    "tag": "标签",
    "matter": "案件",
    "hold": "保全",
    "All but %(value)s": "排除 %(value)s",
    "%(num)s messages": "%(num)s 封邮件",
    "in %(num)s groups": "，分为 %(num)s 组",
    "Times are in %(zone)s.": "时间为 %(zone)s 时区。",
    "%(count)s not indexed yet": "%(count)s 封尚未建立索引",
    "%(count)s not fully indexed": "%(count)s 封未能完整索引",
    "Message": "邮件",
    "(no subject)": "（无主题）",
    "%(num)s files": "%(num)s 个附件",
    "not fully indexed": "未完整索引",
    "defects": "有缺陷",
    "in file": "附件",
    "subject": "主题",
    "attachment": "附件正文",
    "filename": "文件名",
    "with": "参与人",
    "from": "发件人",
    "to": "收件人",
    "cc": "抄送",
    "bcc": "密送",
    "envelope": "信封收件人",
    "expanded": "经群组",
    "and %(count)s more of it": "同组另有 %(count)s 封",
    "More": "更多",
    "There are no more.": "没有更多了。",
    "Nothing matches all of it.": "没有同时满足全部条件的邮件。",
    "matches %(alone)s; without it %(rest)s": "单独匹配 %(alone)s 封；去掉它则有 %(rest)s 封",
    "matches nothing; without it %(rest)s": "没有匹配；去掉它则有 %(rest)s 封",
    "Nothing matches": "没有匹配",
    "There are no messages that you may see.": "没有您可以查看的邮件。",
    "Choose a message to read it here.": "选择一封邮件，在此阅读。",
    "Open": "打开",
    # Keys
    "Keys": "快捷键",
    "to the search box": "跳到搜索框",
    "next and previous message": "下一封、上一封",
    "read it beside the list": "在列表旁阅读",
    "open it": "打开邮件页面",
    "these keys": "显示快捷键",
    "back": "返回",
    "Close": "关闭",
    # A message
    "Sides of the message": "邮件的各个方面",
    "tab text": "正文",
    "tab html": "HTML",
    "tab headers": "邮件头",
    "tab attachments": "附件",
    "tab provenance": "来源与证明",
    "From": "发件人",
    "To": "收件人",
    "Cc": "抄送",
    "Bcc": "密送",
    "Reply to": "回复地址",
    "Recipients": "接收人",
    "By way of": "经由",
    "Sent": "发送时间",
    "%(more)s more": "另有 %(more)s 位",
    "Quoted text, %(num)s lines": "引用的文字，%(num)s 行",
    "Signature, %(num)s lines": "签名，%(num)s 行",
    "This message has no text.": "这封邮件没有正文。",
    "Only the beginning of the text is shown; the original has all of it.": (
        "这里只显示正文的开头，完整内容在原件中。"
    ),
    "Show masked numbers": "显示被遮盖的号码",
    "Why you need them; the audit log keeps it": "查看原因（将记入审计日志）",
    "Show once": "显示一次",
    "Numbers are shown this once; the reason is in the audit log.": (
        "本次显示号码，原因已记入审计日志。"
    ),
    "%(num)s remote pictures were not loaded.": "%(num)s 张远程图片未加载。",
    "From:": "来自：",
    "Links do not open here; point at one to see where it leads.": (
        "此处的链接不会打开；将指针移到链接上可查看其地址。"
    ),
    "The message as its sender drew it": "发件人排版的邮件",
    "This message has no HTML; its text is shown.": "这封邮件没有 HTML，显示其正文。",
    "The HTML costs more than a page may; the text is shown instead.": (
        "HTML 超出页面允许的开销，改为显示正文。"
    ),
    "The HTML could not be made safe; the text is shown instead.": (
        "无法确保 HTML 安全，改为显示正文。"
    ),
    "The way it came": "传递路径",
    "Hop": "跳",
    "Received at": "接收时间",
    "Delay": "延迟",
    "By": "接收方",
    "With": "协议",
    "unreadable": "无法读取",
    "Only the hops of servers that you trust prove anything; a sender can write the others.": (
        "只有可信服务器写入的记录才有证明力，其余可由发件人伪造。"
    ),
    "The way could not be read from the header fields.": "无法从邮件头读出传递路径。",
    "The header fields name no hops.": "邮件头没有记录传递路径。",
    "Oddities:": "异常：",
    "All header fields": "全部邮件头字段",
    "(no name)": "（无文件名）",
    "Type by content": "实际类型",
    "declared as": "声明为",
    "Size": "大小",
    "Part": "部分",
    "shown inside the message": "嵌入正文",
    "Text": "文字",
    "text extracted": "已提取",
    "text empty": "没有文字",
    "text unsupported": "该类型无法提取",
    "text encrypted": "已加密",
    "text failed": "提取失败",
    "text truncated": "过长，只提取了一部分",
    "Extracted text": "提取的文字",
    "This message has no attachments.": "这封邮件没有附件。",
    # Provenance
    "Id": "编号",
    "Capture": "归档记录",
    "Source": "来源",
    "Custodian": "保管人",
    "Captured": "归档时间",
    "Received": "接收时间",
    "SHA-256 of the original": "原件的 SHA-256",
    "Inside the file": "所在文件",
    "Delivered by": "投递方",
    "Later at the source": "来源处的后续变化",
    "deleted": "已删除",
    "Audit log": "审计日志",
    "The log does not have this capture: run holdfast verify.": (
        "日志中没有这条归档记录：请运行 holdfast verify。"
    ),
    "Proven: entry %(number)s of %(size)s under the signed checkpoint.": (
        "已证明：签名检查点下共 %(size)s 条，此为第 %(number)s 条。"
    ),
    "Download the proof": "下载证明",
    "The log has no entry of it yet; try again in a moment.": "日志尚未收录，请稍后再试。",
    "Nothing is known of its origin.": "没有来源记录。",
}

"""Messages about the archive itself, its sources and its mail; must not hold anything else.

English template → translation, with the same names in braces. Templates without words of their own
are not listed.
"""

from __future__ import annotations

MESSAGES = {
    "Error:": "错误：",
    "Cancelled. What was done stays done; the same command goes on from there.": (
        "已取消。已完成的部分不会丢失；再次执行同一命令即可继续。"
    ),
    "{size} entries give the signed root {root}.": "{size} 条记录与已签名的根 {root} 一致。",
    "{size} entries are in {folder}.": "{size} 条记录已导出到 {folder}。",
    "Keep its checkpoint apart: holdfast audit verify --against FILE": (
        "请将检查点另行保管：holdfast audit verify --against FILE"
    ),
    "Number": "序号",
    "When": "时间",
    "Who": "操作人",
    "What": "操作",
    "About": "对象",
    "Entry {bad} does not give the signed root.": "第 {bad} 条记录与已签名的根不一致。",
    "The log still begins with the {size} entries of {file}.": (
        "日志开头的 {size} 条记录仍与 {file} 一致。"
    ),
    "{file}: every setting is known and valid.": "{file}：所有设置均有效。",
    "No settings file at {file}; the defaults are in force.": ("没有设置文件 {file}；使用默认值。"),
    "Setting": "设置",
    "Value": "值",
    "Origin": "来源",
    "Next: holdfast contact timeline {id}": "下一步：holdfast contact timeline {id}",
    "Merged. {winner} stands for both.": "已合并，统一为 {winner}。",
    "To take it back: holdfast contact undo {merge}": "撤销：holdfast contact undo {merge}",
    "Taken back: {merge}.": "已撤销：{merge}。",
    "Name": "姓名",
    "Address": "地址",
    "Last": "最近联系",
    "Messages": "消息数",
    "Id": "编号",
    "Next page: --cursor {cursor}": "下一页：--cursor {cursor}",
    "Subject": "主题",
    "Files": "附件",
    "Nobody is called {text!r}.": "找不到联系人 {text!r}。",
    "Company": "公司",
    "Belongs to us": "本单位",
    "First contact": "首次联系",
    "Last contact": "最近联系",
    "yes": "是",
    "no": "否",
    "Nothing was changed.": "未作任何更改。",
    "(no subject)": "（无主题）",
    "Merge": "合并",
    "Link": "关联",
    "Owner": "负责人",
    "It is {contact}'s address now.": "该地址现属于 {contact}。",
    "To take it back: holdfast contact unlink {link}": "如需撤销：holdfast contact unlink {link}",
    "Changed; version {version}.": "已更改；版本 {version}。",
    "{to} looks after {count} contacts now.": "现由 {to} 负责 {count} 位联系人。",
    "Shut them out: holdfast user disable {login}": "停用该用户：holdfast user disable {login}",
    "Back up the keys apart from the data: without them nothing can be opened.": (
        "请将密钥与数据分开备份：没有密钥，任何内容都无法打开。"
    ),
    "Next: holdfast import PATH (mbox, Maildir, .eml files, folders of them).": (
        "下一步：holdfast import PATH（mbox、Maildir、.eml 文件或文件夹）"
    ),
    "The archive is there already; it is complete.": "归档已存在且完整。",
    "Created the archive {name}.": "已创建归档 {name}。",
    "{file} is there already and was not changed.": "{file} 已存在，未作更改。",
    "Data": "数据",
    "Keys": "密钥",
    "Settings": "设置",
    "Making up the mail of a harbour and a trading company …": (
        "正在生成一家港口公司和一家贸易公司的邮件……"
    ),
    "{stored} messages of {homes} people, {new} of them different, are in the archive.": (
        "已归档 {homes} 人的 {stored} 封邮件，其中不同的有 {new} 封。"
    ),
    "A witness, and the mail that forwards her.": "一位证人，以及转发其说法的邮件。",
    "Chinese, found by any part of it: double contracts.": "中文，任意片段都能找到：阴阳合同。",
    "A bank that only the text of an attached PDF names.": "只在附件 PDF 正文中出现的银行。",
    "One person's whole trail.": "一个人的完整往来记录。",
    "Every original and every row, read again and compared.": "重新读取并比对每份原件、每行数据。",
    "Now look yourself:": "现在可以自己试试：",
    "The demonstration is in {data} already.": "演示归档已在 {data} 中。",
    "Nothing was written.": "未写入任何内容。",
    "{new} new messages from {source}": "来自 {source} 的新邮件：{new} 封",
    "Next: holdfast search QUERY   To take it back: holdfast import --undo {batch}": (
        "下一步：holdfast search QUERY   撤销导入：holdfast import --undo {batch}"
    ),
    "Taken back: {captures} captures; {interactions} messages are out of sight.": (
        "已撤销 {captures} 次采集；{interactions} 封邮件不再可见。"
    ),
    "Their originals stay sealed; the same import brings them back.": (
        "原件仍然封存；再次导入即可恢复。"
    ),
    "Added {name}.": "已添加 {name}。",
    "Looked for": "查找位置",
    "Found": "找到",
    "It would be refused: {problem}.": "将被拒绝：{problem}。",
    "Mapped, and not in the sample: {names}.": "已映射但样例中没有：{names}。",
    "It would be kept with defects: {names}.": "将被保存，但有缺陷：{names}。",
    "It would be kept, and nothing is missing.": "将被保存，没有缺少的内容。",
    "Next: holdfast source test {name}": "下一步：holdfast source test {name}",
    "Next: holdfast source sync {name}": "下一步：holdfast source sync {name}",
    "No source is pulled. Next: holdfast source add imap NAME": (
        "尚无要拉取的来源。下一步：holdfast source add imap NAME"
    ),
    "Removed {name}. What it gave stays.": "已移除 {name}，已归档的内容保留。",
    "{folder}: the server numbered it anew; all was compared.": (
        "{folder}：服务器重新编号，已全部重新比对。"
    ),
    "{folder}: the server has it no more; what it gave stays.": (
        "{folder}：服务器上已不存在，已归档的内容保留。"
    ),
    "{folder}: {cause}": "{folder}：{cause}",
    "Files not kept whole: {count}. Their results say why.": (
        "未完整归档的文件：{count} 个，原因见其结果文件。"
    ),
    "Left where it is: {count} ({reason})": "留在原处：{count}（{reason}）",
    "May be moved to": "可移至",
    "Versions of keys": "密钥版本",
    "File of secrets": "机密文件",
    "Bridge": "桥接程序",
    "Kept encrypted: {count} ({reason})": "以密文保存：{count}（{reason}）",
    "No folder matches {pattern}.": "没有与 {pattern} 匹配的文件夹。",
    "{folder}: the server counts {counted} messages and lists {listed}.": (
        "{folder}：服务器计数 {counted} 封，列出 {listed} 封。"
    ),
    "Other flags since": "此后标志有变",
    "Paused {name}.": "已暂停 {name}。",
    "Resumed {name}.": "已恢复 {name}。",
    "It has not run yet. Next: holdfast worker": "尚未运行过。下一步：holdfast worker",
    "Next run": "下次运行",
    "now": "现在",
    "waiting": "等待首次运行",
    "running": "运行中",
    "paused": "已暂停",
    "late": "过期未取",
    "sign_in": "登录被拒",
    "token": "令牌失效",
    "certificate": "证书无效",
    "throttled": "被限流",
    "quota": "配额用尽",
    "folder": "文件夹异常",
    "unreachable": "无法连接",
    "settings": "配置有误",
    "fault": "程序错误",
    "whole": "完整",
    "partial": "部分",
    "stopped": "已停止",
    "killed": "被中断",
    "schedule": "定时",
    "mail": "新邮件",
    "command": "命令",
    "reconcile": "核对",
    "backfill": "补取",
    "Why": "起因",
    "Outcome": "结果",
    "Seconds": "秒",
    "Error": "错误",
    "Rule": "规则",
    "sources": "来源",
    "every": "间隔（秒）",
    "watch": "等待新邮件的文件夹数",
    "since": "起始日",
    "until": "截止日",
    "only": "只取",
    "without": "不取",
    "exclude": "排除",
    "drafts": "草稿",
    "User": "用户",
    "Server": "服务器",
    "Last success": "最近成功",
    "Connection": "连接",
    "Signing in": "登录",
    "Capabilities": "服务器功能",
    "Folders": "文件夹",
    "Folder": "文件夹",
    "Newest subjects": "最新主题",
    "At the server": "服务器上",
    "Fetched": "已取",
    "Deleted at the server since": "此后在服务器上删除",
    "Deleted there": "已被删除",
    "Kept": "已归档",
    "Other ends": "其他结果",
    "Not yet": "尚未归档",
    "not at the server any more": "服务器上已不存在",
    "Offered": "提供",
    "New": "新增",
    "Duplicates": "重复",
    "Unchanged": "未变",
    "Skipped by rule": "按规则跳过",
    "Gone": "已消失",
    "Failed": "失败",
    "Not readable": "无法读取",
    "With defects": "有缺陷",
    "Finished for an earlier run": "补完上次导入",
    "Some items failed. Next: holdfast ledger --failed --source {source!r}": (
        "部分条目失败。下一步：holdfast ledger --failed --source {source!r}"
    ),
    "{count} are not indexed yet.": "{count} 封尚未建立索引。",
    "Source": "来源",
    "Would be offered": "将提供",
    "Size": "大小",
    "Batch": "批次",
    "Nothing was imported yet. Next: holdfast import PATH": (
        "尚未导入任何内容。下一步：holdfast import PATH"
    ),
    "Next: holdfast ledger --failed (which, and why)": (
        "下一步：holdfast ledger --failed（查看条目与原因）"
    ),
    "Nothing failed.": "没有失败的条目。",
    "Next: the same import again with --retry tries what may work now.": (
        "下一步：加上 --retry 再次导入，重试现在可能成功的条目。"
    ),
    "End": "结果",
    "Reason": "原因",
    "Item": "条目",
    "filed": "已归档",
    "duplicate": "重复",
    "gone": "已消失",
    "quarantined": "已隔离",
    "seen": "已发现",
    "sealed": "已封存",
    "In full: {canonical}": "完整写法：{canonical}",
    "Dates are read in {zone}.": "日期按 {zone} 时区理解。",
    "{messages}{groups}, {shown} shown. Dates are in {zone}.": (
        "{messages}{groups}，显示 {shown} 封。日期按 {zone} 时区。"
    ),
    "Nothing matches all of it.": "没有同时满足全部条件的邮件。",
    " in one group": "（1 组）",
    " in {count} groups": "（{count} 组）",
    "Nothing matches {query}.": "没有匹配 {query} 的邮件。",
    "{count} not yet indexed.": "{count} 封尚未建立索引。",
    "{count} not fully indexed (is:truncated OR is:unreadable).": (
        "{count} 封未完整建立索引（is:truncated OR is:unreadable）。"
    ),
    "and {count} more of it": "另有 {count} 封",
    "1 message": "1 封邮件",
    "{count} messages": "{count} 封邮件",
    "  {term} matches {alone}; without it {rest}": "  {term} 匹配 {alone} 封；去掉它有 {rest} 封",
    "  {term} matches nothing": "  {term} 没有匹配",
    "{name}: {messages}": "{name}：{messages}",
    "Shown, not exact: redirect to a file for the very bytes.": (
        "此处仅供查看；要得到逐字节的原件，请重定向到文件。"
    ),
    "Listening on {host} port {port}.": "正在监听 {host} 端口 {port}。",
    "Attachments": "附件",
    "From": "发件人",
    "To": "收件人",
    "Cc": "抄送",
    "Bcc": "密送",
    "By way of": "经由",
    "Recipients": "收件人（身份未知）",
    "Sent": "发送时间",
    "Captured": "归档时间",
    "Thread": "会话",
    "{sha256}  DAMAGED: another hash": "{sha256}  已损坏：哈希不符",
    "{sha256}  intact, {size}": "{sha256}  完好，{size}",
    "(no text)": "（无正文）",
    "  {name}  {type}, {size}, text {state}": "  {name}  {type}，{size}，文本 {state}",
    "Defects": "缺陷",
    "Note": "说明",
    "{sha256}  DAMAGED: {why}": "{sha256}  已损坏：{why}",
    "(no name)": "（无名称）",
    "The new index holds {messages}.": "新索引包含 {messages}。",
    "The index agrees with the catalogue: {queued} waited, {missing} were missing, "
    "{extra} were too many.": ("索引与目录一致：待处理 {queued}，补入 {missing}，移除 {extra}。"),
    "Key {version} is in use; the keys of {count} originals are wrapped with it.": (
        "密钥 {version} 已启用；{count} 份原件的密钥已由它重新包裹。"
    ),
    "Back up the keyring again. 'holdfast keys retire' destroys older keys.": (
        "请重新备份密钥环。运行“holdfast keys retire”可销毁旧密钥。"
    ),
    "{count} older keys were destroyed.": "已销毁 {count} 个旧密钥。",
    "{count} records of the vault have no row: an interrupted import left them, and "
    "'holdfast compact' gives their space back.": (
        "原件库中有 {count} 条记录没有目录行，由中断的导入留下；运行“holdfast compact”可释放空间。"
    ),
    "{freed} were given back.": "已释放 {freed} 空间。",
    "Indexing": "建立索引",
    "Wrapping": "包裹密钥",
    "Verifying": "校验",
    "{count} findings. Nothing was repaired.": "发现 {count} 处问题，未作任何修复。",
    "Next: keep this list, and restore what it names from a backup.": (
        "下一步：保存此列表，并从备份中恢复所列内容。"
    ),
    "The index is made from the archive: 'holdfast reindex --full' renews it.": (
        "索引由归档生成：运行“holdfast reindex --full”可重建。"
    ),
    "Intact: everything is what it was when it was kept.": "完好：一切与归档时相同。",
    "Originals": "原件",
    "Interactions": "邮件",
    "Captures": "采集",
    "Log entries": "日志条目",
    "Indexed": "已索引",
    "Importing": "导入",
    "new": "新增",
    "duplicates": "重复",
    "unchanged": "未变",
    "skipped": "跳过",
    "with defects": "有缺陷",
    "failed": "失败",
    "ok": "正常",
    "healed": "已修复",
    "warning": "警告",
    "bad": "异常",
    "libraries": "程序库",
    "keyring": "密钥环",
    "disk space": "磁盘空间",
    "jail": "隔离",
    "provider": "登录提供方",
    "work": "任务",
    "ledger": "台账",
    "listener": "监听服务",
    "audit log": "审计日志",
    "index": "索引",
    "Queued as {job}.": "已加入队列：{job}。",
    "Next: holdfast jobs show {job}   Workers: holdfast worker": (
        "下一步：holdfast jobs show {job}   启动工作进程：holdfast worker"
    ),
    "There are no such jobs.": "没有这样的任务。",
    "Kind": "类型",
    "State": "状态",
    "Tries": "尝试次数",
    "Due": "到期",
    "Last error": "最近的错误",
    "Next: holdfast jobs show ID (why), holdfast jobs retry ID (try again)": (
        "下一步：holdfast jobs show ID（查看原因），holdfast jobs retry ID（重试）"
    ),
    "{count} jobs were put back.": "已重新排队 {count} 个任务。",
    "Task": "内容",
    "Worker": "工作进程",
    "Queued": "加入队列",
    "Started": "开始",
    "Ended": "结束",
    "Progress": "进度",
    "Result": "结果",
    "Backed up: {path}.": "已备份：{path}。",
    "Keep the passphrase where neither of the two is.": "请将口令保存在与二者都不同的地方。",
    "Moved to {place}, and intact there.": "已迁移到 {place}，并已校验完好。",
    "Next: holdfast verify": "下一步：holdfast verify",
    "Next: use it with {option}": "下一步：使用 {option}",
    "Nothing was changed. The search index is made again at the end.": (
        "未作任何更改。搜索索引将在最后重建。"
    ),
    "Restored the archive of {time}.": "已恢复 {time} 的档案。",
    "The archive can be written here again.": "此处的档案可以重新写入。",
    "The keys are not in it, and without them it cannot be opened: --keys-to seals them.": (
        "其中不含密钥，没有密钥就无法打开；用 --keys-to 封存密钥。"
    ),
    "The keys are sealed in {path}.": "密钥已封存于 {path}。",
    "What was copied is still there; empty those places.": "已复制的内容仍在原处，请清空那些位置。",
    "{path}: not whole. {cause}": "{path}：不完整。{cause}",
    "{path}: whole.": "{path}：完整。",
    (
        "The audit log had gained {count} entries after this backup: what they tell of is not "
        "in it. The later checkpoint is kept beside the keys."
    ): "此备份之后审计日志又增加了 {count} 条，其所述内容不在备份中。较新的检查点保存在密钥旁。",
    "Taken at": "备份时间",
    "Log root": "日志根",
    "New in this backup": "本次新增",
    "Rows compared": "已比对的行",
    "Originals read": "已读取的原件",
    "Records to copy": "待复制的记录",
    "Rows": "行",
    "Audit log": "审计日志",
    "Checking": "检查",
    "Copying": "复制",
    "Comparing": "比对",
    "Read": "已读取",
    "Catalogue": "目录库",
    "Way": "传递路径",
    "Hop": "跳",
    "Received at": "接收时间",
    "Delay": "延迟",
    "By": "接收方",
    "With": "协议",
    "Only what servers that you trust say of a hop proves anything.": (
        "只有可信服务器所写的传递记录才有证明力。"
    ),
    "Anomalies: {names}": "异常：{names}",
    "The way of this message cannot be told: {why}": "无法得知此邮件的传递路径：{why}",
    "too long to be indexed whole": "过长，未完整索引",
    "another message has the same Message-ID and differs": (
        "另有一封邮件的 Message-ID 相同而内容不同"
    ),
}

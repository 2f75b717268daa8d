"""Messages about retention and disposal in Chinese."""

MESSAGES = {
    "Password of {login}: ": "{login} 的密码：",
    "Go on?": "是否继续？",
    "{name}, version {version}, is in force.": "{name} 第 {version} 版已生效。",
    "{name}, version {version}, is in force from {when}.": (
        "{name} 第 {version} 版自 {when} 起生效。"
    ),
    "{name}, version {version}, waits for a second person.": (
        "{name} 第 {version} 版等待第二人批准。"
    ),
    "They approve it with: holdfast retention policy approve {name} --by LOGIN": (
        "批准：holdfast retention policy approve {name} --by LOGIN"
    ),
    "There is no policy: everything is kept for ever.": "没有保留策略：一切内容永久保留。",
    "Version": "版本",
    "Kind": "类型",
    "Days": "天数",
    "About": "范围",
    "In force from": "生效时间",
    "{name}, version {version}": "{name} 第 {version} 版",
    "Citation": "依据",
    "Note": "备注",
    "Proposed by": "提出人",
    "Approved by": "批准人",
    "withdrawn": "已撤回",
    "waits for approval": "等待批准",
    "waits for its time": "等待生效",
    "in force": "生效中",
    "retired": "已停用",
    "over": "已被取代",
    "Withdrawn: {name}, version {version}.": "已撤回：{name} 第 {version} 版。",
    "matched by the policy": "策略涉及",
    "would go tonight": "今晚将处置",
    "of that, because of this change": "其中因本次更改",
    "would go without this change only": "仅在不更改时处置",
    "past a ceiling, kept by a floor": "已过上限但由下限保留（冲突）",
    "For example": "示例",
    "Size": "大小",
    "{id} kept by {names}": "{id} 由 {names} 保留",
    "{count} kept by {name} ({label})": "{count} 封由 {name}（{label}）保留",
    "kept: no ceiling has passed": "保留：尚未到任何上限",
    "kept by a floor": "由下限保留",
    "kept by a floor, though a ceiling has passed": "已过上限，但由下限保留",
    "kept by a hold, though a ceiling has passed": "已过上限，但因保全不得处置",
    "due: it may be disposed of": "到期：可以处置",
    "received, by a source that is trusted": "可信来源的接收时间",
    "when the archive took it": "归档时间",
    "its own date, which its import trusts": "邮件自身日期（导入时选择信任）",
    "an event that was noted": "登记的事件",
    "Verdict": "结论",
    "Days count from": "起算时间",
    "Clock": "时间来源",
    "Kept until": "保留至",
    "Hold": "保全",
    "Policy": "策略",
    "Until": "截止",
    "Nothing is due.": "没有到期的内容。",
    "{messages} would be in it, {size}.": "将包含 {messages}，共 {size}。",
    "Nothing was ever planned to be disposed of.": "从未计划过处置。",
    "Planned": "计划",
    "Reason": "原因",
    "Next: holdfast disposal review {id} --by LOGIN": (
        "下一步：holdfast disposal review {id} --by LOGIN"
    ),
    "Next, by a second person: holdfast disposal approve {id} --manifest {digest}": (
        "下一步（第二人）：holdfast disposal approve {id} --manifest {digest}"
    ),
    "Next, from {when}: holdfast disposal execute {id} --by LOGIN": (
        "下一步（{when} 起）：holdfast disposal execute {id} --by LOGIN"
    ),
    "It was interrupted: holdfast disposal execute {id} goes on.": (
        "曾中断：holdfast disposal execute {id} 可继续。"
    ),
    "Its certificate: holdfast disposal certificate {id}": (
        "证书：holdfast disposal certificate {id}"
    ),
    "{name}: {state}": "{name}：{state}",
    "Manifest": "清单摘要",
    "Reviewed": "审查",
    "Approved": "批准",
    "Not before": "最早执行时间",
    "Executed": "执行",
    "planned": "已计划",
    "reviewed": "已审查",
    "approved": "已批准",
    "executing": "执行中",
    "executed": "已执行",
    "pending": "待处理",
    "excepted": "已排除",
    "blocked": "已阻止",
    "destroyed": "已销毁",
    "Written: {file}.": "已写入：{file}。",
    "Certificate of disposal {id}": "处置证书 {id}",
    "Archive": "档案库",
    "Gone from backups on": "备份中消失日期",
    "The signature is that of the archive's log.": "签名与档案库日志一致。",
    "{id} stays.": "{id} 保留。",
    "{count} would be {state}.": "{count} 封将{state}。",
    "Destroying": "销毁",
    "Not all is gone: {count} originals lie in objects of which {locked} are locked, by a "
    "legal hold of the store too. No key opens them.": (
        "尚未全部清除：{count} 份原件所在的对象中有 {locked} 个被锁定，其中有存储端的法律保全。"
        "已无密钥可以打开它们。"
    ),
    "Not all is gone: {count} originals lie in objects of which the store has locked "
    "{locked} until {when}. No key opens them; 'holdfast compact' removes them after that.": (
        "尚未全部清除：{count} 份原件所在的对象中有 {locked} 个被存储端锁定至 {when}。"
        "已无密钥可以打开它们；到期后由 'holdfast compact' 删除。"
    ),
    "{count} originals, which no key opens, go with the next 'holdfast compact'.": (
        "{count} 份原件已无密钥可以打开，将由下一次 'holdfast compact' 删除。"
    ),
    "{count} originals without a key, in {segments} objects; {locked} locked until {when}": (
        "{count} 份无密钥的原件，在 {segments} 个对象中；其中 {locked} 个锁定至 {when}"
    ),
    "Left in the vault": "原件库中尚存",
}

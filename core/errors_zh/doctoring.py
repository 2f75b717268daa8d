"""What `doctor` sees, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Set two of anchors.tsa_url, anchors.witness_file and anchors.lock.": (
        "请设置 anchors.tsa_url、anchors.witness_file 和 anchors.lock 中的两项。"
    ),
    "no checkpoint is kept outside": "没有检查点保存在外部",
    "only one kind is set: {}": "只设置了一种：{0}",
    "{}: {} min old": "{0}：{1} 分钟前",
    "{}: none was made yet{}": "{0}：尚未生成{1}",
    "Start 'holdfast worker', or try 'holdfast audit anchor'.": (
        "请启动“holdfast worker”，或尝试“holdfast audit anchor”。"
    ),
    "{}: {} min old{}": "{0}：{1} 分钟前{2}",
    "the folder of the witness file cannot be read: {}": "无法读取见证文件的文件夹：{0}",
    "Put it on another disk, best one that another administrator owns.": (
        "请将其放到另一磁盘，最好由另一管理员掌管。"
    ),
    "the witness file is on the disk of the archive": "见证文件与归档在同一磁盘上",
    "nothing waits": "没有等待的任务",
    "none is late": "没有迟到的来源",
    "{} answers; published keys: {}": "{0} 有应答；已公布密钥：{1} 个",
    "Run: holdfast hold sweep {}": "请运行：holdfast hold sweep {0}",
    "{} matches {} more than are shown as held": "{0} 匹配的邮件比显示为已保全的多 {1} 封",
    "Install a pysqlite3 with SQLite 3.51.3.": "请安装带 SQLite 3.51.3 的 pysqlite3。",
    "Use the newest Python of its series.": "请使用该系列最新的 Python。",
    "Run: chmod 700 {}": "请运行：chmod 700 {0}",
    "Move the keys out of the data folder.": "请将密钥移出数据文件夹。",
    "Keep a copy of it apart from all other backups.": "请将其副本与所有其他备份分开保管。",
    "{} key(s), current {}, in {}": "{0} 个密钥，当前为 {1}，位于 {2}",
    "Free space: imports stop when it ends.": "请释放空间：空间用尽时导入会停止。",
    "{} GiB free of {}": "剩余 {0} GiB，共 {1} GiB",
    "The data folder refuses writes: {}.": "数据文件夹拒绝写入：{0}。",
    "Check that the disk does not lie about fsync; a file system in memory forgets all.": (
        "请检查磁盘对 fsync 的应答是否属实；内存中的文件系统会丢失一切。"
    ),
    "median {} ms for a small durable file": "持久写入一个小文件的中位数为 {0} 毫秒",
    "Parse untrusted mail on a Linux host.": "请在 Linux 主机上解析不可信的邮件。",
    "not limited here: {}": "此处未加限制：{0}",
    "limits hold: {}": "限制生效：{0}",
    "See 'holdfast ledger --failed'.": "请查看“holdfast ledger --failed”。",
    "The next import files what is sealed; nothing is lost.": (
        "下次导入会归档已封存的内容；不会丢失任何内容。"
    ),
    "empty": "空",
    "it has received nothing": "尚未收到任何内容",
    "Check that the mail servers journal still: some end it when reports do not arrive.": (
        "请检查邮件服务器是否仍在发送日志报告：有的服务器在报告未送达时会停止发送。"
    ),
    "They are filed while 'holdfast smtpd' or a worker runs; nothing is lost.": (
        "“holdfast smtpd”或工作进程运行时会将其归档；不会丢失任何内容。"
    ),
    "last message {}, {} wait to be filed; nothing for {} days": (
        "最后一封 {0}，{1} 封等待归档；已 {2} 天没有新内容"
    ),
    "last message {}, {} wait to be filed": "最后一封 {0}，{1} 封等待归档",
    "{} leaves signed, {} waiting": "已签名 {0} 条，等待 {1} 条",
    "it holds what the catalogue holds": "与目录内容一致",
    "it holds what the catalogue holds; {} are indexed by their envelope only": (
        "与目录内容一致；{0} 封只按信封建立了索引"
    ),
    "See the log of the index: it refused their texts.": (
        "请查看索引的日志：它拒绝了这些邮件的文本。"
    ),
    "{} were queued, {} missing, {} too much (first {})": (
        "待处理 {0}，缺少 {1}，多余 {2}（第一封 {3}）"
    ),
    "{} were queued, {} missing, {} too much, {} out of date (first {})": (
        "待处理 {0}，缺少 {1}，多余 {2}，过时 {3}（第一封 {4}）"
    ),
    "{} were queued, {} missing, {} too much, {} out of date": (
        "待处理 {0}，缺少 {1}，多余 {2}，过时 {3}"
    ),
    "{} were queued, {} missing, {} too much": "待处理 {0}，缺少 {1}，多余 {2}",
    "{} were queued, {} missing, {} too much (first {}); {} are indexed by their envelope only": (
        "待处理 {0}，缺少 {1}，多余 {2}（第一封 {3}）；{4} 封只按信封建立了索引"
    ),
    (
        "{} were queued, {} missing, {} too much, {} out of date (first {}); {} are indexed by "
        "their envelope only"
    ): ("待处理 {0}，缺少 {1}，多余 {2}，过时 {3}（第一封 {4}）；{5} 封只按信封建立了索引"),
    (
        "{} were queued, {} missing, {} too much, {} out of date; {} are indexed by their envelope "
        "only"
    ): ("待处理 {0}，缺少 {1}，多余 {2}，过时 {3}；{4} 封只按信封建立了索引"),
    "{} were queued, {} missing, {} too much; {} are indexed by their envelope only": (
        "待处理 {0}，缺少 {1}，多余 {2}；{3} 封只按信封建立了索引"
    ),
    "See 'holdfast jobs list --state dead', then 'holdfast jobs retry'.": (
        "请查看“holdfast jobs list --state dead”，然后运行“holdfast jobs retry”。"
    ),
    "See 'holdfast jobs list --state waiting' for the causes.": (
        "原因见“holdfast jobs list --state waiting”。"
    ),
    "Start 'holdfast worker', or look at its log.": "请启动“holdfast worker”，或查看其日志。",
    "Start 'holdfast worker', or more of it.": "请启动“holdfast worker”，或多启动几个。",
    "{} jobs were set aside": "{0} 个任务已被搁置",
    "a job waits for {} s": "有任务已等待 {0} 秒",
    "{} tries of waiting jobs failed": "等待中的任务已有 {0} 次尝试失败",
    "{} messages are not indexed for {} s": "{0} 封邮件未建立索引已达 {1} 秒",
    "an item is sealed and not filed for {} s": "有条目封存而未归档已达 {0} 秒",
    "an audit event is not numbered for {} s": "有审计事件未编号已达 {0} 秒",
    "Look at the broker; workers find the jobs by themselves meanwhile.": (
        "请检查消息代理；在此期间工作进程会自行找到任务。"
    ),
    "{} wake-ups failed, the last {} s ago: {}": "{0} 次唤醒失败，最近一次在 {1} 秒前：{2}",
    "{}: has not succeeded for {} h": "{0}：已 {1} 小时没有成功",
    "See 'holdfast source logs {}'.": "请查看“holdfast source logs {0}”。",
}

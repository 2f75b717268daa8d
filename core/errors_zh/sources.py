"""Failures of sources, imports, jobs and listeners, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "A demo needs at least {} messages.": "演示至少需要 {0} 封邮件。",
    "Name a new one.": "请另起一个名称。",
    "The directory for the demo is not empty.": "演示用的目录不是空的。",
    "The mapping is none: {}.": "该映射无效：{0}。",
    'Write it as {{"columns": {{"Kunde": "company"}}}}.': (
        '请写成 {{"columns": {{"Kunde": "company"}}}} 的形式。'
    ),
    "Write it as 49 or 86.": "请写成 49 或 86 的形式。",
    "{} is no calling code.": "{0} 不是国家（地区）区号。",
    "Write it as crm or erp_2.": "请写成 crm 或 erp_2 的形式。",
    "{} names no system.": "{0} 不能作为系统名称。",
    "{} cannot be read: {}.": "无法读取 {0}：{1}。",
    "Check the path.": "请检查路径。",
    "There is no file {}.": "没有文件 {0}。",
    "Which folder is watched?": "要监视哪个文件夹？",
    "--settle {} is out of range.": "--settle {0} 超出范围。",
    "Give 0 to 3600 seconds.": "请给出 0 到 3600 秒。",
    "Give --path.": "请给出 --path。",
    "Others may write into {}/{}.": "其他用户可以写入 {0}/{1}。",
    "Remove it; it is made again when it is needed.": "请将其移除；需要时会重新创建。",
    "Put the files in again.": "请重新放入文件。",
    "The source {} is no mailbox.": "来源 {0} 不是邮箱。",
    "Another process takes from this folder now.": "另一进程正在从此文件夹取件。",
    "Wait for its result files, or try again.": "请等待其结果文件，或重试。",
    "There is no {}.": "没有 {0}。",
    "No child process could be started.": "无法启动子进程。",
    "Raise the limit of processes, or run fewer workers.": "请提高进程数上限，或减少工作进程。",
    "Start the program again.": "请重新启动程序。",
    "The process that starts others is gone.": "负责启动其他进程的进程已不存在。",
    "Look into the system log for killed processes.": "请在系统日志中查找被终止的进程。",
    "Parser processes end before they get work.": "解析进程在得到工作之前就结束了。",
    "Add it again.": "请重新添加。",
    "The source was removed.": "该来源已被移除。",
    "There is no kind of job {}.": "没有 {0} 类型的任务。",
    "The job says nothing that its kind takes: {}.": "任务内容不符合其类型：{0}。",
    "Run 'holdfast verify' and restore what it names from a backup.": (
        "请运行“holdfast verify”，并从备份中恢复它所列的内容。"
    ),
    "{} things are not what they were: {}.": "有 {0} 项与原先不符：{1}。",
    "Choose another port with --metrics-port.": "请用 --metrics-port 选择其他端口。",
    "Metrics cannot be served on {}:{}: {}.": "无法在 {0}:{1} 提供指标：{2}。",
    "There is no mbox quoting {}.": "没有 mbox 引用方式 {0}。",
    "There is nothing at {}.": "{0} 处没有任何内容。",
    "A large item changed on its way through the spool.": "一个大条目在经过暂存区时发生了变化。",
    "Correct smtp.host and smtp.port, or end what listens there.": (
        "请更正 smtp.host 和 smtp.port，或结束占用该端口的程序。"
    ),
    "{} port {} cannot be listened on: {}.": "无法监听 {0} 端口 {1}：{2}。",
    "Check smtp.tls_certificate and smtp.tls_key.": "请检查 smtp.tls_certificate 和 smtp.tls_key。",
    "The certificate {} cannot be used: {}.": "证书 {0} 无法使用：{1}。",
    "Check smtp.client_ca.": "请检查 smtp.client_ca。",
    "The authorities in {} cannot be used: {}.": "{0} 中的证书颁发机构无法使用：{1}。",
    "A source needs a name that can be printed.": "来源需要可打印的名称。",
    "Choose one.": "请选一个。",
    "A source's name is no path.": "来源的名称不能是路径。",
    "Choose one without '/'.": "请选一个不含“/”的名称。",
    "A custodian needs a name that can be printed.": "保管人需要可打印的名称。",
    "Correct it.": "请更正。",
    "See 'holdfast source list' for its kind, and leave the option out.": (
        "请在“holdfast source list”中查看其类型，并去掉该选项。"
    ),
    "{} says nothing of the source {}, which is of kind {}.": (
        "{0} 对来源 {1} 没有意义，其类型为 {2}。"
    ),
    "There is no kind of source {}.": "没有 {0} 类型的来源。",
    "Sync it.": "请同步它。",
    "The source {} does not keep what was taken: there is nothing to compare.": (
        "来源 {0} 不记录已取的内容：没有可比对的。"
    ),
    "--failed takes no days.": "--failed 不能带日期。",
    "Give days or --failed.": "请给出日期或 --failed。",
    "The last day is before the first.": "结束日早于起始日。",
    "Turn --since and --until.": "请对调 --since 和 --until。",
    "Give --since, --until, --folder or --failed.": (
        "请给出 --since、--until、--folder 或 --failed。"
    ),
    "What is to be fetched?": "要补取什么？",
    "Another process runs this source now.": "另一进程正在运行此来源。",
    "Wait until it has ended.": "请等待其结束。",
    "A fault of ours ended the run: {}.": "程序自身的错误中断了运行：{0}。",
    "See 'holdfast source logs', and report it.": "请查看“holdfast source logs”并报告此问题。",
    "The broker's address is not one of Redis.": "消息代理的地址不是 Redis 地址。",
    "Write work.broker as redis://host:port/0.": "请将 work.broker 写成 redis://host:port/0。",
    "Put it into work.password, work.password_file or work.password_command.": (
        "请将其写入 work.password、work.password_file 或 work.password_command。"
    ),
    "The broker's address holds a password, and addresses are shown and logged.": (
        "消息代理的地址中含有密码，而地址会被显示并记入日志。"
    ),
    "Messages would come back after {} s, before leases of {} s run out.": (
        "消息会在 {0} 秒后重新出现，早于 {1} 秒的租约到期。"
    ),
    "Raise the visibility timeout.": "请增大可见性超时。",
    "Check that {} is there and may be run.": "请检查 {0} 是否存在并可执行。",
    "The bridge cannot be started: {}.": "无法启动桥接程序：{0}。",
    "Run it by hand, as docs/connectors/wecom.md says, and see what it writes.": (
        "请按 docs/connectors/wecom.zh-CN.md 手动运行，查看其输出。"
    ),
    "The bridge {}.": "桥接程序{0:word}。",
    "See the vendor's list of codes; the next run asks again.": (
        "请查阅厂商的错误码列表；下次运行会再次请求。"
    ),
    "The bridge cannot: {} (code {}).": "桥接程序无法完成：{0:word}（代码 {1}）。",
    "The bridge cannot: {}.": "桥接程序无法完成：{0:word}。",
    "Put the private key that was made for WeCom there, as PEM without a password.": (
        "请将为企业微信生成的私钥放在那里，格式为不带密码的 PEM。"
    ),
    "{} is no RSA private key.": "{0} 不是 RSA 私钥。",
    "The bridge wrote a piece that is no Base64.": "桥接程序写出的片段不是 Base64。",
    "The bridge gave a message without a seq.": "桥接程序给出的消息没有 seq。",
    "The bridge gave neither a message nor a key.": "桥接程序既没有给出消息，也没有给出密钥。",
    "The bridge wrote a line that is no JSON.": "桥接程序写出的一行不是 JSON。",
    "Give its id, 'corp'.": "请给出企业的编号“corp”。",
    "Which corporation is it?": "是哪个企业？",
    "Give 'command' with an absolute path.": "请给出“command”，使用绝对路径。",
    "Which program is the bridge?": "桥接程序是哪个程序？",
    "A page of {} is not possible.": "每页不能为 {0} 条。",
    "From 1 to 1000.": "应为 1 到 1000。",
    "The settings cannot be read: {}.": "无法读取这些设置：{0}。",
    "Write them as docs/connectors/wecom.md says.": (
        "请按 docs/connectors/wecom.zh-CN.md 的说明填写。"
    ),
    "Check 'keys'.": "请检查“keys”。",
    "There is no directory {}.": "没有目录 {0}。",
    "Others can read {}.": "其他用户可以读取 {0}。",
    "Run: chmod 600 {}": "请运行：chmod 600 {0}",
    "The source {} has neither days nor folders.": "来源 {0} 没有日期，也没有文件夹。",
    "Use --failed, or import what another program has pulled.": (
        "请使用 --failed，或导入其他程序已拉取的内容。"
    ),
    "It ended its worker {} times without getting on.": "它已使工作进程终止 {0} 次，没有进展。",
}

"""Failures of what was typed at the command line, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "No place for checkpoints is set.": "没有设置存放检查点的位置。",
    "Set anchors.tsa_url, anchors.witness_file or anchors.lock.": (
        "请设置 anchors.tsa_url、anchors.witness_file 或 anchors.lock。"
    ),
    "Name a new folder.": "请指定一个新文件夹。",
    "{} is not empty.": "{0} 不是空的。",
    "{} cannot be written: {}.": "无法写入 {0}：{1}。",
    "--expect is for one message.": "--expect 只用于单封邮件。",
    "Name one, by its id.": "请用编号指定一封。",
    "Give ids, or --query, not both.": "请给出编号或 --query，不要两者都给。",
    "Which messages is not clear.": "未说明是哪些邮件。",
    "Name a folder elsewhere, or add --keys-beside-data.": (
        "请指定别处的文件夹，或加上 --keys-beside-data。"
    ),
    "{} is beside the data that the keys open.": "{0} 与其密钥所打开的数据放在一起。",
    "There is no backup in {}.": "{0} 中没有备份。",
    "Give --passphrase-file or --passphrase-command.": (
        "请给出 --passphrase-file 或 --passphrase-command。"
    ),
    "The keys are sealed under a passphrase, and nobody can be asked for it here.": (
        "密钥以口令封存，而此处无法询问口令。"
    ),
    "A mail address, a telephone number, or system:id.": "邮箱地址、电话号码，或 system:id。",
    "Try 'holdfast contact find'.": "请尝试“holdfast contact find”。",
    "{} is nobody's.": "{0} 不属于任何人。",
    "Say what: --name, --owner …": "请说明更改内容：--name、--owner ……",
    "Say it as in wecom=agreed.": "请写成 wecom=agreed 的形式。",
    "{} is no consent.": "{0} 不是同意的状态。",
    "Give a file.": "请给出一个文件。",
    "Nothing to import was named.": "没有指定要导入的内容。",
    "--undo takes no path.": "--undo 不带路径。",
    "Give the batch alone.": "请只给出批次。",
    "Nobody is called {}.": "找不到联系人 {0}。",
    "{} may mean several contacts.": "{0} 可能指多位联系人。",
    "Name another folder with --data.": "请用 --data 指定其他文件夹。",
    "{} holds an archive that is not the demonstration.": "{0} 中的归档不是演示归档。",
    "Name one with --port.": "请用 --port 指定一个。",
    "No port is free.": "没有空闲端口。",
    "Name another file.": "请指定其他文件。",
    "Name a new file with --out FILE.": "请用 --out FILE 指定一个新文件。",
    "Where shall the package be?": "导出包要放在哪里？",
    "The verifier did not come to an end.": "校验程序未能运行到结束。",
    "Give --custodian.": "请给出 --custodian。",
    "The hold names no custodian.": "该保全没有指定保管人。",
    "Give --custodian, --from, --before or --query; or --everything alone.": (
        "请给出 --custodian、--from、--before 或 --query；或单独使用 --everything。"
    ),
    "What is to be held?": "要保全什么？",
    "See holdfast hold set --help.": "参见 holdfast hold set --help。",
    "What is to be changed?": "要更改什么？",
    "It is on everybody's mail already.": "该保全已覆盖所有人的邮件。",
    "Leave --custodian out.": "请去掉 --custodian。",
    "Give a file or a folder.": "请给出文件或文件夹。",
    "--errors goes with neither --dry-run nor --queue: it tells what an import met.": (
        "--errors 不能与 --dry-run 或 --queue 同用：它说明一次导入遇到的问题。"
    ),
    "Import here, or see 'holdfast ledger --failed' when the job is done.": (
        "请在此直接导入，或在任务完成后查看“holdfast ledger --failed”。"
    ),
    "As Asia/Shanghai.": "例如 Asia/Shanghai。",
    "--date-order takes day or month.": "--date-order 的值为 day 或 month。",
    "It is a directory's import.": "这是通讯录的导入。",
    "holdfast contact import --undo {}": "holdfast contact import --undo {0}",
    "There is no source {}, or it offered nothing.": "没有来源 {0}，或它未提供任何内容。",
    "Give --reference or --note.": "请给出 --reference 或 --note。",
    "--dry-run and --give-up exclude each other.": "--dry-run 与 --give-up 不能同用。",
    "Give one of them.": "请只给出其中之一。",
    "Give --query, or --everything for the whole archive.": (
        "请给出 --query；针对整个归档用 --everything。"
    ),
    "It is not clear what the policy is about.": "未说明该保留策略的范围。",
    "A rule has a kind and days.": "规则须有类型和天数。",
    "Give --kind and --days.": "请给出 --kind 和 --days。",
    "The secret is empty.": "密钥为空。",
    "Write it on the first line.": "请写在第一行。",
    "Write it into the file.": "请写入该文件。",
    "The two were not the same.": "两次输入不一致。",
    "{} is not in the archive any more.": "归档中已没有 {0}。",
    "Give --settings-file.": "请给出 --settings-file。",
    "Which bridge?": "是哪个桥接程序？",
    "{} cannot be read.": "无法读取 {0}。",
    "That folder is the archive's own.": "该文件夹属于归档自身。",
    "Watch another one.": "请监视其他文件夹。",
    "Give --oauth.": "请给出 --oauth。",
    "Options for tokens are given, but no way to get them.": (
        "给出了令牌的选项，但没有取得令牌的方式。"
    ),
    "Give --secret-file or --secret-stdin.": "请给出 --secret-file 或 --secret-stdin。",
    "Where is the secret?": "密钥在哪里？",
    "--full and --missing exclude each other.": "--full 与 --missing 不能同用。",
    "Give it in quotes.": "请加上引号给出。",
    "Which query?": "是哪个查询？",
    "A password comes from a file or is made, not both.": (
        "密码要么来自文件，要么自动生成，不能两者兼有。"
    ),
    "Leave one out.": "请去掉其中之一。",
    "There is no password.": "没有密码。",
    "Type one, or give --password-file or --generate.": (
        "请输入密码，或给出 --password-file 或 --generate。"
    ),
    "A code is not needed to remove it.": "移除时不需要验证码。",
    "Give ISSUER and SUBJECT, or --remove.": "请给出 ISSUER 和 SUBJECT，或 --remove。",
    "Link whom to what?": "要将谁与什么关联？",
    "--all and a part exclude each other.": "--all 不能与单独的部分同用。",
    "There is no state {}.": "没有状态 {0}。",
    "Name jobs, or give --all.": "请指定任务，或给出 --all。",
    "See 'holdfast jobs list'.": "请查看“holdfast jobs list”。",
    "Nobody was named who does this.": "没有指明由谁执行。",
    "Say who: --by LOGIN.": "请说明由谁执行：--by LOGIN。",
    "Ask somebody whose role may.": "请联系角色有此权限的人。",
    "Give --password-file.": "请给出 --password-file。",
    "Nobody can be asked for the password here.": "此处无法询问密码。",
    "Nobody can be asked here whether to go on.": "此处无法询问是否继续。",
    "Read what was shown, then repeat with --yes.": "请阅读所显示的内容，然后加上 --yes 重复。",
    "--set {} is not a setting.": "--set {0} 不是设置。",
    "Write it as --set section.key=value.": "请写成 --set section.key=value 的形式。",
    "Write 2024-03-15 or 2024-03-15T10:30.": "请写 2024-03-15 或 2024-03-15T10:30。",
    "{} is not a date.": "{0} 不是日期。",
    "Save it as UTF-8.": "请存为 UTF-8。",
    "{} is no text in UTF-8.": "{0} 不是 UTF-8 文本。",
}

"""Failures of settings and opening an archive, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Correct it; 'holdfast config check' lists everything that is wrong.": (
        "请更正；运行“holdfast config check”可列出所有错误。"
    ),
    "Check --config and HOLDFAST_CONFIG.": "请检查 --config 和 HOLDFAST_CONFIG。",
    "There is no settings file {}.": "没有设置文件 {0}。",
    "The settings file {} cannot be read: {}.": "无法读取设置文件 {0}：{1}。",
    "{} is not valid TOML: {}.": "{0} 不是有效的 TOML：{1}。",
    "Name each setting, as {} does.": "请逐项指定设置，例如 {0}。",
    "The environment sets a whole section: {}.": "环境变量设置了整个部分：{0}。",
    "The file of {} cannot be read: {}.": "无法读取 {0} 的文件：{1}。",
    "Run it by hand as the user of the service.": "请以服务的用户身份手动运行。",
    "The command of {} failed ({}).": "{0} 的命令失败（{1}）。",
    "There is something in {} already; nothing was changed.": "{0} 中已有内容；未作任何更改。",
    "Use an empty folder, database and bucket.": "请使用空的文件夹、数据库和存储桶。",
    "Name the keys that were sealed with this backup, or later ones.": (
        "请指定与此备份一同封存的密钥，或更晚的密钥。"
    ),
    "The keys in {} do not open this backup: they are another archive's, or older.": (
        "{0} 中的密钥打不开此备份：它们属于另一归档，或者更旧。"
    ),
    "Run 'holdfast init', or name the folder with --data.": (
        "请运行“holdfast init”，或用 --data 指定文件夹。"
    ),
    "There is no archive in {}.": "{0} 中没有归档。",
    "Run 'holdfast init' again.": "请再次运行“holdfast init”。",
    "The archive was not made to the end.": "归档尚未创建完成。",
    "The archive's id in the catalogue is damaged.": "目录中的归档编号已损坏。",
    "Correct vault.url and vault.endpoint, or restore the bucket.": (
        "请更正 vault.url 和 vault.endpoint，或恢复存储桶。"
    ),
    "The vault in {} is empty, and the catalogue knows originals.": (
        "{0} 中的原件库是空的，而目录中有原件。"
    ),
    "Mount the disk that holds it, or restore it.": "请挂载存放它的磁盘，或将其恢复。",
    "The client for {} is not installed.": "未安装 {0} 的客户端。",
    "Restore it from a backup. To begin another archive, move {} away as well.": (
        "请从备份中恢复。要开始另一归档，请将 {0} 也移走。"
    ),
    "The audit log in {} is missing.": "{0} 中的审计日志缺失。",
    "Restore the keyring from its backup.": "请从备份中恢复密钥环。",
    "The keyring {} is missing, and the archive holds originals under it.": (
        "密钥环 {0} 缺失，而归档中有以它加密的原件。"
    ),
    "No address takes mail.": "没有接收邮件的地址。",
    "Set smtp.addresses.": "请设置 smtp.addresses。",
    "A login has a name and a password.": "登录需要用户名和密码。",
    "Set smtp.user and its password.": "请设置 smtp.user 及其密码。",
    "A certificate and its key go together.": "证书与其私钥须一同设置。",
    "Set smtp.tls_key too.": "请同时设置 smtp.tls_key。",
    "A login needs TLS.": "登录需要 TLS。",
    "Set smtp.tls_certificate and smtp.tls_key.": "请设置 smtp.tls_certificate 和 smtp.tls_key。",
    "Certificates of clients need TLS.": "客户端证书需要 TLS。",
    "Nobody may deliver.": "没有人可以投递。",
    "Set smtp.networks, smtp.user or smtp.client_ca.": (
        "请设置 smtp.networks、smtp.user 或 smtp.client_ca。"
    ),
    "Name it in smtp.addresses or in smtp.drop_addresses alone.": (
        "请只写入 smtp.addresses 或 smtp.drop_addresses 之一。"
    ),
    "{} is an address of the journal and of people.": (
        "{0} 既是日志（journal）地址，又是人员的地址。"
    ),
    "Name it in smtp.copy_addresses alone.": "请只写入 smtp.copy_addresses。",
    "{} is an address of plain copies and another one.": "{0} 既是普通副本的地址，又是别的地址。",
    "The archive is not on its way anywhere.": "该归档不在迁移途中。",
    "Both settings name the same catalogue.": "两份设置指向同一目录。",
    "Name settings with another catalogue: a database, or another data folder.": (
        "请给出指向其他目录的设置：另一数据库，或另一数据文件夹。"
    ),
    "Finish bringing it in first.": "请先完成迁入。",
    "The archive here is not whole.": "此处的归档不完整。",
    "See {}.": "参见 {0}。",
    "The archive {} to {}.": "归档{0:word} {1}。",
    "The archive has moved to {} already.": "归档已迁移到 {0}。",
    "Use it there, with {}; 'reindex --full' makes its index.": (
        "请在那里使用，加上 {0}；运行“reindex --full”可生成其索引。"
    ),
    "Name another folder as keys.path.": "请将 keys.path 指向其他文件夹。",
    "The keys in {} are another archive's.": "{0} 中的密钥属于另一归档。",
    "The source {} is no folder.": "来源 {0} 不是文件夹。",
    "Cannot listen on {} port {}: {}.": "无法监听 {0} 端口 {1}：{2}。",
    "Set service.port to another one, or to 0 for any that is free.": (
        "请将 service.port 设为其他端口，或设为 0 使用任一空闲端口。"
    ),
    "There is no setting {} ({}).": "没有设置 {0}（{1}）。",
    "There is no setting {} ({}). Did you mean {}?": "没有设置 {0}（{1}）。您是否要写 {2}？",
    "The environment variable {} names no section.": "环境变量 {0} 没有对应的部分。",
    "The environment variable {} names no section. Did you mean {}?": (
        "环境变量 {0} 没有对应的部分。您是否要写 {1}？"
    ),
}

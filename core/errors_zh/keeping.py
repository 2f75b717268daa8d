"""Failures of the vault, keys, backups and moving, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Copy it whole.": "请完整复制。",
    "{} is not an id of the form {}_….": "{0} 不是 {1}_… 形式的编号。",
    "A list of the backup is not what it was.": "备份中的一份清单与原先不符。",
    "Use another backup.": "请使用其他备份。",
    "A part of the backup cannot be read.": "备份的一部分无法读取。",
    "Another process makes a backup in {}.": "另一进程正在 {0} 中制作备份。",
    "Wait for it.": "请等待其完成。",
    "Name another folder.": "请指定其他文件夹。",
    "{} holds backups of another archive.": "{0} 中是另一归档的备份。",
    "A backup that was not finished has no manifest and counts for nothing.": (
        "未完成的备份没有清单，不算备份。"
    ),
    "There is {} in {}.": "{1} 中{0:word}。",
    "Restore it with that program.": "请用那个程序恢复。",
    "{} was made by a newer program.": "{0} 由更新版本的程序生成。",
    "The backup's manifest {} was cut or altered.": "备份的清单 {0} 被截断或改动。",
    "Use another backup: older ones in the same folder do not need this one.": (
        "请使用其他备份：同一文件夹中较早的备份不依赖它。"
    ),
    "The backup is not whole: {} {}.": "备份不完整：{0} {1:word}。",
    "Use another backup ('holdfast backup --verify' names those that are whole).": (
        "请使用其他备份（运行“holdfast backup --verify”可列出完整的备份）。"
    ),
    "The passphrase has fewer than {} characters.": "口令少于 {0} 个字符。",
    "Use several random words, and keep them where the backup is not.": (
        "请使用几个随机词语，并保存在备份以外的地方。"
    ),
    "Name the file or the folder that 'holdfast backup --keys-to' wrote.": (
        "请指定“holdfast backup --keys-to”写出的文件或文件夹。"
    ),
    "There are no sealed keys in {}.": "{0} 中没有封存的密钥。",
    "Name those of this archive.": "请指定此归档的密钥。",
    "{} holds the keys of another archive.": "{0} 中是另一归档的密钥。",
    "Give the passphrase that this file was sealed with.": "请给出封存此文件时使用的口令。",
    "The passphrase is wrong, or the file of sealed keys was altered.": (
        "口令错误，或密钥封存文件被改动。"
    ),
    "Use another copy of it.": "请使用其他副本。",
    "{} is not a file of sealed keys, or it was altered.": "{0} 不是密钥封存文件，或被改动。",
    "The segment is not in the backup.": "备份中没有该段文件。",
    "Restore it with the newer program that made it.": "请用制作它的较新程序恢复。",
    "The backup's catalogue has version {}, this program knows {}.": (
        "备份中目录的版本为 {0}，此程序支持 {1}。"
    ),
    "A segment of the backup is not whole.": "备份中有段文件不完整。",
    "Check the disk's health and remount it.": "请检查磁盘状况并重新挂载。",
    "Check the disk's health before it is used again.": "再次使用前，请检查磁盘状况。",
    "Free space on it; nothing that was acknowledged is lost.": (
        "请释放空间；已确认的内容不会丢失。"
    ),
    "Raise the quota or free space.": "请提高配额或释放空间。",
    "See the log of the operating system.": "请查看操作系统的日志。",
    "{} (while {}).": "{0:word}（在{1:word}时）。",
    "The frames have an unknown version.": "加密帧的版本未知。",
    "The sealed text has an unknown version.": "封存文本的版本未知。",
    "The sealed text is longer than allowed.": "封存文本超过允许的长度。",
    "The sealed text does not open with its key.": "封存文本无法用其密钥打开。",
    "The frames end too early.": "加密帧过早结束。",
    "A frame has an impossible length.": "有加密帧的长度不合理。",
    "A frame fails authentication.": "有加密帧未通过认证。",
    "Bytes follow the last frame.": "最后一帧之后还有字节。",
    "A frame does not decompress.": "有加密帧无法解压。",
    "Frames follow the end of the original.": "原件结束之后还有加密帧。",
    "The original is not as long as its header says.": "原件的长度与其头部所述不符。",
    "The original is longer than its header says.": "原件比其头部所述更长。",
    "The original does not match its hash.": "原件与其哈希不符。",
    "The keyring lacks its current key.": "密钥环缺少其当前密钥。",
    "A keyring, or the signing key of one, is there already.": "密钥环或其签名密钥已存在。",
    "Open it. After a creation that was interrupted remove {}.": (
        "请打开它。如上次创建中断，请移除 {0}。"
    ),
    "The file is not a keyring.": "该文件不是密钥环。",
    "The keyring lacks a key version.": "密钥环缺少一个密钥版本。",
    "A wrapped key does not open.": "有被包裹的密钥无法打开。",
    "Rotate first.": "请先轮换密钥。",
    "The current key cannot be retired.": "当前密钥不能停用。",
    "There is no such key version.": "没有这样的密钥版本。",
    "A key has the wrong length.": "有密钥的长度有误。",
    "Put the keyring back from its backup; without it nothing can be opened.": (
        "请从备份中放回密钥环；没有它，任何内容都无法打开。"
    ),
    "The keyring is missing.": "密钥环缺失。",
    "Run: chmod {} {}": "请运行：chmod {0} {1}",
    "{} may be read by others (mode {}).": "{0} 可被其他用户读取（权限 {1}）。",
    "Mount the disk that holds it, or create the archive first.": (
        "请挂载存放它的磁盘，或先创建归档。"
    ),
    "The folder of the segments is missing.": "段文件的文件夹缺失。",
    "There is no such record.": "没有这样的记录。",
    "Another record stands in its place.": "其位置上是另一条记录。",
    "Name another place.": "请指定其他位置。",
    "The audit log in {} has {} entries, this one {}.": (
        "{0} 中的审计日志有 {1} 条记录，此处有 {2} 条。"
    ),
    "Repeat the command, which goes on: {}": "请重复该命令，它会继续：{0}",
    "The archive here is not whole: it is still being brought in.": "此处的归档不完整：仍在迁入。",
    "This archive has moved to {}.": "此归档已迁移到 {0}。",
    "Use it there, with {}; 'holdfast migrate' brings it back.": (
        "请在那里使用，加上 {0}；运行“holdfast migrate”可迁回。"
    ),
    "Repeat the same 'holdfast migrate', which goes on, or add --give-up to it.": (
        "请重复同一“holdfast migrate”命令，它会继续；或加上 --give-up。"
    ),
    "This archive is being moved to {}.": "此归档正在迁移到 {0}。",
    "Another archive is being brought in there.": "另一归档正在迁入那里。",
    "Go on: {}": "请继续：{0}",
    "An archive is there already; nothing was changed.": "那里已有归档；未作任何更改。",
    "Name an empty folder, database and bucket.": "请指定空的文件夹、数据库和存储桶。",
    "Empty the target and begin again.": "请清空目标后重新开始。",
    "{} rows of {} left, {} arrived, or they differ.": "{1} 送出 {0} 行，到达 {2} 行，或内容不符。",
    "The segment is missing.": "段文件缺失。",
    "The segment ends before the record.": "段文件在该记录之前就结束了。",
    "The object was replaced while it was read.": "该对象在读取期间被替换。",
    "Create a bucket with Object Lock, which also switches versions on.": (
        "请创建启用 Object Lock 的存储桶，它会同时启用版本控制。"
    ),
    "The bucket has no Object Lock.": "该存储桶没有 Object Lock。",
    "The object store does not enforce Object Lock: it let us {}.": (
        "对象存储没有强制执行 Object Lock：它允许我们 {0}。"
    ),
    "Use a store that enforces Object Lock, or set vault.worm to off.": (
        "请使用强制执行 Object Lock 的存储，或将 vault.worm 设为 off。"
    ),
    "The object store does not enforce Object Lock: the canary is gone.": (
        "对象存储没有强制执行 Object Lock：用于探测的对象已消失。"
    ),
    "Open the archive after the fork.": "请在 fork 之后打开归档。",
    "This process was forked from one that had used the object store.": (
        "此进程由使用过对象存储的进程 fork 而来。"
    ),
    "Correct the setting vault.url: letters, digits, dots, hyphens, underscores.": (
        "请更正设置 vault.url：字母、数字、点、连字符、下划线。"
    ),
    "The vault's address is not of the form s3://bucket/prefix.": (
        "原件库的地址不是 s3://bucket/prefix 的形式。"
    ),
    "Check its load and the network; it is tried again by itself.": (
        "请检查其负载和网络；系统会自动重试。"
    ),
    "Check that it runs, and the setting vault.endpoint.": (
        "请检查它是否运行，以及设置 vault.endpoint。"
    ),
    "Check vault.access_key and vault.secret_key, and what this key may do in the bucket.": (
        "请检查 vault.access_key 和 vault.secret_key，以及该密钥在存储桶中的权限。"
    ),
    "Correct the setting vault.region.": "请更正设置 vault.region。",
    "Correct the settings vault.region and vault.endpoint.": (
        "请更正设置 vault.region 和 vault.endpoint。"
    ),
    "Create it, or correct the setting vault.url.": "请创建它，或更正设置 vault.url。",
    "Give it more space.": "请为其增加空间。",
    "It is tried again by itself; if it stays, ask its operator for more throughput.": (
        "系统会自动重试；如持续出现，请向其运维方申请更高吞吐量。"
    ),
    "See the log of the object store.": "请查看对象存储的日志。",
    "Set this host's clock, by NTP for example.": "请校准此主机的时钟，例如使用 NTP。",
    "A log is there already.": "日志已存在。",
    "Another host is extending the audit log with other entries.": (
        "另一主机正在向审计日志追加别的记录。"
    ),
    "It is tried again by itself.": "系统会自动重试。",
    "Another process has extended the audit log.": "另一进程已追加审计日志。",
    "Another object has this key by now.": "此键名下现已是另一对象。",
    "Check the object store's health before it is used again.": (
        "再次使用前，请检查对象存储的状况。"
    ),
    "The object store does not hold what it acknowledged.": "对象存储中没有它已确认保存的内容。",
    "Another object has the name that was made up for this one.": (
        "为此对象生成的名称已被另一对象占用。"
    ),
    "A record is damaged.": "有记录已损坏。",
    "A record's bytes do not match their checksum.": "有记录的字节与其校验和不符。",
    "Restore the segment from a backup and run verify.": "请从备份中恢复该段文件并运行 verify。",
    "The segment belongs to another archive.": "该段文件属于另一归档。",
    "The segment does not agree with its end mark.": "该段文件与其结束标记不符。",
    "The segment ends inside a record.": "该段文件在一条记录中间结束。",
    "The lock of a segment only moves forward. It is locked until {}.": (
        "段文件的锁定期只能延后。锁定至 {0}。"
    ),
    "The lock of a segment only moves forward. It is locked until {}. A legal hold is on it.": (
        "段文件的锁定期只能延后。锁定至 {0}，并处于法律保全之下。"
    ),
    "The mode of a lock may not be changed. It is locked until {}.": (
        "锁定的模式不能更改。锁定至 {0}。"
    ),
    "The mode of a lock may not be changed. It is locked until {}. A legal hold is on it.": (
        "锁定的模式不能更改。锁定至 {0}，并处于法律保全之下。"
    ),
}

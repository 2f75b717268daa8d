"""Failures of the catalogue, contacts and annotations, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "List the versions.": "请列出各版本。",
    "No job of this name changed anything.": "没有此名称的任务做过更改。",
    "Version {} of {} cannot be read.": "无法读取 {1} 的第 {0} 版。",
    "Nothing is to be changed.": "没有要更改的内容。",
    "Say what: a tag, a note …": "请说明更改内容：标签、备注……",
    "A {} has 1 to {} printable characters.": "{0:word}应为 1 到 {1} 个可打印字符。",
    "Write another.": "请改写。",
    "A message has at most {} {}.": "一封邮件最多有 {0} 个{1:word}。",
    "Remove some.": "请移除一些。",
    "There is no version {}.": "没有版本 {0}。",
    "There is no such message.": "没有这样的邮件。",
    "Look at it again, and repeat the change.": "请再次查看，然后重复更改。",
    "Somebody else has changed it meanwhile.": "期间已有他人作了更改。",
    "Choose another name.": "请选其他名称。",
    "The source {} is, or was, another one: its mail would be taken for this.": (
        "来源 {0} 现在或曾经是另一个：它的邮件会被误认为属于这个来源。"
    ),
    "Remove it first; what it gave stays, and is not taken twice.": (
        "请先将其移除；它已给出的内容保留，不会重复采集。"
    ),
    "There is a source {} already.": "已有来源 {0}。",
    "Run: holdfast source list": "请运行：holdfast source list",
    "There is no source {}.": "没有来源 {0}。",
    "The source has no secret any more.": "该来源已没有密钥。",
    "List the imports.": "请列出各次导入。",
    "There is no such import.": "没有这样的导入。",
    "Let the import finish, then undo it.": "请等导入完成，再撤销。",
    "{} items of the import are not filed yet.": "该导入有 {0} 个条目尚未归档。",
    "Another process reads the catalogue, so its log cannot be cut.": (
        "另一进程正在读取目录，因此无法截短其日志。"
    ),
    "Execute the disposal again when that has ended; nothing else is left.": (
        "等其结束后请再次执行处置；没有其他剩余工作。"
    ),
    "Execute the disposal again; nothing else is left.": "请再次执行处置；没有其他剩余工作。",
    "The catalogue cannot be cleared now: {}.": "现在无法清理目录：{0}。",
    "Give it as in example.com.": "请写成 example.com 的形式。",
    "{} is not a domain name.": "{0} 不是域名。",
    "Look for it by its domain.": "请按域名查找。",
    "There is no such company.": "没有这样的公司。",
    "Give the domain as in acme.com.": "请给出域名，例如 acme.com。",
    "Nobody of {} was seen.": "没有见过 {0} 的任何人。",
    "The contact was changed since you read it.": "在您读取之后，该联系人已被修改。",
    "A contact has no {}.": "联系人没有 {0} 字段。",
    "There is no such party type.": "没有这样的往来方类型。",
    "A {} has at most {} printable characters.": "{0} 最多 {1} 个可打印字符。",
    "A contact has at most {} {}.": "联系人的 {1} 最多 {0} 个。",
    "A consent is {} for a channel.": "每个渠道的同意状态应为 {0}。",
    "A contact has at most {} consents.": "联系人最多有 {0} 项同意。",
    "Look for it by its address.": "请按地址查找。",
    "There is no such contact.": "没有这样的联系人。",
    "Search for its messages.": "请搜索其中的邮件。",
    "There is no such conversation.": "没有这样的会话。",
    "It is in no conversation.": "它不在任何会话中。",
    "Look at its thread.": "请查看它的邮件会话。",
    "A page has 1 to {} lines.": "每页可含 1 到 {0} 行。",
    "Begin with the first page.": "请从第一页开始。",
    "Install pysqlite3 with SQLite 3.51.3 or newer.": (
        "请安装带 SQLite 3.51.3 或更新版本的 pysqlite3。"
    ),
    "SQLite {} can corrupt the catalogue.": "SQLite {0} 可能损坏目录。",
    "catalogue.url is not a URL.": "catalogue.url 不是 URL。",
    "Give it as in postgresql://user@host:5432/database.": (
        "请写成 postgresql://user@host:5432/database 的形式。"
    ),
    "catalogue.url does not name a PostgreSQL database.": (
        "catalogue.url 没有指定 PostgreSQL 数据库。"
    ),
    "Set catalogue.password.": "请设置 catalogue.password。",
    "catalogue.url holds a password.": "catalogue.url 中含有密码。",
    "Install holdfast with its extra: pip install 'holdfast[engines]'.": (
        "请安装 holdfast 及其附加组件：pip install 'holdfast[engines]'。"
    ),
    "The PostgreSQL driver is not installed.": "未安装 PostgreSQL 驱动程序。",
    "The catalogue's server is PostgreSQL {}.": "目录的服务器是 PostgreSQL {0}。",
    "Use PostgreSQL {} or newer.": "请使用 PostgreSQL {0} 或更新版本。",
    "Create it with ENCODING 'UTF8'.": "请以 ENCODING 'UTF8' 创建。",
    "The catalogue's database is in {}, not in UTF-8.": "目录的数据库编码为 {0}，不是 UTF-8。",
    "Repeat the same request: what was kept is not kept twice.": (
        "请重复同一请求：已保存的内容不会重复保存。"
    ),
    "The catalogue's server was lost while it committed.": "在提交时与目录服务器的连接中断。",
    "The catalogue's database is damaged: a text in it is no text.": (
        "目录的数据库已损坏：其中有文本不是文本。"
    ),
    "All connections to the catalogue are in use.": "目录的所有连接都在使用中。",
    "Repeat, or raise the pool.": "请重复，或增大连接池。",
    "Any command tells where it is.": "任何命令都会说明它在哪里。",
    "This archive has moved, or is moving, to another place; nothing can be written here.": (
        "此归档已迁移或正在迁移到别处；此处不能写入。"
    ),
    "Check its disk, then repeat.": "请检查其磁盘，然后重复。",
    "Free space on its disk, then repeat.": "请释放其磁盘空间，然后重复。",
    "Make its disk and folder readable and writable, then repeat.": (
        "请让其磁盘和文件夹可读写，然后重复。"
    ),
    "Make its disk and folder writable, then repeat.": "请让其磁盘和文件夹可写，然后重复。",
    "The catalogue cannot be used now: {}.": "现在无法使用目录：{0}。",
    "Wait for the other writer, then repeat.": "请等待另一写入者，然后重复。",
    "Restore it from a backup; originals are in the vault.": "请从备份中恢复；原件在原件库中。",
    "The catalogue's database is damaged: {}.": "目录的数据库已损坏：{0}。",
    "Repeat; other writers were in the way.": "请重复；有其他写入者占用。",
    "Check that the server runs and is reachable, then repeat.": (
        "请检查服务器是否运行且可以连接，然后重复。"
    ),
    "Check the server's disk and its log, then repeat.": "请检查服务器的磁盘及其日志，然后重复。",
    "Connect to the primary server; this one only reads.": "请连接主服务器；此服务器只读。",
    "Correct catalogue.url and catalogue.password, and the server's pg_hba.conf.": (
        "请更正 catalogue.url 和 catalogue.password，以及服务器的 pg_hba.conf。"
    ),
    "Correct sslmode in catalogue.url, or the server's.": (
        "请更正 catalogue.url 中的 sslmode，或服务器的设置。"
    ),
    "Correct the certificates, or sslmode in catalogue.url.": (
        "请更正证书，或 catalogue.url 中的 sslmode。"
    ),
    "Correct the host in catalogue.url.": "请更正 catalogue.url 中的主机。",
    "Create the database and its owner, or correct catalogue.url.": (
        "请创建数据库及其所有者，或更正 catalogue.url。"
    ),
    "Free space on the server's disk, then repeat.": "请释放服务器的磁盘空间，然后重复。",
    "Give the server more memory, then repeat.": "请为服务器增加内存，然后重复。",
    "Look into the server's log.": "请查看服务器的日志。",
    "Make the user the owner of the database and its tables.": (
        "请使该用户成为数据库及其表的所有者。"
    ),
    "Raise the server's max_connections, or lower the pool.": (
        "请增大服务器的 max_connections，或减小连接池。"
    ),
    "Repeat, or raise the statement timeout.": "请重复，或增大语句超时。",
    "Repeat; the transaction stood still for too long.": "请重复；事务停顿过久。",
    "Run 'holdfast init'.": "请运行“holdfast init”。",
    "Look at it with 'holdfast jobs show'.": "请用“holdfast jobs show”查看。",
    "The job {} is {}; only a dead one is put back.": (
        "任务 {0} 处于 {1} 状态；只有 dead 状态的任务可以放回。"
    ),
    "Offer them again.": "请再次提供。",
    "{} originals were disposed of while they were offered again.": (
        "有 {0} 份原件在再次提供期间被处置。"
    ),
    "Give a mail address, +49… for a phone, or system:id.": (
        "请给出邮箱地址、+49… 形式的电话号码，或 system:id。"
    ),
    "Give from, then to.": "请先给出起始，再给出结束。",
    "The time ends before it begins.": "时间的结束早于开始。",
    "{} is a machine's: nobody answers there.": "{0} 是机器的地址：那里无人回复。",
    "{} is this contact's already.": "{0} 已属于此联系人。",
    "List the contact's links.": "请列出该联系人的关联。",
    "There is no such link.": "没有这样的关联。",
    "Another writer filed the same at the same moment.": "另一写入者在同一时刻归档了相同的内容。",
    "Repeat.": "请重复。",
    "The two are the same contact already.": "两者已是同一联系人。",
    "List the contact's merges.": "请列出该联系人的合并。",
    "There is no such merge.": "没有这样的合并。",
    "The catalogue has version {}, this program knows {}.": "目录的版本为 {0}，此程序支持 {1}。",
    "Use the newer program that wrote it.": "请使用写入它的较新程序。",
    "Nothing in the archive is called {}.": "归档中没有名为 {0} 的内容。",
    "Give the id of one of them.": "请给出其中之一的编号。",
    "{} names {} records.": "{0} 对应 {1} 条记录。",
    "It was disposed of on {}, by {}.": "它已于 {0} 由 {1} 处置。",
    "Its certificate: holdfast disposal certificate {}": (
        "其处置证明：holdfast disposal certificate {0}"
    ),
    "The original is not in the archive, or was disposed of.": "该原件不在归档中，或已被处置。",
    "Restore the catalogue from a backup; originals are in the vault.": (
        "请从备份中恢复目录；原件在原件库中。"
    ),
    "The header fields in the catalogue are damaged.": "目录中的邮件头字段已损坏。",
    "Run: holdfast source resume {}": "请运行：holdfast source resume {0}",
    "The source {} is paused.": "来源 {0} 已暂停。",
    "Look at it again, then repeat.": "请再次查看，然后重复。",
    "The source was changed or removed meanwhile.": "该来源在此期间被更改或移除。",
    "A page has 1 to {} entries.": "每页可含 1 到 {0} 条记录。",
    "It is no directory's import.": "这不是通讯录的导入。",
    "holdfast import --undo BATCH": "holdfast import --undo BATCH",
    "Import the directory again, if it is wanted after all.": "如果仍然需要，请重新导入通讯录。",
    "The import was undone while it ran.": "该导入在运行期间被撤销。",
}

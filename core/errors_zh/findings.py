"""What `verify` finds, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "The engine gives up on it: {}.": "搜索引擎无法处理它：{0}。",
    "The index does not hold it.": "索引中没有它。",
    "The index has it at another time.": "索引中它的时间不同。",
    "The index holds it, and the catalogue has no such record in sight.": (
        "索引中有它，而目录中没有这样的可见记录。"
    ),
    "The index does not find it by its own words, people and names.": (
        "用它自身的词语、人员和名称在索引中找不到它。"
    ),
    "The index that searches use is not there.": "搜索所用的索引不存在。",
    "A row cannot be read: {}.": "有一行无法读取：{0}。",
    "The audit log does not know it.": "审计日志中没有它。",
    "Its rows are not those that the audit log committed to.": "其数据行与审计日志所承诺的不符。",
    "Its checkpoint is another than it says.": "其检查点与所述不符。",
    "Its token cannot be checked: anchors.tsa_ca_file is not set.": (
        "无法检查其时间戳令牌：未设置 anchors.tsa_ca_file。"
    ),
    "Its token is of another time than its row says.": "其时间戳令牌的时间与数据行所述不符。",
    "It is no checkpoint of this log.": "它不是此日志的检查点。",
    "It is not under lock any more.": "它已不在锁定之下。",
    "The bucket lacks its locked copy.": "存储桶中缺少其锁定副本。",
    "The witness file lacks it.": "见证文件中没有它。",
    "It was made over {} entries, and the log has {}: from seq {} on they were cut off.": (
        "它覆盖 {0} 条，而日志只有 {1} 条：从序号 {2} 起被截去。"
    ),
    (
        "It was made over {} entries, and the log has {}: from seq {} on they were cut off. So say "
        "{} others."
    ): ("它覆盖 {0} 条，而日志只有 {1} 条：从序号 {2} 起被截去。另有 {3} 个锚点也如此表明。"),
    (
        "The first {} entries of the log are not those it was made over: the first altered one is "
        "from seq {} to {}."
    ): ("日志的前 {0} 条与它所覆盖的不符：第一条被改动的在序号 {1} 至 {2} 之间。"),
    (
        "The first {} entries of the log are not those it was made over: the first altered one is "
        "from seq {} to {}. So say {} others."
    ): (
        "日志的前 {0} 条与它所覆盖的不符：第一条被改动的在序号 {1} 至 {2} 之间。另有 {3} 个锚点也如"
        "此表明。"
    ),
    "It is linked to another interaction than its original.": "它所关联的邮件与其原件的不同。",
    "It is linked to another interaction than the audit log says.": (
        "它所关联的邮件与审计日志所述不同。"
    ),
    "It is linked to no interaction.": "它没有关联任何邮件。",
    "It was disposed of, and its rows are there.": "它已被处置，而其数据行仍在。",
    "Its end in the ledger is not the one that it came to.": "台账中它的结果与实际结果不符。",
    "Its ledger row is missing.": "其台账行缺失。",
    "Its ledger row says otherwise.": "其台账行的说法不同。",
    "Its original is not the one that the audit log committed to.": (
        "其原件与审计日志所承诺的不符。"
    ),
    "The item is said to be kept and has no capture.": "该条目标为已保存，却没有采集记录。",
    "The audit log knows it, and its rows are gone.": "审计日志中有它，而其数据行已不存在。",
    "No capture ties it to {}.": "没有采集记录将它与 {0} 联系起来。",
    "Captures are marked as taken back, and the audit log does not know of that.": (
        "有采集标为已撤销，而审计日志中没有记载。"
    ),
    "The captures that were taken back are not those that the audit log names.": (
        "被撤销的采集与审计日志所列的不符。"
    ),
    "Nobody wrote it under its name.": "没有人写过带此名称的该地址。",
    "It is not what its versions lead to.": "它与其各版本的结果不符。",
    "Version {}: {}": "第 {0} 版：{1:said}",
    "It is not what meeting and merging made of it.": "它与各次往来和合并的结果不符。",
    "No address is its own.": "没有属于它自己的地址。",
    "It does not agree with the addresses it is of.": "它与其所属地址不符。",
    "It does not agree with its address.": "它与其地址不符。",
    "It is not its contact's at the times that its link says.": (
        "在其关联所述的时间内，它不属于该联系人。"
    ),
    "It is not with the contact that merges and links leave it with.": (
        "它不在合并与关联所归的联系人名下。"
    ),
    "It was forgotten, and its row is not empty.": "它已被清除，而其数据行不是空的。",
    "Its counts and times are not those of its messages.": "其计数和时间与其邮件不符。",
    "A value is not of its column's kind.": "有值与其列的类型不符。",
    "It refers to a row of {} that is not there.": "它引用了 {0} 中不存在的行。",
    "It is said to be held, and the audit log does not know of it.": (
        "它标为已保全，而审计日志中没有记载。"
    ),
    "The audit log knows a hold on it, and nothing says so any more.": (
        "审计日志记载它被保全，而现在没有任何记录表明这一点。"
    ),
    "It is in sight or out of sight against its captures.": "其可见与否与其采集记录不符。",
    "It is not where its channel keeps it.": "它不在其渠道应在的位置。",
    "Its Message-ID belongs to another thread.": "其 Message-ID 属于另一会话。",
    "Its rows were changed after it was filed.": "其数据行在归档后被更改。",
    "Its time is not that of the message.": "其时间与邮件的时间不符。",
    "One of its attachments is out of place.": "其中一个附件的位置不对。",
    "One of its participants is linked to another address.": "其中一位参与人关联到了另一地址。",
    "One of its participants is out of place.": "其中一位参与人的位置不对。",
    "Somebody was added to it whom no report or copy names.": (
        "其中被加入了任何报告或副本都没有提到的人。"
    ),
    "The audit log does not know of its removal.": "审计日志中没有它被移除的记载。",
    "What was added to it is not what its versions lead to.": (
        "为它补充的内容与其各版本的结果不符。"
    ),
    "It was undone.": "它已被撤销。",
    "Its contact is missing.": "其联系人缺失。",
    "The contact that it made is another company's.": "它所建立的联系人属于另一公司。",
    "The event is missing.": "该事件缺失。",
    "It differs from the signed log.": "它与已签名的日志不符。",
    "Its row says another thing than its leaf.": "其数据行与其日志条目不符。",
    "The log has {} leaves, the catalogue {} events.": "日志有 {0} 条，目录有 {1} 个事件。",
    "The tiles do not give the signed root.": "日志块与已签名的根不符。",
    "Its key is gone, and the audit log does not know of that.": (
        "其密钥已不存在，而审计日志中没有记载。"
    ),
    "No capture brought it at the time that its row says.": "在其数据行所述的时间没有采集到它。",
    "The catalogue says {} bytes.": "目录记载为 {0} 字节。",
    "{} (segment {}, offset {})": "{0:said}（段文件 {1}，偏移 {2}）",
    "{} are declared, and {} by the audit log.": "声明了 {0} 个，而审计日志记载 {1} 个。",
    "Its end is not the one that the audit log knows.": "其结束与审计日志所记载的不符。",
    "A stage that the audit log knows is not in its row.": "审计日志记载的一个阶段不在其数据行中。",
    "An item of it says what its state does not.": "其中有条目与其状态不符。",
    "An item of it was changed after it was planned.": "其中有条目在计划之后被更改。",
    "Its items are not those of its manifest.": "其条目与其清单不符。",
    "Its state is not that of its stages.": "其状态与其各阶段不符。",
    "Its sums are not those of its items.": "其合计与其条目不符。",
    "Its tombstones are not those of its items.": "其处置标记与其条目不符。",
    "Something else became of its items.": "其条目的结果不同。",
    "The audit log does not know what became of its items.": "审计日志中没有其条目结果的记载。",
    "It is in force, and nobody approved of it.": "它已生效，却没有人批准。",
    "The audit log knows {}, the rows {}.": "审计日志记载 {0}，数据行记载 {1}。",
    "What stands beside it is not what its versions say.": "其附带内容与其各版本所述不符。",
    "It does not reach from its oldest to its newest message.": "它没有涵盖从最早到最新的邮件。",
    "It is in another thread than the audit log says.": "它所在的会话与审计日志所述不同。",
}

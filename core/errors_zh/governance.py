"""Failures of matters, holds, retention, disposals and exports, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Its key was destroyed by a disposal.": "其密钥已由处置销毁。",
    "The list of records of this export is gone.": "此导出的记录清单已不存在。",
    "Another process is making this export.": "另一进程正在生成此导出。",
    "Wait for it to end.": "请等待其结束。",
    "There is no mask to hide numbers with.": "没有用于隐藏号码的掩码。",
    "Make it first.": "请先创建。",
    "There is no folder {}.": "没有文件夹 {0}。",
    "Name a new file.": "请另起一个文件名。",
    "{} is there already.": "{0} 已存在。",
    "The archive changes while its records are listed.": "在列出记录期间，归档发生了变化。",
    "Try again.": "请重试。",
    "The audit log is not numbered.": "审计日志尚未编号。",
    "Execute it again: it goes on where it was.": "请再次执行：它会从中断处继续。",
    "The disposal is not settled.": "该处置尚未处理完毕。",
    "The note is no certificate of a disposal.": "该签名文件不是处置证明。",
    "A policy needs a name.": "保留策略需要名称。",
    "A policy is exact: it is about no word that is only spelt alike (~).": (
        "保留策略必须精确：不能用只是拼写相近的词（~）。"
    ),
    "Write each spelling, or use *.": "请写出每种拼写，或使用 *。",
    "The policy is not in force.": "该保留策略未生效。",
    "Withdraw what waits.": "请撤回等待中的版本。",
    "No version of this policy waits for approval.": "该保留策略没有等待批准的版本。",
    "Ask a second person.": "请由第二人批准。",
    "Who proposed a change cannot approve it.": "提出更改的人不能批准该更改。",
    "No version of this policy waits.": "该保留策略没有等待中的版本。",
    "Propose another version instead.": "请改为提出另一版本。",
    "Another version of this policy waits already.": "该保留策略已有另一版本在等待。",
    "Let it come into force, or withdraw it.": "请等其生效，或将其撤回。",
    "Anchor the log now, and look at the clock if that does not help.": (
        "请立即锚定日志；如无帮助，请检查时钟。"
    ),
    "The clock is more than 5 minutes from the newest anchor's.": (
        "时钟与最新锚点的时间相差超过 5 分钟。"
    ),
    "Compare it with another clock, then repeat with --clock-checked (over HTTP: "
    "is_clock_checked).": (
        "请与另一时钟核对，然后加上 --clock-checked（HTTP 接口为 is_clock_checked）重复。"
    ),
    "The clock is more than a day ahead of when it was last looked at.": (
        "时钟比上次查看时超前一天以上。"
    ),
    "A kept decision cannot be read.": "保存的判定无法读取。",
    "An exception needs a reason.": "例外需要理由。",
    "The item is {} already.": "该条目已是 {0} 状态。",
    "Who planned a disposal cannot approve it.": "计划处置的人不能批准该处置。",
    "Look at the disposal again, and state the digest that it shows.": (
        "请再次查看该处置，并给出其中显示的摘要值。"
    ),
    "This is not the digest of the manifest.": "这不是该清单的摘要值。",
    "Show it to see what comes next.": "请查看该处置以了解下一步。",
    "The disposal is {}.": "该处置处于 {0} 状态。",
    "Execute it later; until then it may be withdrawn.": "请稍后执行；在此之前可以撤回。",
    "The disposal cools off still.": "该处置仍在冷静期。",
    "Give floor or ceiling.": "请给出 floor（下限）或 ceiling（上限）。",
    "{} is no kind of policy.": "{0} 不是保留策略的类型。",
    "A policy lasts 1 to {} days.": "保留策略的期限为 1 到 {0} 天。",
    "A release needs a reason.": "解除保全需要理由。",
    "Give --reason.": "请给出 --reason。",
    "A release takes at least {} days.": "解除保全至少需要 {0} 天。",
    "Let another person approve it; another account of the same is none.": (
        "请由另一人批准；同一人的另一账号不算。"
    ),
    "Who asked for the release cannot approve it.": "申请解除的人不能批准解除。",
    "Ask first: holdfast hold release.": "请先申请：holdfast hold release。",
    "Let another person approve it, or withdraw it: holdfast hold withdraw.": (
        "请由另一人批准，或撤回：holdfast hold withdraw。"
    ),
    "Nobody has asked for the release.": "没有人申请解除。",
    "Place a new one.": "请设立新的保全。",
    "The hold has ended.": "该保全已终止。",
    "The release is approved already.": "解除已获批准。",
    "The release was asked for already.": "已申请解除。",
    "Wait for its end, or withdraw it: holdfast hold withdraw.": (
        "请等待其终止，或撤回：holdfast hold withdraw。"
    ),
    "Set the machine's clock right; nothing is approved or destroyed meanwhile.": (
        "请校准机器的时钟；在此期间不批准也不销毁任何内容。"
    ),
    "The clock is before an instant that was seen already.": "时钟早于已见过的时刻。",
    "List them.": "请列出各项处置。",
    "There is no such disposal.": "没有这样的处置。",
    "It is not in this disposal.": "它不在此处置中。",
    "Show the disposal.": "请查看该处置。",
    "See 'holdfast matter list'.": "请查看“holdfast matter list”。",
    "Open a new one.": "请新建一个案件。",
    "The matter {} is closed.": "案件 {0} 已结案。",
    "See 'holdfast hold list'. It goes when the holds were released and ended.": (
        "请查看“holdfast hold list”。保全解除并终止后即可删除。"
    ),
    "{} of the messages are held for: {}.": "有 {0} 封邮件因以下案件被保全：{1}。",
    "The matter has a hold called {}.": "该案件已有名为 {0} 的保全。",
    "A hold needs a reason.": "保全需要理由。",
    "Exchange --from and --to.": "请对调 --from 和 --to。",
    "The hold ends before it begins.": "保全的结束早于开始。",
    "A hold is exact: it is on no word that is only spelt alike (~).": (
        "保全必须精确：不能用只是拼写相近的词（~）。"
    ),
    "A hold cannot be on what holds hold.": "保全不能以其他保全的范围为条件。",
    "Leave out matter: and hold:.": "请去掉 matter: 和 hold:。",
    "Place a new hold as it should be, then release this one.": (
        "请按所需设立新的保全，然后解除此项。"
    ),
    "The hold may hold less than before, which takes a release.": (
        "该保全的范围可能小于先前，这需要走解除程序。"
    ),
    "Run: holdfast hold list": "请运行：holdfast hold list",
    "There is no such hold.": "没有这样的保全。",
    "There is no hold {}.": "没有保全 {0}。",
    "{} matters have a hold called {}.": "{0} 个案件有名为 {1} 的保全。",
    "There is a matter called {}.": "已有名为 {0} 的案件。",
    "Release them first: holdfast hold release.": "请先解除：holdfast hold release。",
    "{} holds of {} are in force.": "{1} 有 {0} 项保全生效中。",
    "It was changed meanwhile: version {}, not {}.": "它在此期间被更改：版本是 {0}，不是 {1}。",
    "Look at it again, then repeat the change if it is still wanted.": (
        "请再次查看，如仍需更改再重复。"
    ),
    "Open a new matter.": "请新建案件。",
    "{} is closed.": "{0} 已结案。",
    "Run: holdfast matter list": "请运行：holdfast matter list",
    "There is no such matter.": "没有这样的案件。",
    "Give a short one that prints.": "请给出可打印的短名称。",
    "That name cannot be used.": "该名称不能使用。",
    "A notice needs a custodian and a text.": "通知需要保管人和正文。",
    "Give both.": "请两项都给出。",
    "There is nothing to tell.": "没有需要通知的内容。",
    "Copy it whole; it works only once.": "请完整复制；它只能使用一次。",
    "No notice waits for this code.": "没有等待此确认码的通知。",
    "List the policies.": "请列出保留策略。",
    "There is no policy {}.": "没有保留策略 {0}。",
}

"""Messages about directories of people and what is said of contacts; must not hold anything else.

English template → translation, with the same names in braces.
"""

from __future__ import annotations

MESSAGES = {
    "Nothing is different from what the archive knows.": "与归档中已有的内容没有差别。",
    "{created} new contacts, {changed} changed.": ("新增联系人 {created} 位，更新 {changed} 位。"),
    "{created} new contacts and {changed} changes would be made.": (
        "将新增联系人 {created} 位，更新 {changed} 位。"
    ),
    "Cards": "名片",
    "Contacts": "联系人",
    "Addresses": "地址",
    "Conflicts": "冲突",
    "Remarks": "提示",
    "Kept": "保持原样",
    "Place": "位置",
    "File": "文件",
    "Title": "职务",
    "Grade": "等级",
    "Groups": "分组",
    "Consent": "存档授权",
    "Contact": "联系人",
    "Due": "到期",
    "Record": "记录",
    "planned": "计划跟进",
    "Nothing is due.": "没有到期的跟进。",
    "Nobody was silent for so long.": "没有人这么久未联系。",
    "No contacts look like one person.": "没有看似同一人的联系人。",
    "unanswered": "未回复",
    "Note": "备注",
    "To take it back: holdfast contact import --undo {batch}": (
        "撤销：holdfast contact import --undo {batch}"
    ),
    "{left} more; --errors FILE writes all of them.": (
        "另有 {left} 条；用 --errors FILE 写出全部。"
    ),
    "If two are one person: holdfast contact merge CONTACT OTHER": (
        "如果两者是同一人：holdfast contact merge CONTACT OTHER"
    ),
    "Taken back: {links} addresses; {contacts} contacts say what they did before.": (
        "已撤销：{links} 个地址；{contacts} 位联系人恢复为原来的内容。"
    ),
}

"""What the page of one's own account says, in Simplified Chinese; it must not hold code."""

from __future__ import annotations

ACCOUNT: dict[str, str] = {
    "Account": "账号",
    "Where two persons are asked for": "需要两人办理的事项",
    "What you do counts as yours.": "您的操作算作您本人所为。",
    "What you do does not count: whoever gave you the password knows it. Choose one of your own "
    "below.": "您的操作不能算数：设置密码的人也知道它。请在下方自行设置密码。",
    "What you do does not count: sign in through your organisation. A password counts only where "
    "no organisation is linked.": (
        "您的操作不能算数：请通过单位登录。只有未关联单位时，密码才算数。"
    ),
    "What you do counts from this instant, since how you sign in was changed, and somebody else "
    "may have done it. Tell an auditor if it was neither you nor agreed with you.": (
        "您的登录方式更改过，可能是他人所为，您的操作自此时起才算数。"
        "如非您本人所为，也未经您同意，请告知审计人员。"
    ),
    "What you do does not count: sign in with your first account and confirm this one there.": (
        "您的操作不能算数：请用您的首个账号登录，并在那里确认此账号。"
    ),
    "Your organisation knows you as": "单位登录标识",
    "Your new key, which is shown only now:": "您的新密钥，仅显示这一次：",
    "It does not count where two persons are asked for.": "它不能用于需要两人办理的事项。",
    "Somebody added an account in your name:": "有人以您的名义添加了账号：",
    "It is mine": "是我的",
    "Choose a password": "设置密码",
    "Present password": "当前密码",
    "New password, 12 characters at least": "新密码（至少 12 个字符）",
    "The same once more": "再次输入",
    "Change it": "更改",
    "Keys for programs": "程序密钥",
    "until": "有效期至",
    "made by somebody else": "由他人生成",
    "Revoke": "吊销",
    "You have no keys.": "您没有密钥。",
    "Days": "天数",
    "Make a key": "生成密钥",
    "This takes you yourself, and somebody else could have come in like this.": (
        "此操作须由您本人进行，而他人也可能以此方式登录。"
    ),
    "What to do about it": "如何处理",
}

"""Failures of users, roles, keys and signing in, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Ask an administrator for a role that may.": "请向管理员申请有此权限的角色。",
    "The role {} may not do this: {}.": "角色 {0} 不能执行此操作：{1}。",
    "A key lives 1 to {} days.": "密钥的有效期为 1 到 {0} 天。",
    "Give other days.": "请给出其他天数。",
    "Enable the user first.": "请先启用该用户。",
    "The user is disabled.": "该用户已停用。",
    "Leave it out, or give the user another role.": "请将其去掉，或为用户指定其他角色。",
    "The role {} does not have: {}.": "角色 {0} 没有：{1}。",
    "A network is not one.": "有网络地址无效。",
    "Write it as in 10.1.0.0/16 or 2001:db8::/32.": "请写成 10.1.0.0/16 或 2001:db8::/32 的形式。",
    "Run: holdfast key list": "请运行：holdfast key list",
    "There is no such key.": "没有这样的密钥。",
    "Give one of them:": "请给出其中之一：",
    "Several keys begin so.": "有多个密钥以此开头。",
    "Give a later date.": "请给出更晚的日期。",
    "The grant would be over already.": "该授权会立即过期。",
    "A query, and only a query, needs its tree.": "只有查询需要查询树，且查询必须有。",
    "Give the query.": "请给出查询。",
    "A grant of kind {} needs a value.": "{0} 类型的授权需要一个值。",
    "A grant of kind {} takes no value.": "{0} 类型的授权不带值。",
    "See: holdfast user grant --help": "参见：holdfast user grant --help",
    "Run: holdfast {} --help": "请运行：holdfast {0} --help",
    "Run: holdfast user show LOGIN": "请运行：holdfast user show LOGIN",
    "There is no such grant.": "没有这样的授权。",
    "Name somebody else.": "请指定其他人。",
    "The two are one user.": "两者是同一用户。",
    "Name somebody who works here.": "请指定在此工作的人。",
    "{} is disabled.": "{0} 已停用。",
    "A password has {} to {} characters.": "密码应为 {0} 到 {1} 个字符。",
    "Choose a longer one; several words are easy to keep in mind.": (
        "请选更长的密码；用几个词语便于记忆。"
    ),
    "Choose a shorter one.": "请选更短的密码。",
    "The session is over.": "登录会话已结束。",
    "Signing in was tried too often from this address.": "该地址尝试登录的次数过多。",
    "Wait, then try again.": "请稍候再试。",
    "Login, password or code is wrong, or it was tried too often.": (
        "用户名、密码或验证码有误，或尝试次数过多。"
    ),
    "Try again; after five failures wait a minute, later longer.": (
        "请重试；失败五次后须等待一分钟，之后等待更久。"
    ),
    "A team needs a name that can be printed.": "团队需要可打印的名称。",
    "Choose another one.": "请另选一个。",
    "There is a team {} already.": "已有团队 {0}。",
    "Run: holdfast team list": "请运行：holdfast team list",
    "There is no team {}.": "没有团队 {0}。",
    "A second factor is in use.": "已启用双重验证。",
    "Remove it first.": "请先将其移除。",
    "Enrol again, or try the next code.": "请重新登记，或使用下一个验证码。",
    "The code is not right.": "验证码不正确。",
    "Choose another login.": "请选其他用户名。",
    "There is a user {} already.": "已有用户 {0}。",
    "Run: holdfast user list": "请运行：holdfast user list",
    "There is no person {}.": "没有人员 {0}。",
    "There is no such user.": "没有这样的用户。",
    "Look at it again, then repeat the change.": "请再次查看，然后重复更改。",
    "Somebody changed the user meanwhile.": "该用户在此期间已被他人更改。",
    "A link needs issuer and subject.": "关联需要 issuer 和 subject。",
    "Give both, or neither.": "请两项都给出，或都不给。",
    "This subject is another user already.": "该 subject 已是另一用户。",
    "Unlink it there.": "请在那里取消关联。",
    "Make somebody else one first.": "请先将他人设为管理员。",
    "No administrator would be left.": "将不再有管理员。",
    "Use letters, digits and any of . _ @ + - (at most 128).": (
        "请使用字母、数字和 . _ @ + -（最多 128 个字符）。"
    ),
    "{} cannot be a login.": "{0} 不能作为用户名。",
    "Write it as name@example.org, of chat as wecom:userid.": (
        "请写成 name@example.org；聊天账号写成 wecom:userid。"
    ),
    "{} is not an address.": "{0} 不是地址。",
    "A code of the second factor is needed.": "需要双重验证码。",
    "Type it.": "请输入。",
    "This takes a person: a key that somebody else made for them does not count.": (
        "此操作须由本人进行：由他人生成的密钥不算数。"
    ),
    "Sign in on the pages and do it there, or make a key yourself (Account) and use that.": (
        "请登录网页在那里操作，或自行生成密钥（“账号”页）后使用。"
    ),
    "This takes a person: whoever gave the password knows it too.": (
        "此操作须由本人进行：设置密码的人也知道它。"
    ),
    "Choose a password of your own on the page Account, then repeat it.": (
        "请先在“账号”页自行设置密码，然后重试。"
    ),
    "This takes a person: whoever comes in by an organisation does not notice what becomes of "
    "their password here.": ("此操作须由本人进行：通过单位登录的人不会察觉其此处密码的变化。"),
    "Sign in through your organisation; if there is no such way any more, have the link to it "
    "taken away.": ("请通过单位登录；如已无此方式，请让管理员取消关联。"),
    "This takes a person: how one signs in here was changed less than three days ago, and "
    "somebody else may have done it.": (
        "此操作须由本人进行：此处的登录方式在三天之内更改过，可能是他人所为。"
    ),
    "Wait until the instant that the page Account states; tell an auditor if it was "
    "not agreed with you.": ("请等到“账号”页所示的时间；如未经您同意，请告知审计人员。"),
    "This takes a person: nobody has confirmed that this second account is theirs.": (
        "此操作须由本人进行：尚无人确认此第二账号属于自己。"
    ),
    "Sign in with your first account and confirm this one on the page Account.": (
        "请用您的首个账号登录，并在“账号”页确认此账号。"
    ),
    "This is the present password.": "这就是当前密码。",
    "There is no such account of yours.": "您没有这样的账号。",
    "Load the page again.": "请重新加载页面。",
}

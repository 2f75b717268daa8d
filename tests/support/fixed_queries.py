"""More than two hundred questions as people write them, for every operator of the language."""

from __future__ import annotations

_WORDS = (
    "the", "linux", "meeting", "patch", "server", "money", "free", "kernel", "update", "list",
    "中国", "邮件", "公司", "会议", "请", "の", "メール", "café", "naïve", "message", "please",
    "http", "2002", "x", "re", "wrote", "install", "version", "error", "thanks",
)  # fmt: skip
_FORMS = ("{0}", "subject:{0}", "body:{0}", "from:{0}", "{0} has:attachment", "-{0}")
_OTHERS = (
    '"mailing list"', '"of the"', '"in the" -free', "linux AND kernel", "linux OR free",
    "NOT linux", "(linux OR free) -kernel", "lin*", "*ing", "f?ee", "kernl~",
    "patch NEAR(5) kernel", '"the server"~5', "has:attachment", "-has:attachment", "larger:10k",
    "smaller:2k", "larger:1k smaller:20k", "after:2001-01-01", "before:2003-01-01",
    "date:2000-01-01..2002-12-31", "on:2002-09-01", "is:bulk", "-is:bulk", "is:duplicate",
    "is:truncated", "has:defect", "has:text", "kind:email", "channel:email", "lang:zh", "lang:en",
    "filetype:pdf", "filetype:image", "filename:txt", "from:example.com", "to:linux", "cc:list",
    "with:org", "domain:org", "list:linux", "header:x-mailer", "header:x-mailer=outlook",
    "发件人:com", "主题:re", "附件:txt", "with:com -from:com", "direction:in", "is:conflict",
    "older_than:10y", "newer_than:1d",
)  # fmt: skip

FIXED = tuple(form.format(word) for word in _WORDS for form in _FORMS) + _OTHERS

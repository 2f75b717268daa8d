"""Failures of mailboxes and signing in to them, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "Check that it exists and may be read; else: holdfast source set --exclude.": (
        "请检查它是否存在并可读取；否则：holdfast source set --exclude。"
    ),
    "Give --host and --user.": "请给出 --host 和 --user。",
    "The server or the user is missing.": "缺少服务器或用户。",
    "Give one from 1 to 65535.": "请给出 1 到 65535 之间的端口。",
    "There is no port {}.": "没有端口 {0}。",
    "--tls {} is unknown.": "--tls 的值 {0} 未知。",
    "Use {}.": "请使用 {0}。",
    "Use --tls implicit or --tls starttls; else say --allow-plaintext.": (
        "请使用 --tls implicit 或 --tls starttls；否则请加上 --allow-plaintext。"
    ),
    "Without TLS the password would cross the network to {} in clear.": (
        "没有 TLS，密码将以明文经网络发往 {0}。"
    ),
    "Give --connections from 1 to {}.": "请将 --connections 设为 1 到 {0}。",
    "{} connections are not possible.": "不能使用 {0} 个连接。",
    "--compress {} is unknown.": "--compress 的值 {0} 未知。",
    "There is no preset {}.": "没有预设 {0}。",
    "The server refused {}: {}.": "服务器拒绝了 {0:word}：{1:word}。",
    "Check user and secret; many services want an app password or code for IMAP.": (
        "请检查用户和密钥；许多服务的 IMAP 需要应用专用密码或授权码。"
    ),
    "{} does not let {} in: {}.": "{0} 不允许 {1} 登录：{2:word}。",
    "Check --host; give the authority of a private server by --ca-file.": (
        "请检查 --host；私有服务器的证书颁发机构用 --ca-file 给出。"
    ),
    "The certificate of {} is not valid for it: {}.": "{0} 的证书对它无效：{1}。",
    "Check --host and DNS.": "请检查 --host 和 DNS。",
    "The name {} cannot be resolved.": "名称 {0} 无法解析。",
    "Check host and port.": "请检查主机和端口。",
    "{} answered with what is no IMAP.": "{0} 的应答不是 IMAP。",
    "It is far longer than the server says.": "它比服务器声明的长得多。",
    "A value for the server holds a line break or NUL.": "发给服务器的值含有换行或 NUL。",
    "Write it on one line.": "请写在一行内。",
    "The server refused IDLE: {}.": "服务器拒绝了 IDLE：{0}。",
    "Sync again.": "请再次同步。",
    "The server numbered the folder anew.": "服务器对该文件夹重新编号了。",
    "The server answered with more than was asked for.": "服务器的应答多于所请求的内容。",
    "A time is no number.": "有时间值不是数字。",
    "Give seconds.": "请给出秒数。",
    "--drafts {} is unknown.": "--drafts 的值 {0} 未知。",
    "Use sent or all.": "请使用 sent 或 all。",
    "--every is too short or too long.": "--every 过短或过长。",
    "From 10 s to 7 days.": "应为 10 秒到 7 天。",
    "--reconcile is too short.": "--reconcile 过短。",
    "From 3600 s on, or 0 for never.": "应不少于 3600 秒，0 表示从不。",
    "--watch {} is too many.": "--watch {0} 过多。",
    "From 0 to {}.": "应为 0 到 {0}。",
    "Write it as 2024-03-15.": "请写成 2024-03-15 的形式。",
    "The server does not number this folder's messages for good.": (
        "服务器对此文件夹的邮件没有永久编号。"
    ),
    "No folder matches {}.": "没有与 {0} 匹配的文件夹。",
    (
        "See what the server shows of the account (Gmail: Settings, Labels, Show in IMAP), or take "
        "other folders: holdfast source set --folder."
    ): (
        "请查看服务器对该账号显示哪些文件夹（Gmail：设置、标签、在 IMAP 中显示），或改取其他文件夹"
        "：holdfast source set --folder。"
    ),
    "The server has no {} any more; what it gave stays.": (
        "服务器上已没有 {0}；它此前给出的内容保留。"
    ),
    "The folder's name can only be sent at the end of a command.": (
        "该文件夹名只能放在命令末尾发送。"
    ),
    "Rename it.": "请重命名。",
    "The folder's name holds control characters.": "该文件夹名含有控制字符。",
    "Try --tls implicit with --port 993.": "请尝试 --tls implicit 和 --port 993。",
    "{} greets us as signed in already, which rules out STARTTLS.": (
        "{0} 一开始就声明已登录，因此不能使用 STARTTLS。"
    ),
    "{} does not offer STARTTLS.": "{0} 不提供 STARTTLS。",
    "Check --ca-file.": "请检查 --ca-file。",
    "The certificates in {} cannot be read.": "无法读取 {0} 中的证书。",
    "Check --user and --scope, and that the service lets the client in.": (
        "请检查 --user 和 --scope，以及服务是否允许该客户端。"
    ),
    "{} The token was new.": "{0:said}该令牌是新的。",
    "Tokens have no place to be kept.": "没有保存令牌的位置。",
    "The secret is not UTF-8.": "该密钥不是 UTF-8。",
    "Write it anew.": "请重新写入。",
    "Check --tls and --port; the server may want tokens: --oauth.": (
        "请检查 --tls 和 --port；服务器可能要求令牌：--oauth。"
    ),
    "{} offers no way to sign in that we know.": "{0} 没有提供我们支持的登录方式。",
    "Check --host; leave --oauth out for signing in by password.": (
        "请检查 --host；用密码登录时请去掉 --oauth。"
    ),
    "{} takes no tokens.": "{0} 不接受令牌。",
    "{} does not take the token of {}: {}.": "{0} 不接受 {1} 的令牌：{2}。",
    "--oauth {} is unknown.": "--oauth 的值 {0} 未知。",
    "Give --client-id.": "请给出 --client-id。",
    "The client is missing.": "缺少客户端。",
    "Give --token-url https://…, or a --preset that knows it.": (
        "请给出 --token-url https://…，或包含该地址的 --preset。"
    ),
    "The URL that gives tokens is missing, or is no https URL.": (
        "缺少发放令牌的 URL，或它不是 https 地址。"
    ),
    "Remove it and add it again.": "请将其移除后重新添加。",
    "The secret of the source is not understood.": "无法理解该来源的密钥。",
    "Use --oauth {}.": "请使用 --oauth {0}。",
    "{} gives no tokens by {}.": "{0} 不以 {1} 方式发放令牌。",
    "Give --tenant.": "请给出 --tenant。",
    "The tenant is missing.": "缺少租户。",
    "Check --token-url.": "请检查 --token-url。",
    "{} gives no token that we can use.": "{0} 未给出可用的令牌。",
    "{} gives no token now: {}.": "{0} 现在不发放令牌：{1}。",
    "Check --client-id, the client's secret and --scope at the service.": (
        "请在服务中检查 --client-id、客户端密钥和 --scope。"
    ),
    "{} gives {} no token: {}.": "{0} 不向 {1} 发放令牌：{2}。",
    "Sign in at the service anew; remove the source, and add it by its name with the new token.": (
        "请在该服务重新登录；然后移除该来源，用同一名称和新令牌重新添加。"
    ),
    "{} takes the refresh token of {} no more: {}.": "{0} 不再接受 {1} 的刷新令牌：{2}。",
    "{} gives no token: its answer is not understood.": "{0} 未给出令牌：无法理解其应答。",
    "No folder is chosen.": "没有选择任何文件夹。",
    "The server has: {}.": "服务器上有：{0}。",
    "Let it show all mail; Gmail: Settings, Labels.": "请让它显示所有邮件；Gmail：设置、标签。",
    "The server shows no folder of all mail (\\All).": "服务器没有显示“所有邮件”文件夹 (\\All)。",
    "The server ended the compression in the middle.": "服务器在中途结束了压缩。",
    "The server sends what is no DEFLATE.": "服务器发送的不是 DEFLATE。",
    "The server ended the connection.": "服务器断开了连接。",
    "Somebody may be changing the connection; use --tls implicit.": (
        "可能有人在篡改连接；请使用 --tls implicit。"
    ),
    "Something was sent in clear between the consent to TLS and its beginning.": (
        "在同意使用 TLS 与 TLS 开始之间，有内容以明文发送。"
    ),
    "Wait, then repeat; or let fewer programs use the account.": (
        "请稍候再重复，或减少使用该账号的程序。"
    ),
    "The server refused signing in: {}.": "服务器拒绝登录：{0}。",
    "The connection to {} broke: {}.": "与 {0} 的连接中断：{1}。",
    "Check that the server runs and can be reached, then repeat.": (
        "请检查服务器是否运行且可以连接，然后重复。"
    ),
    "The server shows no folder of all mail (\\All). No folder matches {}.": (
        "服务器没有显示“所有邮件”文件夹 (\\All)。没有与 {0} 匹配的文件夹。"
    ),
}

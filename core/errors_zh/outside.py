"""Failures of webhooks, and what the archive asks other servers, in Chinese; must not hold code."""

from __future__ import annotations

TEXTS: dict[str, str] = {
    "The address cannot be used ({}).": "该地址无法使用（{0}）。",
    "The endpoint says it is gone.": "该端点表示已不再接收。",
    "The endpoint was removed.": "该端点已被移除。",
    "Check the host; if it is meant, say --allow-private.": (
        "请检查主机；如确有此意，请加上 --allow-private。"
    ),
    "Check the host; such an address is never connected to.": "请检查主机；此类地址一律不连接。",
    "{} is {}, which is no public address.": "{0} 是 {1}，不是公网地址。",
    "Check the address; a host of the own network must be named in outgoing.private_hosts.": (
        "请检查地址；内部网络的主机必须写入 outgoing.private_hosts。"
    ),
    "The address is not https.": "该地址不是 https。",
    "Port {} is of another service.": "端口 {0} 属于其他服务。",
    "{} is no public address.": "{0} 不是公网地址。",
    "The file of outgoing.ca_file cannot be used.": "outgoing.ca_file 指定的文件无法使用。",
    "{} answers HTTP {} to {}.": "{0} 对 {2} 应答 HTTP {1}。",
    "{} is being asked {} times already.": "已有 {1} 个请求正在询问 {0}。",
    "The file of oidc.ca_file cannot be used.": "oidc.ca_file 指定的文件无法使用。",
    "Give the issuer to the letter as the document does.": "请按文档中的写法逐字给出签发方。",
    "The discovery document of {} is of another issuer.": "{0} 的发现文档属于另一签发方。",
    "Ask whoever runs the provider.": "请联系登录提供方的运维人员。",
    "The {} of {} is missing, or is no https address.": "{1} 的 {0} 缺失，或不是 https 地址。",
    "The issuer of the keys takes long to answer.": "密钥的签发方应答时间过长。",
    "The keys of the issuer are not known.": "签发方的密钥未知。",
    "Check the URL; give the authority of a private server by --ca-file.": (
        "请检查 URL；私有服务器的证书颁发机构用 --ca-file 给出。"
    ),
    "Check that it can be reached, then repeat.": "请检查能否连接，然后重复。",
    "The connection to {} broke.": "与 {0} 的连接中断。",
    "{} answered with what is no HTTP.": "{0} 的应答不是 HTTP。",
    "Check the URL.": "请检查 URL。",
    "{} points elsewhere, which is not followed.": "{0} 指向别处，不会跟随。",
    "{} sends compressed what was to come plain.": "{0} 以压缩形式发送了本应不压缩的内容。",
    "{} answers with more than {} bytes.": "{0} 的应答超过 {1} 字节。",
    "Leave it out, and give it by --proxy-secret-file.": (
        "请将其去掉，改用 --proxy-secret-file 给出。"
    ),
    "The URL of the proxy holds a password.": "代理的 URL 中含有密码。",
    "The URL of the proxy is not understood.": "无法理解代理的 URL。",
    "Write socks5://HOST:PORT or http://HOST:PORT, a user as USER@HOST.": (
        "请写 socks5://HOST:PORT 或 http://HOST:PORT，用户写作 USER@HOST。"
    ),
    "Check --proxy.": "请检查 --proxy。",
    "The proxy speaks no SOCKS5.": "该代理不支持 SOCKS5。",
    "User or password of the proxy is too long for SOCKS5.": (
        "代理的用户名或密码对 SOCKS5 来说过长。"
    ),
    "The proxy answers without an end.": "代理的应答没有结尾。",
    "The proxy speaks no HTTP.": "该代理不支持 HTTP。",
    "Check the user in --proxy and --proxy-secret-file.": (
        "请检查 --proxy 中的用户和 --proxy-secret-file。"
    ),
    "The proxy {} does not let {} in.": "代理 {0} 不允许 {1:word} 进入。",
    "Check the host, and what the proxy allows.": "请检查主机，以及代理允许的范围。",
    "The proxy {} does not reach the server: {}.": "代理 {0} 无法连接到服务器：{1:word}。",
    "Ask whoever runs the authority.": "请联系时间戳机构的运维人员。",
    "{} gives no token that we can use. {}": "{0} 未给出可用的令牌。{1:said}",
    "The URL of the authority is not understood.": "无法理解时间戳机构的 URL。",
    "{} gives no token: HTTP {}.": "{0} 未给出令牌：HTTP {1}。",
    "The file of anchors.tsa_tls_ca_file cannot be used.": (
        "anchors.tsa_tls_ca_file 指定的文件无法使用。"
    ),
    "Copy it from the page where the callback is configured.": "请从配置回调的页面复制。",
    "The EncodingAESKey is not 43 letters and digits.": "EncodingAESKey 不是 43 位字母和数字。",
    "Name one that is.": "请指定一个 Webhook。",
    "{} is no webhook.": "{0} 不是 Webhook。",
    "Try generic or jdy.": "请尝试 generic 或 jdy。",
    "Webhooks of {} have no map.": "{0} 的 Webhook 没有映射。",
    "There is no field {}.": "没有字段 {0}。",
    "More than {} paths are given.": "给出的路径超过 {0} 个。",
    "Give digits alone, as 86.": "请只写数字，例如 86。",
    "The path {} cannot be read: {}.": "无法读取路径 {0}：{1}。",
    "Write it as $.data.phone.": "请写成 $.data.phone 的形式。",
    "There is no zone {}.": "没有时区 {0}。",
    "Use a name as Asia/Shanghai.": "请使用 Asia/Shanghai 这样的名称。",
    "A private key is not an RSA key in PEM form.": "有私钥不是 PEM 格式的 RSA 私钥。",
    "Give it as PKCS#8 without a password.": "请以不带密码的 PKCS#8 格式给出。",
    "See 'holdfast source list'.": "请查看“holdfast source list”。",
    "There is no such webhook.": "没有这样的 Webhook。",
    "It could not be kept.": "未能保存。",
    "Not a place for {}.": "{0} 不能放在这里。",
    "Of {}, secret are {}.": "{0} 的机密项为 {1}。",
    "The secret holds something else, too.": "机密中还含有其他内容。",
    "Of {}, there are {}.": "{0} 的设置项有 {1}。",
    "There is no setting {}.": "没有设置 {0}。",
    "The settings of {} are wrong: {}.": "{0} 的设置有误：{1}。",
    "The {} must be a JSON object.": "{0:word}必须是 JSON 对象。",
    "No webhooks of {} are understood.": "不支持 {0} 的 Webhook。",
    "Use one of {}.": "请使用以下之一：{0}。",
    "Send an event from the other system; see 'holdfast source logs'.": (
        "请从对方系统发送一个事件；参见“holdfast source logs”。"
    ),
    "The source {} is a webhook: what it has comes by itself.": (
        "来源 {0} 是 Webhook：其内容会自行送达。"
    ),
    "Events need all three; a robot needs app_secret.": "事件需要全部三项；机器人需要 app_secret。",
    "Of token, aes_key and owner_key one is missing.": "token、aes_key 和 owner_key 缺少其一。",
    "Copy it from Events and callbacks, Encryption strategy.": (
        "请从“事件与回调”的“加密策略”中复制。"
    ),
    "The verification token is missing.": "缺少校验令牌（Verification Token）。",
    "The signing {} is unknown.": "签名方式 {0} 未知。",
    "Give one of at least {} characters.": "请给出至少 {0} 个字符的密钥。",
    "The secret is missing or too short.": "密钥缺失或过短。",
    "The channel {} is no name.": "渠道 {0} 不是有效名称。",
    "Use 2 to 16 small letters, digits and _.": "请使用 2 到 16 个小写字母、数字和 _。",
    "The channel of mail is taken.": "邮件渠道的名称已被占用。",
    "Use another name.": "请使用其他名称。",
    "A secret is not as Standard Webhooks writes it.": "有密钥不符合 Standard Webhooks 的写法。",
    "Give whsec_ and base64.": "请给出 whsec_ 加 base64。",
    "Copy it from the form's data push.": "请从表单的数据推送设置中复制。",
    "The secret is missing.": "缺少密钥。",
    "Copy it from Basic Information.": "请从 Basic Information 中复制。",
    "The signing secret is missing.": "缺少签名密钥（Signing Secret）。",
    "Give what the subscription was made with as clientState.": (
        "请给出创建订阅时用作 clientState 的值。"
    ),
    "The client state is missing.": "缺少 clientState。",
    "Give https://login.microsoftonline.com/TENANT ID/v2.0.": (
        "请给出 https://login.microsoftonline.com/TENANT ID/v2.0。"
    ),
    "The issuer is none of the identity platform.": "该签发方不属于 Microsoft 标识平台。",
    "Give issuer, or issuer_keys where nothing may be fetched.": (
        "请给出 issuer；在不允许联网获取时给出 issuer_keys。"
    ),
    "The issuer's keys are given, and to be fetched.": "同时给出了签发方的密钥，又要求联网获取。",
    "Give app_ids and issuer.": "请给出 app_ids 和 issuer。",
    "Nothing could vouch for encrypted content.": "没有什么可以为加密内容作证。",
    "Copy them from the page where the callback is configured.": "请从配置回调的页面复制。",
    "The corp_id or the token is missing.": "缺少 corp_id 或 token。",
    "It waits to be told already.": "它已在等待投递。",
    "Read it in a moment.": "请稍后再读取。",
    "Run: holdfast webhook log": "请运行：holdfast webhook log",
    "There is no delivery {} to this endpoint.": "此端点没有投递 {0}。",
    "Give it as in https://crm.example/in.": "请写成 https://crm.example/in 的形式。",
    "The address is no URL.": "该地址不是 URL。",
    "Leave it out; the receiver knows us by the signature.": "请将其去掉；接收方通过签名识别我们。",
    "The address holds a name, a password or a fragment.": "该地址含有用户名、密码或片段。",
    "It was changed meanwhile.": "它在此期间被更改。",
    "Two secrets overlap at most {} hours.": "两个密钥最多重叠 {0} 小时。",
    "Give the id of one:": "请给出其中之一的编号：",
    "Several endpoints are called so.": "有多个端点使用此名称。",
    "Run: holdfast webhook list": "请运行：holdfast webhook list",
    "There is no such endpoint.": "没有这样的端点。",
    (
        "Check anchors.tsa_url; an authority in the own network needs anchors.tsa_private_allowed, "
        "one with a certificate of a private authority anchors.tsa_tls_ca_file."
    ): (
        "请检查 anchors.tsa_url；时间戳机构在内部网络时须设置 anchors.tsa_private_allowed，其证书由"
        "私有颁发机构签发时须设置 anchors.tsa_tls_ca_file。"
    ),
    (
        "Check oidc.issuer; an issuer in the own network needs oidc.private_allowed, one with a "
        "certificate of a private authority oidc.ca_file."
    ): (
        "请检查 oidc.issuer；签发方在内部网络时须设置 oidc.private_allowed，其证书由私有颁发机构签"
        "发时须设置 oidc.ca_file。"
    ),
    "Check the issuer of the webhook.": "请检查该 Webhook 的签发方。",
}

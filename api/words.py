"""Words that the service says to people, in English and Simplified Chinese."""

from __future__ import annotations

LANGUAGES = ("en", "zh")

_WORDS: dict[str, tuple[str, str]] = {
    "query.position": (" (character {position})", "（第 {position} 个字符）"),
    "problem.unauthenticated": ("Sign in first", "请先登录"),
    "problem.forbidden": ("Not allowed", "没有权限"),
    "problem.not_in_person": ("This takes the person themself", "此操作须由本人进行"),
    "problem.not_found": ("Not found", "未找到"),
    "problem.stale_version": ("Changed meanwhile", "内容已被他人修改"),
    "problem.conflict": ("In conflict", "存在冲突"),
    "problem.too_many_requests": ("Too many requests", "请求过于频繁"),
    "problem.query_not_understood": ("The query was not understood", "无法理解该查询"),
    "problem.unprocessable": ("Something in the request is wrong", "请求内容有误"),
    "problem.refused": ("Refused", "请求被拒绝"),
    "problem.unavailable": ("Not available now", "服务暂不可用"),
    "problem.corrupt": ("Evidence does not match its hash", "证据与其哈希不符"),
    "problem.failed": ("Something failed here", "服务内部出错"),
    "problem.method_not_allowed": ("Method not allowed", "不支持该方法"),
    "problem.too_large": ("The request is too large", "请求体过大"),
    "problem.media_type": ("Media type not supported", "不支持的媒体类型"),
    "problem.key_reused": (
        "The Idempotency-Key belongs to another request",
        "幂等键已用于其他请求",
    ),
    "problem.in_progress": ("The same request is in progress", "同一请求正在处理"),
}


def preferred(accepted: str) -> str:
    """Return `zh` or `en`, by an Accept-Language field (RFC 9110, 12.5.4); English by default."""
    best, weight = "en", 0.0
    for piece in accepted.lower()[:1000].split(","):
        tag, _, parameters = piece.strip().partition(";")
        name = tag.strip().partition("-")[0]
        quality = _quality(parameters)
        if name in LANGUAGES and quality > weight:
            best, weight = name, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def said(name: str, language: str) -> str:
    """Return these words in the language."""
    return _WORDS[name][LANGUAGES.index(language)]

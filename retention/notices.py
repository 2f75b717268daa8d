"""Write what a custodian is told of a hold, in English or Chinese; it keeps and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a notice is about; the query is none of the custodian's business."""

    custodian: str
    matter: str
    from_at: datetime | None
    to_at: datetime | None
    note: str = ""
    """What the sender adds."""


_TEXTS = {
    "en": (
        "To {custodian}\n\n"
        "Your mail {when} may be evidence in this matter: {matter}. The archive keeps it from now "
        "on, whatever its retention says. Please delete, change and move nothing that may concern "
        "the matter, in the mailbox or elsewhere, until you are told that the hold has ended.\n\n"
        "{note}"
        "Please acknowledge this notice with the code that comes with it."
    ),
    "zh": (
        "致 {custodian}：\n\n"
        "您{when}的邮件可能是下列案件的证据：{matter}。无论保留期限如何规定，存档系统自即日起"
        "予以保全。在收到解除保全的通知之前，请勿删除、修改或移动邮箱内外任何可能与本案有关的资料。\n\n"
        "{note}"
        "请使用随附的确认码确认已知悉本通知。"
    ),
}
_WHEN = {
    "en": ("of all times", "from {start}", "before {end}", "from {start} and before {end}"),
    "zh": ("全部时间", "自 {start} 起", "{end} 之前", "自 {start} 起至 {end} 之前"),
}


def notice_text(facts: NoticeFacts, language: str) -> str:
    """Return the notice.

    Args:
        facts: What it is about; its instants are written as they are, in their own zone.
        language: One of `LANGUAGES`.
    """
    form = _WHEN[language][(facts.from_at is not None) + 2 * (facts.to_at is not None)]
    when = form.format(start=_written(facts.from_at), end=_written(facts.to_at))
    note = f"{facts.note.strip()}\n\n" if facts.note.strip() else ""
    return _TEXTS[language].format(
        custodian=facts.custodian, matter=facts.matter, when=when, note=note
    )


def _written(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M %Z").removesuffix(" 00:00 UTC")

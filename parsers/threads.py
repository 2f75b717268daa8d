"""Which messages answer which: subjects without their prefixes."""

from __future__ import annotations

import re

_PREFIXES = (
    "re|fwd|fw|aw|antw|antwort|wg|sv|vs|vb|vl|ref|rif|r|i|tr|rv|enc|odp|pd|ynt|ilt|回复|回覆|答复|答覆|"
    "转发|轉寄|轉發|返信|転送|回信"
)
_PREFIX = re.compile(rf"(?:{_PREFIXES})\s?(?:\[\d{{1,4}}\]|\(\d{{1,4}}\)|\^\d{{1,4}})?\s?[:：]\s?")
_TAG = re.compile(r"\[[^\[\]]{1,60}\]\s?")


def base_subject(subject: str) -> str:
    """Return the subject without reply, forward and list prefixes, case and space folded."""
    return _split(subject)[0]


def is_reply_or_forward(subject: str) -> bool:
    """Return whether the subject begins with a reply or forward prefix."""
    return _split(subject)[1]


def _split(subject: str) -> tuple[str, bool]:
    text = " ".join(subject.casefold().split())
    at = 0
    found = False
    while True:
        if match := _PREFIX.match(text, at):
            found = True
        else:
            match = _TAG.match(text, at)
        if not match or match.end() >= len(text):
            break
        at = match.end()
    return text[at:], found

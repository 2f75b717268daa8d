"""Subjects without what mail programs put before them; must not decide what belongs together.

Prefixes are those that Outlook, Apple Mail, Gmail, Thunderbird, Foxmail and QQ Mail write, and the
ones in the table of RFC 5256 section 2.1.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PREFIXES = (
    "re|res|fwd|fw|aw|antw|antwort|wg|sv|vs|vb|vl|rif|r|i|tr|rv|enc|odp|pd|ynt|i̇lt|ilt|απ|πρθ|"
    "回复|回覆|回復|答复|答覆|转发|轉寄|轉發|转寄|返信|転送|回信|답장|전달|"
    "自动答复|自动回复|自動回覆|automatic reply|automatische antwort|réponse automatique"
)
_COUNTER = r"(?:\[\d{1,4}\]|\(\d{1,4}\)|\^\d{1,4}|\d{1,2})?"
_PREFIX = re.compile(rf"(?:{_PREFIXES})\s?{_COUNTER}\s?:\s?")
_TAG = re.compile(r"\[[^\[\]]{1,60}\]\s?")
_TRAILER = " (fwd)"


def base_subject(subject: str) -> str:
    """Return the subject without reply, forward and list prefixes, case and space folded.

    Two messages of one thread have the same base subject; empty when nothing but prefixes is there.
    """
    return _split(subject)[0]


def is_reply_or_forward(subject: str) -> bool:
    """Return whether the subject begins with a reply or forward prefix, list tags aside."""
    return _split(subject)[1]


@lru_cache(maxsize=32)  # both functions ask for the same subjects, a group of messages apart
def _split(subject: str) -> tuple[str, bool]:
    if not subject.isascii():
        subject = unicodedata.normalize("NFKC", subject)  # full-width colons and letters
    text = " ".join(subject.casefold().split())
    found = text.endswith(_TRAILER)
    while text.endswith(_TRAILER):
        text = text[: -len(_TRAILER)].rstrip()
    at = 0
    while True:
        match = _PREFIX.match(text, at)
        if match:
            found = True
        else:
            match = _TAG.match(text, at)
            if not match or match.end() == len(text):
                return text[at:], found
        at = match.end()

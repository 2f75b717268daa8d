"""Reads an address as people write it: of mail, a telephone, or an id of a system; no I/O."""

from __future__ import annotations

import re

from holdfast.core.chats import address_key, chat_address, is_chat_address
from holdfast.core.phones import MAX_DIGITS, MIN_DIGITS

PHONE = "phone"
_NUMBER = re.compile(r"(\+|00)?[0-9 ().\-\u2010\u2013/]{6,40}")
_TRUNK = re.compile(r"\(\s*0\s*\)")
_NO_DIGIT = re.compile(r"[^0-9]")
_CHINESE_MOBILE = re.compile(r"(?:86)?(1[3-9][0-9]{9})")


def address_forms(text: str, country: str = "") -> tuple[str, ...]:
    """Return the keys by which an address may be known, the likeliest first; none for no address.

    A telephone number is given in E.164 (ITU-T) where its country is known: from its `+` or `00`,
    by the form of Chinese mobile numbers, else as `country` says.

    Args:
        text: `a@b.example`, `mailto:…`, `tel:…`, a number in any form, or `system:id`.
        country: Calling code of numbers that name none, digits only.
    """
    written = text.strip().removeprefix("mailto:").strip("<> \t")
    scheme, colon, rest = written.partition(":")
    if scheme.lower() in {"tel", PHONE} and colon:
        return _phone(rest, country)
    if "@" in written or is_chat_address(written):
        return (address_key(written),)
    return _phone(written, country)


def _phone(text: str, country: str) -> tuple[str, ...]:
    written = _TRUNK.sub("", text.strip()) if text.strip().startswith(("+", "00")) else text.strip()
    found = _NUMBER.fullmatch(written)
    if found is None:
        return ()
    digits = _NO_DIGIT.sub("", written.removeprefix("+" if found[1] == "+" else "00"))
    if not MIN_DIGITS <= len(digits) <= MAX_DIGITS:
        return ()
    mobile = _CHINESE_MOBILE.fullmatch(digits)
    if found[1]:
        # Systems that name no country leave the number as it is dialled at home.
        at_home = [mobile[1]] if mobile and digits.startswith("86") else []
        return tuple(chat_address(PHONE, one) for one in (f"+{digits}", *at_home))
    forms = [f"+86{mobile[1]}"] if mobile and country in {"", "86"} else []
    if country:
        forms.append(f"+{country}{digits.removeprefix('0')}")
    forms += [f"+{digits}", digits]
    return tuple(chat_address(PHONE, one) for one in dict.fromkeys(forms))

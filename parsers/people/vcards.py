"""Reads one vCard, 2.1, 3.0 or 4.0, as a person: names, addresses, company, groups."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.core.persons import Person
from holdfast.parsers.people.building import Gathering
from holdfast.parsers.people.card_lines import Property, components, properties, unescaped

CARD_ID = "vcard"
"""System of the ids that cards have."""
_SYSTEMS = {
    "X-WECHAT": "wechat", "X-WEIXIN": "wechat", "X-QQ": "qq", "X-TENCENT-QQ": "qq",
    "X-WECOM": "wecom", "X-WXWORK": "wecom", "X-DINGTALK": "dingtalk", "X-FEISHU": "feishu",
    "X-LARK": "feishu", "X-SKYPE": "skype", "X-SKYPE-USERNAME": "skype", "X-JABBER": "xmpp",
    "X-TELEGRAM": "telegram", "X-WHATSAPP": "whatsapp", "X-SLACK": "slack", "X-TEAMS": "teams",
    "X-MSTEAMS": "teams", "X-AIM": "aim", "X-ICQ": "icq", "X-MSN": "msn", "X-YAHOO": "yahoo",
    "X-GOOGLE-TALK": "xmpp", "X-LINE": "line", "X-SIGNAL": "signal",
}  # fmt: skip
_ALIASES = {"weixin": "wechat", "jabber": "xmpp", "googletalk": "xmpp", "msteams": "teams"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):(?:/{0,2})(.+)", re.DOTALL)
_SYSTEM = re.compile(r"[a-z][a-z0-9_]{1,15}")
_EXTENSION = re.compile(r"\s?(?:;?ext\.?|x|#|转|分机)\s*[=:]?\s*[0-9]{1,8}\s*$", re.IGNORECASE)
_MOST_EXTENSION = 40
"""Characters at the end of a number in which an extension is looked for."""
_HAN = re.compile(r"[\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff]")


@dataclass(slots=True)
class _Card:
    """One card while it is read."""

    who: Gathering
    full_name: str = ""
    parts: str = ""
    nickname: str = ""
    company: str = ""
    kind: str = ""
    others: list[str] = field(default_factory=list)


def read_card(raw: bytes, country: str = "") -> Person:
    """Return whom a card is of.

    Args:
        raw: From its BEGIN to its END.
        country: Calling code of telephone numbers that name none.

    Raises:
        ValueError: It is a group's, or says no address.
    """
    card = _Card(Gathering(country))
    for one in properties(raw):
        if isinstance(one, str):
            card.who.remark(one)
        elif one.value:
            _take(card, one)
    if card.kind in {"group", "location"}:
        raise ValueError(f"it is the card of a {card.kind}")
    card.who.say("name", card.full_name or card.parts or card.nickname)
    card.who.say("company", card.company)
    return card.who.person()


def _take(card: _Card, one: Property) -> None:
    if one.is_damaged:
        card.who.remark(f"{one.name}: characters are lost")
    if one.name in _READERS:
        _READERS[one.name](card, one)
    elif one.name in _SYSTEMS:
        card.who.known_as(_SYSTEMS[one.name], unescaped(one.value))


def _name(card: _Card, one: Property) -> None:
    family, given, middle, *_ = [*components(one.value), "", "", ""]
    if _HAN.search(family + given):
        card.parts = card.parts or f"{family}{middle}{given}"
    else:
        card.parts = card.parts or " ".join(filter(None, (given, middle, family)))


def _full_name(card: _Card, one: Property) -> None:
    card.full_name = card.full_name or unescaped(one.value)


def _nickname(card: _Card, one: Property) -> None:
    card.nickname = card.nickname or components(one.value, ",")[0]


def _company(card: _Card, one: Property) -> None:
    card.company = card.company or components(one.value)[0]


def _title(card: _Card, one: Property) -> None:
    if "title" not in card.who.said:
        card.who.say("title", unescaped(one.value))


def _note(card: _Card, one: Property) -> None:
    card.who.say("note", unescaped(one.value))


def _mail(card: _Card, one: Property) -> None:
    card.who.mail(unescaped(one.value))


def _phone(card: _Card, one: Property) -> None:
    lines = (" ".join(line.split()) for line in unescaped(one.value).split("\n"))
    written = "\n".join(filter(None, lines))
    if written[:4].lower() == "tel:":
        written = written[4:]
    # Only the end is matched: the pattern may be tried at every character.
    head, tail = written[:-_MOST_EXTENSION], written[-_MOST_EXTENSION:]
    whole = head + _EXTENSION.sub("", tail)
    if whole != written:
        card.who.remark(f"phone: an extension, only its line is known: {written}")
    card.who.phone(whole)


def _messenger(card: _Card, one: Property) -> None:
    """Read `xmpp:ann@example.org`, or a user of the service that a parameter names."""
    written = unescaped(one.value)
    found = _SCHEME.fullmatch(written)
    system, value = (found[1].lower(), found[2]) if found else ("", written)
    if system in {"", "x-apple", "http", "https"}:
        named = one.parameters.get("X-SERVICE-TYPE", "") or one.parameters.get("TYPE", "")
        system = named.lower()
    system = _ALIASES.get(system, system).replace("-", "_").replace("+", "_")
    if system in {"mailto", "tel", "sms"}:
        (card.who.mail if system == "mailto" else card.who.phone)(value)
    elif _SYSTEM.fullmatch(system):
        card.who.known_as(system, value)
    else:
        card.who.remark(f"{one.name}: of which system: {written}")


def _id(card: _Card, one: Property) -> None:
    card.who.known_as(CARD_ID, unescaped(one.value), is_shared=True)


def _groups(card: _Card, one: Property) -> None:
    for group in components(one.value, ","):
        card.who.group(group)


def _kind(card: _Card, one: Property) -> None:
    card.kind = one.value.lower()


_READERS: dict[str, Callable[[_Card, Property], None]] = {
    "FN": _full_name, "N": _name, "NICKNAME": _nickname, "ORG": _company, "TITLE": _title,
    "ROLE": _title, "NOTE": _note, "EMAIL": _mail, "TEL": _phone, "IMPP": _messenger,
    "X-SOCIALPROFILE": _messenger, "UID": _id, "CATEGORIES": _groups, "KIND": _kind,
    "X-ADDRESSBOOKSERVER-KIND": _kind,
}  # fmt: skip

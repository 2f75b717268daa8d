"""Reads address lists into names and addresses; does not judge whether an address can exist.

RFC 5322 section 3.4 with its obsolete forms (4.4), and the ambiguous forms that people type. Linear
in the length of the value, whatever stands in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

MAX_ADDRESSES = 20_000
"""Addresses of one field that are listed; the value itself is kept whole among the headers."""

_CACHED_CHARS = 512
_PLAIN = r'[^\s"(),:;<>@\\\[\]]++@[^\s"(),:;<>@\\\[\]]++'
# Possessive throughout: nothing that a part takes is ever given back, so that it is linear.
_SIMPLE = re.compile(
    rf'\s*+(?:(?:"([^"\\]*+)"\s*+|([^"(),:;<>@\\\[\]]*+))<({_PLAIN})>|({_PLAIN}))\s*+'
)
_TOKEN = re.compile(r'[^"(),:;<\\]+|\\.?|.', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
_AROUND_AT = re.compile(r"[ \t]*@[ \t]*")
_AROUND_DOT = re.compile(r"[ \t]*([@.])[ \t]*")
_COMMENT = re.compile(r"\([^()]{0,200}\)")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of a list."""

    name: str
    """Display name or comment, unquoted; encoded words are not yet decoded."""
    address: str
    """As written, without comments; empty when only a name was given."""


@dataclass(frozen=True, slots=True)
class AddressList:
    """What one field lists."""

    mailboxes: tuple[Mailbox, ...]
    codes: tuple[str, ...] = ()
    """Defects: `address_ambiguous`, `address_damaged`, `address_limit`."""


def parse_addresses(value: str) -> AddressList:
    """Return every address of a list in order; never raises."""
    if len(value) <= _CACHED_CHARS:
        return _parse_cached(value)
    return _parse(value)


@lru_cache(maxsize=8192)
def _parse_cached(value: str) -> AddressList:
    return _parse(value)


def _parse(value: str) -> AddressList:
    match = _SIMPLE.fullmatch(value)
    if match:
        return AddressList((_simple(match),))
    return _all_simple(value) or _Reader(value).read()


def _all_simple(value: str) -> AddressList | None:
    """Read a list of nothing but plain addresses, most often with names; None for any other."""
    found: list[Mailbox] = []
    is_quoted = '"' in value
    at = -1
    while at < len(value) and len(found) < MAX_ADDRESSES:
        match = _SIMPLE.match(value, at + 1)
        if match is None or value[match.end() : match.end() + 1] not in ("", ","):
            return None
        box = _simple(match)
        found.append(Mailbox(" ".join(box.name.split()), box.address) if is_quoted else box)
        at = match.end()
    return AddressList(tuple(found)) if at == len(value) else None


def _simple(match: re.Match[str]) -> Mailbox:
    if match[4]:
        return Mailbox("", match[4])
    return Mailbox((match[1] or match[2] or "").strip(), match[3])


@dataclass(slots=True)
class _Item:
    """One element of the list while it is read."""

    words: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    """Words behind the angle brackets: the next name when the comma is missing."""
    comments: list[str] = field(default_factory=list)
    angle: str | None = None
    is_quoted: bool = False
    has_at: bool = False


@dataclass(slots=True)
class _Reader:
    """Walks one value once, left to right."""

    value: str
    at: int = 0
    found: list[Mailbox] = field(default_factory=list)
    codes: dict[str, None] = field(default_factory=dict)
    item: _Item = field(default_factory=_Item)
    bare_name_at: int = -1
    """Index of the last element when it was a bare name, perhaps the first half of `Doe, Jo`."""
    last_quote: int = 0
    last_angle: int = 0
    last_parenthesis: int = 0

    def read(self) -> AddressList:
        self.last_quote = self.value.rfind('"')
        self.last_angle = self.value.rfind(">")
        self.last_parenthesis = self.value.rfind(")")
        while self.at < len(self.value):
            if len(self.found) >= MAX_ADDRESSES:
                self.codes["address_limit"] = None
                break
            self._step()
        else:
            self._end_item()
        return AddressList(tuple(self.found), tuple(self.codes))

    def _step(self) -> None:
        match = _TOKEN.match(self.value, self.at)
        text = match[0] if match else self.value[self.at]
        start = self.at
        self.at += len(text)
        if text == '"':
            self._quoted(start)
        elif text == "(":
            self._comment(start)
        elif text == "<":
            self._angle(start)
        elif text in (",", ";"):
            self._end_item()
        elif text == ":" and not self.item.has_at and self.item.angle is None:
            self.item = _Item()  # the name of a group ends here (RFC 5322 section 3.4)
        else:
            (self.item.words if self.item.angle is None else self.item.after).append(text)
            self.item.has_at = self.item.has_at or "@" in text

    def _quoted(self, start: int) -> None:
        stop = _closing_quote(self.value, start) if self.last_quote > start else -1
        if stop < 0:
            self.last_quote = start  # no further quote can close: read the rest as plain text
            self.codes["address_damaged"] = None
            return
        self.at = stop + 1
        text = self.value[start + 1 : stop]
        if self.value[self.at : self.at + 1] == "@":
            text = f'"{text}"'
            self.item.has_at = True
        elif "\\" in text:
            text = _ESCAPED.sub(r"\1", text)
        self.item.words.append(text)
        self.item.is_quoted = True

    def _comment(self, start: int) -> None:
        depth, at = 1, start + 1
        while depth and at <= self.last_parenthesis:
            char = self.value[at]
            at += 2 if char == "\\" else 1
            depth += (char == "(") - (char == ")")
        if depth:
            self.last_parenthesis = start  # unclosed: no later one closes either
            self.codes["address_damaged"] = None
            return
        self.item.comments.append(self.value[start + 1 : at - 1])
        self.at = at

    def _angle(self, start: int) -> None:
        if self.last_angle < start:
            self.codes["address_damaged"] = None
            self.item.words.append(" ")
            return
        at = start + 1
        is_quoted = self.value[at : at + 1] == '"' and self.last_quote > at
        quoted = _closing_quote(self.value, at) if is_quoted else -1
        stop = self.value.find(">", max(quoted, at))
        if stop < 0:
            quoted, stop = -1, self.value.find(">", at)
        text = self.value[at:stop]
        self.at = stop + 1
        if "<" in text and quoted < 0:
            self.codes["address_damaged"] = None
            text = text[text.rfind("<") + 1 :]
        if text.lstrip().startswith("@") and ":" in text:
            text = text[text.rfind(":") + 1 :]  # obsolete route (RFC 5322 section 4.4)
        if "(" in text and quoted < 0:
            text = _COMMENT.sub("", text)
        if self.item.angle is not None:
            self.codes["address_ambiguous"] = None
            words = self.item.after
            self._end_item()
            self.item.words = words
        self.item.angle = _AROUND_DOT.sub(r"\1", text.strip()) if quoted < 0 else text.strip()

    def _end_item(self) -> None:
        item, self.item = self.item, _Item()
        text = " ".join("".join(item.words).split()) or " ".join("".join(item.after).split())
        if item.angle is not None:
            self._end_angle(item, text)
        elif text:
            self._end_bare(item, text)

    def _end_angle(self, item: _Item, text: str) -> None:
        name = text or _first(item.comments)
        if self.bare_name_at == len(self.found) - 1 >= 0 and text and not item.is_quoted:
            before = self.found.pop()  # `Doe, Jo <jo@doe>`: the comma was not quoted
            name = f"{before.name or before.address}, {text}"
            self.codes["address_ambiguous"] = None
        address = item.angle or ""
        if address.count("@") > 1 and not address.startswith('"'):
            self.codes["address_ambiguous"] = None
        if address or name:
            self.found.append(Mailbox(name, address))
        self.bare_name_at = -1

    def _end_bare(self, item: _Item, text: str) -> None:
        if not item.has_at:
            is_word = " " not in text and not item.is_quoted
            name = _first(item.comments) if is_word else text
            self.found.append(Mailbox(name, text if is_word else ""))
            is_first_half = not item.is_quoted and not item.comments and self.bare_name_at < 0
            self.bare_name_at = len(self.found) - 1 if is_first_half else -1
            return
        self.bare_name_at = -1
        text = _AROUND_AT.sub("@", text)
        words = text.split(" ") if not text.startswith('"') else [text]
        if len(words) == 1:
            if text.count("@") > 1 and not text.startswith('"'):
                self.codes["address_ambiguous"] = None
            self.found.append(Mailbox(_first(item.comments), text))
            return
        self.codes["address_ambiguous"] = None
        name = " ".join(word for word in words if "@" not in word) or _first(item.comments)
        addresses = [word.strip("[]'") for word in words if "@" in word][:MAX_ADDRESSES]
        self.found.extend(Mailbox(name, address) for address in addresses)


def _closing_quote(value: str, start: int) -> int:
    """Return where the string that opens at `start` closes; -1 when it does not."""
    at = value.find('"', start + 1)
    while at > 0:
        before = at - 1
        while value[before] == "\\":
            before -= 1
        if (at - before) % 2:
            return at
        at = value.find('"', at + 1)
    return -1


def _first(comments: list[str]) -> str:
    return " ".join(comments[0].split()) if comments else ""

"""Gathers what a card or a row says of somebody; what cannot be taken becomes a remark."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from holdfast.core.persons import (
    MAX_ADDRESSES,
    Address,
    Person,
    each_once,
    id_of,
    mail_of,
    phone_of,
)

MAX_REMARKS = 20
"""Of one person; what is beyond is the same again."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_DIGITS_LOST = re.compile(r"[+-]?\d+(?:\.\d+)?[eE]\+?\d+")
_SEVERAL = re.compile(r"[、;；，,\n]")
_WHOLE_FLOAT = re.compile(r"\d+\.0")
MOST_CHARS = {"note": 2000}
"""Longest value of a field; of all others `_LINE`."""
_LINE = 200
MOST_GROUPS = 200
"""Of one person."""
MOST_NUMBER = 100
"""Characters of a telephone number; what is longer is none and is not looked into."""
PARTY_TYPES = {
    "customer": "customer", "client": "customer", "客户": "customer", "顾客": "customer",
    "prospect": "prospect", "lead": "prospect", "潜在客户": "prospect", "线索": "prospect",
    "supplier": "supplier", "vendor": "supplier", "供应商": "supplier", "partner": "partner",
    "合作伙伴": "partner", "伙伴": "partner", "代理商": "partner", "staff": "staff",
    "employee": "staff", "员工": "staff", "同事": "staff", "other": "other", "其他": "other",
}  # fmt: skip


@dataclass(slots=True)
class Gathering:
    """One person while they are read."""

    country: str = ""
    """Calling code of telephone numbers that name none."""
    addresses: list[Address] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    is_list: bool = False
    """They have more addresses than somebody has; no more are taken."""

    def say(self, name: str, value: str) -> None:
        """Take the value of a field; the first one counts."""
        line = " ".join(_CONTROL.sub(" ", value).split())
        if not line or self.said.get(name) == line:
            return
        most = MOST_CHARS.get(name, _LINE)
        if name == "party_type":
            line = PARTY_TYPES.get(line.casefold(), "")
        if not line:
            self.remark(f"{name}: not one of those that there are: {value}")
        elif len(line) > most:
            self.remark(f"{name}: more than {most} characters")
        elif name in self.said:
            self.remark(f"{name}: one is kept, and not: {line}")
        else:
            self.said[name] = line

    def group(self, value: str) -> None:
        """Take one group."""
        line = " ".join(_CONTROL.sub(" ", value).split())
        if len(line) > _LINE:
            self.remark(f"groups: more than {_LINE} characters")
        elif line and len(self.groups) < MOST_GROUPS:
            self.groups[line] = None
        elif line and line not in self.groups:
            self.remark(f"groups: more than {MOST_GROUPS}")

    def mail(self, value: str) -> None:
        """Take mail addresses."""
        for one in several(value):
            self._take(mail_of(one), f"no mail address: {one}")

    def phone(self, value: str) -> None:
        """Take telephone numbers."""
        for written in several(value):
            one = " ".join(written.split())
            if len(one) > MOST_NUMBER:
                self.remark(f"no telephone number: {one}")
                continue
            if _DIGITS_LOST.fullmatch(one):
                self.remark(f"phone: digits are lost: {one}")
                continue
            plain = one[:-2] if _WHOLE_FLOAT.fullmatch(one) else one
            self._take(phone_of(plain, self.country), f"no telephone number: {one}")

    def known_as(self, system: str, value: str, *, is_shared: bool = False) -> None:
        """Take what a system calls them."""
        if value.strip():
            self._take(id_of(system, value, is_shared=is_shared), f"{system}: too long: {value}")

    def _take(self, address: Address | None, reason: str) -> None:
        if address is None:
            self.remark(reason)
        elif not self.is_list:
            self.addresses.append(address)
            if len(self.addresses) > 2 * MAX_ADDRESSES:
                self.addresses = list(each_once(self.addresses))
                self.is_list = len(self.addresses) > MAX_ADDRESSES

    def remark(self, text: str) -> None:
        """Note what is not taken."""
        if len(self.remarks) < MAX_REMARKS:
            self.remarks.append(_CONTROL.sub(" ", text)[:_LINE])

    def person(self) -> Person:
        """Return what was gathered.

        Raises:
            ValueError: Nothing tells them from others, or it is a list of many.
        """
        addresses = each_once(self.addresses)
        if not addresses:
            reason = f"no address that can be used ({self.remarks[0]})" if self.remarks else ""
            raise ValueError(reason or "no address")
        if len(addresses) > MAX_ADDRESSES:
            raise ValueError(f"more than {MAX_ADDRESSES} addresses")
        return Person(addresses, self.said, tuple(self.groups), tuple(self.remarks))


def several(value: str) -> list[str]:
    """Return the values of a cell that people separate by commas, semicolons or lines."""
    return [one.strip() for one in _SEVERAL.split(value) if one.strip()]

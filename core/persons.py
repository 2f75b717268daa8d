"""Somebody as a directory has them, a vCard or a row of a table; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.core.address_forms import PHONE, address_forms
from holdfast.core.chats import chat_address

MAX_ADDRESSES = 100
"""Of one person; more are a list, not somebody."""
MAX_KEY_CHARS = 320
_ABROAD = ("+", "00")


@dataclass(frozen=True, slots=True)
class Address:
    """One address, under every form by which it may be known."""

    keys: tuple[str, ...]
    """As `core.chats.address_key`; the likeliest first."""
    is_shared: bool = False
    """Several people may have it: a telephone of an office, a customer's number."""

    @property
    def key(self) -> str:
        """The likeliest form."""
        return self.keys[0]


@dataclass(frozen=True, slots=True)
class Person:
    """What one card or row says."""

    addresses: tuple[Address, ...] = ()
    """Each once, in their order."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Field of a contact that has one value → that value; empty ones are left out."""
    groups: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """What of it is not taken, and why."""


def mail_of(text: str) -> Address | None:
    """Return a mail address; None where it is none."""
    for key in address_forms(text) if text.count("@") == 1 else ():
        local, at, domain = key.partition("@")
        is_one = local and at and domain and not any(c.isspace() or c < " " for c in key)
        if is_one and len(key) <= MAX_KEY_CHARS:
            return Address((key,))
    return None


def phone_of(text: str, country: str = "") -> Address | None:
    """Return a telephone number, in E.164 where its country is known; None where it is none.

    Args:
        text: As somebody wrote it.
        country: Calling code of numbers that name none, digits only; without one only Chinese
            mobile numbers are known by their form, and others stay as they are dialled at home.
    """
    written = text.strip()
    if not written.startswith(_ABROAD) and not written.startswith("0"):
        digits = "".join(letter for letter in written if letter.isdigit())
        if country and digits.startswith(country) and len(digits) > len(country) + 8:
            written = f"+{written}"  # a spreadsheet took the plus away
    keys = address_forms(f"{PHONE}:{written}", country)
    if not keys or written.startswith(_ABROAD):
        return Address(keys, is_shared=True) if keys else None
    first, dialled = keys[0], keys[-1]
    guessed = f"{PHONE}:+{dialled.partition(':')[2]}"
    if first != guessed:
        return Address((first, dialled), is_shared=True)
    is_home = dialled.startswith(f"{PHONE}:0")
    return Address((dialled,) if is_home else (dialled, guessed), is_shared=True)


def id_of(system: str, value: str, *, is_shared: bool = False) -> Address | None:
    """Return what a system calls somebody; None for nothing, or for what is too long."""
    key = chat_address(system, value)
    return Address((key,), is_shared) if key and len(key) <= MAX_KEY_CHARS else None


def each_once(addresses: Sequence[Address]) -> tuple[Address, ...]:
    """Leave out what is there under one of its forms already."""
    found: list[Address] = []
    known: set[str] = set()
    for one in addresses:
        if known.isdisjoint(one.keys):
            found.append(one)
        known.update(one.keys)
    return tuple(found)

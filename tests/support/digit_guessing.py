"""Guesses masked digits one after the other, at every place that answers to a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from api_kit import Office, office
from archive_kit import bring_in, message, settings_in, write_mbox
from chat_kit import written
from holdfast.wiring.founding import create_archive

NUMBER = "13805718000"
SHOWN = "138****8000"
"""As whoever may not unmask sees it."""
MATTER = "K1"
KNOWN = 3
"""Digits in front that are shown."""
Ask = Callable[[str], object]
"""Asks for something that begins so; returns what is told."""


@contextmanager
def numbers_office(folder: Path) -> Iterator[Office]:
    """Serve letters with a number in the text, in an address and in a name; and a colleague."""
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    letters = [
        message(1, body=f"call {NUMBER} about it"),
        _from(2, f"{NUMBER}@qq.example"),
        _from(3, f"Wang {NUMBER} <wang@x.example>"),
    ]
    bring_in(settings, write_mbox(folder / "letters.mbox", letters))
    lines = "".join(f"25/03/24, 10:0{n} - {who}: hello\n" for n, who in enumerate("ABA"))
    bring_in(settings, written(folder / "room", {f"WhatsApp Chat with {NUMBER}.txt": lines}))
    with office(settings) as opened:
        for login, role in (
            ("legal", "legal"), ("curious", "member"), ("admin", "admin"), ("keeper", "compliance"),
        ):  # fmt: skip
            opened.hire(login, role)
        opened.post("legal", "/matters", 201, json={"name": MATTER})
        order = {"login": "legal", "name": "narrow", "actions": ["matters", "hold", "search"]}
        opened.keys["holder"] = opened.post("legal", "/keys", 201, json=order)["key"]
        opened.post("admin", "/users/curious/grants", 201, json={"kind": "all"})
        yield opened


def _from(number: int, sender: str) -> bytes:
    head, _, rest = message(number).partition(b"\n")
    assert head.startswith(b"From: ")
    return f"From: {sender}\n".encode() + rest


def ways(served: Office) -> dict[str, Ask]:
    """Return every way to ask, as somebody who may not unmask."""
    who = "curious"

    def preview(prefix: str) -> object:
        order = {"query": f"{prefix}*", "change": {"summary": "x"}, "is_preview": True}
        return served.post(who, "/metadata", json=order)["meant"]

    (matter,) = served.get("legal", "/matters")

    def held(prefix: str) -> object:
        """Ask with a key that may place holds, and not unmask."""
        order = {"name": "x", "reason": "y", "query": f"{prefix}*", "is_preview": True}
        return served.post("holder", f"/matters/{matter['id']}/holds", 201, json=order)["held"]

    def simulated(prefix: str) -> object:
        draft = {"name": "soon", "kind": "ceiling", "days": 1, "query": f"{prefix}*"}
        return served.post("keeper", "/policies/simulate", json=draft)["matched"]

    return {
        "totals": lambda prefix: served.search(who, f"{prefix}*")["total"],
        "not": lambda prefix: served.search(who, f"NOT {prefix}*")["total"],
        "url": lambda prefix: served.get(who, f"/search?query={prefix}*")["total"],
        "like": lambda prefix: served.search(who, f"{prefix}?*")["total"],
        "senders": lambda prefix: served.search(who, f"from:{prefix}*")["total"],
        "facets": lambda prefix: served.search(who, f"{prefix}*", facets=["sender"])["facets"],
        "orders": lambda prefix: [
            served.search(who, f"wang OR {prefix}*", sort=sort)["total"]
            for sort in ("newest", "oldest", "largest", "smallest", "captured")
        ],
        "highlights": lambda prefix: [
            hit["record"]["id"] for hit in served.search(who, f"call OR {prefix}*")["hits"]
        ],
        "many": preview,
        "holds": held,
        "rules": simulated,
        "rooms": lambda prefix: len(served.get(who, f"/conversations?q={prefix}")["conversations"]),
        "contacts": lambda prefix: len(served.get(who, f"/contacts?q={prefix}")["contacts"]),
    }


def no_digit_is_told(asks: dict[str, Ask]) -> None:
    """F62: guess the hidden digits, each time with all ten; answers may not tell one from another.

    Raises:
        AssertionError: Names the way, and the digits that it told.
    """
    for name, ask in asks.items():
        told = ""
        for place in range(KNOWN, 7):
            answers = {digit: repr(ask(NUMBER[:place] + digit)) for digit in "0123456789"}
            usual = answers[next(one for one in answers if one != NUMBER[place])]
            if answers[NUMBER[place]] != usual:
                told += NUMBER[place]
        assert not told, f"{name} told {told!r} of {SHOWN}"

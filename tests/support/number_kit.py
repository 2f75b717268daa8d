"""Numbers of every kind whose check digits are right, and records that hold them; no index."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from holdfast.core.kinds import Role
from holdfast.core.masking import mask
from holdfast.core.query import Field as ExactField
from holdfast.core.query import Fuzzy, Header, Near, Node, Part, Phrase, Regex, Term, Wildcard
from holdfast.core.records import Record, RecordAttachment, RecordParticipant
from records import make_record

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CARD_HEADS = ("622202", "411111", "955880", "3782")
DIGITS = "0123456789"


def digits(rnd: random.Random, number: int) -> str:
    return "".join(rnd.choice(DIGITS) for _ in range(number))


def card(body: str) -> str:
    """Return the digits with the one behind them that makes the sum of Luhn's rule right."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return body + str(-total % 10)


def identity(body: str) -> str:
    """Return 17 digits with the character that ISO 7064 MOD 11-2 puts behind them."""
    total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def iban(country: str, rest: str) -> str:
    """Return the IBAN of a country and a national number."""
    compact = f"{rest}{country}00"
    value = int("".join(str(int(letter, 36)) for letter in compact))
    return f"{country}{98 - value % 97:02}{rest}"


def mobile(rnd: random.Random) -> str:
    return f"1{rnd.choice('3456789')}{digits(rnd, 9)}"


def make_number(rnd: random.Random) -> str:
    """Return a number of any kind, without separators."""
    born = f"19{rnd.randint(50, 99)}{rnd.randint(1, 12):02}{rnd.randint(1, 28):02}"
    kinds = (
        mobile(rnd),
        f"021{rnd.choice('2345678')}{digits(rnd, 7)}",
        card(rnd.choice(CARD_HEADS[:3]) + digits(rnd, rnd.choice((9, 12)))),
        card(CARD_HEADS[3] + digits(rnd, 10)),
        identity(f"110101{born}{digits(rnd, 3)}"),
        f"110101{born[2:]}{digits(rnd, 3)}",
        iban("DE", digits(rnd, 18)),
    )
    return rnd.choice(kinds)


def spelled(rnd: random.Random, number: str) -> str:
    """Return the number as somebody may write it: in groups, full-width, with a prefix."""
    form = rnd.randrange(6)
    if form == 0:
        return number.translate({ord(one): chr(ord(one) + 0xFEE0) for one in DIGITS})
    if form == 1 and number.isdigit() and len(number) == 11:
        return rnd.choice(("+86 {}-{}-{}", "{} {} {}", "({}){}-{}")).format(
            number[:3], number[3:7], number[7:]
        )
    if form in (2, 3):
        glue = rnd.choice((" ", "-"))
        return glue.join(number[at : at + 4] for at in range(0, len(number), 4))
    if form == 4 and not number.startswith("DE"):
        return rnd.choice((" ", "-", "\u200b")).join(number)
    return number


WORDS = ("contract", "2024", "7", "price 8.5", "合同", "tel", "call", "INV-2024-0017", "12:30", "")


def make_text(rnd: random.Random, numbers: Sequence[str]) -> str:
    pieces = [rnd.choice(WORDS), rnd.choice(WORDS)]
    if rnd.random() < 0.7:
        pieces.insert(rnd.randrange(3), spelled(rnd, rnd.choice(numbers)))
    return rnd.choice((" ", ", ", "，", "\n", ": ")).join(pieces)


def make_numbered(rnd: random.Random, numbers: Sequence[str]) -> Record:
    """Return a record with these numbers in any of its texts; by the same dice the same one."""
    local = rnd.choice((*numbers, "anna", f"a.{numbers[0]}"))
    return replace(
        make_record(rnd, 1),
        subject=make_text(rnd, numbers),
        body="\n".join(make_text(rnd, numbers) for _ in range(2)),
        participants=(
            RecordParticipant(Role.FROM, make_text(rnd, numbers), f"{local}@qq.com"),
            RecordParticipant(Role.TO, "张伟", "zw@163.com"),
        ),
        attachments=(
            RecordAttachment(f"a.{make_text(rnd, numbers)}", "text/plain", make_text(rnd, numbers)),
        ),
        headers=(("X-Note", make_text(rnd, numbers)), ("X-Mailer", "Mail 7")),
    )


def make_pair(rnd: random.Random) -> tuple[Record, Record]:
    """Return two records that differ in hidden digits alone."""
    numbers = [make_number(rnd) for _ in range(rnd.randint(1, 2))]
    twins = [twin_of(rnd, number) for number in numbers]
    seed = rnd.getrandbits(32)
    one, other = (make_numbered(random.Random(seed), some) for some in (numbers, twins))
    return one, other


def twin_of(rnd: random.Random, number: str) -> str:
    """Return a number that is masked alike; the same one where none was hit upon."""
    hidden = mask(number)
    places = [at for at, letter in enumerate(hidden) if letter == "*"]
    for _ in range(300):
        letters = list(number)
        for at in rnd.sample(places, rnd.randint(2, len(places))):
            letters[at] = rnd.choice(DIGITS)
        twin = "".join(letters)
        if twin != number and mask(twin) == hidden:
            return twin
    return number


def texts_of(record: Record) -> list[str]:
    people = [text for one in record.participants for text in (one.name, one.address)]
    files = [text for one in record.attachments for text in (one.filename, one.text)]
    return [record.subject, record.body, *people, *files, *(value for _, value in record.headers)]


def probing_leaf(rnd: random.Random, records: Sequence[Record]) -> Node:
    """Return a leaf that asks for a stretch of what one of the records hides or shows."""
    text = rnd.choice([one for one in texts_of(rnd.choice(records)) if one] or ["7"])
    start = rnd.randrange(len(text))
    piece = text[start : start + rnd.choice((1, 2, 3, 4, 7, 11, 19))].strip() or "20"
    part = rnd.choice((Part.ANY, Part.BODY, Part.WITH, Part.FILENAME, Part.SUBJECT))
    word = "".join(one for one in piece if one.isalnum()) or "2"
    kinds: tuple[Node, ...] = (
        Phrase(piece, part),
        Phrase(piece, part),
        Phrase(word[:2], part),
        Wildcard(f"{word}*", part),
        Wildcard(f"*{word[:1]}?*", part),
        Wildcard("?" * len(word), part),
        Fuzzy(word[:6], rnd.choice((1, 2)), part),
        Regex(rnd.choice((f"{word}.*", "[0-4]+", "[0-9]+", "\\d+", "[^5]*", ".*")), part),
        Near((Phrase(piece, part), Phrase("contract", part)), 6),
        Near((Phrase("contract", part), Phrase("合同", part)), 4),
        Header("X-Note", piece),
        Term(ExactField.ADDRESS, rnd.choice([p.address for p in records[0].participants])),
        Term(ExactField.EXTENSION, piece),
        Term(ExactField.TYPE, piece),
        Term(ExactField.HAS, rnd.choice(("number", "split_number"))),
    )
    return rnd.choice(kinds)

"""Turn one leaf of a query into a node of the tree, or refuse it; booleans are `query_parser`'s."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from holdfast.core.analysis import normalise, query_atoms
from holdfast.core.errors import Refused
from holdfast.core.field_values import fold_value
from holdfast.core.identity import row_id
from holdfast.core.query import (
    EVERYTHING,
    Dates,
    Field,
    Fuzzy,
    Header,
    Near,
    Not,
    Or,
    Part,
    Phrase,
    Regex,
    Sizes,
    Term,
    Wildcard,
)
from holdfast.core.text_matching import compile_pattern
from holdfast.indexer.query_language.dates import Today, read_age, read_period
from holdfast.indexer.query_language.errors import QueryError
from holdfast.indexer.query_language.words import (
    FIELDS,
    INSIDE,
    NO,
    PARTS,
    PUBLIC_IDS,
    SYNONYMS,
    VALUES,
    YES,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.core.query import Node
    from holdfast.indexer.query_language.dates import Period
    from holdfast.indexer.query_language.lexemes import Lexeme

MAX_FUZZY_CHARS = 64
_FUZZY = re.compile(r"(.+)~(\d*)", re.DOTALL)
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_MAX_SIZE = (1 << 63) - 1
_HEX = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(slots=True)
class Asking:
    """What holds for a whole query while its leaves are read."""

    today: Today
    part: Part = Part.ANY
    """Where words without an operator are looked for."""
    warnings: list[str] = field(default_factory=list)


def leaf(lexeme: Lexeme, asking: Asking) -> Node:
    """Return the node that a leaf stands for.

    Raises:
        QueryError: It has no meaning; the position is that of the leaf.
    """
    operator = lexeme.operator
    if operator in _READERS:
        return _READERS[operator](lexeme, asking)
    if operator in FIELDS:
        return _exact(lexeme)
    parts = PARTS.get(operator, (asking.part,))
    if not operator and lexeme.form == "word" and lexeme.value == "*":
        return EVERYTHING
    nodes = tuple(_text(lexeme, part, asking) for part in parts)
    return nodes[0] if len(nodes) == 1 else Or(nodes)


def inside(lexeme: Lexeme) -> Part:
    """Return the part that `in:` names."""
    part = INSIDE.get(lexeme.value.casefold())
    if part is None:
        raise QueryError(
            f"in: takes {', '.join(one for one in INSIDE if one.isascii())}.",
            lexeme.position,
            suggestion=f'For a folder write folder:"{lexeme.value}".',
        )
    return part


def _text(lexeme: Lexeme, part: Part, asking: Asking) -> Node:
    value = lexeme.value
    if lexeme.form == "regex":
        return _regex(lexeme, part)
    if lexeme.form == "phrase":
        if "*" in value:
            asking.warnings.append("Inside quotes * is punctuation, not a wildcard.")
        return _slop(lexeme, part) if lexeme.slop >= 0 else _phrase(lexeme, value, part)
    fuzzy = _FUZZY.fullmatch(value)
    if fuzzy is not None:
        return _fuzzy(lexeme, fuzzy[1], fuzzy[2], part)
    if "*" in value or "?" in value:
        return _wildcard(lexeme, part, asking)
    return _phrase(lexeme, value, part)


def _phrase(lexeme: Lexeme, value: str, part: Part) -> Phrase:
    if not query_atoms(value):
        raise QueryError(
            "There is nothing to look for: no letter and no digit.",
            lexeme.position,
            suggestion="Signs alone are not searched; leave them out.",
        )
    return Phrase(value, part)


def _slop(lexeme: Lexeme, part: Part) -> Near:
    words = [word for word in lexeme.value.split() if query_atoms(word)]
    if len(words) < 2:
        raise QueryError(
            f'"…"~{lexeme.slop} needs two or more words, with spaces between them.', lexeme.position
        )
    return Near(tuple(Phrase(word, part) for word in words), lexeme.slop)


def _regex(lexeme: Lexeme, part: Part) -> Regex:
    try:
        compile_pattern(lexeme.value)
    except Refused as error:
        raise QueryError(error.cause, lexeme.position) from error
    if not lexeme.value:
        raise QueryError("The expression is empty.", lexeme.position)
    return Regex(lexeme.value, part)


def _fuzzy(lexeme: Lexeme, word: str, digits: str, part: Part) -> Fuzzy:
    atoms = query_atoms(word)
    if len(atoms) != 1 or not atoms[0].is_word or atoms[0].text != normalise(word):
        raise QueryError(
            "~ stands after one word of letters and digits.",
            lexeme.position,
            suggestion='For words near each other write "a b"~5.',
        )
    distance = int(digits) if digits in ("1", "2") else 1
    if digits not in ("", "1", "2"):
        raise QueryError("~ takes 1 or 2 as its distance.", lexeme.position)
    if not distance < len(atoms[0].text) <= MAX_FUZZY_CHARS:
        raise QueryError(
            f"A word for ~{distance} has {distance + 1} to {MAX_FUZZY_CHARS} characters.",
            lexeme.position,
        )
    return Fuzzy(word, distance, part)


def _wildcard(lexeme: Lexeme, part: Part, asking: Asking) -> Node:
    value = lexeme.value
    bare = value.strip("*")
    plain = query_atoms(bare.replace("*", "").replace("?", ""))
    if plain and not any(atom.is_word for atom in plain) and not set(bare) & {"*", "?"}:
        return _phrase(lexeme, bare, part)  # any piece of such a text is found anyway
    solid = query_atoms(value.replace("*", "x").replace("?", "x"))
    letters = normalise(value.replace("*", "x").replace("?", "x"))
    if not plain or len(solid) != 1 or not solid[0].is_word or solid[0].text != letters:
        raise QueryError(
            "* and ? stand within one word of letters and digits.",
            lexeme.position,
            suggestion="Put the text in quotes, or each word by itself.",
        )
    if "*" not in value and not value.rstrip("?").count("?"):
        asking.warnings.append(f"{value}: a question mark stands for one character.")
    return Wildcard(value, part)


def _exact(lexeme: Lexeme) -> Node:
    name, value = lexeme.operator, lexeme.value.strip()
    term = Term(FIELDS[name], value)
    if lexeme.form == "regex" or lexeme.slop >= 0:
        raise QueryError(f"{name}: takes a plain value.", lexeme.position)
    if name in VALUES:
        known = VALUES[name].get(normalise(value))
        if known is None:
            values = ", ".join(dict.fromkeys(VALUES[name].values()))
            raise QueryError(f"{name}: takes {values}; not {value}.", lexeme.position)
        return Term(term.field, known)
    synonym = SYNONYMS.get(name, {}).get(normalise(value))
    if synonym:
        return Term(term.field, synonym)
    if name == "id" and "@" in value:
        term = Term(Field.MESSAGE_ID, value)
    elif name in PUBLIC_IDS:
        term = Term(term.field, _public_id(lexeme, value))
    elif name == "sha256" and not _HEX.fullmatch(value):
        raise QueryError("sha256: takes 64 hexadecimal digits.", lexeme.position)
    if "*" in value and not (name == "filetype" and value.find("*") == len(value) - 1 > 1):
        raise QueryError(
            f"{name}: takes a whole value, without wildcards.",
            lexeme.position,
            suggestion="Name each value, with OR between them.",
        )
    if not fold_value(term.field, term.value):
        raise QueryError(f"{name}: has no value.", lexeme.position)
    return term


def _public_id(lexeme: Lexeme, value: str) -> str:
    prefix = PUBLIC_IDS[lexeme.operator]
    try:
        row_id(prefix, value)
    except Refused as error:
        raise QueryError(
            error.cause, lexeme.position, suggestion="Copy it from a result or a link."
        ) from error
    return value.lower()


def _has_attachment(lexeme: Lexeme, _: Asking) -> Node:
    value = lexeme.value.casefold()
    if value not in YES | NO:
        raise QueryError("hasattachment: takes true or false.", lexeme.position)
    return _attached(is_wanted=value in YES)


def _attached(*, is_wanted: bool) -> Node:
    term = Term(Field.HAS, "attachment")
    return term if is_wanted else Not(term)


def _attachment(lexeme: Lexeme, asking: Asking) -> Node:
    value = lexeme.value.casefold()
    if lexeme.form == "word" and value in (YES | NO) - {"1", "0", "on", "off"}:
        return _attached(is_wanted=value in YES)
    return Or(tuple(_text(lexeme, part, asking) for part in PARTS["attachment"]))


def _filename(lexeme: Lexeme, asking: Asking) -> Node:
    ending = lexeme.value.removeprefix("*.")
    if lexeme.form == "word" and ending != lexeme.value and ending.isalnum():
        return Term(Field.EXTENSION, ending)
    return _text(lexeme, Part.FILENAME, asking)


def _header(lexeme: Lexeme, _: Asking) -> Header:
    if (
        lexeme.form == "regex"
        or lexeme.slop >= 0
        or (lexeme.form == "word" and "*" in lexeme.value)
    ):
        raise QueryError("header: takes plain words, or words in quotes.", lexeme.position)
    if lexeme.value and not query_atoms(lexeme.value):
        raise QueryError("The header field has nothing to look for.", lexeme.position)
    return Header(lexeme.header.casefold(), lexeme.value)


def _dates(lexeme: Lexeme, asking: Asking) -> Dates:
    clock = "captured" if lexeme.operator == "captured" else "at"
    start, end = lexeme.value, lexeme.value
    is_range = not lexeme.comparison and ".." in lexeme.value
    if is_range:
        start, _, end = lexeme.value.partition("..")
    first = _period(start, lexeme, asking) if start or not is_range else None
    last = _period(end, lexeme, asking) if end or not is_range else None
    bounds: dict[str, tuple[datetime | None, datetime | None]] = {
        "": (first.start if first else None, last.end if last else None),
    }
    if first is not None:
        bounds |= {
            "=": (first.start, first.end),
            ">=": (first.start, None),
            ">": (first.end, None),
            "<": (None, first.start),
            "<=": (None, first.end),
        }
    low, high = bounds[lexeme.comparison]
    if low is not None and high is not None and low >= high:
        raise QueryError("The range ends before it begins.", lexeme.position)
    return Dates(low, high, clock)


def _period(text: str, lexeme: Lexeme, asking: Asking) -> Period:
    period = read_period(text, asking.today)
    if period is None:
        raise QueryError(
            f"{text or lexeme.operator} is no date.",
            lexeme.position,
            suggestion="Write 2024-03-15, 2024-03, 2024, today, last-week or 上周.",
        )
    return period


def _side(lexeme: Lexeme, asking: Asking) -> Dates:
    period = _period(lexeme.value, lexeme, asking)
    if lexeme.operator == "after":
        return Dates(period.start, None)
    if lexeme.operator == "before":
        return Dates(None, period.start)
    return (
        Dates(None, period.end) if lexeme.operator == "until" else Dates(period.start, period.end)
    )


def _age(lexeme: Lexeme, asking: Asking) -> Dates:
    at = read_age(lexeme.value, asking.today)
    if at is None:
        raise QueryError(
            f"{lexeme.operator}: takes a time such as 2d, 3w, 6m, 1y or 7天.", lexeme.position
        )
    return Dates(None, at) if lexeme.operator == "older_than" else Dates(at, None)


def _sizes(lexeme: Lexeme, asking: Asking) -> Sizes:
    value = lexeme.value
    if lexeme.operator != "size":
        size = _size(value, lexeme)
        return Sizes(size, None) if lexeme.operator == "larger" else Sizes(None, size)
    if not lexeme.comparison and ".." in value:
        low, _, high = value.partition("..")
        found = Sizes(_size(low, lexeme) if low else None, _size(high, lexeme) if high else None)
        if found.low is not None and found.high is not None and found.low > found.high:
            raise QueryError("The range ends before it begins.", lexeme.position)
        return found
    size = _size(value, lexeme)
    if not lexeme.comparison:
        asking.warnings.append(f"size:{value} asks for exactly {size:,} bytes; see larger:.")
    return {
        "": Sizes(size, size),
        "=": Sizes(size, size),
        ">=": Sizes(size, None),
        ">": Sizes(size + 1, None),
        "<": Sizes(None, size - 1),
        "<=": Sizes(None, size),
    }[lexeme.comparison]


def _size(text: str, lexeme: Lexeme) -> int:
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].lower()]) if found else -1
    if not 0 <= size < _MAX_SIZE:
        raise QueryError(
            f"{text or lexeme.operator} is no size.",
            lexeme.position,
            suggestion="Write bytes, or K, M or G of 1,024 each, as in larger:10M.",
        )
    return size


def _bare_regex(lexeme: Lexeme, asking: Asking) -> Regex:
    return _regex(lexeme, asking.part)


_READERS: dict[str, Callable[[Lexeme, Asking], Node]] = {
    "re": _bare_regex,
    "hasattachment": _has_attachment,
    "attachment": _attachment,
    "filename": _filename,
    "header": _header,
    "date": _dates,
    "captured": _dates,
    "after": _side,
    "before": _side,
    "until": _side,
    "on": _side,
    "older_than": _age,
    "newer_than": _age,
    "size": _sizes,
    "larger": _sizes,
    "smaller": _sizes,
}

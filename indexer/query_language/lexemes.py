"""Cut a query into lexemes: brackets, operators of logic, and leaves with the words they carry.

It decides only where things begin and end; what a leaf means is `query_language.leaves`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from holdfast.indexer.query_language.errors import QueryError
from holdfast.indexer.query_language.words import LATER, OPERATORS, SCHEMES

MAX_QUERY_CHARS = 100_000
MAX_NESTING = 60
"""Brackets and negations inside each other; so a tree is never deeper than 200."""
DEFAULT_NEAR = 8
"""Distance of NEAR without a number, as in Keyword Query Language."""

_FOLDING = str.maketrans("：（）｛｝“”„‟＂＝＞＜／～－＊　\u00a0", ':(){}""""' + '"=></~-*  ')
_OPERATOR = re.compile(r"([^\W\d_][\w.\-]*)(:|>=|<=|>|<|=)")
_COMPARISON = re.compile(r">=|<=|>|<|=")
_WORD = re.compile(r'[^\s(){}"]+')
_NEAR = re.compile(
    r"(?:(NEAR|ONEAR|AROUND|W|PRE)(?:\((\d{1,6})\)|/(\d{1,6}))|(NEAR|ONEAR)|(AROUND)[ ]+(\d{1,6}))"
    r"(?=[\s(){}\"]|$)"
)
_ORDERED = frozenset({"ONEAR", "PRE"})
_SLOP = re.compile(r"~(\d{1,6})?")
_HEADER_NAME = re.compile(r"[^\s(){}\"=:]+")
_COMPARED = frozenset({"date", "captured", "size"})
_LOGIC = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Lexeme:
    """One piece of a query."""

    kind: str
    """`(`, `)`, `{`, `}`, `AND`, `OR`, `NOT`, `NEAR` or `LEAF`."""
    position: int
    """Where it begins, in characters."""
    operator: str = ""
    """Canonical name; empty for words without an operator."""
    value: str = ""
    form: str = "word"
    """`word`, `phrase` or `regex`."""
    comparison: str = ""
    slop: int = -1
    """Distance after `"…"~`; -1 without."""
    header: str = ""
    """Name of the header field that `header:` asks for."""
    distance: int = 0
    is_ordered: bool = False


def lexemes(text: str) -> list[Lexeme]:
    """Cut a query.

    Full-width `：（）“”` and spaces count as their ASCII forms, except within quotes.

    Raises:
        QueryError: Something does not end, has no value, or is no operator.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise QueryError(
            f"The query has more than {MAX_QUERY_CHARS:,} characters.", MAX_QUERY_CHARS
        )
    lexer = _Lexer(text)
    while lexer.step():
        pass
    return lexer.found


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = text.translate(_FOLDING)
        self.at = 0
        self.found: list[Lexeme] = []
        self.brackets: list[tuple[str, int, str]] = []
        """Opening bracket, its place and the operator that holds for what is in it."""
        self.depth = 0

    def step(self) -> bool:
        """Take one lexeme; False at the end."""
        self._skip_space()
        if self.at >= len(self.text):
            if self.brackets:
                bracket, position, _ = self.brackets[-1]
                raise QueryError(f"The bracket {bracket} is not closed.", position)
            return False
        start = self.folded[self.at]
        if start in "({":
            self._open(start, self._operator_here())
        elif start in ")}":
            self._close(start)
        elif start == "-" and self.folded[self.at + 1 : self.at + 2].strip():
            self._add(Lexeme("NOT", self.at), 1)
        elif not self._logic():
            self._leaf()
        return True

    def _skip_space(self) -> None:
        while self.at < len(self.folded) and self.folded[self.at].isspace():
            self.at += 1

    def _operator_here(self) -> str:
        return self.brackets[-1][2] if self.brackets else ""

    def _add(self, lexeme: Lexeme, length: int) -> None:
        self.found.append(lexeme)
        self.at += length
        self.depth = self.depth + 1 if lexeme.kind == "NOT" else len(self.brackets)
        if self.depth > MAX_NESTING:
            raise QueryError(
                f"More than {MAX_NESTING} brackets or negations are inside each other.",
                lexeme.position,
            )

    def _open(self, bracket: str, operator: str) -> None:
        self.brackets.append((bracket, self.at, operator))
        self._add(Lexeme(bracket, self.at), 1)

    def _close(self, bracket: str) -> None:
        if not self.brackets or self.brackets[-1][0] != {")": "(", "}": "{"}[bracket]:
            raise QueryError(f"No bracket is open that {bracket} closes.", self.at)
        self.brackets.pop()
        self._add(Lexeme(bracket, self.at), 1)

    def _logic(self) -> bool:
        """Take AND, OR, NOT and the operators of nearness; False when none is here."""
        near = _NEAR.match(self.folded, self.at)
        if near is not None:
            name = near[1] or near[4] or near[5]
            number = near[2] or near[3] or near[6]
            distance = int(number) if number else DEFAULT_NEAR
            lexeme = Lexeme("NEAR", self.at, distance=distance, is_ordered=name in _ORDERED)
            self._add(lexeme, len(near[0]))
            return True
        word = _WORD.match(self.folded, self.at)
        if word is None or word[0] not in _LOGIC:
            return False
        self._add(Lexeme(word[0], self.at), len(word[0]))
        return True

    def _leaf(self) -> None:
        position = self.at
        operator, comparison = self._take_operator()
        header = ""
        if operator:
            if self._operator_here():
                raise QueryError("An operator stands inside the brackets of another.", position)
            self._skip_space()
            if operator == "header":
                header, has_value = self._take_header(position)
                if not has_value:
                    self._add(Lexeme("LEAF", position, operator, header=header), 0)
                    return
        if operator and not header and not comparison and self.folded[self.at : self.at + 1] == "(":
            self._open("(", operator)
            return
        value, form, slop = self._take_value(operator or self._operator_here(), position)
        lexeme = Lexeme(
            "LEAF",
            position,
            operator or self._operator_here(),
            value,
            form,
            comparison,
            slop,
            header,
        )
        self._add(lexeme, 0)

    def _take_operator(self) -> tuple[str, str]:
        """Take an operator and its comparison; both empty where text begins."""
        found = _OPERATOR.match(self.folded, self.at)
        if found is None:
            return "", ""
        name, sign = found[1].casefold(), found[2]
        operator = OPERATORS.get(name, "")
        if sign != ":":
            if not operator:
                return "", ""
            if operator not in _COMPARED:
                raise QueryError(
                    f"{found[1]} is not compared with {sign}.",
                    found.start(2),
                    suggestion=f"Write {name}:… or put it in quotes.",
                )
            self.at = found.end()
            return operator, sign
        if name in SCHEMES:
            return "", ""
        if not operator:
            raise _unknown(found[1], found.start())
        self.at = found.end()
        compared = _COMPARISON.match(self.folded, self.at) if operator in _COMPARED else None
        if compared is None:
            return operator, ""
        self.at = compared.end()
        return operator, compared[0]

    def _take_header(self, position: int) -> tuple[str, bool]:
        name = _HEADER_NAME.match(self.folded, self.at)
        if name is None:
            raise QueryError(
                "header: needs the name of a header field.",
                position,
                suggestion="Write header:x-mailer or header:x-mailer=outlook.",
            )
        self.at = name.end()
        has_value = self.folded[self.at : self.at + 1] in ("=", ":")
        self.at += has_value
        return self.text[name.start() : name.end()], has_value

    def _take_value(self, operator: str, position: int) -> tuple[str, str, int]:
        """Take a phrase, an expression or a word."""
        here = self.folded[self.at : self.at + 1]
        if here == '"':
            return self._take_phrase()
        if operator == "re" or self.folded.startswith("re:/", self.at):
            return self._take_regex()
        word = _WORD.match(self.folded, self.at)
        if word is None:
            raise QueryError(f"{operator}: has no value.", position)
        nested = _OPERATOR.match(word[0])
        if operator and nested and nested[2] == ":" and nested[1].casefold() in OPERATORS:
            raise QueryError(
                f"{operator}: is followed by another operator.",
                self.at,
                suggestion="Put the value in quotes.",
            )
        self.at = word.end()
        return self.text[word.start() : word.end()].replace("＊", "*"), "word", -1

    def _take_phrase(self) -> tuple[str, str, int]:
        opened = self.at
        self.at += 1
        letters: list[str] = []
        while self.folded[self.at : self.at + 1] != '"':
            if self.at >= len(self.text):
                raise QueryError(
                    "The quote is not closed.", opened, suggestion='Add a closing ", or drop it.'
                )
            if self.text[self.at] == "\\" and self.folded[self.at + 1 : self.at + 2] in ('"', "\\"):
                self.at += 1
            letters.append(self.text[self.at : self.at + 1])
            self.at += 1
        self.at += 1
        slop = _SLOP.match(self.folded, self.at)
        if slop is None:
            return "".join(letters), "phrase", -1
        if slop[1] is None:
            raise QueryError(
                "After the quote, ~ needs a number of words.", self.at, suggestion='As in "a b"~5.'
            )
        self.at = slop.end()
        return "".join(letters), "phrase", int(slop[1])

    def _take_regex(self) -> tuple[str, str, int]:
        opened = self.at
        if self.folded.startswith("re:/", self.at):
            self.at += 3
        if self.folded[self.at : self.at + 1] != "/":
            raise QueryError(
                "re: needs an expression between slashes.",
                opened,
                suggestion='Write re:/…/, or put the text in quotes: "re: …".',
            )
        self.at += 1
        letters: list[str] = []
        while self.folded[self.at : self.at + 1] != "/":
            if self.at >= len(self.text):
                raise QueryError("The expression is not closed by a slash.", opened)
            letter = self.text[self.at]
            if letter == "\\":
                self.at += 1
                escaped = self.text[self.at : self.at + 1]
                letter = escaped if escaped == "/" else letter + escaped
            letters.append(letter)
            self.at += 1
        self.at += 1
        return "".join(letters), "regex", -1


def _unknown(name: str, position: int) -> QueryError:
    if name.casefold() in LATER:
        return QueryError(
            f"This archive keeps no {LATER[name.casefold()]} yet, so {name}: finds nothing.",
            position,
            suggestion=f"Leave {name}: out.",
        )
    cutoff = 0.7 if name.isascii() else 0.5  # Chinese names are short
    near = difflib.get_close_matches(name.casefold(), OPERATORS, n=1, cutoff=cutoff)
    perhaps = f"Did you mean {near[0]}:? " if near else ""
    return QueryError(
        f"{name}: is no operator.",
        position,
        suggestion=f'{perhaps}To look for the text itself, put it in quotes: "{name}:…".',
    )

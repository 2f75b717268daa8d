"""Draw stretches of stored texts, by script, and see whether a search finds their message."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field

from conformance.index import mail
from holdfast.core.analysis import normalise, query_atoms
from holdfast.core.identity import public_id
from holdfast.core.ports import SearchIndex, SearchRequest
from holdfast.core.query import And, Field, Node, Phrase, Scope, Term, Wildcard
from holdfast.core.records import Record
from holdfast.core.scripts import UNSPACED

ALPHABETS = {
    "han": [chr(code) for code in range(0x4E00, 0x9FA6)],
    "kana": [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB))],
    "hangul": [chr(code) for code in range(0xAC00, 0xD7A4)],
    "thai": [chr(code) for code in (*range(0x0E01, 0x0E3B), *range(0x0E40, 0x0E4F))],
    "lao": [chr(code) for code in (0x0E81, 0x0E82, 0x0E84, *range(0x0E94, 0x0EA4), 0x0EB0)],
    "khmer": [chr(code) for code in range(0x1780, 0x17B4)],
    "burmese": [chr(code) for code in range(0x1000, 0x102B)],
    "latin": list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789"),
    "accented": list("aàâäéèêëïîôöùûüçñåøœßžščřż"),
    "cyrillic": [chr(code) for code in range(0x0410, 0x0450)],
    "greek": [chr(code) for code in range(0x0391, 0x03CA) if code != 0x03A2],
    "arabic": [chr(code) for code in range(0x0627, 0x064B) if not 0x063B <= code <= 0x0640],
    "hebrew": [chr(code) for code in range(0x05D0, 0x05EB)],
    "devanagari": [chr(code) for code in (*range(0x0905, 0x093A), *range(0x093E, 0x094D))],
}
UNSPACED_SCRIPTS = ("han", "kana", "hangul", "thai", "lao", "khmer", "burmese")
_PUNCTUATION = (" ", " ", " ", ", ", ". ", "\n", "-", "/", "。", "，", "「", "(", "\r\n\r\n", "_")
_RUN = re.compile(f"[{UNSPACED}]+")
_OWNER = Scope.whole_archive("owner")


@dataclass(slots=True)
class Recall:
    """How many draws found their message, by script and kind of draw."""

    draws: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def make_mails(rnd: random.Random, number: int) -> dict[str, list[Record]]:
    """Return mails of each script, the text in the body, the subject or both; ids are distinct."""
    made: dict[str, list[Record]] = {}
    for nth, script in enumerate(ALPHABETS):
        first = nth * number + 1
        made[script] = [_mail(rnd, script, id_) for id_ in range(first, first + number)]
    return made


def _mail(rnd: random.Random, script: str, id_: int) -> Record:
    letters = rnd.sample(ALPHABETS[script], min(40, len(ALPHABETS[script])))
    pieces: list[str] = []
    for _ in range(60):
        is_other = rnd.random() < 0.15
        alphabet = ALPHABETS[rnd.choice(tuple(ALPHABETS))] if is_other else letters
        longest = 14 if script in UNSPACED_SCRIPTS else 9
        pieces.append("".join(rnd.choices(alphabet, k=rnd.randint(1, longest))))
        pieces.append(rnd.choice(_PUNCTUATION))
    text = "".join(pieces)
    return mail(id_, text, subject=text[: rnd.randrange(40)])


def draw(rnd: random.Random, record: Record, script: str) -> tuple[str, Node]:
    """Return the kind of a draw from the record's body and the query that must find it."""
    text = record.body
    if script in UNSPACED_SCRIPTS:
        # As indexed: a stretch that begins between two marks in another order than Unicode's own
        # is put in order together with the letter before it in the text, but alone in the query.
        text = normalise(text)
        run = rnd.choice([run for run in _RUN.findall(text) if run])
        start = rnd.randrange(len(run))
        return f"{script} run", Phrase(run[start : start + rnd.randint(1, 12)])
    words = text.split(" ")
    if rnd.random() < 0.5:
        start = rnd.randrange(len(words))
        piece = " ".join(words[start : start + rnd.randint(1, 6)])
        if query_atoms(piece):
            return f"{script} words", Phrase(piece)
    word = rnd.choice([atom.text for atom in query_atoms(text) if atom.is_word])
    start = rnd.randrange(len(word))
    part = word[start : start + rnd.randint(1, len(word))]
    return f"{script} part of a word", Wildcard(f"*{part}*")


def measure_recall(
    rnd: random.Random, index: SearchIndex, mails: dict[str, list[Record]], draws: int
) -> Recall:
    """Draw so many times from each script's mails."""
    found = Recall()
    for script, records in mails.items():
        for _ in range(draws):
            record = rnd.choice(records)
            kind, query = draw(rnd, record, script)
            found.draws[kind] += 1
            itself = Term(Field.ID, public_id("msg", record.id))
            request = SearchRequest(And((query, itself)), _OWNER, limit=1)
            if [hit.id for hit in index.search(request).hits] != [record.id]:
                found.missed.append(f"{record.id} {query}")
    return found

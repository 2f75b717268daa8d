"""Changes samples of chat at random and reads them: whatever comes, a record must come of it.

It knows no format: it cuts, doubles, swaps and overwrites bytes, puts pieces of one sample into
another, and odd values into JSON objects that stay well-formed, so that it finds what no generator
of proper items would make.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from chat_kit import CORPUS, raw_of, tree_of, zip_tree
from chat_promises import broken_promise
from holdfast.core.kinds import Kind
from holdfast.core.records import Parsed, RawItem
from holdfast.ingest.readers.chats.exports import export_of
from holdfast.ingest.readers.chats.tree import ChatRules, Tree
from holdfast.ingest.readers.reading import Reader
from holdfast.parsers.chat.forms import FormItem, parse_form

_PIECES = [
    b"null", b"true", b"-1", b"1e400", b"9" * 25, b'""', b"[]", b"{}", b"[[[[", b'{"":{}}',
    b"\\ud800", b"\\u0000", b"\x00", b"\xff\xfe", b"\xe2\x80\x8e", b"\n", b"\r\n", b": ", b" - ",
    b"] ", b"[",
    b"<at id=\"0\">", b"</at>", b"<attachment id=\"", b"<emoji alt=\"", b"<img src=\"",
    b"<blockquote>",
    b"99/99/9999", b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"31/12/99, 23:59",
    "上午".encode(), "٣".encode(), b"12:00 AM", b"+1 (555) 0100", b"\xc2\xa0",
]  # fmt: skip
SYSTEMS = {
    "teams": ("teams", "teams-graph"),
    "telegram": ("telegram-account", "telegram-tg-parser", "telegram-chat-miner"),
    "wecom": ("wecom-archive",),
    "mattermost": ("mattermost-bulk-zulip", "mattermost-constructed"),
    "whatsapp": ("whatsapp", "whatsapp-chat-miner"),
    "slack": ("slack-export-zulip", "slack-export-hfaran"),
    "salesforce": ("crm",),
    "hubspot and zoho": ("crm-pages",),
    "tables": ("tables",),
}
"""System → the folders of the corpus that hold exports of it."""
_RULES = ChatRules(zone="Asia/Shanghai", order="day")
SLOWEST_S = 2.0
"""Of samples of some kilobytes; a reader whose cost is more than linear needs far longer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An item as an export offers it."""

    form: str
    raw: bytes
    context: str


@dataclass(slots=True)
class Round:
    """What a round of inputs showed."""

    inputs: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    slowest_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    def add(self, other: Round) -> None:
        """Count what another round showed, too."""
        self.inputs += other.inputs
        self.kinds += other.kinds
        self.unread += other.unread
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.problems += other.problems


def samples_of(*folders: str) -> list[Sample]:
    """Return the items that the exports in these folders of the corpus offer."""
    found = []
    for folder in folders:
        root = CORPUS / folder
        for path in (root, *sorted(p for p in root.rglob("*") if p.is_file())):
            with TemporaryDirectory() as unpacked:
                if path.suffix == ".zip":
                    found += _offered(zip_tree(path, Path(unpacked), _RULES))
                else:
                    found += _offered(tree_of(path, _RULES))
    return sorted(set(found), key=lambda one: (one.form, one.raw, one.context))


def _offered(tree: Tree) -> list[Sample]:
    export = export_of(tree)
    found = [] if export is None else list(export.offers(tree))
    items = [one for one in found if one.kind == "chat" and one.facts.form != "file"]
    samples = [Sample(one.facts.form, raw_of(one), one.facts.context) for one in items]
    with Reader() as reader:
        rows = [reader.read(one) for one in found if one.kind == "row"]
    return samples + [
        Sample(row.facts.form, bytes(row.raw), row.facts.context)
        for row in rows
        if isinstance(row, RawItem)
    ]


Reading = Callable[[str, FormItem], Parsed]


def fuzz(samples: Sequence[Sample], inputs: int, seed: int, reader: Reading = parse_form) -> Round:
    """Read changed samples; stops at the tenth problem."""
    rng, done = random.Random(seed), Round()
    while done.inputs < inputs and len(done.problems) < 10:
        sample = rng.choice(samples)
        raw = _changed(rng, _grafted(rng, sample.raw), samples, is_damaged=rng.random() < 0.4)
        context = sample.context
        if rng.random() < 0.2:
            context = _changed(rng, context.encode(), samples, is_damaged=True).decode(
                "utf-8", "replace"
            )
        began = time.thread_time()
        problem = _problem(sample.form, FormItem(raw, context), reader, done)
        done.slowest_s = max(done.slowest_s, time.thread_time() - began)
        done.inputs += 1
        if problem:
            done.problems.append(f"{problem}: {sample.form} {raw!r} {context!r}"[:2000])
    return done


def _problem(form: str, item: FormItem, reader: Reading, done: Round) -> str:
    try:
        record = reader(form, item)
        again = reader(form, item) if done.inputs % 16 == 0 else record
    except Exception as error:  # noqa: BLE001 - that nothing is raised is what is shown
        return f"raised {error!r}"
    done.kinds[record.kind] += 1
    done.unread += record.kind is Kind.UNKNOWN
    if again != record:
        return "read twice, another record"
    return broken_promise(record)


_VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**25, "", "\ud800", "\0", "x" * 300, [], {}, [[]], [None], {"": {}},
    "0001-01-01T00:00:00+14:00", "2024-03-05T09:07:00", "1709600000", 1 << 33,
    "<at id=\"0\">a</at>",
    "<p><attachment id=\"a-1\"></attachment></p>", "{\"messageId\": {}}", "message", "service",
]  # fmt: skip


def _grafted(rng: random.Random, raw: bytes) -> bytes:
    """Put odd values, and values of other places, into a JSON object that stays well-formed."""
    try:
        whole = json.loads(raw)
    except ValueError:
        return raw
    holders: list[Any] = []
    waiting = [whole]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list) and one:
            holders.append(one)
            waiting += one.values() if isinstance(one, dict) else one
    for _ in range(rng.choice((0, 1, 2, 4)) if holders else 0):
        into, source = rng.choice(holders), rng.choice(holders)
        value = rng.choice([*_VALUES, _inside(rng, source)])
        keys = list(into) if isinstance(into, dict) else list(range(len(into)))
        into[rng.choice(keys)] = json.loads(json.dumps(value))
    return json.dumps(whole, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def _inside(rng: random.Random, holder: Any) -> Any:
    value = rng.choice(list(holder.values()) if isinstance(holder, dict) else holder)
    return value if len(repr(value)) < 5000 else None


def _changed(
    rng: random.Random, raw: bytes, samples: Sequence[Sample], *, is_damaged: bool
) -> bytes:
    if not is_damaged and raw[:1] == b"{":
        return raw
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at = rng.randrange(len(raw) + 1)
        to = min(len(raw), at + rng.choice((1, 1, 2, 4, 16, 64)))
        how = rng.randrange(10)
        if how == 0:
            raw = raw[:at] + raw[to:]
        elif how == 1:
            raw = raw[:at] + raw[at:to] * rng.choice((2, 3, 50)) + raw[to:]
        elif how == 2:
            raw = raw[:at] + bytes(rng.randrange(256) for _ in range(to - at)) + raw[to:]
        elif how == 3:
            raw = raw[:at] + rng.choice(_PIECES) + raw[at:]
        elif how == 4:
            raw = raw[:at] + rng.choice(_PIECES) + raw[to:]
        elif how == 5:
            other = rng.choice(samples).raw
            begin = rng.randrange(len(other) + 1)
            raw = raw[:at] + other[begin : begin + 200] + raw[to:]
        else:
            raw = _value_replaced(rng, raw)
    return raw[: 1 << 16]


def _value_replaced(rng: random.Random, raw: bytes) -> bytes:
    """Put another value where one ends behind a colon: what is well-formed stays so."""
    colons = [place for place in range(len(raw)) if raw[place] == 58][:200]
    if not colons:
        return raw
    at = rng.choice(colons) + 1
    ends = [place for place in (raw.find(b",", at), raw.find(b"}", at)) if place >= 0]
    return raw[:at] + rng.choice(_PIECES) + raw[min(ends, default=len(raw)) :]

"""Damages requests and contents of webhooks by chance, the same for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chat_promises import broken_promise
from holdfast.core.records import Parsed
from holdfast.ingest.webhooks.request import Outcome, Request, Taken
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, context_of, context_text
from hook_kit import CASES, NOW, SECRET, Case

CORPUS = Path(__file__).resolve().parents[1] / "corpus/chat"
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 70, 1e308, float("inf"), "", " ", "\ud83d", "\x00", "x" * 5000,
    "@_user_1" * 50, "{a}" * 50, "9" * 5000, "2026-01-05 09:30", "0001-01-01T00:00:00+14:00",
    "1e400", "<at user_id=", [], {}, [[]], [None], {"": {}}, "[" * 200, '{"a":' * 100, "$.a", "+86",
)  # fmt: skip
KEYS = ("text", "content", "data", "event", "id", "at", "from", "participants", "users", "value")
EXTRA = {
    "fields": {"to": ["$.data.phone", "$.data[*]"], "body": ["$.x", "$['y z']"], "at": ["$.t"]},
    "kinds": {"1": "call"},
    "directions": {"1": "in"},
    "country": "86",
    "scheme": "crm",
}
CONTEXT = context_text(Context(channel="crm", zone="Asia/Shanghai", extra=EXTRA))
MAX_DEPTH_OF_DAMAGE = 30


def samples(form: str) -> list[bytes]:
    """Return good contents of a form."""
    vectors = json.loads((CORPUS / "webhooks/vectors.json").read_text(encoding="utf-8"))
    person = {"name": "王", "phone": "+86 138 0013 8000", "role": "cc", "side": "staff"}
    hook = {"kind": "call", "id": "1", "at": 1, "from": person, "participants": [person, "a@b.c"]}
    hook |= {"direction": "in", "duration_s": "1:05", "external_ids": {"crm": 1}, "body": ["x"]}
    hook |= {"attachments": [{"url": "https://x/y", "size": 1}], "data": {"phone": "1001"}}
    creator = {"name": "张", "username": "z"}
    entry = {"_id": "1", "appId": "a", "entryId": "e", "creator": creator, "_widget_1": [1]}
    notice = vectors["msgraph"]["body"]["value"][0]
    pushes = ({"op": op, "data": entry} for op in ("data_create", "data_remove"))
    found: dict[str, list[bytes]] = {
        "feishu.event": _lines("feishu/events.jsonl"),
        "dingtalk.event": _lines("dingtalk/chat_events.jsonl"),
        "dingtalk.robot": _lines("dingtalk/robot_messages.jsonl"),
        "wecom.callback": [vectors["wecom_callback"]["plaintext"].encode()],
        "teams.notification": [
            json.dumps(notice).encode(),
            vectors["msgraph"]["plaintext"].encode(),
        ],
        "jdy.event": [json.dumps(one).encode() for one in pushes],
        "hook.event": [json.dumps(hook).encode()],
    }
    return found[form]


def _lines(name: str) -> list[bytes]:
    return (CORPUS / name).read_bytes().splitlines()


FORMS = (
    "feishu.event", "dingtalk.event", "dingtalk.robot", "wecom.callback", "teams.notification",
    "jdy.event", "hook.event",
)  # fmt: skip


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Return a content with some of its values or of its bytes changed."""
    if chance.random() < 0.75 and content[:1] == b"{":
        value = json.loads(content)
        for _ in range(chance.randint(1, 4)):
            _spoil(value, chance)
        content = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )
    return content if chance.random() < 0.7 else _spoiled_bytes(content, chance)


def _spoil(value: Any, chance: random.Random) -> None:
    """Change one place anywhere in a value."""
    for _ in range(MAX_DEPTH_OF_DAMAGE):
        places = [*value] if isinstance(value, dict) else [*range(len(value))]
        if not places:
            break
        place = chance.choice(places)
        inside = value[place]
        if isinstance(inside, dict | list) and inside and chance.random() < 0.7:
            value = inside
        elif isinstance(inside, str) and inside[:1] == "{" and chance.random() < 0.7:
            value[place] = _spoiled_text(inside, chance)
            break
        else:
            _change(value, place, chance)
            break


def _spoiled_text(inside: str, chance: random.Random) -> str:
    """Change JSON that is written inside a text."""
    try:
        value = json.loads(inside)
    except ValueError:
        return inside[: chance.randint(0, len(inside))]
    _spoil(value, chance)
    return json.dumps(value)


def _change(value: Any, place: Any, chance: random.Random) -> None:
    way = chance.randint(0, 3)
    if way == 0:
        del value[place]
    elif way == 1 and isinstance(value, dict):
        value[chance.choice(KEYS)] = copy.deepcopy(value[place])
    elif way == 2:
        value[place] = [copy.deepcopy(value[place])] * chance.randint(1, 3)
    else:
        value[place] = copy.deepcopy(chance.choice(ODD))


def _spoiled_bytes(content: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(content))
    way = chance.randint(0, 3)
    if way == 0:
        return content[:at]
    if way == 1:
        return content[:at] + chance.randbytes(chance.randint(1, 8)) + content[at:]
    if way == 2:
        return content[:at] + content[at + chance.randint(1, 20) :]
    return content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :]


Parse = Callable[[str, FormItem], Parsed]


def problem_of(form: str, content: bytes, parse: Parse = parse_form) -> str:
    """Return how the parser of a form breaks its promises for a content; empty when it does not."""
    record = parse(form, FormItem(content, CONTEXT))
    if len(record.body) > 40 * len(content) + 1000:
        return "a text that has grown"
    return broken_promise(record)


def damaged_request(request: Request, chance: random.Random) -> Request:
    """Return a request one part of which is another one."""
    way = chance.randint(0, 3)
    if way == 0 and request.query:
        return replace(request, query=_spoiled_names(request.query, chance))
    if way == 1:
        return replace(request, headers=_spoiled_names(request.headers, chance))
    body = damaged(request.body, chance)
    return replace(request, body=body)


def _spoiled_names(named: Mapping[str, str], chance: random.Random) -> dict[str, str]:
    found = dict(named)
    name = chance.choice(sorted(found))
    value = found.pop(name)
    if chance.random() < 0.8:
        odd = ("", "0", "x", value + "0", value[:-1], value.swapcase(), "９", "\ud800", "1" * 5000)
        found[name] = chance.choice(odd)
    return found


def _taken_problem(outcome: Outcome) -> str:
    """Return what of the events could not be kept."""
    if not isinstance(outcome, Taken):
        return ""
    for one in outcome.events:
        if not (0 < len(one.key) <= 255 and one.key.isascii() and one.key.isprintable()):
            return "a key that cannot be indexed"
        if context_of(context_text(one.context)) != one.context:
            return "a context that cannot be kept"
    return ""


def request_problem(case: Case, chance: random.Random) -> str:
    """Return how a handler breaks its promises for one damaged request, signed anew or not."""
    good = case.good()
    if chance.random() < 0.5:
        return _taken_problem(case.handle(case.signed(damaged(case.content, chance), NOW, SECRET)))
    request = damaged_request(good, chance)
    outcome = case.handle(request)
    if not isinstance(outcome, Taken) or not case.covers_body or case.name == "teams":
        return ""
    if any((one.opened or one.raw) != case.content for one in outcome.events):
        return "another content was taken with the signature of this one"
    if request.query != good.query:
        return "other parameters were taken with this signature"
    return ""


Target = Callable[[random.Random], str]


def targets() -> dict[str, Target]:
    """Return everything that is damaged, by name: each parser of a form, each handler."""
    found: dict[str, Target] = {}
    for form in FORMS:
        found[form] = _form_target(form)
    for case in CASES:
        found[f"handler {case.name}"] = _case_target(case)
    return found


def _form_target(form: str) -> Target:
    good = samples(form)
    return lambda chance: problem_of(form, damaged(chance.choice(good), chance))


def _case_target(case: Case) -> Target:
    return lambda chance: request_problem(case, chance)

"""What must hold of the lines that services write for whoever collects logs."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.header import Header
from pathlib import Path

from api_kit import office
from archive_kit import settings_in
from holdfast.cli.commands.working import write_event
from holdfast.ingest.smtp.config import Login
from holdfast.wiring.founding import create_archive
from hook_kit import SECRET, signed_slack
from hook_storm import SYSTEMS, add_systems
from smtp_kit import CONFIG, JOURNAL, Client, listening

HOSTILE = {
    "line ends": 'x\r\n{"event":"sign_in","by":"admin"}\r\n',
    "separators": "x\x85y\u2028z\u2029\x0b\x0c\x1c",
    "escape sequences": "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "directions": "\u202egnp.exe\u2066",
    "surrogate": "\ud800",
    "quotes": '"},{"event":"x","a":"\\',
    "nul": "a\0b",
}
"""What senders write into names, addresses and answers, to write lines of their own."""
LONG = "s" * 1_000_000
MOST_LINE_CHARS = 10_000
MARK = "tulips-of-the-secret-garden"
PASSWORD = "hunter2-never-logged"


def written(event: Mapping[str, object]) -> str:
    """Return what a service writes of an event."""
    shown = io.StringIO()
    with contextlib.redirect_stderr(shown):
        write_event(event)
    return shown.getvalue()


def each_event_is_one_safe_line() -> None:
    """F68: whatever a text holds, its event is one line of JSON, escaped, and bounded.

    Raises:
        AssertionError: A line could be mistaken for several, acts on a terminal, or has no end.
    """
    for name, text in {**HOSTILE, "long": LONG}.items():
        line = written({"event": "smtp.refused", "cause": text})
        assert line.endswith("\n"), f"{name}: the line has no end"
        assert len(line.splitlines()) == 1, f"{name}: more than one line"
        acting = [one for one in line[:-1] if unicodedata.category(one) in ("Cc", "Cf", "Cs")]
        assert not acting, f"{name}: {acting[0]!r} is not escaped"
        said = json.loads(line)
        assert said["event"] == "smtp.refused", f"{name}: another event"
        assert len(line) < MOST_LINE_CHARS, f"{name}: the line is not cut"
        assert text.startswith(said["cause"].rstrip("…")), f"{name}: another text"


def nothing_secret_is_logged(folder: Path) -> None:
    """F68: mail, refused mail, wrong passwords and forged webhooks leave neither content nor
    secrets in the log.

    Raises:
        AssertionError: A line holds a word of a subject, a body, an address or a password.
    """
    past_events = io.StringIO()
    with contextlib.redirect_stderr(past_events):  # whatever is printed beside the events
        events = [*_mail_events(folder), *_hook_events(folder)]
    told = {one["event"] for one in events}
    assert told >= {"smtp.refused", "library.warning", "hook.denied"}, f"not looked at: {told}"
    assert past_events.getvalue() == "", f"no event: {past_events.getvalue()[:200]!r}"
    lines = [written(one) for one in events]
    for word in (MARK, PASSWORD, SECRET):
        found = [line for line in lines if word.lower() in line.lower()]
        assert not found, f"{word!r} is in the log: {found[0][:300]}"


def _mail_events(folder: Path) -> Iterable[Mapping[str, object]]:
    config = replace(CONFIG, login=Login("exchange", PASSWORD))
    subject = Header(f"x\r\nBcc: {MARK}\r\n\x1b[2J", "utf-8").encode()
    mail = f"Subject: {subject}\r\nSubject: {MARK}\r\nFrom: {MARK}@x.example\r\n\r\n{MARK}\r\n"
    with listening(settings_in(folder / "mail"), config) as running:
        with Client(running.port) as client:
            client.greet()
            assert client.deliver(mail.encode()).startswith("250 ")
            guess = base64.b64encode(f"\0exchange\0{PASSWORD}x".encode()).decode()
            client.say(f"AUTH PLAIN {guess}")
            client.say(f"MAIL FROM:<{MARK}@x.example>")
            assert client.say(f"RCPT TO:<{MARK}@x.example>").startswith("550 ")
            client.say(f"{MARK} \x1b[2J")
            client.say(f"RCPT TO:<{JOURNAL}>")
            client.say("DATA")
            client.send(mail.encode())
        running.end()
        return list(running.told())


def _hook_events(folder: Path) -> Iterable[Mapping[str, object]]:
    settings = settings_in(folder / "hooks")
    create_archive(settings)
    add_systems(settings, SYSTEMS[:1])
    events: list[Mapping[str, object]] = []
    with office(settings) as served:
        hooks = served.client.app.state.served.hooks  # type: ignore[attr-defined]
        hooks.report = events.append
        content = json.dumps({"text": MARK}).encode()
        for secret in (SECRET + "x", PASSWORD):
            sent = signed_slack(content, datetime.now(UTC), secret)
            answer = served.ask(
                "", "POST", "/ingest/hooks/slack", headers=dict(sent.headers), content=sent.body
            )
            assert answer.status_code == 401
        hooks.close()
    return events

"""Makes messages, events and exports of Slack, and reads the real ones of the corpus."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.core.kinds import Role
from holdfast.core.records import Parsed, Participant
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, Person, context_text

CORPUS = Path(__file__).parents[1] / "corpus" / "chat"
REAL = (
    CORPUS / "slack-export-hfaran" / "testarchive.zip",
    CORPUS / "slack-export-zulip" / "test_slack_importer.zip",
)
EVENTS = CORPUS / "slack-events-api" / "events"
TS = "1700000000.000100"
ROOM = {"key": "C1", "name": "general"}
PEOPLE = {
    "U1": Person("Ann Acker", "", "staff"),
    "U2": Person("Bob Bode", "", "outside"),
    "B9": Person("Deploy Bot", "", "bot"),
}
CONTEXT = Context("slack", "T1", room=ROOM, people=PEOPLE)


def parsed(form: str, value: object, context: Context = CONTEXT) -> Parsed:
    """Return the record of a JSON value."""
    return parse_form(form, FormItem(json.dumps(value).encode(), context_text(context)))


def message(**fields: Any) -> Parsed:
    """Return the record of a message in an export."""
    return parsed("slack.message", {"type": "message", "ts": TS, **fields})


def event(value: Mapping[str, Any], context: Context = CONTEXT, **outer: Any) -> Parsed:
    """Return the record of an event, in its envelope."""
    envelope = {"type": "event_callback", "event_id": "Ev1", "event_time": 1700000009}
    return parsed("slack.event", {**envelope, **outer, "event": value}, context)


def codes(record: Parsed) -> list[str]:
    """Return the codes of the defects."""
    return [one.code for one in record.defects]


def people(record: Parsed, *roles: Role) -> list[Participant]:
    """Return those in these roles."""
    return [one for one in record.participants if one.role in roles]


def members_of(archive: Path) -> dict[str, Any]:
    """Return the JSON of all files of a real export, by path."""
    with zipfile.ZipFile(archive) as opened:
        return {
            name: json.loads(opened.read(name)) for name in opened.namelist() if name[-1] != "/"
        }


def days_of(archive: Path) -> list[dict[str, Any]]:
    """Return all messages of a real export."""
    days = [value for name, value in members_of(archive).items() if "/" in name]
    return [one for day in days for one in day]


def export_files(messages: Mapping[str, object], **more: object) -> dict[str, bytes]:
    """Return the files of a small workspace: two people, room `general`, and these days."""
    users = [
        {"id": "U1", "team_id": "T1", "name": "ann", "profile": {"real_name": "Ann Acker"}},
        {"id": "U2", "team_id": "T1", "name": "bob", "is_restricted": True},
    ]
    rooms = [{"id": "C1", "name": "general", "created": 1600000000, "members": ["U1", "U2"]}]
    files: dict[str, object] = {"users.json": users, "channels.json": rooms, **messages, **more}
    return {
        name: value if isinstance(value, bytes) else json.dumps(value).encode()
        for name, value in files.items()
    }


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files below a directory and return it."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(path: Path, files: Mapping[str, bytes], prefix: str = "") -> Path:
    """Write the files into a ZIP archive and return it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(prefix + name, content)
    return path

"""Takes real exports of chats to pieces, as a system that exports again and again gives them."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat_kit import CORPUS, written
from slack_kit import members_of

Rest = Callable[[Sequence[Any]], Sequence[Any]]
"""Which of the messages of one room are in a piece, in their order."""
PIECES: dict[str, Rest] = {
    "whole": lambda messages: messages,
    "first": lambda messages: messages[: len(messages) // 2],
    "second": lambda messages: messages[len(messages) // 2 :],
    "early": lambda messages: messages[: -(-len(messages) * 2 // 3)],
    "late": lambda messages: messages[len(messages) // 3 :],
}
"""`early` and `late` overlap in the middle third."""
_LINE_OF_CHAT = re.compile(r"(?m)^(?=[\u200e\[]{0,2}\d+[/.-]\d+[/.-])")
_CONVERSATION = re.compile(r"(?=  <Conversation )|(?=</FileDump>)")
_MESSAGE = re.compile(r"(?s)    <Message>.*?</Message>\n")
CONVERSATIONS = 12
"""Of the sample's two hundred."""
_ROW = re.compile(r"(?m)^(?=\d{13},)")


@dataclass(frozen=True, slots=True)
class Exports:
    """One export in several pieces; each a folder."""

    folder: Path

    def __getitem__(self, piece: str) -> Path:
        return self.folder / piece


def exports_of(system: str, folder: Path) -> Exports:
    """Write all pieces of the samples of one system."""
    for piece, rest in PIECES.items():
        SYSTEMS[system](folder / piece, rest)
    return Exports(folder)


def _slack(folder: Path, rest: Rest) -> None:
    (sample,) = (CORPUS / "slack-export-zulip").glob("*.zip")
    for name, value in members_of(sample).items():
        of_a_day = "/" in name
        written(folder, {name: json.dumps(list(rest(value)) if of_a_day else value)})


def _teams(folder: Path, rest: Rest) -> None:
    shutil.copytree(CORPUS / "teams", folder)
    for path in folder.rglob("messages_*.json"):
        path.write_text(json.dumps(list(rest(json.loads(path.read_bytes())))))


def _teams_graph(folder: Path, rest: Rest) -> None:
    page = json.loads((CORPUS / "teams-graph" / "page-1.json").read_bytes())
    written(folder, {"page-1.json": json.dumps(page | {"value": list(rest(page["value"]))})})


def _telegram(folder: Path, rest: Rest) -> None:
    shutil.copytree(CORPUS / "telegram-account", folder)
    export = json.loads((folder / "result.json").read_bytes())
    for chat in export["chats"]["list"]:
        chat["messages"] = list(rest(chat["messages"]))
    text = json.dumps(export)
    (folder / "result.json").write_text(text)
    for path in folder.rglob("*"):
        is_media = path.is_file() and path.parent != folder
        if is_media and path.relative_to(folder).as_posix() not in text:
            path.unlink()


def _whatsapp(folder: Path, rest: Rest) -> None:
    for sample in sorted((CORPUS / "whatsapp").iterdir()):
        text = (sample / "_chat.txt").read_text(encoding="utf-8")
        messages = [one for one in _LINE_OF_CHAT.split(text) if one]
        written(folder, {f"{sample.name}/_chat.txt": "".join(rest(messages))})


def _mattermost(folder: Path, rest: Rest) -> None:
    lines = (CORPUS / "mattermost-constructed" / "import.jsonl").read_bytes().splitlines()
    posts = [line for line in lines if json.loads(line)["type"].endswith("post")]
    kept = {*rest(posts)}
    made = [line for line in lines if line not in posts or line in kept]
    written(folder, {"import.jsonl": b"\n".join(made) + b"\n"})


def _mattermost_compliance(folder: Path, rest: Rest) -> None:
    text = (CORPUS / "mattermost-constructed" / "posts.csv").read_text(encoding="utf-8")
    head, *rows = _ROW.split(text)
    written(folder, {"posts.csv": head + "".join(rest(rows))})


def _actiance(folder: Path, rest: Rest) -> None:
    """The first conversations of the sample, each with some of its messages."""
    sample = CORPUS / "mattermost-compliance" / "actiance_export.xml.gz"
    head, *conversations = _CONVERSATION.split(gzip.decompress(sample.read_bytes()).decode())
    made = [_with_messages(one, rest) for one in conversations[:CONVERSATIONS]]
    written(folder, {"actiance.xml": f"{head}{''.join(made)}</FileDump>\n"})


def _with_messages(conversation: str, rest: Rest) -> str:
    messages = _MESSAGE.findall(conversation)
    kept = Counter(rest(messages))
    return _MESSAGE.sub(lambda found: found[0] if _taken(kept, found[0]) else "", conversation)


def _taken(kept: Counter[str], one: str) -> bool:
    kept[one] -= 1
    return kept[one] >= 0


def _crm_pages(folder: Path, rest: Rest) -> None:
    """HubSpot's activities and Zoho's notes, each page with some of its items."""
    for path in (CORPUS / "crm-pages").glob("*.json"):
        page = json.loads(path.read_bytes())
        name = "results" if "results" in page else "data"
        written(folder, {path.name: json.dumps(page | {name: list(rest(page[name]))})})


def _salesforce(folder: Path, rest: Rest) -> None:
    """Its tables, the sample's row again and again under other ids, at other times."""
    for path in (CORPUS / "crm").glob("*.csv"):
        head, row = path.read_text(encoding="utf-8").splitlines()[:2]
        own = row.split(",")[0].strip('"')
        rows = [
            row.replace(own, f"{own[:-2]}{number:02}").replace("T01:07", f"T01:{number:02}")
            for number in range(10, 16)
        ]
        written(folder, {path.name: "\n".join([head, *rest(rows)]) + "\n"})


SYSTEMS: dict[str, Callable[[Path, Rest], None]] = {
    "slack": _slack,
    "teams": _teams,
    "teams graph": _teams_graph,
    "telegram": _telegram,
    "whatsapp": _whatsapp,
    "mattermost": _mattermost,
    "mattermost compliance": _mattermost_compliance,
    "actiance": _actiance,
    "hubspot and zoho": _crm_pages,
    "salesforce": _salesforce,
}

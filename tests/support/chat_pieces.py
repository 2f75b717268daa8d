"""Takes real exports of chats to pieces, as a system that exports again and again gives them."""

from __future__ import annotations

import json
import re
import shutil
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


SYSTEMS: dict[str, Callable[[Path, Rest], None]] = {
    "slack": _slack,
    "teams": _teams,
    "teams graph": _teams_graph,
    "telegram": _telegram,
    "whatsapp": _whatsapp,
    "mattermost": _mattermost,
    "mattermost compliance": _mattermost_compliance,
}

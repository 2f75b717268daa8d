"""A bridge to WeCom for tests, as docs/connectors/wecom.md asks for: serves lines of a file.

    python wecom_bridge.py ARCHIVE [--log FILE]

ARCHIVE is a directory: `messages.jsonl` holds a line for each message, as the bridge gives it; a
file of `media/` is named by the SHA-256 of its `sdkfileid`. `trouble.json` there says what is to go
wrong: it is read anew with each question.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

ARCHIVE = Path(sys.argv[1])
PIECE = 512 << 10
CIPHER = b"opened by "
"""What stands before the key in the text that our symmetric step opens; the vendor's is closed."""


def say(value: Any) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def note(what: str) -> None:
    """Log a question, for the test to count."""
    with (ARCHIVE / "asked.log").open("a", encoding="utf-8") as file:
        file.write(what + "\n")


def trouble() -> dict[str, Any]:
    """What is to go wrong now."""
    path = ARCHIVE / "trouble.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def happens(name: str) -> bool:
    """Tell whether a trouble is left, and take one of it."""
    found = trouble()
    left = int(found.get(name, 0))
    if left > 0:
        (ARCHIVE / "trouble.json").write_text(json.dumps({**found, name: left - 1}), "utf-8")
    return left > 0


def messages(question: dict[str, Any]) -> None:
    """Give a page."""
    lines = (ARCHIVE / "messages.jsonl").read_bytes().splitlines()
    after = [one for one in lines if json.loads(one)["seq"] > question["seq"]]
    page = after[: question["limit"]]
    die_after = trouble().get("die_after_seq", 0)
    for line in page:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
        if die_after and json.loads(line)["seq"] >= die_after:
            os._exit(1)
    say({"end": True, "more": len(after) > len(page)})


def media(question: dict[str, Any]) -> None:
    """Give a file in pieces."""
    name = hashlib.sha256(question["sdkfileid"].encode()).hexdigest()
    path = ARCHIVE / "media" / name
    if not path.exists():
        say({"error": "no such file", "code": 10011, "retry": False})
        return
    if happens("media_dies"):
        os._exit(1)
    if happens("media_fails"):
        say({"error": "net\nwork", "code": 10001})
        return
    raw = path.read_bytes()
    if happens("media_damaged"):
        raw = raw[:-1] + b"?"
    for at in range(0, len(raw), PIECE):
        say({"bytes": base64.b64encode(raw[at : at + PIECE]).decode()})
        if happens("media_cut"):
            os._exit(1)
    say({"end": True})


def decrypt(question: dict[str, Any]) -> None:
    """Open a text that names the key it was closed with: stands for the vendor's cipher."""
    key = base64.b64decode(question["key"])
    closed = base64.b64decode(question["encrypt_chat_msg"])
    head = CIPHER + key + b"\n"
    if not closed.startswith(head):
        say({"error": "DecryptData failed", "code": 10004, "retry": False})
        return
    say({"message": closed[len(head) :].decode("utf-8"), "end": True})


def begin(question: dict[str, Any]) -> None:
    """Read the secrets, or say that they are not there."""
    secrets = question["secrets"]
    if secrets and "corp_secret" not in json.loads(Path(secrets).read_text("utf-8")):
        say(
            {
                "error": "no corp_secret in the file of secrets",
                "retry": False,
                "next_step": "Add it.",
            }
        )
        return
    say({"end": True})


ANSWERS = {"begin": begin, "messages": messages, "media": media, "decrypt": decrypt}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        question = json.loads(line)
        note(f"{question['ask']} {question.get('seq', question.get('sdkfileid', ''))}")
        if happens("kills_at") and not trouble()["kills_at"]:
            os.kill(os.getppid(), signal.SIGKILL)
        if happens("hangs"):
            time.sleep(600)
        if happens("babbles"):
            sys.stdout.write(trouble()["words"] + "\n")
            sys.stdout.flush()
            continue
        ANSWERS[question["ask"]](question)


if __name__ == "__main__":
    main()

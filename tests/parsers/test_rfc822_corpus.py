"""Real and broken messages: each is read, some are compared with what a person expects."""

from __future__ import annotations

import json
import mmap
from pathlib import Path
from typing import Any

import pytest

from differential import report
from holdfast.core.records import Parsed
from holdfast.parsers.rfc822 import attachment_bytes, envelope_only, parse

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SETS = (
    "constructed-mail", "cpython", "enmime", "imaptest", "rspamd", "ruby-mail", "spamassassin",
    "zbateson",
)  # fmt: skip
FILES = [
    path
    for name in SETS
    for path in sorted((CORPUS / name).iterdir())
    if not path.name.endswith(".expect.json")
]
EXPECTATIONS = [path for name in SETS for path in sorted((CORPUS / name).glob("*.expect.json"))]


def all_text(parsed: Parsed) -> str:
    people = [f"{each.name}\n{each.address}" for each in parsed.participants]
    files = [f"{each.filename}\n{each.text}" for each in parsed.attachments]
    fields = [f"{name}\n{value}" for name, value in parsed.headers]
    defects = [f"{each.code}\n{each.detail}" for each in parsed.defects]
    own = [parsed.subject, parsed.base_subject, parsed.body, parsed.html, parsed.message_id]
    own += [parsed.date_raw, parsed.list_id, *parsed.references, *parsed.in_reply_to]
    return "\n".join([*own, *people, *files, *fields, *defects])


@pytest.mark.parametrize("name", SETS)
def test_every_message_of_the_corpus_is_read_and_can_be_stored(name: str) -> None:
    for path in (path for path in FILES if path.parent.name == name):
        parsed = parse(path.read_bytes())
        text = all_text(parsed)
        assert text.encode("utf-8"), path
        assert "\0" not in text, path
        assert len(parsed.fingerprint) == 32


@pytest.mark.parametrize("name", SETS)
def test_bytes_of_each_attachment_are_found_again_by_its_path(name: str) -> None:
    for path in (path for path in FILES if path.parent.name == name):
        raw = path.read_bytes()
        for item in parse(raw).attachments[:5]:
            assert len(attachment_bytes(raw, item.path)) == item.size_bytes, path


def test_missing_path_of_an_attachment_is_an_error() -> None:
    with pytest.raises(KeyError):
        attachment_bytes(b"Subject: x\n\nhi", "7")


@pytest.mark.parametrize("path", EXPECTATIONS, ids=lambda path: path.name.removesuffix(".json"))
def test_message_reads_as_a_person_expects(path: Path) -> None:
    expected: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    parsed = parse(path.with_name(path.name.removesuffix(".expect.json")).read_bytes())
    found = {
        "kind": parsed.kind.value,
        "subject": parsed.subject,
        "message_id": parsed.message_id,
        "people": [[each.role.value, each.name, each.address] for each in parsed.participants][:12],
        "sent_at": parsed.sent_at.isoformat() if parsed.sent_at else None,
        "sent_at_source": parsed.sent_at_source,
        "has_html": bool(parsed.html),
        "attachments": [
            [each.path, each.filename, each.declared_type, each.sniffed_type, each.size_bytes]
            for each in parsed.attachments
        ][:12],
        "defects": sorted({each.code for each in parsed.defects}),
    }
    lines = expected.pop("body_holds")
    assert found == expected
    assert all(line in parsed.body for line in lines)


def test_memory_map_reads_like_bytes(tmp_path: Path) -> None:
    for path in FILES[::7]:
        raw = path.read_bytes()
        if not raw:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            assert parse(view) == parse(raw), path


def test_envelope_of_a_killed_parse_names_people_subject_and_reason() -> None:
    for path in FILES[::5]:
        raw = path.read_bytes()
        whole, envelope = parse(raw), envelope_only(raw[: 256 << 10], "memory limit")
        assert ("parse_killed", "memory limit") in [(d.code, d.detail) for d in envelope.defects]
        assert envelope.subject == whole.subject
        assert envelope.participants == whole.participants
        assert envelope.body == ""
        assert envelope.attachments == ()


@pytest.mark.filterwarnings("ignore")
def test_every_difference_from_other_parsers_has_a_known_reason() -> None:
    lines = [line for name in SETS for line in report(CORPUS / name)]
    assert [line for line in lines if "unclassified" in line and ", 0 uncl" not in line] == []

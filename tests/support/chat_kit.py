"""Makes trees of exports for tests, reads what they offer back, and parses it."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Parsed, Participant
from holdfast.ingest.readers.chats.exports import Export, export_of
from holdfast.ingest.readers.chats.tree import ChatRules, Member, Spot, Tree
from holdfast.ingest.readers.chats.trees import chat_directory
from holdfast.ingest.readers.offers import Offered, local
from holdfast.parsers.chat.forms import FormItem, parse_form
from holdfast.parsers.chat.values import Context, context_text

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "chat"


def tree_of(root: Path, rules: ChatRules | None = None) -> Tree:
    """Return the tree of a directory, or of one file."""
    paths = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    base = root.parent if root.is_file() else root
    members = {}
    for path in paths:
        inside = path.relative_to(base).as_posix()
        members[inside] = Member(
            inside, path.stat().st_size, partial(_opened, path, inside), partial(_begins, path)
        )
    return Tree(members, rules or ChatRules(), root.name)


def zip_tree(archive: Path, unpacked: Path, rules: ChatRules | None = None) -> Tree:
    """Return the tree of a ZIP archive, unpacked for it into an empty directory."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(unpacked)
    tree = tree_of(unpacked, rules)
    return Tree(tree.members, tree.rules, archive.name)


def written(root: Path, files: Mapping[str, bytes | str]) -> Path:
    """Write some files and return where."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def _begins(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        return file.read(length)


@contextmanager
def _opened(path: Path, inside: str) -> Iterator[Spot]:
    fd = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(fd).st_size
        yield Spot(fd, 0, size, str(path), inside, inside, "", inside.rpartition("/")[0])
    finally:
        os.close(fd)


def offers_of(export: Export, tree: Tree) -> list[Offered]:
    """Return what an export offers: twice the same, each key once, no byte read wrongly."""
    assert type(export_of(tree)) is type(export)
    found = list(export.offers(tree))
    assert [one.key for one in export.offers(tree)] == [one.key for one in found]
    assert len({one.key for one in found}) == len(found)
    for one in found:
        if one.digest:
            assert hashlib.sha256(raw_of(one)).hexdigest()[:16] == one.digest
    touched = {one.container for one in found}
    assert len(touched) == len(tree.members)
    return found


def offers_in(folder: Path, name: str, **rules: str) -> list[Offered]:
    """Return what a directory offers as the export of this name, each key once."""
    tree = chat_directory(folder, "", ChatRules(**rules))
    export = export_of(tree)
    assert export is not None
    assert export.name == name
    found = list(export.offers(tree))
    assert len({one.key for one in found}) == len(found)
    return found


def ends_of(found: Sequence[Offered]) -> Counter[str]:
    """Count the items by form, and what is passed over by reason."""
    return Counter(one.facts.form if one.kind == "chat" else one.facts.note for one in found)


def raw_of(offered: Offered) -> bytes:
    """Return the bytes that an offer stands for."""
    content = local(offered.container).read_bytes()
    return content[offered.offset : offered.offset + offered.length]


def parsed_of(offered: Offered) -> Parsed:
    """Return the record of an offer."""
    facts = offered.facts
    return parse_form(facts.form, FormItem(raw_of(offered), facts.context))


def records_of(found: list[Offered]) -> list[Parsed]:
    """Return the records of those that are items."""
    return [parsed_of(one) for one in found if one.kind == "chat"]


def once(records: list[Parsed]) -> list[Parsed]:
    """Return the records as filing keeps them: one for each fingerprint, the first."""
    return list({one.fingerprint: one for one in reversed(records)}.values())[::-1]


def read(form: str, raw: bytes, context: Context | None = None) -> Parsed:
    """Return the record of some bytes."""
    return parse_form(form, FormItem(raw, context_text(context or Context())))


def people(record: Parsed, role: Role) -> list[Participant]:
    """Return those in one role."""
    return [one for one in record.participants if one.role is role]


def parties(record: Parsed) -> list[tuple[Role, str, str]]:
    """Return role, address and side of everybody, in order."""
    return [(one.role, one.address, one.side) for one in record.participants]


def of_kind(records: list[Parsed], kind: Kind) -> list[Parsed]:
    """Return the records of one kind."""
    return [one for one in records if one.kind is kind]


def codes(record: Parsed) -> set[str]:
    """Return the codes of the defects."""
    return {one.code for one in record.defects}

"""Name everything that a path holds, in a stable order; bodies are not kept in memory."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from holdfast.core.errors import NotFound, Refused
from holdfast.core.records import CaptureFacts
from holdfast.ingest.readers import maildir
from holdfast.ingest.readers.chats.exports import Export, export_of
from holdfast.ingest.readers.chats.tree import Tree, accounted
from holdfast.ingest.readers.chats.trees import chat_directory, head_on_disk
from holdfast.ingest.readers.contents import PlanRules, offers_in
from holdfast.ingest.readers.mbox import QUOTINGS
from holdfast.ingest.readers.offers import Offered, local, portable
from holdfast.ingest.readers.places import Place
from holdfast.ingest.readers.recognition import HEAD_BYTES, litter, recognise

_DEFAULT = PlanRules()
_ROLE_RULES = {"tmp_file": "maildir_tmp", "bookkeeping": "mail_server_bookkeeping"}


@dataclass(frozen=True, slots=True)
class _Visit:
    """One place on disk that the walk still has to see."""

    path: str
    """Absolute; a text, as of each message of a Maildir little else is asked."""
    trail: str
    """Path from the imported one down, `portable`."""
    folder: str
    """Name of the Maildir folder that this directory is, or lies in."""
    role: str = ""
    """`new`, `cur`, `tmp` of a Maildir, or `message`, `tmp_file`, `bookkeeping`,
    `folder` (of a Maildir++)."""
    flags: tuple[str, ...] = ()
    seen: set[str] = field(default_factory=set)
    """Unique names of the Maildir that have been given; shared by its directories."""
    claimed: frozenset[str] = frozenset()
    """Files of a chat export around it, which are offered by the export."""


def plan(path: Path, rules: PlanRules = _DEFAULT) -> Iterator[Offered]:
    """Yield a reference to everything that `path` holds: nothing is passed over without one.

    Directories are walked by name, files read in their own order, so the order and the keys are the
    same as long as the files are. A link inside the tree is not followed; `path` itself may be one.

    Args:
        path: A file or a directory.
        rules: What a person has decided.

    Raises:
        NotFound: There is nothing at `path`.
        Refused: The quoting is not one of `mbox.QUOTINGS`.
    """
    if rules.quoting not in ("auto", *QUOTINGS):
        raise Refused(f"There is no mbox quoting {rules.quoting!r}.", next_step=f"Use {QUOTINGS}.")
    root = path.absolute()
    if not root.exists():
        raise NotFound(f"There is nothing at {path}.")
    return _walk(root, rules)


def _walk(root: Path, rules: PlanRules) -> Iterator[Offered]:
    if not root.is_dir():
        yield from _regular(_Visit(str(root), portable(root.name), ""), rules)
        return
    waiting = [iter((_Visit(str(root.resolve()), "", ""),))]
    while waiting:
        visit = next(waiting[-1], None)
        if visit is None:
            waiting.pop()
            continue
        try:
            status = os.lstat(visit.path)
            if stat.S_ISDIR(status.st_mode):
                found = None if visit.claimed or visit.role else _export_in(visit, rules)
                if found is not None:
                    export, tree = found
                    yield from accounted(export.offers(tree), tree)
                    root_path = Path(visit.path)
                    claimed = frozenset(str(root_path / local(path)) for path in tree.members)
                    visit = replace(visit, claimed=claimed)
                waiting.append(_children(visit))
                continue
            if visit.claimed and visit.path in visit.claimed:
                continue
        except OSError as error:
            yield _end(visit, "unknown", _io_error(error))
            continue
        yield from _file(visit, status, rules)


_MARKERS = frozenset(
    ("users.json", "result.json", "_chat.txt", "usersList.json", "teamsList.json", "metadata.json")
)
"""Names by which a directory below the imported one may be a chat export."""


def _export_in(visit: _Visit, rules: PlanRules) -> tuple[Export, Tree] | None:
    """Return the chat export that a directory is, with its files; mail and archives stay out."""
    with os.scandir(visit.path) as listing:
        names = {entry.name for entry in listing}
    if visit.trail and not names & _MARKERS:
        return None
    tree = chat_directory(Path(visit.path), visit.trail, rules.chats, _is_chat)
    export = export_of(tree) if tree.members else None
    return None if export is None else (export, tree)


def _is_chat(path: str) -> bool:
    name = _name(path)
    if litter(name) or maildir.is_seen_message(path):  # of a whole Maildir nothing is opened here
        return False
    try:
        return recognise(head_on_disk(path, HEAD_BYTES), name).kind == "unknown"
    except OSError:  # it is met again among the other files, and ends there
        return False


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _children(visit: _Visit) -> Iterator[_Visit]:
    """Return what is in a directory, by name; for a Maildir, with the roles of its directories."""
    with os.scandir(visit.path) as listing:
        names = sorted(entry.name for entry in listing)
    present = set(names)
    is_maildir = "cur" in present and (visit.role == "folder" or bool(present & {"new", "tmp"}))
    if is_maildir:
        names.sort(key=lambda name: (name not in ("cur", "new", "tmp"), name))
    if visit.role in ("cur", "new"):
        return _messages(visit, names)
    inside = replace(visit, seen=set()) if is_maildir else visit
    return (_child(inside, name, is_maildir=is_maildir) for name in names)


def _child(visit: _Visit, name: str, *, is_maildir: bool) -> _Visit:
    path, shown = _inside(visit.path, name), portable(name)
    trail = f"{visit.trail}/{shown}" if visit.trail else shown
    if is_maildir and name in ("cur", "new", "tmp"):
        return _Visit(path, trail, visit.folder, name, seen=visit.seen, claimed=visit.claimed)
    if visit.role in ("tmp", "tmp_file"):
        return _Visit(path, trail, visit.folder, "tmp_file")
    if is_maildir and maildir.is_bookkeeping(name):
        return _Visit(path, trail, visit.folder, "bookkeeping")
    is_folder = name.startswith(".") and Path(path, "cur").is_dir()
    step = portable(maildir.folder_name(name)) if is_folder else shown
    folder = f"{visit.folder}/{step}" if visit.folder else step
    role = "folder" if is_folder else ""
    return _Visit(path, trail, folder, role, claimed=visit.claimed)


def _inside(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _messages(visit: _Visit, names: list[str]) -> Iterator[_Visit]:
    """Yield the messages of `cur` or `new`; each remembers its flags and its unique name."""
    keywords = _keywords(Path(visit.path).parent / "dovecot-keywords")
    base = visit.trail.rpartition("/")[0]
    for name in names:
        unique, flags = maildir.split_name(name, keywords)
        shown = portable(unique)
        while shown in visit.seen:  # two copies of one Maildir, with different flags
            shown += "#"
        visit.seen.add(shown)
        trail = f"{base}/{shown}" if base else shown
        yield _Visit(_inside(visit.path, name), trail, visit.folder, "message", flags)


def _keywords(path: Path) -> dict[str, str]:
    try:
        return maildir.parse_keywords(path.read_text("utf-8", "replace")[:65536])
    except OSError:
        return {}


def _file(visit: _Visit, status: os.stat_result, rules: PlanRules) -> Iterator[Offered]:
    """Yield what something other than a directory offers."""
    rule = _ROLE_RULES.get(visit.role, "") or litter(_name(visit.path))
    if stat.S_ISLNK(status.st_mode):
        rule = "link"
    elif not stat.S_ISREG(status.st_mode):
        rule = "special_file"
    if rule:
        yield _end(visit, "skipped", rule)
    elif visit.role == "message":
        yield _message(visit, status.st_size)
    else:
        yield from _regular(visit, rules)


def _message(visit: _Visit, size: int) -> Offered:
    facts = CaptureFacts(folder=visit.folder or "INBOX", flags=visit.flags)
    place = portable(visit.path)
    return Offered(f"maildir:{visit.trail}+{size}", place, "maildir", 0, size, facts)


def _regular(visit: _Visit, rules: PlanRules) -> Iterator[Offered]:
    try:
        fd = os.open(visit.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        yield _end(visit, "unknown", _io_error(error))
        return
    try:
        size = os.fstat(fd).st_size

        yield from offers_in(Place(portable(visit.path), (visit.trail,), fd, 0, size), rules)
    finally:
        os.close(fd)


def _end(visit: _Visit, kind: str, reason: str) -> Offered:
    """Return the reference to something that is not opened."""
    facts = CaptureFacts(folder=visit.folder, note=reason)
    return Offered(f"file:{visit.trail}", portable(visit.path), kind, 0, 0, facts)


def _io_error(error: OSError) -> str:
    return f"io_error:{errno.errorcode.get(error.errno or 0, 'unknown').lower()}"

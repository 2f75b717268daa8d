"""Anchors: rows against their events, and every kept checkpoint against the log of today.

A checkpoint kept outside contradicts a log that was cut, put back, or rewritten, even one that was
signed anew with the right key. Its finding names from which entry on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from holdfast.core.errors import Corrupt, HoldfastError
from holdfast.core.identity import public_id
from holdfast.storage.anchoring.anchors import (
    EVENT,
    PREFIX,
    Anchor,
    Kind,
    anchor_digest,
    anchor_of,
    newest,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.governance_tables import anchors
from holdfast.storage.checkpoint import Checkpoint, open_checkpoint
from holdfast.storage.verifying.report import (
    DIFFERENT,
    UNKNOWN,
    Finding,
    Scope,
    events_about,
)

if TYPE_CHECKING:
    from holdfast.storage.anchoring.locked_copies import LockedCopies
    from holdfast.storage.anchoring.places import Places
    from holdfast.storage.anchoring.tokens import Trust
    from holdfast.storage.anchoring.witness import Witness
    from holdfast.storage.tlog_tiles import TileLog

PART = "anchor"


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that somebody kept."""

    name: str
    """Of the anchor, for people."""
    checkpoint: Checkpoint


def check_anchors(scope: Scope) -> Iterator[Finding]:
    """Compare rows with their events, and their checkpoints with the log."""
    yield from _rows_against_events(scope)
    yield from contradictions(scope.log, _said_by_rows(scope))


def anchor_check(places: Places) -> Callable[[Scope], Iterator[Finding]]:
    """Return the comparison with what stands outside, for `Verification.also`."""

    def check_outside(scope: Scope) -> Iterator[Finding]:
        yield from _guarded("tokens", _tokens(scope, places))
        if places.witness is not None:
            yield from _guarded(str(places.witness.path), _witness(scope, places, places.witness))
        if places.open_copies is not None:
            yield from _guarded("copies", _copies(scope, places.open_copies))

    return check_outside


def contradictions(log: TileLog, kept: Iterable[Kept]) -> Iterator[Finding]:
    """Name the first kept checkpoint that the log does not extend, and from which entry on."""
    known = sorted(kept, key=lambda one: one.checkpoint.size)
    within = [one for one in known if one.checkpoint.size <= log.size]
    roots = log.roots([one.checkpoint.size for one in within])
    pairs = [(one, root == one.checkpoint.root) for one, root in zip(within, roots, strict=True)]
    bad = [one for one, is_good in pairs if not is_good]
    if bad:
        first = bad[0].checkpoint.size
        sizes = [one.checkpoint.size for one, is_good in pairs if is_good]
        good = max((size for size in sizes if size < first), default=0)
        cause = (
            f"The first {first} entries of the log are not those it was made over: "
            f"the first altered one is from seq {good} to {first - 1}."
        )
        yield Finding(PART, bad[0].name, cause + _others(bad))
    beyond = known[len(within) :]
    if beyond:
        cause = (
            f"It was made over {beyond[0].checkpoint.size} entries, and the log has {log.size}: "
            f"from seq {log.size} on they were cut off."
        )
        yield Finding(PART, beyond[0].name, cause + _others(beyond))


def _others(bad: list[Kept]) -> str:
    return f" So say {len(bad) - 1} others." if len(bad) > 1 else ""


def _rows_against_events(scope: Scope) -> Iterator[Finding]:
    for connection, rows in scope.pages(select(anchors), anchors.c.id):
        events = events_about(connection, [EVENT], [row.id for row in rows])[EVENT]
        for anchor in map(anchor_of, rows):
            told = events.get(anchor.id, ())
            if not told:
                yield Finding(PART, anchor.public_id, UNKNOWN)
            elif not told[-1].commits_to(anchor_digest(anchor)):
                yield Finding(PART, anchor.public_id, DIFFERENT)
            else:
                yield from _note(scope, anchor.public_id, anchor.note, _checkpoint(scope, anchor))


def _note(scope: Scope, name: str, note: bytes, said: Checkpoint) -> Iterator[Finding]:
    """Compare the signed checkpoint with what is said of it."""
    try:
        if _opened(scope, note) != said:
            yield Finding(PART, name, "Its checkpoint is another than it says.")
    except Corrupt as error:
        yield Finding(PART, name, error.cause)


def _opened(scope: Scope, note: bytes) -> Checkpoint:
    public = scope.store.keyring.signing_key().public_key()
    return open_checkpoint(note, public, scope.log.checkpoint.origin)


def _checkpoint(scope: Scope, anchor: Anchor) -> Checkpoint:
    return Checkpoint(scope.log.checkpoint.origin, anchor.size, anchor.root)


def _said_by_rows(scope: Scope) -> list[Kept]:
    origin = scope.log.checkpoint.origin
    query = select(anchors.c.id, anchors.c.size, anchors.c.root)
    with reading(scope.store.engine) as connection:
        rows = connection.execute(query).all()
    return [Kept(public_id(PREFIX, row.id), Checkpoint(origin, row.size, row.root)) for row in rows]


def _guarded(name: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Count what cannot be looked at as a finding: nobody may be told that all is intact."""
    try:
        yield from findings
    except HoldfastError as error:
        yield Finding(PART, name, error.cause)


def _tokens(scope: Scope, places: Places) -> Iterator[Finding]:
    """Check every token that has a row: whose it is, over which bytes, of which time."""
    query = select(anchors).where(anchors.c.kind == Kind.TOKEN.value)
    trust: Trust | None = None
    for _, rows in scope.pages(query, anchors.c.id):
        trust = trust or places.trust()
        if trust is None:
            cause = "Its token cannot be checked: anchors.tsa_ca_file is not set."
            yield Finding(PART, anchor_of(rows[0]).public_id, cause)
            return
        for anchor in map(anchor_of, rows):
            yield from _token(anchor.public_id, anchor.token or b"", anchor.note, trust, anchor)


def _token(
    name: str, token: bytes, note: bytes, trust: Trust, anchor: Anchor | None = None
) -> Iterator[Finding]:
    from holdfast.storage.anchoring.tokens import check_token

    try:
        at_ms = check_token(token, note, trust)
    except Corrupt as error:
        yield Finding(PART, name, error.cause)
        return
    if anchor is not None and anchor.stamped_ms != at_ms:
        yield Finding(PART, name, "Its token is of another time than its row says.")


def _witness(scope: Scope, places: Places, witness: Witness) -> Iterator[Finding]:
    """Hold every line of the witness file against the log, and the newest row against the file."""
    last = _newest(scope, Kind.WITNESS, str(witness.path))
    if last is None and not witness.path.exists():
        return
    trust = places.trust()
    kept = []
    for line in witness.lines():
        name = f"{witness.path}, line {line.number}"
        try:
            kept.append(Kept(name, _opened(scope, line.note)))
        except Corrupt as error:
            yield Finding(PART, name, error.cause)
        if line.token is not None and trust is not None:
            yield from _token(name, line.token, line.note, trust)
    yield from contradictions(scope.log, kept)
    yield from _lacking(scope, last, [one.checkpoint for one in kept], "The witness file lacks it.")


def _copies(scope: Scope, open_copies: Callable[[], LockedCopies]) -> Iterator[Finding]:
    """Hold every version of every locked object against the log, hidden ones too."""
    copies = open_copies()
    last = _newest(scope, Kind.LOCK, copies.place)
    found = list(copies.kept(scope.log.checkpoint.origin))
    for one in found:
        if one.checkpoint is None:
            yield Finding(PART, one.key, "It is no checkpoint of this log.")
    named = [(one, one.checkpoint) for one in found if one.checkpoint is not None]
    yield from contradictions(scope.log, (Kept(one.key, said) for one, said in named))
    said_all = [said for _, said in named]
    yield from _lacking(scope, last, said_all, "The bucket lacks its locked copy.")
    if named:
        newest_copy, said = max(named, key=lambda pair: pair[1].size)
        yield from _note(scope, newest_copy.key, copies.note_of(newest_copy), said)
        if not copies.is_locked(newest_copy):
            yield Finding(PART, newest_copy.key, "It is not under lock any more.")


def _newest(scope: Scope, kind: Kind, place: str) -> Anchor | None:
    with reading(scope.store.engine) as connection:
        return newest(connection, kind, place)


def _lacking(
    scope: Scope, last: Anchor | None, found: list[Checkpoint], cause: str
) -> Iterator[Finding]:
    if last is not None and _checkpoint(scope, last) not in found:
        yield Finding(PART, last.public_id, cause)

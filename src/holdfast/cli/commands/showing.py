"""`show` and `thread`: one interaction whole, or a conversation in order; they change nothing."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.showing_headers import opened_viewer, print_headers, travel_of
from holdfast.cli.screen import BAD, GOOD, QUIET, amount, size, styled
from holdfast.core.errors import Corrupt, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from holdfast.cli.session import Session
    from holdfast.core.records import Record
    from holdfast.storage.catalogue.filed_facts import Capture
    from holdfast.storage.catalogue.later_facts import LaterFact
    from holdfast.wiring.archive import Services

_ID_HELP = "As a search shows it; or a Message-ID, or the start of a SHA-256."


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "show", show, ShowOptions, (0, 1, 2, 4, 6, 7))
    add(app, "thread", thread, ThreadOptions)


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """Options of `show`."""

    id: Annotated[str, typer.Argument(metavar="ID", help=_ID_HELP)]
    raw: Annotated[bool, flag("--raw", text="Write the original's bytes, exactly.")] = False
    headers: Annotated[
        bool, flag("--headers", text="Print all header fields, the hops they tell and anomalies.")
    ] = False
    thread: Annotated[bool, flag("--thread", text="Print the conversation it is part of.")] = False
    verify: Annotated[
        bool, flag("--verify", text="Read the originals again and compare their SHA-256.")
    ] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def show(session: Session, options: ShowOptions) -> int:
    """Show one interaction: its people, its text, its attachments and where it came from."""
    from holdfast.storage.catalogue.later_facts import later_facts_of
    from holdfast.storage.catalogue.reading import captures_of, find_interaction, records

    wants_way = options.headers and not (options.raw or options.verify)
    with opened_viewer(is_wanted=wants_way) as viewer, session.archive() as services:
        found = records(services.store, [find_interaction(services.store, options.id)])
        if not found:
            raise NotFound(f"{options.id!r} is not in the archive any more.")
        record = found[0]
        captures = captures_of(services.store, record.id)
        later = later_facts_of(services.store, [one.id for one in captures])
        _note(services, record, options)
        if options.verify:
            return _verify(session, services, captures)
        if options.raw:
            _write_original(session, services, captures[0])
        elif viewer:
            travel = travel_of(services, viewer, record, captures[0].original_id)
            print_headers(session, record, travel, as_json=options.as_json)
        elif options.thread:
            _print_thread(session, services, record, as_json=options.as_json)
        elif options.as_json:
            session.screen.json(_value(record, captures, later))
        else:
            _print_record(session, record, captures)
    return 0


def _note(services: Services, record: Record, options: ShowOptions) -> None:
    from holdfast.cli.trail import note_reading
    from holdfast.core.identity import public_id

    names = ("raw", "headers", "thread", "verify")
    how = next((name for name in names if getattr(options, name)), "text")
    note_reading(services, [(public_id("msg", record.id), record.id)], how)


def _verify(session: Session, services: Services, captures: list[Capture]) -> int:
    from holdfast.storage.catalogue.reading import original_bytes

    screen = session.screen
    status = 0
    for sha256, original_id in {c.sha256: c.original_id for c in captures}.items():
        digest, read = hashlib.sha256(), 0
        try:
            for piece in original_bytes(services.store, original_id):
                digest.update(piece)
                read += len(piece)
        except Corrupt as error:
            screen.result(
                "{sha256}  DAMAGED: {why}", style=BAD, sha256=sha256, why=screen.told(error.cause)
            )
            status = error.exit_status
            continue
        if digest.hexdigest() != sha256:
            screen.result("{sha256}  DAMAGED: another hash", style=BAD, sha256=sha256)
            status = Corrupt.exit_status
        else:
            screen.result("{sha256}  intact, {size}", style=GOOD, sha256=sha256, size=size(read))
    return status


def _write_original(session: Session, services: Services, capture: Capture) -> None:
    from holdfast.storage.catalogue.reading import original_bytes

    pieces = original_bytes(services.store, capture.original_id)
    if sys.stdout.isatty():
        session.screen.note("Shown, not exact: redirect to a file for the very bytes.")
        session.screen.show(b"".join(pieces).replace(b"\r\n", b"\n").decode("utf-8", "replace"))
        return
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _print_record(session: Session, record: Record, captures: list[Capture]) -> None:
    from holdfast.cli.lists import subject_of

    screen = session.screen
    screen.show(styled(subject_of(record, screen), "bold"))
    screen.facts(_facts(session, record, captures))
    screen.result()
    screen.show(_body(record) if record.body else screen.words("(no text)"))
    if record.attachments:
        screen.result()
        screen.title("Attachments")
        for one in record.attachments:
            screen.result(
                "  {name}  {type}, {size}, text {state}",
                name=one.filename or screen.words("(no name)"),
                type=one.media_type,
                size=size(one.size_bytes),
                state=one.text_state.value,
            )


def _facts(session: Session, record: Record, captures: list[Capture]) -> Iterator[tuple[str, str]]:
    from holdfast.cli.lists import people_of, when
    from holdfast.core.identity import public_id
    from holdfast.core.kinds import Role

    zone = session.settings.zone
    for title, roles in (
        ("From", (Role.FROM, Role.SENDER)),
        ("To", (Role.TO, Role.DELIVERED_TO)),
        ("Cc", (Role.CC,)),
        ("Bcc", (Role.BCC,)),
        ("Recipients", (Role.RECIPIENT,)),
        ("By way of", (Role.EXPANDED, Role.FORWARDED)),
    ):
        if people := ", ".join(people_of(record, roles)):
            yield title, people
    yield "Sent", f"{when(record.at, zone)} ({zone.key})"
    yield "Captured", f"{when(record.captured_at, zone)}, {_origins(captures)}"
    yield "Id", public_id("msg", record.id)
    yield "Thread", public_id("thr", record.thread_id)
    for sha256 in record.sha256s:
        yield "SHA-256", sha256
    yield "Size", size(record.size_bytes)
    if record.defects:
        yield "Defects", ", ".join(record.defects)
    words = session.screen.words
    if record.is_truncated:
        yield "Note", words("too long to be indexed whole")
    if record.shares_message_id:
        yield "Note", words("another message has the same Message-ID and differs")


def _origins(captures: list[Capture]) -> str:
    first = captures[0]
    place = "/".join(part for part in (first.source, first.facts.folder) if part)
    owner = f" ({first.custodian})" if first.custodian else ""
    more = f", {amount(len(captures))} captures" if len(captures) > 1 else ""
    return f"{place}{owner}{more}"


def _body(record: Record) -> Text:
    """Return the text with what others wrote, and the signature, set back."""
    from holdfast.parsers.quoting import find_spans

    body = record.body.rstrip().lstrip("\r\n")
    shown = styled(body)
    for span in find_spans(body):
        shown.stylize(QUIET, span.start, span.end)
    return shown


def _value(
    record: Record, captures: list[Capture], later: Mapping[int, Sequence[LaterFact]]
) -> dict[str, Any]:
    from holdfast.cli.lists import record_value
    from holdfast.core.identity import public_id

    value = {"schema": "holdfast.interaction/1", **record_value(record), "text": record.body}
    value["captures"] = [
        {
            "id": public_id("cap", one.id),
            "source": one.source,
            "custodian": one.custodian,
            "folder": one.facts.folder,
            "flags": one.facts.flags,
            "later": [_later(fact) for fact in later.get(one.id, ())],
            "captured_at": one.captured_at.isoformat().replace("+00:00", "Z"),
            "sha256": one.sha256,
            "batch_id": public_id("bat", one.batch_id) if one.batch_id else None,
            "container_sha256": one.facts.container_sha256,
            "member": one.facts.member,
        }
        for one in captures
    ]
    return value


def _later(fact: LaterFact) -> dict[str, Any]:
    """What the source said of a message after it was captured."""
    from holdfast.cli.commands.source_list import stamp

    return {
        "noted_at": stamp(fact.noted_ms), "flags": fact.flags, "is_deleted": fact.is_deleted
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ThreadOptions:
    """Options of `thread`."""

    id: Annotated[
        str, typer.Argument(metavar="ID", help="A thread (thr_…), or any message of it (msg_…).")
    ]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def thread(session: Session, options: ThreadOptions) -> None:
    """List a conversation from its first message to its last."""
    from holdfast.cli.trail import note_reading
    from holdfast.core.identity import public_id, row_id
    from holdfast.storage.catalogue.reading import find_interaction, records, thread_members

    with session.archive() as services:
        if options.id.strip().lower().startswith("thr_"):
            thread_id = row_id("thr", options.id)
            members = thread_members(services.store, thread_id)
            if not members:
                raise NotFound(f"There is no thread {options.id!r}.", next_step="Search for it.")
            first = records(services.store, members[:1], with_text=False)[0]
        else:
            wanted = [find_interaction(services.store, options.id)]
            first = records(services.store, wanted, with_text=False)[0]
            thread_id = first.thread_id
        note_reading(services, [(public_id("thr", thread_id), thread_id)], "thread")
        _print_thread(session, services, first, as_json=options.as_json)


def _print_thread(session: Session, services: Services, record: Record, *, as_json: bool) -> None:
    from holdfast.cli.lists import heading, record_value
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue.reading import records, thread_members

    members = thread_members(services.store, record.thread_id)
    found = records(services.store, members, with_text=False)
    screen = session.screen
    name = public_id("thr", record.thread_id)
    if as_json:
        values = [record_value(one) for one in found]
        screen.json({"schema": "holdfast.thread/1", "id": name, "messages": values})
        return
    count = screen.counted(len(found), "1 message", "{count} messages")
    screen.title("{name}: {messages}", name=name, messages=count)
    for one in found:
        screen.show(heading(one, screen, session.settings.zone))

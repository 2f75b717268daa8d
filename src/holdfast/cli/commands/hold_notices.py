"""`hold notify|acknowledge|notices`: tell custodians of holds, and keep that they know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.screen import GOOD, Column
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.governance.holds import Hold
    from holdfast.storage.governance.notices import Notice

_HOLD = typer.Argument(metavar="HOLD", help="A hold: its name, or hld_….", show_default=False)
_STATUSES = (0, 1, 2, 4, 5, 7)


class NoticeLanguage(StrEnum):
    """Languages of notices."""

    ENGLISH = "en"
    CHINESE = "zh"


def register(group: typer.Typer) -> None:
    """Add the commands to the group of holds."""
    add(group, "notify", notify, NotifyOptions, _STATUSES)
    add(group, "acknowledge", acknowledge, AcknowledgeOptions)
    add(group, "notices", notices, NoticesOptions)


@dataclass(frozen=True, slots=True)
class NotifyOptions:
    """Options of `hold notify`."""

    hold: Annotated[str, _HOLD]
    custodian: Annotated[
        list[str] | None,
        typer.Option(
            "--custodian", metavar="NAME", show_default=False,
            help="Whom to tell; may be repeated. Without: all custodians of the hold.",
        ),
    ] = None  # fmt: skip
    note: Annotated[
        str, typer.Option("--note", metavar="TEXT", help="What is added.", show_default=False)
    ] = ""
    notice_language: Annotated[
        NoticeLanguage, typer.Option("--in", help="Language of the notice.")
    ] = NoticeLanguage.ENGLISH
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def notify(session: Session, options: NotifyOptions) -> None:
    """Write a notice for each custodian of a hold, with a code that acknowledges it once.

    Nothing is sent: hand the text and the code to the custodian. The code is shown this once.
    """
    from holdfast.storage.governance.holds import find_hold
    from holdfast.storage.governance.notices import give_notice

    with session.archive() as services:
        hold = find_hold(services.store, options.hold)
        whom = options.custodian or list(hold.terms.custodians)
        if not whom:
            raise Refused("The hold names no custodian.", next_step="Give --custodian.")
        given = [
            give_notice(services.store, hold.id, name, _text(session, hold, name, options))
            for name in whom
        ]
    if options.as_json:
        shown = [{**_value(one), "text": one.text, "code": code} for one, code in given]
        session.screen.json({"schema": "holdfast.hold-notices/1", "notices": shown})
        return
    for one, code in given:
        session.screen.title("{custodian}", custodian=one.custodian)
        session.screen.show(one.text)
        session.screen.result("Code: {code}", style=GOOD, code=code)
        session.screen.result()
    session.screen.hint("Once they have read it: holdfast hold acknowledge CODE")


def _text(session: Session, hold: Hold, custodian: str, options: NotifyOptions) -> str:
    from holdfast.retention.notices import NoticeFacts, notice_text

    zone = session.settings.zone
    begin, end = (
        None if at is None else at.astimezone(zone) for at in (hold.terms.from_at, hold.terms.to_at)
    )
    facts = NoticeFacts(custodian, hold.matter, begin, end, options.note)
    return notice_text(facts, options.notice_language.value)


@dataclass(frozen=True, slots=True)
class AcknowledgeOptions:
    """Options of `hold acknowledge`."""

    code: Annotated[
        str, typer.Argument(metavar="CODE", help="As the notice gave it.", show_default=False)
    ]
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def acknowledge(session: Session, options: AcknowledgeOptions) -> None:
    """Keep that a custodian has read a notice; each code works once."""
    from holdfast.storage.governance.notices import acknowledge as keep

    with session.archive() as services:
        done = keep(services.store, options.code, session.actor)
    if options.as_json:
        session.screen.json({"schema": "holdfast.hold-notice/1", **_value(done)})
        return
    session.screen.result(
        "{custodian} has acknowledged the notice of {hold}.",
        style=GOOD, custodian=done.custodian, hold=done.hold,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoticesOptions:
    """Options of `hold notices`."""

    hold: Annotated[
        str, typer.Option("--hold", metavar="HOLD", help="Of this one.", show_default=False)
    ] = ""
    all_of_them: Annotated[bool, flag("--all", text="Those that were acknowledged too.")] = False
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def notices(session: Session, options: NoticesOptions) -> None:
    """List the notices that nobody has acknowledged yet."""
    from holdfast.cli.commands.source_list import local_time
    from holdfast.storage.governance.holds import find_hold
    from holdfast.storage.governance.notices import list_notices

    with session.archive() as services:
        hold_id = find_hold(services.store, options.hold).id if options.hold else None
        found = list_notices(
            services.store, hold_id=hold_id, only_outstanding=not options.all_of_them
        )
    if options.as_json:
        shown = [_value(one) for one in found]
        session.screen.json({"schema": "holdfast.hold-notices/1", "notices": shown})
    elif found:
        columns = [Column("Custodian", ratio=1), Column("Hold", ratio=1), Column("Matter", ratio=1)]
        columns += [Column("Given"), Column("Acknowledged"), Column("Id", style="cyan")]
        rows = [
            (
                one.custodian,
                one.hold,
                one.matter,
                local_time(session, one.given_ms),
                local_time(session, one.acknowledged_ms),
                one.public,
            )
            for one in found
        ]
        session.screen.table(columns, rows)
    else:
        session.screen.note("No notice waits for an answer.")


def _value(one: Notice) -> dict[str, Any]:
    from holdfast.cli.commands.source_list import stamp
    from holdfast.core.identity import public_id

    return {
        "id": one.public,
        "hold": public_id("hld", one.hold_id),
        "hold_name": one.hold,
        "matter_name": one.matter,
        "custodian": one.custodian,
        "given_at": stamp(one.given_ms),
        "acknowledged_at": stamp(one.acknowledged_ms),
        "acknowledged_by": one.acknowledged_by,
    }

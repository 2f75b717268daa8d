"""Reads rows of a Salesforce data export: tasks, events, and mail that was kept there.

People are known by their ids: contacts and leads are outside, owners are staff. An id of 15
characters is the one of 18 without its checksum, and is completed. Columns:
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from holdfast.core.chats import chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.csv_cells import cells_of
from holdfast.parsers.chat.table_values import read_time
from holdfast.parsers.chat.values import Context, from_iso, lines, number
from holdfast.parsers.defects import Defects
from holdfast.parsers.html_text import html_to_text

CHANNEL = "salesforce"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_LISTS = ((Role.TO, "toaddress"), (Role.CC, "ccaddress"), (Role.BCC, "bccaddress"))


def read_task(raw: bytes, context: Context) -> Said:
    """Return a row of `Task.csv`: a call, or something to do."""
    row = cells_of(raw, context)
    is_call = row.get("tasksubtype", "") == "Call" or bool(row.get("calltype", ""))
    seconds = number(row.get("calldurationinseconds", ""))
    other = Kind.NOTE if row.get("tasksubtype") == "Email" else Kind.TASK
    said = _said(row, context, Said(
        channel=CHANNEL,
        kind=Kind.CALL if is_call else other,
        name="",
        at=None,
        date_raw=row.get("completeddatetime") or row.get("createddate", ""),
        subject=row.get("subject", ""),
        body=lines(
            row.get("description", ""), row.get("calldisposition", ""),
            f"{seconds} s" if seconds else "", row.get("status", ""),
        ),
        people=_parties(row, is_inward=row.get("calltype", "") == "Inbound"),
    ))  # fmt: skip
    due_at, defects = _due(row, context)
    return replace(said, due_at=due_at, defects=(*said.defects, *defects))


def _due(row: Mapping[str, str], context: Context) -> tuple[datetime | None, tuple[Defect, ...]]:
    """Return until when a task that is still open is to be done."""
    is_closed = row.get("isclosed", "").lower() == "true" or bool(row.get("completeddatetime"))
    is_closed = is_closed or row.get("status", "").lower() in _CLOSED
    is_gone = row.get("isdeleted", "").lower() == "true"
    day = row.get("activitydate", "")
    if not day or is_closed or is_gone:
        return None, ()
    try:
        return read_time(day, context.zone)[0], ()
    except ValueError:
        return None, (Defect("follow_up_unreadable", day[:100]),)


_CLOSED = frozenset(("completed", "closed"))


def read_event(raw: bytes, context: Context) -> Said:
    """Return a row of `Event.csv`."""
    row = cells_of(raw, context)
    span = " - ".join(filter(None, (row.get("startdatetime", ""), row.get("enddatetime", ""))))
    return _said(row, context, Said(
        channel=CHANNEL,
        kind=Kind.MEETING,
        name="",
        at=None,
        date_raw=row.get("startdatetime", ""),
        subject=row.get("subject", ""),
        body=lines(row.get("description", ""), span, row.get("location", "")),
        people=_parties(row, is_inward=False),
    ))  # fmt: skip


def read_email(raw: bytes, context: Context) -> Said:
    """Return a row of `EmailMessage.csv`: a note of mail, for the mail itself is elsewhere."""
    row = cells_of(raw, context)
    sender = row.get("fromaddress", "")
    people = [Participant(Role.FROM, row.get("fromname", ""), sender)] if sender else []
    for role, column in _LISTS:
        told = (one.strip() for one in row.get(column, "").split(";"))
        people += [Participant(role, "", one) for one in told if one]
    html = row.get("htmlbody", "")
    body = row.get("textbody", "") or (html_to_text(html) if html else "")
    answers = row.get("replytoemailmessageid", "")
    return _said(row, context, Said(
        channel=CHANNEL,
        kind=Kind.NOTE,
        name="",
        at=None,
        date_raw=row.get("messagedate", ""),
        subject=row.get("subject", ""),
        body=body,
        people=tuple(people),
        answers=f"salesforce:{whole_id(answers)}" if answers else "",
    ))  # fmt: skip


def whole_id(key: str) -> str:
    """Return an id with its checksum: three characters, each for the capitals of five."""
    key = key.strip()
    if len(key) != 15 or not (key.isascii() and key.isalnum()):
        return key
    parts = (key[at : at + 5] for at in (0, 5, 10))
    return key + "".join(
        _CHECK[sum(1 << place for place, one in enumerate(part) if one.isupper())] for part in parts
    )


def _said(row: Mapping[str, str], context: Context, said: Said) -> Said:
    key = whole_id(row.get("id", ""))
    if not key:
        raise ValueError("a row without an id")
    defects = Defects()
    at, raw = _at(row, said.date_raw, context, defects)
    made, changed = from_iso(row.get("createddate")), from_iso(row.get("lastmodifieddate"))
    return replace(
        said,
        name=f"salesforce:{key}",
        at=at,
        date_raw=raw,
        version_at=changed if changed != made else None,
        headers=_headers(row),
        defects=defects.values(),
    )


def _at(
    row: Mapping[str, str], written: str, context: Context, defects: Defects
) -> tuple[datetime | None, str]:
    at = from_iso(written)
    if at is not None:
        return at, written
    day = row.get("activitydate", "")
    if not day:
        return from_iso(row.get("createddate")), row.get("createddate", "")
    at, is_assumed = read_time(day, context.zone)
    if is_assumed:
        defects.add("date_no_zone", day)
    return at, day


def _headers(row: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    shown = {
        "Salesforce-What": row.get("whatid") or row.get("relatedtoid") or row.get("parentid", ""),
        "Salesforce-Account": row.get("accountid", ""),
        "Salesforce-Status": row.get("status", ""),
        "Salesforce-Message-Id": row.get("messageidentifier", ""),
        "Salesforce-Deleted": "true" if row.get("isdeleted", "").lower() == "true" else "",
    }
    return tuple((name, value) for name, value in shown.items() if value)


def _parties(row: Mapping[str, str], *, is_inward: bool) -> tuple[Participant, ...]:
    owner, who = whole_id(row.get("ownerid", "")), whole_id(row.get("whoid", ""))
    ours, theirs = (Role.TO, Role.FROM) if is_inward else (Role.FROM, Role.TO)
    people = []
    if owner:
        address = chat_address(CHANNEL, owner)
        people += [Participant(role, "", address, "staff") for role in (ours, Role.OWNER)]
    if who:
        people.append(Participant(theirs, "", chat_address(CHANNEL, who), "outside"))
    return tuple(people)

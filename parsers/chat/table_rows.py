"""Reads one row of a table as a call, a visit, a message or what else its columns say."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from holdfast.core.chats import Conversation, chat_address
from holdfast.core.kinds import Kind, Role
from holdfast.core.records import Defect, Participant
from holdfast.parsers.chat.building import Said
from holdfast.parsers.chat.csv_cells import cells
from holdfast.parsers.chat.table_values import read_duration, read_phone, read_time
from holdfast.parsers.chat.values import Context, json_of, lines, mapping, text, to_ms

_KINDS = {
    "call": Kind.CALL, "phone": Kind.CALL, "电话": Kind.CALL, "通话": Kind.CALL, "呼叫": Kind.CALL,
    "visit": Kind.VISIT, "拜访": Kind.VISIT, "上门": Kind.VISIT, "面谈": Kind.VISIT,
    "meeting": Kind.MEETING, "会议": Kind.MEETING, "im": Kind.IM, "chat": Kind.IM,
    "message": Kind.IM, "消息": Kind.IM, "微信": Kind.IM, "聊天": Kind.IM, "ticket": Kind.TICKET,
    "工单": Kind.TICKET, "order": Kind.ORDER, "订单": Kind.ORDER, "form": Kind.FORM,
    "表单": Kind.FORM, "document": Kind.DOCUMENT, "文档": Kind.DOCUMENT, "note": Kind.NOTE,
    "备注": Kind.NOTE, "task": Kind.TASK, "任务": Kind.TASK, "email": Kind.NOTE,
}  # fmt: skip
_BY_NAME = {kind.value: kind for kind in Kind}
_INWARD = frozenset(("in", "inbound", "incoming", "received", "呼入", "来电", "收", "接收", "进线"))
_OUTWARD = frozenset(("out", "outbound", "outgoing", "sent", "呼出", "去电", "发", "发送", "外呼"))
_SHOWN = ("result", "place", "next_at", "demand", "recording", "company", "duration", "ordinal")


def read_row(raw: bytes, context: Context) -> Said:
    """Return what a row says.

    Of `context.extra` count `headers`, `columns` (header → field), `encoding` and `delimiter` of a
    row of CSV (else the row is a JSON object by header), `kind`, `order`, and `country`.

    Raises:
        ValueError: The row has no time that can be read, nobody and nothing, or a number whose
            digits a spreadsheet has lost.
    """
    values = row_values(raw, context)
    ordinal = values.pop("ordinal", "")  # counts the rows of one sheet: it names nothing
    extra = context.extra
    is_day_first = {"day": True, "month": False}.get(text(extra.get("order")))
    at, is_assumed = read_time(values.get("at", ""), context.zone, is_day_first=is_day_first)
    people = _people(values, text(extra.get("country")) or "86")
    body = lines(values.get("body", ""), *_rest(values))
    if not people and not body.strip() and not values.get("subject"):
        raise ValueError("the row says nothing")
    kind = _kind(values, text(extra.get("kind")))
    channel = context.channel or kind.value
    due_at, defects = _due(values, kind, context.zone, is_day_first=is_day_first)
    own = _own_name(values, at, context)
    shown = {**values, "ordinal": ordinal}
    room = values.get("room", "")
    return Said(
        channel=channel,
        kind=kind,
        name=f"{channel}:{context.tenant}{'/' if context.tenant else ''}{own}",
        at=at,
        date_raw=values.get("at", ""),
        subject=values.get("subject", ""),
        body=body,
        source_text=_digest(values),
        conversation=Conversation(f"{context.tenant}/{room}", room) if room else None,
        people=people,
        headers=tuple((f"Field-{n}", v) for n, v in shown.items() if v and n in _SHOWN),
        defects=(*((Defect("date_no_zone"),) if is_assumed else ()), *defects),
        due_at=due_at,
    )


def _due(
    values: Mapping[str, str], kind: Kind, zone: str, *, is_day_first: bool | None
) -> tuple[datetime | None, tuple[Defect, ...]]:
    """Return when to follow up; nothing for a task that is done. Of a visit only that is over."""
    written = values.get("next_at", "")
    is_done = kind is Kind.TASK and values.get("result", "").casefold() in _DONE
    if not written or is_done:
        return None, ()
    try:
        return read_time(written, zone, is_day_first=is_day_first)[0], ()
    except ValueError:
        return None, (Defect("follow_up_unreadable", written[:100]),)


_DONE = frozenset(
    {"done", "completed", "complete", "closed", "finished", "cancelled", "canceled"}
    | {"完成", "已完成", "已关闭", "关闭", "已结束", "结束", "已取消", "取消"}
)


def row_values(raw: bytes, context: Context) -> dict[str, str]:
    """Return the values of a row by field; what its columns do not name is under its header.

    Raises:
        ValueError: It is no row of such a table.
    """
    extra = context.extra
    columns = {str(k): str(v) for k, v in mapping(extra.get("columns")).items()}
    encoding = text(extra.get("encoding"))
    if encoding:
        found = cells(raw.decode(encoding), text(extra.get("delimiter")) or ",")
        headers = [str(one) for one in extra.get("headers", ())]
        if len(found) > len(headers):
            raise ValueError(f"{len(found)} cells in a table of {len(headers)} columns")
        row = dict(zip(headers, found, strict=False))
    else:
        row = {str(name): text(value) for name, value in mapping(json_of(raw)).items()}
    values: dict[str, str] = {}
    for header, value in row.items():
        if value.strip():
            values[columns.get(header, header)] = value.strip()
    return values


def _own_name(values: Mapping[str, str], at: datetime, context: Context) -> str:
    """Return what names a row: its id, which another table may give to something else.

    Where nobody says of which system the ids are, only rows of one time are versions of one thing.
    """
    own = values.get("id", "")
    if not own:
        return f"row/{_digest(values)}"
    return own if context.tenant else f"{own}@{to_ms(at)}"


def _digest(values: Mapping[str, str]) -> str:
    joined = "\0".join(f"{name}\1{value}" for name, value in sorted(values.items()))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _kind(values: Mapping[str, str], fallback: str) -> Kind:
    said = values.get("kind", "").casefold()
    if said in _KINDS:
        return _KINDS[said]
    if fallback in _BY_NAME:
        return _BY_NAME[fallback]
    if "duration" in values or "recording" in values:
        return Kind.CALL
    if "place" in values or "next_at" in values:
        return Kind.VISIT
    return Kind.IM if "room" in values or "from" in values else Kind.NOTE


def _people(values: Mapping[str, str], country: str) -> tuple[Participant, ...]:
    """Return who took part: the customer writes what came in, the staff what went out."""
    said = values.get("direction", "").casefold()
    is_inward = said in _INWARD
    customer, staff = (Role.FROM, Role.TO) if is_inward else (Role.TO, Role.FROM)
    found: list[Participant] = []
    for field, role in (("from", Role.FROM), ("to", Role.TO)):
        if field in values:
            is_customer = (role is Role.FROM) == is_inward if said in _INWARD | _OUTWARD else None
            found += _named(values[field], role, _side(is_customer), country)
    name = values.get("contact", "")
    addresses = _addresses(values, country)
    found += [Participant(customer, name, address, "outside") for address in addresses]
    if name and not addresses:
        found.append(Participant(customer, name, "", "outside"))
    for owner in _several(values.get("owner", "")):
        address = owner if "@" in owner else chat_address("staff", owner)
        found.append(Participant(staff, "" if "@" in owner else owner, address, "staff"))
    return tuple(found)


def _addresses(values: Mapping[str, str], country: str) -> list[str]:
    found = []
    if "phone" in values:
        found.append(chat_address("phone", read_phone(values["phone"], country)))
    if "@" in values.get("email", ""):
        found.append(values["email"])
    if "wecom" in values:
        found.append(chat_address("wecom", values["wecom"]))
    return found


def _side(is_customer: bool | None) -> str:  # noqa: FBT001 - a value among others
    return "" if is_customer is None else ("outside" if is_customer else "staff")


def _several(value: str) -> list[str]:
    for separator in ("、", ";", "；", "，", ","):
        value = value.replace(separator, "\n")
    return [one.strip() for one in value.split("\n") if one.strip()]


def _named(value: str, role: Role, side: str, country: str) -> list[Participant]:
    """Return people of a cell that holds addresses, numbers or names."""
    people = []
    for one in _several(value):
        digits = sum(letter.isdigit() for letter in one)
        if "@" in one:
            people.append(Participant(role, "", one, side))
        elif digits >= 5 and digits * 2 > len(one):
            people.append(
                Participant(role, "", chat_address("phone", read_phone(one, country)), side)
            )
        else:
            people.append(Participant(role, one, "", side))
    return people


def _rest(values: Mapping[str, str]) -> list[str]:
    """Return what has no place of its own, a line each, so that its words are found."""
    shown = []
    for name, value in values.items():
        if name not in _PLACED:
            if name == "duration":
                seconds = timedelta(seconds=read_duration(value))
                shown.append(f"duration: {seconds}")
            else:
                shown.append(f"{name}: {value}")
    return shown


_PLACED = frozenset(
    {"id", "at", "kind", "direction", "subject", "body", "from", "to", "contact", "phone"}
    | {"email", "wecom", "owner", "room"}
)

"""`show --headers`: the fields of one message and the way that they tell; changes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from holdfast.cli.screen import Column, styled
from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holdfast.cli.session import Session
    from holdfast.core.records import Record
    from holdfast.ingest.viewing import Travel, Viewer
    from holdfast.parsers.message_page import Hop
    from holdfast.wiring.archive import Services

_COLUMNS = (
    Column("Hop", is_number=True), Column("Received at"), Column("Delay", is_number=True),
    Column("From", ratio=1), Column("By", ratio=1), Column("With", ratio=1),
)  # fmt: skip


def opened_viewer(*, is_wanted: bool) -> AbstractContextManager[Viewer | None]:
    """Return the children that read a hostile header; to be made before the archive is opened."""
    if not is_wanted:
        return nullcontext()
    from holdfast.ingest.viewing import Viewer

    return Viewer()


def travel_of(services: Services, viewer: Viewer, record: Record, original_id: int) -> Travel:
    """Return the way of a message, or why it cannot be told; a damaged original tells none."""
    from holdfast.core.kinds import EMAIL
    from holdfast.ingest.viewing import Travel
    from holdfast.parsers.message_page import MAX_HEADER_BYTES
    from holdfast.storage.catalogue.reading import original_bytes
    from holdfast.storage.frames import first_bytes

    if record.channel != EMAIL:
        return Travel()
    try:
        raw, _ = first_bytes(original_bytes(services.store, original_id), MAX_HEADER_BYTES)
    except HoldfastError as error:
        return Travel(failure=str(error))
    return viewer.travel(raw)


def print_headers(session: Session, record: Record, travel: Travel, *, as_json: bool) -> None:
    """Print all fields in order, then the hops and the oddities that they tell."""
    if as_json:
        session.screen.json(_value(record, travel))
        return
    for name, value in record.headers:
        line = styled(f"{name}: {value}")
        line.stylize("bold", 0, len(name) + 1)
        session.screen.show(line)
    _print_travel(session, travel)


def _print_travel(session: Session, travel: Travel) -> None:
    screen = session.screen
    if travel.failure:
        screen.warn("The way of this message cannot be told: {why}", why=travel.failure)
    if travel.hops:
        screen.result()
        screen.title("Way")
        screen.table(_COLUMNS, (_row(session, hop) for hop in travel.hops))
        screen.note("Only what servers that you trust say of a hop proves anything.")
    if travel.anomalies:
        screen.result()
        screen.result("Anomalies: {names}", names=", ".join(travel.anomalies))


def _row(session: Session, hop: Hop) -> tuple[str, ...]:
    from holdfast.cli.lists import when

    at = when(hop.at, session.settings.zone) if hop.at else ""
    return str(hop.number), at, f"{hop.delay_s:.0f} s", hop.sender, hop.receiver, hop.protocol


def _value(record: Record, travel: Travel) -> dict[str, Any]:
    hops = [
        {
            "number": hop.number,
            "at": hop.at.isoformat().replace("+00:00", "Z") if hop.at else None,
            "delay_s": hop.delay_s,
            "from": hop.sender,
            "by": hop.receiver,
            "with": hop.protocol,
        }
        for hop in travel.hops
    ]
    return {
        "schema": "holdfast.headers/1",
        "headers": [{"name": name, "value": value} for name, value in record.headers],
        "hops": hops,
        "anomalies": list(travel.anomalies),
        "failure": travel.failure or None,
    }

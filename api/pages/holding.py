"""What the page of a matter shows of its holds, and what a form says of a new one; it acts not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from holdfast.api.asking import total, understood
from holdfast.api.hold_counts import counts_all, preview_counts
from holdfast.api.pages.queries import label_of, written
from holdfast.core.errors import NotFound, Refused
from holdfast.core.holds import HoldTerms, hold_predicate
from holdfast.core.identity import public_id, row_id
from holdfast.core.query import EVERYTHING, Field, Term
from holdfast.indexer.explain import to_text
from holdfast.retention.release import Needs, still_needs
from holdfast.storage.governance.holds import Hold, NewHold, list_holds, unknown_custodians
from holdfast.storage.governance.matters import Matter, list_matters
from holdfast.storage.governance.notices import Notice, list_notices
from holdfast.storage.governance.releasing import Freed, freed_by
from holdfast.storage.governance.sweeping import count_held
from holdfast.storage.rights.users import list_users

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from holdfast.api.pages.visits import Visit

_BETWEEN = re.compile(r"[,;，；、\n]+")
MAX_CUSTODIANS = 200
MAX_FIELD_CHARS = 20_000
_FIELDS = {
    "name": "name",
    "reason": "reason",
    "query": "q",
    "custodians": "custodians",
    "first": "first",
    "last": "last",
}
"""What is said of a hold → name of its field."""


@dataclass(frozen=True, slots=True)
class HoldForm:
    """What somebody wrote into the form of a hold."""

    name: str = ""
    reason: str = ""
    query: str = ""
    custodians: str = ""
    """Names with commas, of either script, or on lines of their own."""
    first: str = ""
    """Day, as YYYY-MM-DD in the archive's zone."""
    last: str = ""
    """Day, itself held."""
    spares_unindexed: bool = True

    def names(self) -> tuple[str, ...]:
        """Return the custodians, each once."""
        found = (piece.strip() for piece in _BETWEEN.split(self.custodians))
        return tuple(dict.fromkeys(name for name in found if name))


def read_form(values: Mapping[str, Any]) -> HoldForm:
    """Return what the fields of a form say; those that are absent are empty.

    Raises:
        Refused: One is longer than any name, reason or query.
    """
    said = {name: str(values.get(name, "")) for name in _FIELDS.values()}
    if any(len(text) > MAX_FIELD_CHARS for text in said.values()):
        raise Refused(f"A field has more than {MAX_FIELD_CHARS} characters.")
    fields = {ours: said[theirs] for ours, theirs in _FIELDS.items()}
    return HoldForm(**fields, spares_unindexed=values.get("spares") != "no")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a hold would hold now."""

    new: NewHold
    held: int
    not_fully_indexed: int | None
    """None: not told to whom the scope is narrower than what a hold holds."""
    is_within_scope: bool
    """Counted are only those that the asker may see; the hold holds more."""
    unknown: Sequence[str]
    """Custodians of whom nothing has come yet."""
    warnings: Sequence[str]
    """What is easily misread in the query."""


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold as its matter's page shows it."""

    hold: Hold
    what: str
    held: int
    needs: Needs
    freed: Freed | None
    """What its end would set free, where a release was asked for."""
    asked_by: str
    approved_by: str
    is_mine: bool
    """Its release was asked for by the person who looks."""
    notices: Sequence[Notice]


def matter_named(visit: Visit, name: str) -> Matter:
    """Return a matter by its public id.

    Raises:
        NotFound: There is none.
    """
    absent = NotFound(f"There is no matter {name[:40]!r}.", next_step="See the list of matters.")
    try:
        number = row_id("mat", name)
    except Refused as error:
        raise absent from error
    known = list_matters(visit.served.store, with_closed=True)
    found = next((one for one in known if one.id == number), None)
    if found is None:
        raise absent
    return found


def hold_named(visit: Visit, matter: Matter, name: str) -> Hold:
    """Return a hold of the matter by its public id.

    Raises:
        NotFound: The matter has none of that id.
    """
    known = list_holds(visit.served.store, matter_id=matter.id, with_ended=True)
    found = next((one for one in known if one.public == name), None)
    if found is None:
        raise NotFound(f"The matter has no hold {name[:40]!r}.", next_step="See its list.")
    return found


def holds_of(visit: Visit, matter: Matter) -> list[HoldView]:
    """Return all holds of a matter, those that ended too."""
    store = visit.served.store
    people = {one.person_id: one.name or one.login for one in list_users(store)}
    notices = list_notices(store)
    shown = []
    for hold in list_holds(store, matter_id=matter.id, with_ended=True):
        release = hold.release
        is_asked = release.asked_by is not None and hold.is_active
        shown.append(
            HoldView(
                hold=hold,
                what="" if hold.terms.query == EVERYTHING else written(hold.terms.query),
                held=_held(visit, hold),
                needs=still_needs(release, store.now_ms()),
                freed=freed_by(store, hold.id)
                if is_asked and visit.principal.scope.is_whole
                else None,
                asked_by=people.get(release.asked_by or 0, ""),
                approved_by=people.get(release.approved_by or 0, ""),
                is_mine=release.asked_by == visit.principal.person_id,
                notices=[one for one in notices if one.hold_id == hold.id],
            )
        )
    return shown


def _held(visit: Visit, hold: Hold) -> int:
    if visit.principal.scope.is_whole:
        return count_held(visit.served.store, hold.id).held
    return total(visit.served, visit.principal, Term(Field.HOLD, public_id("hld", hold.id)))


def previewed(visit: Visit, matter: Matter, form: HoldForm) -> Preview:
    """Count what a hold would hold; changes nothing.

    Raises:
        QueryError: Its query has no meaning.
        Refused: A day or a name cannot be used.
    """
    new = new_hold(visit, matter, form)
    node = hold_predicate(new.terms)
    counts = preview_counts(visit.served, visit.principal, node)
    is_within = not counts_all(visit.principal)
    return Preview(
        new=new,
        held=counts.held,
        not_fully_indexed=None if is_within else counts.not_fully_indexed,
        is_within_scope=is_within,
        unknown=unknown_custodians(visit.served.store, new.terms.custodians),
        warnings=understood(visit.served, form.query).warnings,
    )


def new_hold(visit: Visit, matter: Matter, form: HoldForm) -> NewHold:
    """Return the hold that a form says; errors as `previewed`."""
    zone = visit.served.config.zone
    node = understood(visit.served, form.query).node
    names = form.names()
    if len(names) > MAX_CUSTODIANS:
        raise Refused(f"More than {MAX_CUSTODIANS} custodians.", next_step="Place several holds.")
    last = _day(form.last, zone)
    terms = HoldTerms(
        custodians=names,
        from_at=_day(form.first, zone),
        to_at=None if last is None else _next(last),
        query=node,
        spares_unindexed=form.spares_unindexed,
    )
    canonical = "" if node == EVERYTHING else to_text(node)
    return NewHold(matter.id, form.name, form.reason, terms, form.query.strip(), canonical)


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the beginning of a day in the zone."""
    if not text.strip():
        return None
    try:
        return datetime.combine(date.fromisoformat(text.strip()), time(), zone)
    except ValueError as error:
        raise Refused(f"{text[:20]!r} is no day.", next_step="Write it as 2024-03-31.") from error


def _next(day: datetime) -> datetime:
    """Return the beginning of the next day by the calendar: days have 23 to 25 hours."""
    following = day.date() + timedelta(days=1)
    return datetime.combine(following, time(), day.tzinfo)


def terms_in_words(preview: Preview, zone: ZoneInfo) -> str:
    """Return the whole predicate in the query language."""
    return label_of(hold_predicate(preview.new.terms), zone)

"""`contact link|split|unlink|set|silent|suggest`: whose addresses are whose, and what is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.contact_follow_ups import FollowUpOptions, follow_ups
from holdfast.cli.screen import GOOD, Column
from holdfast.core.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from holdfast.cli.session import Session
    from holdfast.storage.catalogue.linking import Link
    from holdfast.storage.store import Store

WHO = "A contact (con_…), an address, or a name that only one contact has."
_ADDRESS = "A mail address, a telephone number, or system:id."


def register_care(group: typer.Typer) -> None:
    """Add the commands to those about contacts."""
    add(group, "link", link, LinkOptions)
    add(group, "split", split, SplitOptions)
    add(group, "unlink", unlink, UnlinkOptions)
    add(group, "set", set_fields, SetOptions)
    add(group, "silent", silent, SilentOptions)
    add(group, "follow-ups", follow_ups, FollowUpOptions)
    add(group, "suggest", suggest, SuggestOptions)


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Options of `contact link`."""

    contact: Annotated[str, typer.Argument(metavar="CONTACT", help=WHO)]
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help=_ADDRESS)]
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="DATE", help="It is theirs from then on.", show_default=False
        ),
    ] = ""
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="DATE", help="It is theirs until then.", show_default=False
        ),
    ] = ""
    country: Annotated[
        str,
        typer.Option(
            "--country",
            metavar="CODE",
            help="Of numbers that name none: 49, 86 …",
            show_default=False,
        ),
    ] = ""


def link(session: Session, options: LinkOptions) -> None:
    """Give an address to a contact, known or new; it can be undone exactly."""
    from holdfast.cli.commands.contacts import contact_id_of
    from holdfast.storage.catalogue import linking

    with session.archive() as services:
        store = services.store
        wanted = linking.Wanted(
            _key(store, options.address, options.country),
            contact_id_of(store, options.contact),
            _ms(session.instant(options.since) if options.since else None),
            _ms(session.instant(options.until) if options.until else None),
        )
        made = linking.link(store, wanted)
        services.desk.feed.drain()
    _tell(session, made)


def _key(store: Store, address: str, country: str = "") -> str:
    """Return the key of an address: that under which it is known, else the likeliest."""
    from holdfast.core.address_forms import address_forms
    from holdfast.storage.catalogue.resolving import known_key

    keys = address_forms(address, country)
    if not keys:
        raise Refused(f"{address!r} is no address.", next_step=_ADDRESS)
    return known_key(store, keys)[0]


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _tell(session: Session, made: Link) -> None:
    from holdfast.core.identity import public_id

    contact, name = public_id("con", made.contact_id), public_id("lnk", made.id)
    session.screen.result("It is {contact}'s address now.", style=GOOD, contact=contact)
    session.screen.hint("To take it back: holdfast contact unlink {link}", link=name)


@dataclass(frozen=True, slots=True)
class SplitOptions:
    """Options of `contact split`."""

    address: Annotated[str, typer.Argument(metavar="ADDRESS", help=_ADDRESS)]


def split(session: Session, options: SplitOptions) -> None:
    """Give an address a contact of its own; it can be undone exactly."""
    from holdfast.storage.catalogue import linking
    from holdfast.storage.catalogue.resolving import owners_of

    with session.archive() as services:
        key = _key(services.store, options.address)
        if key not in owners_of(services.store, [key]):
            raise Refused(f"{key!r} is nobody's.", next_step="Try 'holdfast contact find'.")
        made = linking.link(services.store, linking.Wanted(key))
        services.desk.feed.drain()
    _tell(session, made)


@dataclass(frozen=True, slots=True)
class UnlinkOptions:
    """Options of `contact unlink`."""

    link: Annotated[str, typer.Argument(metavar="LINK", help="A link (lnk_…).")]


def unlink(session: Session, options: UnlinkOptions) -> None:
    """Take a link or a split back exactly, also when later ones stand on it."""
    from holdfast.core.identity import row_id
    from holdfast.storage.catalogue import linking

    with session.archive() as services:
        linking.unlink(services.store, row_id(linking.PREFIX, options.link))
        services.desk.feed.drain()
    session.screen.result("Taken back: {merge}.", style=GOOD, merge=options.link)


def _text(name: str, text: str) -> Any:
    return typer.Option(name, metavar="TEXT", help=text, show_default=False)


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options of `contact set`; what is left out stays."""

    contact: Annotated[str, typer.Argument(metavar="CONTACT", help=WHO)]
    name: Annotated[str | None, _text("--name", "As it is shown.")] = None
    party_type: Annotated[str | None, _text("--party-type", "customer, supplier, partner …")] = None
    grade: Annotated[str | None, _text("--grade", "How much it matters.")] = None
    source: Annotated[str | None, _text("--source", "How it was won.")] = None
    owner: Annotated[str | None, _text("--owner", "Login of who looks after it.")] = None
    role: Annotated[list[str] | None, _text("--role", "In decisions; may be repeated.")] = None
    group: Annotated[list[str] | None, _text("--group", "May be repeated.")] = None
    consent: Annotated[
        list[str] | None,
        _text("--consent", "As in wecom=agreed (refused, withdrawn); wecom= forgets it."),
    ] = None
    company: Annotated[str | None, _text("--company", "As people call it.")] = None
    title: Annotated[str | None, _text("--title", "What they are there.")] = None
    note: Annotated[str | None, _text("--note", "What else is to be known.")] = None


def set_fields(session: Session, options: SetOptions) -> None:
    """Change what is said of a contact; the former values stay as versions."""
    from holdfast.cli.commands.contacts import contact_id_of
    from holdfast.storage.catalogue.contact_fields import change_fields, fields_in

    names = ("name", "party_type", "grade", "source", "owner", "company", "title", "note")
    changes: dict[str, Any] = {n: getattr(options, n) for n in names}
    changes["roles"] = tuple(options.role) if options.role else None
    changes["groups"] = tuple(options.group) if options.group else None
    changes = {name: value for name, value in changes.items() if value is not None}
    if not changes and not options.consent:
        raise Refused("Nothing is to be changed.", next_step="Say what: --name, --owner …")
    with session.archive() as services:
        contact = contact_id_of(services.store, options.contact)
        expected = None
        if options.consent:
            said, expected = fields_in(services.store, contact)
            changes["consents"] = _consents(dict(said.consents), options.consent)
        _, version = change_fields(services.store, contact, changes, expected=expected)
    session.screen.result("Changed; version {version}.", style=GOOD, version=version)


def _consents(known: dict[str, str], given: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the consents with those that were given, each as `CHANNEL=STATE`."""
    for text in given:
        channel, equals, state = text.partition("=")
        if not equals:
            raise Refused(f"{text[:60]!r} is no consent.", next_step="Say it as in wecom=agreed.")
        known.pop(channel, None)
        if state:
            known[channel] = state
    return tuple(known.items())


@dataclass(frozen=True, slots=True)
class SilentOptions:
    """Options of `contact silent`."""

    days: Annotated[int, typer.Option("--days", metavar="N", min=1, help="So long.")] = 30
    owner: Annotated[str, _text("--owner", "Only contacts that this user looks after.")] = ""
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def silent(session: Session, options: SilentOptions) -> None:
    """List contacts from outside that nobody exchanged a message with for so long."""
    from holdfast.cli.commands.contacts import contact_value, print_contacts
    from holdfast.storage.catalogue.contacts import contacts_by_id
    from holdfast.storage.catalogue.resolving import silent_contacts

    with session.archive() as services:
        store = services.store
        before_ms = store.now_ms() - options.days * 86_400_000
        rows = silent_contacts(store, before_ms, owner=options.owner or None)
        found = list(contacts_by_id(store, [one.contact_id for one in rows]).values())
    if options.as_json:
        values = [contact_value(one) for one in found]
        session.screen.json({"schema": "holdfast.contacts/1", "contacts": values})
    elif found:
        print_contacts(session, found)
    else:
        session.screen.note("Nobody was silent for so long.")


@dataclass(frozen=True, slots=True)
class SuggestOptions:
    """Options of `contact suggest`."""

    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many.")] = 20
    as_json: Annotated[bool, flag("--json", text="Print JSON.")] = False


def suggest(session: Session, options: SuggestOptions) -> None:
    """List contacts that may be one person; nothing is merged by it."""
    from holdfast.cli.commands.contacts import contact_value
    from holdfast.core.identity import public_id
    from holdfast.storage.catalogue.contacts import contacts_by_id
    from holdfast.storage.catalogue.resolving import suggestions

    with session.archive() as services:
        store = services.store
        groups = suggestions(store, options.limit)
        known = contacts_by_id(store, {i for one in groups for i in one.contact_ids})
        found = [(one.reason, [known[i] for i in one.contact_ids if i in known]) for one in groups]
    if options.as_json:
        values = [
            {"reason": reason, "contacts": [contact_value(one) for one in people]}
            for reason, people in found
        ]
        session.screen.json({"schema": "holdfast.suggestions/1", "suggestions": values})
        return
    if not found:
        session.screen.note("No contacts look like one person.")
        return
    columns = [Column("Reason"), Column("Name"), Column("Address", ratio=1), Column("Id")]
    session.screen.table(
        columns,
        [
            (reason, one.name, ", ".join(i.key for i in one.identities), public_id("con", one.id))
            for reason, people in found
            for one in people
        ],
    )

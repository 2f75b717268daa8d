"""`webhook …`: who is told what happens, whether they answer, and what they were told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.command import add, flag
from holdfast.cli.commands.user_words import moment, public, stamp
from holdfast.cli.screen import BAD, GOOD, Column

if TYPE_CHECKING:
    from holdfast.cli.session import Session
    from holdfast.storage.webhooks.deliveries import Delivery
    from holdfast.storage.webhooks.endpoints import Endpoint

_WHICH = typer.Argument(metavar="WEBHOOK", help="Its id (whk_…), or its name.")
_OVERLAP = 24
_JSON = flag("--json", text="Print JSON.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Who is told what happens, and how it goes.")
    add(group, "add", add_webhook, AddOptions)
    add(group, "list", list_webhooks, ListOptions)
    add(group, "test", test, WhichOptions, (0, 1, 2, 4, 7))
    add(group, "pause", pause, WhichOptions)
    add(group, "resume", resume, WhichOptions)
    add(group, "rotate", rotate, RotateOptions)
    add(group, "remove", remove, RemoveOptions)
    add(group, "log", log, LogOptions)
    add(group, "replay", replay, ReplayOptions, (0, 1, 2, 4, 5, 7))
    app.add_typer(group, name="webhook")


@dataclass(frozen=True, slots=True)
class AddOptions:
    """Options of `webhook add`."""

    url: Annotated[str, typer.Argument(metavar="URL", help="Where to, as https://crm.example/in.")]
    owner: Annotated[
        str,
        typer.Option("--owner", metavar="LOGIN", help="User whose scope limits what it is told."),
    ]
    event: Annotated[
        list[str] | None,
        typer.Option(
            "--event", metavar="EVENT", show_default=False,
            help="Only this kind, as message.archived; may be repeated.",
        ),
    ] = None  # fmt: skip
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What it is called.", show_default=False)
    ] = ""
    as_json: Annotated[bool, _JSON] = False


def add_webhook(session: Session, options: AddOptions) -> None:
    """Have an address told what happens from now on, and show its secret once.

    It is told what its owner may know of, signed by Standard Webhooks, by workers, at least once.
    """
    from holdfast.storage.rights.users import user_view
    from holdfast.storage.webhooks.endpoints import NewEndpoint, add_endpoint
    from holdfast.wiring.outgoing import courier

    courier(session.settings).check_words(options.url)
    with session.archive() as services:
        owner = user_view(services.store, options.owner).id
        asked = NewEndpoint(options.url, tuple(options.event or ()), owner, name=options.name)
        made, secret = add_endpoint(services.store, asked)
    _show_secret(session, made, secret, as_json=options.as_json)
    if not options.as_json:
        session.screen.hint("Next: holdfast webhook test {id}", id=made.public)


def _show_secret(session: Session, made: Endpoint, secret: str, *, as_json: bool) -> None:
    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.webhook/1", **_value(made), "secret": secret})
        return
    screen.plain(secret)
    screen.note("It is shown this once. Give it to the receiver of {url}.", url=made.url)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of `webhook list`."""

    as_json: Annotated[bool, _JSON] = False


def list_webhooks(session: Session, options: ListOptions) -> None:
    """List who is told what, on whose behalf, and how it fares."""
    from holdfast.storage.webhooks.endpoints import list_endpoints

    with session.archive() as services:
        found = list_endpoints(services.store)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.webhooks/1", "webhooks": [_value(one) for one in found]})
        return
    columns = [
        Column("Webhook", style="cyan"), Column("Name"), Column("Address", ratio=1),
        Column("Owner"), Column("State"), Column("Events"), Column("Failed in a row"),
    ]  # fmt: skip
    rows = [
        (
            one.public, one.name, one.url, one.login, screen.words(one.state),
            " ".join(one.events), str(one.failures),
        )
        for one in found
    ]  # fmt: skip
    screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class WhichOptions:
    """Options of commands about one endpoint."""

    webhook: Annotated[str, _WHICH]
    as_json: Annotated[bool, _JSON] = False


def test(session: Session, options: WhichOptions) -> int:
    """Tell it an event webhook.test now, and say what it answers; status 1: it did not take it."""
    from holdfast.ingest.jobs.telling import tell_now
    from holdfast.storage.webhooks.deliveries import add_test, find_delivery
    from holdfast.storage.webhooks.endpoints import find_endpoint
    from holdfast.wiring.outgoing import courier

    with session.archive() as services:
        store = services.store
        found = find_endpoint(store, options.webhook)
        delivery_id = add_test(store, found.id)
        tell_now(store, courier(session.settings), delivery_id)
        kept = find_delivery(store, found, delivery_id)
    screen = session.screen
    is_good = kept.state == "delivered"
    if options.as_json:
        screen.json({"schema": "holdfast.delivery/1", **_told(kept)})
    elif is_good:
        screen.result("It took it (HTTP {status}).", style=GOOD, status=str(kept.status))
    else:
        screen.result("It did not take it: {error}", style=BAD, error=screen.told(kept.error))
        screen.hint("It is tried again. See: holdfast webhook log {id}", id=found.public)
    return 0 if is_good else 1


def pause(session: Session, options: WhichOptions) -> None:
    """Tell it nothing until it is resumed; what happens meanwhile is told then."""
    _set_paused(session, options, is_paused=True)


def resume(session: Session, options: WhichOptions) -> None:
    """Tell it again, also after it said that it is gone."""
    _set_paused(session, options, is_paused=False)


def _set_paused(session: Session, options: WhichOptions, *, is_paused: bool) -> None:
    from holdfast.storage.webhooks.endpoints import Changes, change_endpoint, find_endpoint

    with session.archive() as services:
        number = find_endpoint(services.store, options.webhook).id
        made = change_endpoint(services.store, number, Changes(is_paused=is_paused))
    _say(session, made, as_json=options.as_json)


def _say(session: Session, made: Endpoint, *, as_json: bool) -> None:
    screen = session.screen
    if as_json:
        screen.json({"schema": "holdfast.webhook/1", **_value(made)})
    else:
        state = screen.words(made.state)
        screen.result("{id} is {state}.", style=GOOD, id=made.public, state=state)


@dataclass(frozen=True, slots=True)
class RotateOptions:
    """Options of `webhook rotate`."""

    webhook: Annotated[str, _WHICH]
    overlap: Annotated[
        int,
        typer.Option(
            "--overlap", metavar="HOURS", min=0, max=168, help="The older secret signs so long."
        ),
    ] = _OVERLAP
    as_json: Annotated[bool, _JSON] = False


def rotate(session: Session, options: RotateOptions) -> None:
    """Make a new secret and show it once; both sign until the overlap is over."""
    from holdfast.storage.webhooks.endpoints import find_endpoint, rotate_secret

    with session.archive() as services:
        number = find_endpoint(services.store, options.webhook).id
        made, secret = rotate_secret(services.store, number, options.overlap)
    _show_secret(session, made, secret, as_json=options.as_json)


@dataclass(frozen=True, slots=True)
class RemoveOptions:
    """Options of `webhook remove`."""

    webhook: Annotated[str, _WHICH]
    dry_run: Annotated[bool, flag("--dry-run", text="Only say which one it is.")] = False
    as_json: Annotated[bool, _JSON] = False


def remove(session: Session, options: RemoveOptions) -> None:
    """Tell it nothing more, and destroy its secret."""
    from holdfast.storage.webhooks.endpoints import find_endpoint, remove_endpoint

    with session.archive() as services:
        found = find_endpoint(services.store, options.webhook)
        if not options.dry_run:
            remove_endpoint(services.store, found.id)
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.webhook/1", **_value(found)})
    elif options.dry_run:
        screen.note("{url} would be told nothing more. Nothing was changed.", url=found.url)
    else:
        screen.result("{url} is told nothing more.", style=GOOD, url=found.url)


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Options of `webhook log`."""

    webhook: Annotated[str, _WHICH]
    state: Annotated[
        str,
        typer.Option(
            "--state", metavar="STATE", show_default=False,
            help="Only waiting, delivered, failed or void ones.",
        ),
    ] = ""  # fmt: skip
    limit: Annotated[
        int, typer.Option("-n", "--limit", metavar="N", min=1, max=1000, help="At most so many.")
    ] = 50
    as_json: Annotated[bool, _JSON] = False


def log(session: Session, options: LogOptions) -> None:
    """List what it was told, newest first: how often tried, what it answered, when it is next."""
    from holdfast.storage.webhooks.deliveries import deliveries_of
    from holdfast.storage.webhooks.endpoints import find_endpoint

    with session.archive() as services:
        found = find_endpoint(services.store, options.webhook)
        told = deliveries_of(services.store, found.id, state=options.state, limit=options.limit)
    screen = session.screen
    if options.as_json:
        listed = [_told(one) for one in told]
        screen.json({"schema": "holdfast.deliveries/1", "deliveries": listed})
        return
    columns = [
        Column("Delivery", style="cyan"), Column("Event"), Column("State"), Column("Tries"),
        Column("Answer"), Column("Next"), Column("Cause", ratio=1),
    ]  # fmt: skip
    rows = []
    for one in told:
        after = moment(session, one.next_ms if one.state == "waiting" else None)
        status = "–" if one.status is None else str(one.status)
        row = (public("dlv", one.id), one.kind, screen.words(one.state), str(one.attempts))
        rows.append((*row, status, after, screen.told(one.error)))
    screen.table(columns, rows)


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Options of `webhook replay`."""

    webhook: Annotated[str, _WHICH]
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="Its id (dlv_…).")]
    as_json: Annotated[bool, _JSON] = False


def replay(session: Session, options: ReplayOptions) -> None:
    """Have workers tell it again what it was told, under the same webhook-id."""
    from holdfast.core.identity import row_id
    from holdfast.storage.webhooks.deliveries import PREFIX
    from holdfast.storage.webhooks.deliveries import replay as replayed
    from holdfast.storage.webhooks.endpoints import find_endpoint

    with session.archive() as services:
        found = find_endpoint(services.store, options.webhook)
        kept = replayed(services.store, found, row_id(PREFIX, options.delivery))
    screen = session.screen
    if options.as_json:
        screen.json({"schema": "holdfast.delivery/1", **_told(kept)})
    else:
        screen.result("{id} is told again.", style=GOOD, id=public(PREFIX, kept.id))


def _value(one: Endpoint) -> dict[str, Any]:
    return {
        "id": one.public,
        "name": one.name,
        "url": one.url,
        "events": list(one.events),
        "owner": one.login,
        "key": None if one.key_id is None else public("key", one.key_id),
        "state": one.state,
        "is_hook": one.is_hook,
        "failures": one.failures,
        "created_at": stamp(one.created_ms),
        "older_secret_until": stamp(one.older_until_ms),
    }


def _told(one: Delivery) -> dict[str, Any]:
    return {
        "id": public("dlv", one.id),
        "webhook_id": public("evt", one.event_id),
        "event": one.kind,
        "state": one.state,
        "attempts": one.attempts,
        "status": one.status,
        "answer": one.answer,
        "error": one.error,
        "tried_at": stamp(one.tried_ms),
        "next_at": stamp(one.next_ms) if one.state == "waiting" else None,
        "ended_at": stamp(one.ended_ms),
    }

"""Somebody who is told what happens in an archive: a real HTTP server, and who sends to it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast

from archive_kit import settings_in
from holdfast.core.rights import Role
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.ingest.jobs.task import JobKind, Workshop
from holdfast.ingest.jobs.telling import LEASE_MS, pass_on, try_once
from holdfast.ingest.outbound.courier import Courier
from holdfast.ingest.work import Runner
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.storage.webhooks.deliveries import (
    Delivery,
    Due,
    Outcome,
    claim,
    deliveries_of,
    due_endpoints,
    end_try,
)
from holdfast.storage.webhooks.endpoints import Endpoint, NewEndpoint, add_endpoint
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.founding import create_archive
from http_listening import listening
from moved_clock import MovedClock

if TYPE_CHECKING:
    from pathlib import Path

    from holdfast.ingest.jail import Pool
    from holdfast.settings import Settings
    from holdfast.storage.store import Store

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that came."""

    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """What it says."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def id(self) -> str:
        """The same for every try."""
        return self.headers["webhook-id"]


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered."""

    heard: list[Heard] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """Each is answered once, before `status`."""
    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    on_heard: Callable[[Heard], None] = lambda heard: None
    """Called before the answer."""
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}/in"

    @property
    def kinds(self) -> list[str]:
        """What was told, in order."""
        return [one.event["type"] for one in self.heard]

    @property
    def ids(self) -> list[str]:
        """Of which things."""
        return [one.event["data"]["id"] for one in self.heard]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen for the length of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length", 0))
            named = {name.lower(): value for name, value in self.headers.items()}
            heard = Heard(self.path, named, self.rfile.read(size))
            receiver.heard.append(heard)
            receiver.on_heard(heard)
            status = receiver.statuses.pop(0) if receiver.statuses else receiver.status
            self.send_response(status)
            for name, value in receiver.headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def do_GET(self) -> None:
            self.do_POST()  # whoever was redirected comes so

        def log_message(self, *_unused: object) -> None:
            """Be quiet."""

    with listening(Handler) as receiver.port:
        yield receiver


def signature(secret: str, heard: Heard) -> str:
    """Compute the signature as the specification words it, apart from the program."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{heard.id}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(slots=True)
class Bureau:
    """One archive whose time can be moved, and who tells of it."""

    services: Services
    settings: Settings
    clock: MovedClock
    courier: Courier
    events: list[Any] = field(default_factory=list)

    @property
    def store(self) -> Any:
        """The archive's handles."""
        return self.services.store

    def hire(self, login: str, role: str, **more: Any) -> int:
        """Add a user; return their row id."""
        return add_user(self.store, NewUser(login, Role(role), **more)).id

    def listen(self, url: str, user_id: int, *events: str, **more: Any) -> tuple[Endpoint, str]:
        """Add an endpoint that is told of these events."""
        return add_endpoint(self.store, NewEndpoint(url, events, user_id, **more))

    def work(self, kind: JobKind | None = None, owner: str = "worker") -> None:
        """Do all that is due, as a worker does."""
        chosen = kind or KINDS["webhook"]
        pool = cast("Pool", None)  # no text is parsed
        desk = self.services.desk
        shop = Workshop(desk, pool, self.services.spool, courier=self.courier)
        runner = Runner(shop, {chosen.name: chosen}, owner, self.events.append)
        while True:
            runner.look()
            if not runner.run_due():
                return

    def log(self, endpoint: Endpoint) -> list[Delivery]:
        """Return the deliveries to an endpoint, oldest first."""
        return deliveries_of(self.store, endpoint.id, limit=1000)[::-1]


@contextmanager
def bureau(folder: Path, **sections: object) -> Iterator[Bureau]:
    """Open a new archive that may send to this machine."""
    sections = {"outgoing": {"private_hosts": [HOST]}, **sections}
    settings = settings_in(folder, archive={"internal_domains": ["our.example"]}, **sections)
    create_archive(settings)
    clock = MovedClock()
    with open_archive(settings, "tester") as opened:
        store = replace(opened.store, clock=clock)
        desk = replace(opened.desk, store=store)
        services = replace(opened, store=store, desk=desk)
        yield Bureau(services, settings, clock, Courier(frozenset({HOST})))


def tell_all(store: Store) -> None:
    """Tell all that is due, as workers do."""
    courier = Courier(frozenset({HOST}), public_url="https://archive.example")
    pass_on(store)
    for one in due_endpoints(store):
        while due := claim(store, one, LEASE_MS):
            try_once(store, courier, due)


def tell_hastily(store: Store, courier: Courier, due: Due) -> Outcome:
    """A seeded bug: write down that it was told before it is."""
    end_try(store, due, Outcome(200))
    return try_once(store, courier, due)


TELLERS = {"": try_once, "hasty": tell_hastily}


def tell_in_child(settings: Settings, endpoint: int, bug: str) -> None:
    """Be a process that tells one endpoint what is due, until nothing is."""
    with open_archive(settings, "tester") as services:
        store, courier = services.store, Courier(frozenset({HOST}))
        pass_on(store)
        while due := claim(store, endpoint, LEASE_MS):
            TELLERS[bug](store, courier, due)


def killed_while_telling(office: Bureau, receiver: Receiver, endpoint: Endpoint, bug: str) -> None:
    """Have a child tell, and kill it when the first thing was heard and not answered."""
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=tell_in_child, args=(office.settings, endpoint.id, bug))
    gone = threading.Event()

    def kill(_heard: Heard) -> None:
        if not gone.is_set():
            child.kill()
            child.join()
            gone.set()

    receiver.on_heard = kill
    child.start()
    assert gone.wait(600), "it told nothing"
    receiver.on_heard = lambda heard: None

"""Puts the HTTP service together: its archive, its log, and the server that carries it."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvicorn

from holdfast.api.app import create_app
from holdfast.api.config import ApiConfig
from holdfast.api.served import Served
from holdfast.core.errors import HoldfastError, Unavailable
from holdfast.core.identity import public_id
from holdfast.ingest.library_notes import libraries_told
from holdfast.ingest.metrics import serving as serving_metrics
from holdfast.ingest.viewing import Viewer
from holdfast.ingest.webhooks.intake import Hooks
from holdfast.retention.disposal import Asked
from holdfast.settings import Settings
from holdfast.storage.durable import SystemFiles, make_folder
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.disposing import execute
from holdfast.wiring.outgoing import courier
from holdfast.wiring.places import EXPORTS, PACKAGES
from holdfast.wiring.vouching import provider_of

Report = Callable[[Mapping[str, object]], None]
SEQUENCE_EVERY_S = 1.0
GRACE_S = 10
MOST_HEAD_BYTES = 64 * 1024
"""Of a request's first line and header fields together."""
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class ServiceWatch:
    """How the service tells what happens, and is told to end."""

    say: Report
    """Told once where it listens, then of troubles."""
    is_stopping: Callable[[], bool]


def serve_http(settings: Settings, actor: str, watch: ServiceWatch) -> None:
    """Serve the archive over HTTP until asked to end; requests in hand are finished first.

    Raises:
        Unavailable: It cannot listen there, or the archive cannot be opened.
    """
    with ExitStack() as opened:
        viewer = opened.enter_context(Viewer())  # first: its children are to see nothing
        sock = opened.enter_context(_listening(settings))
        services = opened.enter_context(open_archive(settings, actor))
        opened.enter_context(_sequencing(services, watch))
        if settings.service.metrics_port:
            place = (settings.service.metrics_port, settings.service.host)
            opened.enter_context(serving_metrics(services.store, *place))
        served = served_by(services, viewer, watch.say)
        opened.callback(served.hooks.close)
        host, port = sock.getsockname()[:2]
        watch.say({"event": "service.listening", "host": host, "port": port})
        _run(served, sock, watch)


def served_by(services: Services, viewer: Viewer, say: Report = lambda event: None) -> Served:
    """Return the open archive as the routes use it; what goes on behind says so where it fails."""
    settings = services.settings
    section = settings.service
    make_folder(SystemFiles(), settings.data / PACKAGES)
    config = ApiConfig(
        archive=settings.archive.name,
        zone=settings.zone,
        requests_per_minute=section.requests_per_minute,
        most_body_bytes=section.body_kib * 1024,
        trusted_proxies=section.trusted_proxies,
        is_behind_tls=section.is_behind_tls,
        embedders=settings.outgoing.embedders,
        cooling_off_hours=settings.governance.cooling_off_hours,
        release_delay_days=settings.governance.release_delay_days,
    )
    troubles: dict[int, str] = {}
    return Served(
        config=config,
        store=services.store,
        home=services.home,
        log=services.log,
        wake=lambda _kind: None,  # workers look by themselves
        sequencer=services.desk.sequencer,
        dispose=lambda *order: _dispose(settings, order, (say, troubles)),
        exports=settings.data / PACKAGES,
        work=settings.data / EXPORTS,
        viewer=viewer,
        hooks=Hooks(services.desk, services.spool, say),
        provider=provider_of(settings),
        courier=courier(settings),
        troubles=troubles,
    )


def _dispose(
    settings: Settings, order: tuple[str, int, Asked], told: tuple[Report, dict[int, str]]
) -> None:
    """Carry a disposal out in a thread, with the archive opened anew: it closes what it clears."""
    (login, number, asked), (say, troubles) = order, told
    troubles.pop(number, None)

    def act() -> None:
        name = public_id("dsp", number)
        try:
            with open_archive(settings, login) as services:
                execute(services, number, asked, lambda _state: None)
        except HoldfastError as error:  # it stays as it is; sent again, it goes on
            troubles[number] = error.cause
            say({"event": "disposal.stopped", "disposal": name, "cause": error.cause})

    threading.Thread(target=act, name=f"disposal-{number}", daemon=True).start()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    place = (settings.service.host, settings.service.port)
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    try:
        sock = socket.create_server(place, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Unavailable(
            f"Cannot listen on {place[0]} port {place[1]}: {error.strerror}.",
            next_step="Set service.port to another one, or to 0 for any that is free.",
        ) from error
    with sock:
        # Connections inherit it. An answer goes out as head and body: without it the body waits for
        # the other side to acknowledge the head, which takes 40 ms (Linux; RFC 896, RFC 1122).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


@contextmanager
def _sequencing(services: Services, watch: ServiceWatch) -> Iterator[None]:
    """Give what was noted its number in the log within a second or so."""
    ended = threading.Event()

    def number() -> None:
        while not ended.wait(SEQUENCE_EVERY_S):
            try:
                services.desk.sequencer.run()
            except HoldfastError as error:
                watch.say({"event": "log.not_numbered", "cause": error.cause})

    thread = threading.Thread(target=number, name="sequencer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _run(served: Served, sock: socket.socket, watch: ServiceWatch) -> None:
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        create_app(served),
        http="h11",  # httptools, which is taken where it is installed, reads heads without an end
        h11_max_incomplete_event_size=MOST_HEAD_BYTES,
        access_log=False,  # the audit log says who asked what; addresses and queries stay out of it
        server_header=False,
        date_header=True,
        proxy_headers=False,  # the door decides which proxy is believed
        timeout_graceful_shutdown=GRACE_S,
        log_config=None,
        lifespan="off",
    )
    server = _Unheeding(config)
    ended = threading.Event()

    def wait_for_the_end() -> None:
        while not ended.wait(0.2):
            if watch.is_stopping():
                server.should_exit = True
                return

    thread = threading.Thread(target=wait_for_the_end, name="ending", daemon=True)
    thread.start()
    try:
        with libraries_told(watch.say, "uvicorn.error"):
            server.run(sockets=[sock])
    finally:
        ended.set()
        thread.join()


class _Unheeding(uvicorn.Server):
    """The server without handlers of signals, which the command has already."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

"""Puts the SMTP listener together: its settings, its archive, and the process that files behind."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from holdfast.core.errors import HoldfastError, Refused
from holdfast.ingest.smtp.committing import Reception
from holdfast.ingest.smtp.config import Bounds, Certificate, Clients, Login, SmtpConfig
from holdfast.ingest.smtp.listening import listen
from holdfast.ingest.smtp.pressure import Pressure
from holdfast.settings import Settings, secret
from holdfast.settings.sections import Smtp
from holdfast.storage.catalogue.batches import close_batch, ensure_source, open_batch
from holdfast.storage.upkeep import finish_segments
from holdfast.wiring.archive import Services, open_archive

Report = Callable[[Mapping[str, object]], None]
_MIB = 1024 * 1024
FILING_NICE = 10
RESTART_S = 1.0
"""A filing process that ended is started again after so long."""


def smtp_config(settings: Settings) -> SmtpConfig:
    """Return what the listener is told.

    Raises:
        Refused: It could take nothing: no address, or nobody who may deliver.
    """
    smtp = settings.smtp
    password = secret(smtp, "password")
    if not smtp.takes_mail:
        raise Refused("No address takes mail.", next_step="Set smtp.addresses.")
    _refuse_shared(smtp)
    if bool(smtp.user) != bool(password):
        raise Refused(
            "A login has a name and a password.", next_step="Set smtp.user and its password."
        )
    if (smtp.tls_certificate is None) != (smtp.tls_key is None):
        raise Refused("A certificate and its key go together.", next_step="Set smtp.tls_key too.")
    certificate = None
    if smtp.tls_certificate is not None and smtp.tls_key is not None:
        certificate = Certificate(smtp.tls_certificate, smtp.tls_key)
    if smtp.user and certificate is None:
        raise Refused("A login needs TLS.", next_step="Set smtp.tls_certificate and smtp.tls_key.")
    if smtp.client_ca and certificate is None:
        raise Refused(
            "Certificates of clients need TLS.",
            next_step="Set smtp.tls_certificate and smtp.tls_key.",
        )
    if not smtp.user and not smtp.networks and not smtp.client_ca:
        raise Refused(
            "Nobody may deliver.", next_step="Set smtp.networks, smtp.user or smtp.client_ca."
        )
    return SmtpConfig(
        host=smtp.host,
        port=smtp.port,
        hostname=smtp.hostname or socket.gethostname(),
        addresses=_folded(smtp.addresses),
        drop_addresses=_folded(smtp.drop_addresses),
        copy_addresses=_folded(smtp.copy_addresses),
        networks=tuple(map(ip_network, smtp.networks)),
        login=Login(smtp.user, password) if smtp.user else None,
        certificate=certificate,
        clients=_clients(smtp),
        journal_networks=tuple(map(ip_network, smtp.journal_networks)),
        envelope_fields=tuple(one.casefold() for one in smtp.envelope_fields),
        keeps_bare_newlines=smtp.bare_newlines == "keep",
        lmtp_port=smtp.lmtp_port,
        bounds=Bounds(
            message_bytes=smtp.message_mib * _MIB,
            connections=smtp.connections,
            connections_per_peer=smtp.connections_per_peer,
            idle_s=smtp.idle_s,
            data_s=smtp.data_s,
            session_s=smtp.session_s,
            errors=smtp.errors,
            login_failures=smtp.login_failures,
            backlog=smtp.backlog,
        ),
    )


def _refuse_shared(smtp: Smtp) -> None:
    journal, people, copies = map(
        _folded, (smtp.addresses, smtp.drop_addresses, smtp.copy_addresses)
    )
    if both := journal & people:
        raise Refused(
            f"{min(both)} is an address of the journal and of people.",
            next_step="Name it in smtp.addresses or in smtp.drop_addresses alone.",
        )
    if both := copies & (journal | people):
        raise Refused(
            f"{min(both)} is an address of plain copies and another one.",
            next_step="Name it in smtp.copy_addresses alone.",
        )


def _folded(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(one.strip().casefold() for one in addresses)


def _clients(smtp: Smtp) -> Clients | None:
    if smtp.client_ca is None:
        return None
    return Clients(smtp.client_ca, frozenset(one.casefold() for one in smtp.client_names))


@dataclass(frozen=True, slots=True)
class Watch:
    """How a listener is watched and ended."""

    report: Report
    """Is told what happens here."""
    filed: Report
    """Is told what happens in the process beside; it travels through a pipe."""
    is_asked: Callable[[], bool]
    """Whether the end is asked for."""
    metrics_port: int | None = None
    """Where metrics are served; None: nowhere."""
    metrics_host: str = "127.0.0.1"


def serve_smtp(settings: Settings, actor: str, watch: Watch) -> None:
    """Receive mail until asked to end; a process beside this one files it.

    Args:
        settings: Of the archive.
        actor: Who acts.
        watch: How it is watched and ended.

    Raises:
        Refused: The settings of the listener do not fit together.
        NotFound: There is no archive.
        Unavailable: The address cannot be listened on, or the archive cannot be opened.
    """
    config = smtp_config(settings)
    pressure = Pressure()
    plan = _Plan(settings, actor, watch.filed, pressure)
    with _filing(plan), open_archive(settings, actor) as services:
        finish_segments(services.vault, services.store)
        source_id = ensure_source(services.store, settings.smtp.source, "smtp")
        intake = open_batch(services.store, source_id, paths=f"smtp {config.host}:{config.port}")
        try:
            reception = Reception(services.desk, intake, services.spool, watch.report, pressure)
            with _metrics(watch, services, reception):
                listen(config, reception, watch.is_asked)
        finally:
            close_batch(services.store, intake.batch_id)


@contextmanager
def _metrics(watch: Watch, services: Services, reception: Reception) -> Iterator[None]:
    if watch.metrics_port is None:
        yield
        return
    from holdfast.ingest.metrics import serving
    from holdfast.ingest.smtp.metrics import ListenerCollector

    also = (ListenerCollector(reception.tally, reception.pressure),)
    with serving(services.store, watch.metrics_port, watch.metrics_host, also) as port:
        watch.report({"event": "metrics.listening", "host": watch.metrics_host, "port": port})
        yield


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the filing process is told; it travels through a pipe."""

    settings: Settings
    actor: str
    report: Report
    pressure: Pressure


@contextmanager
def _filing(plan: _Plan) -> Iterator[None]:
    """Keep a filing process alive; it ends when its line is closed, also by our death."""
    ending = threading.Event()
    keeper = threading.Thread(target=_keep_filing, args=(plan, ending), name="filing")
    keeper.start()
    try:
        yield
    finally:
        ending.set()
        keeper.join()


def _keep_filing(plan: _Plan, ending: threading.Event) -> None:
    context = multiprocessing.get_context("spawn")  # a fresh program: no keys, no threads of ours
    while True:
        far, near = context.Pipe(duplex=False)
        process = context.Process(target=file_behind, args=(plan, far), daemon=False)
        process.start()
        far.close()
        while process.is_alive() and not ending.wait(RESTART_S):
            pass
        near.close()
        process.join()
        if ending.wait(RESTART_S):
            return
        plan.report({"event": "smtp.filing_ended", "status": process.exitcode})


def file_behind(plan: _Plan, line: Any) -> None:
    """Be the process that files, until the parent has gone; parsers start first, without keys."""
    import os
    import signal

    from holdfast.ingest.smtp.filing import Filing  # the listener's own process needs no parsers,
    from holdfast.wiring.runs import parser_pool  # which take 20 MiB

    os.nice(FILING_NICE)  # and so are the parsers: whoever waits for a 250 comes first
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent asks for the end
    try:
        with (
            parser_pool(plan.settings) as pool,
            open_archive(plan.settings, plan.actor) as services,
        ):
            Filing(services.desk, pool, line, plan.report, plan.pressure).run()
    except HoldfastError as error:
        plan.report({"event": "smtp.filing_failed", "cause": str(error)})

"""Wakes workers through Celery and Redis; a message is a hint, the truth is in the catalogue.

One task and one queue a kind. A message names a job, and whoever gets it does whatever is due. It
must never decide whether something is done, and nothing may be lost when all messages are.
"""

from __future__ import annotations

import logging
import queue
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from celery import Celery
from celery.exceptions import Reject
from celery.worker import state as celery_state
from kombu.entity import Queue
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from holdfast.core.errors import HoldfastError, Refused
from holdfast.core.identity import public_id
from holdfast.ingest.jobs.crew import Ring
from holdfast.ingest.jobs.kinds import KINDS, known
from holdfast.ingest.work import Note, keep_job
from holdfast.storage.catalogue.job_lists import note_wake_failure
from holdfast.storage.catalogue.jobs import PREFIX

if TYPE_CHECKING:
    from types import TracebackType

    from holdfast.core.ports import Work
    from holdfast.ingest.jobs.task import JobKind
    from holdfast.storage.store import Store

SEND_TIMEOUT_S = 2.0
"""A sender waits no longer for a broker that does not answer."""
SILENCE_S = 5.0
"""After a failed wake-up no other is tried for so long: workers look by themselves meanwhile."""
EXPIRES_S = 3600.0
RESTART_S = 2.0
_BROKER_ERRORS = (KombuError, RedisError, OSError)


@dataclass(frozen=True, slots=True)
class CeleryConfig:
    """Where the broker is."""

    broker: str
    """`redis://host:port/db`, or `rediss://` for TLS; without a password."""
    password: str = field(default="", repr=False)
    prefix: str = "holdfast"
    """Of all keys in Redis, so that archives can share one."""
    visibility_s: float = 3600.0
    """After which a message that nobody acknowledged is given to another worker; must be longer
    than the longest lease."""
    ca_file: str = ""


def make_app(config: CeleryConfig, kinds: Mapping[str, JobKind], *, consumes: bool) -> Celery:
    """Return a Celery application without tasks; it connects to nothing yet.

    Raises:
        Refused: The address is none of Redis, or messages come back before leases run out.
    """
    _check(config, kinds)
    app = Celery(config.prefix, set_as_current=False)
    options: dict[str, Any] = {
        "visibility_timeout": config.visibility_s,
        "global_keyprefix": f"{config.prefix}:",
        "socket_connect_timeout": SEND_TIMEOUT_S,
        "socket_keepalive": True,
        "health_check_interval": 25,
    }
    if not consumes:  # a consumer waits on its socket, a sender must not
        options |= {"socket_timeout": SEND_TIMEOUT_S, "max_retries": 0}
    app.conf.update(
        broker_url=_with_password(config),
        broker_use_ssl=_tls(config),
        broker_transport_options=options,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_queues=[Queue(_name(kind)) for kind in kinds],  # type: ignore[no-untyped-call]
        task_create_missing_queues=False,
        task_default_queue=_name(next(iter(kinds))),
    )
    return app


def _check(config: CeleryConfig, kinds: Mapping[str, JobKind]) -> None:
    parts = urlsplit(config.broker)
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise Refused(
            "The broker's address is not one of Redis.",
            next_step="Write work.broker as redis://host:port/0.",
        )
    if parts.password:
        raise Refused(
            "The broker's address holds a password, and addresses are shown and logged.",
            next_step="Put it into work.password, work.password_file or work.password_command.",
        )
    longest_s = max((kind.lease_s for kind in kinds.values()), default=0.0)
    if config.visibility_s <= longest_s:
        raise Refused(
            f"Messages would come back after {config.visibility_s:g} s, before leases of "
            f"{longest_s:g} s run out.",
            next_step="Raise the visibility timeout.",
        )


def _with_password(config: CeleryConfig) -> str:
    parts = urlsplit(config.broker)
    if not config.password:
        return config.broker
    where = parts.netloc.rpartition("@")
    netloc = f"{where[0]}:{quote(config.password, safe='')}@{where[2]}"
    return urlunsplit(parts._replace(netloc=netloc))


def _tls(config: CeleryConfig) -> dict[str, Any] | None:
    if urlsplit(config.broker).scheme != "rediss":
        return None
    trusted = {"ssl_ca_certs": config.ca_file} if config.ca_file else {}
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, **trusted}


def _name(kind: str) -> str:
    return f"holdfast.{kind}"


@dataclass(frozen=True, slots=True)
class _Line:
    """A connection of our own: those that Celery pools are shared by all that use its libraries."""

    app: Celery
    connection: Any
    producer: Any


@dataclass(slots=True)
class CeleryWork:
    """Keeps jobs as rows and wakes a worker for each."""

    store: Store
    config: CeleryConfig
    note: Note = lambda event: None
    kinds: Mapping[str, JobKind] = field(default_factory=lambda: KINDS)
    _line: _Line | None = field(default=None, init=False)
    _silent_until: float = field(default=0.0, init=False)

    def submit(self, kind: str, payload: Mapping[str, object], key: str) -> int:
        job = keep_job(self.store, known(kind, self.kinds), payload, key)
        self._send(kind, [public_id(PREFIX, job)])
        return job

    def wake(self, kind: str) -> None:
        self._send(kind, [])

    def close(self) -> None:
        """Drop the connection; the next wake-up makes a new one."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(*_BROKER_ERRORS):
                line.connection.release()
            line.app.close()

    def _send(self, kind: str, hint: Sequence[str]) -> None:
        if time.monotonic() < self._silent_until:
            self._count("the broker did not answer a moment ago")
            return
        try:
            line = self._open()
            name = _name(kind)
            line.app.send_task(
                name, [*hint], queue=name, retry=False, expires=EXPIRES_S, producer=line.producer
            )
        except _BROKER_ERRORS as error:
            self.close()
            self._silent_until = time.monotonic() + SILENCE_S
            self._count(f"{type(error).__name__}: {error}")
        except BaseException:
            # Interrupted half way: what is left on the connection would answer the next question
            # (CVE-2023-28859), so it is not used again.
            self.close()
            raise

    def _open(self) -> _Line:
        if self._line is None:
            app = make_app(self.config, self.kinds, consumes=False)
            connection = app.connection_for_write()
            self._line = _Line(app, connection, app.amqp.Producer(connection, auto_declare=False))
        return self._line

    def _count(self, cause: str) -> None:
        self.note({"event": "wake.failed", "cause": cause[:300]})
        try:
            note_wake_failure(self.store, cause)
        except HoldfastError as error:  # the job is kept: that its wake-up is not counted is minor
            self.note({"event": "wake.uncounted", "cause": error.cause})


class CeleryBell:
    """Rings when a message comes; the broker may be away, come back or forget everything.

    Celery runs in a thread of its own and waits there until the worker has done what was due, so
    that a message is acknowledged late and a busy worker takes no other.
    """

    def __init__(self, config: CeleryConfig, kinds: Mapping[str, JobKind], note: Note) -> None:
        self._app = make_app(config, kinds, consumes=True)
        self._kinds = kinds
        self._note = note
        self._rings: queue.SimpleQueue[Ring] = queue.SimpleQueue()
        self._is_closing = False
        for kind in kinds:
            self._app.task(self._body(kind), name=_name(kind), shared=False)
        _tell(note)
        self._thread = threading.Thread(target=self._consume, name="celery", daemon=True)

    def __enter__(self) -> CeleryBell:
        celery_state.should_stop = None  # Celery's own mark, left by a bell that ended before
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        trouble: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closing = True
        celery_state.should_stop = 0
        while not self._rings.empty():
            self._rings.get().refuse()
        self._thread.join(timeout=10)

    def wait(self, timeout_s: float) -> Ring | None:
        try:
            return self._rings.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _body(self, kind: str) -> Callable[..., None]:
        def body(hint: str = "") -> None:
            ring = Ring(kind, hint)
            self._rings.put(ring)
            while not ring.is_answered(0.2):
                if self._is_closing:
                    break
            if not ring.is_done:
                raise Reject("the worker ends", requeue=True)

        body.__name__ = f"do_{kind}"
        return body

    def _consume(self) -> None:
        self._app.set_current()  # else tasks are looked up in an app that Celery makes up
        while not self._is_closing:
            try:
                worker = self._app.WorkController(
                    pool="solo",
                    concurrency=1,
                    queues=[_name(kind) for kind in self._kinds],
                    without_gossip=True,
                    without_mingle=True,
                    without_heartbeat=True,
                )
                worker.start()
            except Exception as error:  # noqa: BLE001 - without Celery the worker still looks by itself
                self._note({"event": "celery.ended", "cause": f"{type(error).__name__}: {error}"})
            if not self._is_closing:
                time.sleep(RESTART_S)


class _Notes(logging.Handler):
    def __init__(self, note: Note) -> None:
        super().__init__(logging.WARNING)
        self._to = note

    def emit(self, record: logging.LogRecord) -> None:
        self._to({"event": "celery", "level": record.levelname, "cause": _short(record)})


def _short(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    why = f" ({type(error).__name__}: {error})"[:200] if error else ""
    return record.getMessage().strip()[:300] + why


def _tell(note: Note) -> None:
    for name in ("celery", "kombu"):
        logger = logging.getLogger(name)
        logger.handlers = [_Notes(note)]
        logger.propagate = False


if TYPE_CHECKING:
    _port: type[Work] = CeleryWork

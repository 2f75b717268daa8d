"""Mail and events that come three ways into a running archive while what it needs fails in turn.

The service, the workers and the SMTP listener are programs of their own, as in production. Senders
do as theirs do: what was not taken is sent again.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import tomlkit
from pydantic import SecretStr

from archive_kit import opened
from fault_command import PROGRAM, Running, start
from fault_smtp import listening_port
from holdfast.core.errors import HoldfastError
from holdfast.ingest.webhooks.settings import KIND as HOOK
from holdfast.ingest.webhooks.settings import Hook, written
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import NewAccount, add_account
from holdfast.storage.catalogue.ledger import sums
from hook_kit import SECRET, signed_hmac
from http_listening import free_port
from imap_kit import account_of, added, letter
from smtp_kit import JOURNAL, Client

MAILBOX = "mailbox"
PATIENCE_S = 900.0
"""Against hanging only."""
_PAUSE_S = 0.1
"""Between two tries of a sender."""


def words_of(way: str, number: int) -> str:
    """Return the word that one item alone has."""
    return f"outage{way}{number}"


def settings_file(settings: Settings, folder: Path) -> Path:
    """Write settings as the file that programs of their own read."""
    said = _plain(settings.model_dump(exclude_unset=True))
    path = folder / "holdfast.toml"
    path.write_text(tomlkit.dumps(said), "utf-8")
    path.chmod(0o600)
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value if isinstance(value, bool | int | float | str) else str(value)


@dataclass(slots=True)
class Heard:
    """What the senders were told."""

    smtp: Counter[str] = field(default_factory=Counter)
    hook: Counter[int] = field(default_factory=Counter)
    troubles: list[BaseException] = field(default_factory=list)


@dataclass(slots=True)
class Site:
    """The programs of one archive."""

    settings: Settings
    folder: Path
    config: Path
    port: int
    smtp_port: int
    running: dict[str, Running] = field(default_factory=dict)
    mailbox: threading.Lock = field(default_factory=threading.Lock)
    """Held by who changes the mailbox: the mail server fails where its own files go meanwhile."""
    _runs: int = 0

    def begin(self, name: str) -> None:
        """Start one program; return when it can be talked to."""
        words = {
            "service": ("serve", "--port", self.port),
            "worker": ("worker", "-n", 2),
            "listener": ("smtpd", "--json", "--set", f"smtp.port={self.smtp_port}", "--set",
                         f"smtp.addresses={JOURNAL}"),
        }[name]  # fmt: skip
        self._runs += 1
        place = ("--data", self.settings.data, "--config", self.config)
        run = start([*PROGRAM, *words, *place], self.folder / f"{name}-{self._runs}")
        self.running[name] = run
        if name == "listener":
            listening_port(run)
        elif name == "service":
            assert not run.is_over_before(partial(_is_open, self.port))

    def kill(self, name: str) -> None:
        """Kill one program and start it again."""
        self.running[name].kill()
        self.begin(name)

    def end(self) -> None:
        """End everything in order."""
        for run in self.running.values():
            run.process.terminate()
            run.finish()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, while the worker lives."""
        assert not self.running["worker"].is_over_before(condition)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def prepared(settings: Settings, user: Any) -> None:
    """Make the archive, with a mailbox and a webhook as sources."""
    added(settings, account_of(user), user.server.password, MAILBOX)
    with opened(settings) as services:
        hook = Hook("generic", "{}")
        account = NewAccount("crm", HOOK, hook.identity, written(hook))
        add_account(services.store, account, json.dumps({"secrets": [SECRET]}).encode())


def kept(settings: Settings) -> Counter[str]:
    """Return the ends of all items, over all sources."""
    with opened(settings) as services:
        ends: Counter[str] = Counter()
        for one in sums(services.store).values():
            ends.update(one)
        ends["not indexed"] = services.desk.feed.waiting()
    return ends


def grown(settings: Settings, than: int) -> bool:
    """Tell whether the ledger holds more than so many; not while the catalogue is away."""
    with suppress(HoldfastError):
        return sum(n for end, n in kept(settings).items() if end != "not indexed") > than
    return False


@contextmanager
def sending(site: Site, user: Any, each: int) -> Iterator[Heard]:
    """Send so many items each way, until all of them were taken."""
    heard = Heard()

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - the test that waits shall raise it
            heard.troubles.append(error)

    ways = (
        partial(_post, site.port, each, heard),
        partial(_mail, site.smtp_port, each, heard),
        partial(_append, site, user, each),
    )
    threads = [threading.Thread(target=run, args=(way,), daemon=True) for way in ways]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "what was sent was not acknowledged in time"
        if heard.troubles:
            raise heard.troubles[0]


def _append(site: Site, user: Any, each: int) -> None:
    for at in range(0, each, 10):
        numbers = range(at, min(at + 10, each))
        bodies = [letter(900_000 + n, body=f"by mail {words_of('imap', n)}") for n in numbers]
        with site.mailbox:
            user.append("INBOX", *bodies)
        threading.Event().wait(_PAUSE_S)


def _mail(port: int, each: int, heard: Heard) -> None:
    for number in range(each):
        content = letter(800_000 + number, body=f"by post {words_of('smtp', number)}")
        while True:
            answer = ""
            with suppress(OSError, AssertionError), ExitStack() as stack:
                client = stack.enter_context(Client(port))
                client.greet()
                answer = client.deliver(content)
            heard.smtp[answer[:1] or "gone"] += 1
            if answer.startswith("2"):
                break
            assert not answer.startswith("5"), answer
            threading.Event().wait(_PAUSE_S)


def _post(port: int, each: int, heard: Heard) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for number in range(each):
            word = words_of("hook", number)
            event = {"id": f"h{number}", "kind": "call", "at": "2024-06-03T02:00:00Z"}
            content = json.dumps({**event, "body": word, "from": "+8613800138000"}).encode()
            while True:
                status = 0
                with suppress(httpx2.TransportError):
                    signed = signed_hmac(content, datetime.now(UTC), SECRET)
                    answer = client.post(
                        "/api/v1/ingest/hooks/crm", headers=dict(signed.headers), content=content
                    )
                    status = answer.status_code
                heard.hook[status] += 1
                if 200 <= status < 300:
                    break
                assert not 300 <= status < 500, answer.text
                threading.Event().wait(_PAUSE_S)


@contextmanager
def site_of(settings: Settings, folder: Path) -> Iterator[Site]:
    """Run all programs of an archive."""
    config = settings_file(settings, folder)
    site = Site(settings, folder, config, free_port(), free_port())
    for name in ("service", "listener", "worker"):
        site.begin(name)
    try:
        yield site
    finally:
        site.end()

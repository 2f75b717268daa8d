"""`up --demo`: after its tour, serve the demonstration, with a user, a key and requests to try."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import sys
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import quote

from holdfast.cli.commands.working import write_event
from holdfast.cli.screen import ACCENT, GOOD
from holdfast.core.errors import Unavailable

if TYPE_CHECKING:
    from holdfast.cli.session import Session

LOGIN = "demo"
KEY_DAYS = 1
_PORTS = 50
_PATIENCE_S = 5.0
_TRIED = (
    ("Search, in Chinese, with facets:", "/search?query={words}&facets=sender&limit=2", "阴阳合同"),
    ("Find a person:", "/contacts?q={words}", "Leila Hartmann"),
    ("Search in the text of attachments:", "/search?query={words}&limit=1", "Gallowspan"),
)


def demonstrate(session: Session, processes: int) -> int:
    """Build and show the demonstration, then serve it; without a terminal, try it and end."""
    from holdfast.cli.command import NoOptions
    from holdfast.cli.commands.demo import demo
    from holdfast.cli.commands.process_group import ProcessGroup
    from holdfast.cli.commands.serving import programs
    from holdfast.ingest.jobs.stopping import StopRequest

    status = demo(session, NoOptions())
    if status:
        return status
    session.choose({"service.port": _free_port(session)})
    tour = _Tour(session, *_let_in(session), is_staying=sys.stdout.isatty())
    stop = StopRequest()
    with stop.heeding(signal.SIGTERM, signal.SIGINT):
        ProcessGroup(programs(session, processes), write_event).run(stop, tour.go_on)
    return 0 if tour.is_done else 1


def _free_port(session: Session) -> int:
    """Return the first port from service.port on that is free; say so where it is another one."""
    host, wanted = session.settings.service.host, session.settings.service.port
    for port in range(wanted, min(wanted + _PORTS, 65536)) if wanted else (0,):
        try:
            with socket.create_server((host, port)) as sock:
                found = int(sock.getsockname()[1])
        except OSError:
            continue
        if found != wanted:
            session.screen.note("Port {port} is taken: {found} is used.", port=wanted, found=found)
        return found
    raise Unavailable("No port is free.", next_step="Name one with --port.")


def _let_in(session: Session) -> tuple[str, str]:
    """Make sure of the user of the demonstration; return a new password and a new key."""
    from holdfast.core.errors import NotFound
    from holdfast.core.rights import Role
    from holdfast.storage.rights.api_keys import NewKey, create_key
    from holdfast.storage.rights.users import NewUser, add_user, set_password, user_view

    password = secrets.token_urlsafe(12)
    with session.archive() as services:
        try:
            user_view(services.store, LOGIN)
            set_password(services.store, LOGIN, password)
        except NotFound:
            new = NewUser(LOGIN, Role.LEGAL, name="Demo", password=password)
            add_user(services.store, new)
        _, key = create_key(services.store, NewKey(login=LOGIN, name="tour", days=KEY_DAYS))
    return password, key


@dataclass(slots=True)
class _Tour:
    """Shows how to ask the service, once it answers."""

    session: Session
    password: str
    key: str
    is_staying: bool
    is_done: bool = field(default=False, init=False)

    def go_on(self) -> bool:
        """Show the tour when the service is ready; tell whether it goes on."""
        if not self.is_done and _answers(f"{self._place}/readyz"):
            self._show()
            self.is_done = True
        return self.is_staying or not self.is_done

    @property
    def _place(self) -> str:
        section = self.session.settings.service
        return f"http://{section.host}:{section.port}"

    def _show(self) -> None:
        screen = self.session.screen
        screen.result()
        screen.result("Serving on {place}", style=GOOD, place=self._place)
        screen.result("  user {user}, password {password}", user=LOGIN, password=self.password)
        screen.result("  export KEY={key}   (for a day)", key=self.key)
        for about, path, words in _TRIED:
            url = f"{self._place}/api/v1{path.format(words=quote(words))}"
            screen.result()
            screen.result("{about}", style="italic", about=screen.words(about))
            screen.result("$ curl -H \"Authorization: Bearer $KEY\" '{url}'", style=ACCENT, url=url)
            screen.result("  {answer}", answer=_shown(_asked(url, self.key)))
        screen.result()
        if self.is_staying:
            screen.note("Ctrl-C ends it. To serve it again: holdfast up --demo")
        else:
            screen.note("Tried, and ended: there is no terminal. To serve it: holdfast up --demo")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _asked(url: str, key: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own service
        return json.load(answer)


def _shown(answer: Any) -> str:
    """Return one line of what was answered."""
    if "contacts" in answer:
        return ", ".join(one["identities"][0]["value"] for one in answer["contacts"])
    subjects = "; ".join(hit["record"]["subject"] for hit in answer["hits"])
    return f"total {answer['total']}: {subjects}"

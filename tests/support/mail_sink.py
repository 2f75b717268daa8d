"""A mail server on loopback that takes everything and remembers it: the mailboxes of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from http_listening import free_port


@dataclass(slots=True)
class Sink:
    """What was delivered, in order."""

    port: int = 0
    mail: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Sender, recipient and content, once for each recipient."""

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Remember it."""
        self.mail += [(envelope.mail_from, one, envelope.content) for one in envelope.rcpt_tos]
        return "250 2.0.0 OK"

    def recipients(self) -> list[str]:
        """Return who got something, sorted."""
        return sorted(recipient for _, recipient, _ in self.mail)


class _Server(SMTP):
    """Takes lines of any length, as mailboxes do that servers of one house deliver to."""

    line_length_limit = 1 << 20


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


@contextmanager
def sinking() -> Iterator[Sink]:
    """Take mail until the end."""
    sink = Sink(free_port())
    controller = _Controller(sink, hostname="127.0.0.1", port=sink.port, data_size_limit=None)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()

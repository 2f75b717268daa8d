"""An IMAPClient over a connection that was made by our own rules; sends nothing by itself."""

from __future__ import annotations

import imaplib
from typing import Any

from imapclient import IMAPClient, SocketTimeout

from holdfast.ingest.imap.metering import Meter


class Protocol(imaplib.IMAP4):
    """imaplib, with its socket and file replaced; every answer is metered."""

    def __init__(self, meter: Meter, host: str, port: int) -> None:
        self.meter = meter
        super().__init__(host, port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.sock = self.meter.stream.wire

    def read(self, size: int) -> bytes:
        return self.meter.read(size)

    def readline(self) -> bytes:
        return self.meter.readline()

    def send(self, data: Any) -> None:
        self.meter.stream.send(bytes(data))

    def shutdown(self) -> None:
        self.meter.stream.close()


class Client(IMAPClient):  # type: ignore[misc]  # it ships no types
    """IMAPClient, over a connection that is there already."""

    def __init__(self, meter: Meter, host: str, port: int, timeout: SocketTimeout) -> None:
        self._meter = meter
        super().__init__(host, port, ssl=False, timeout=timeout)

    def _create_IMAP4(self) -> Protocol:  # noqa: N802 - IMAPClient's name
        return Protocol(self._meter, self.host, self.port)

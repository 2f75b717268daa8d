"""F63: a key without an end costs the service no memory, and nobody else their answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from archive_kit import settings_in
from enormous_keys import ENORMOUS_BYTES, enormous_key_is_not_read, served
from holdfast.wiring import serving
from holdfast.wiring.founding import create_archive
from pages_kit import House, house


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[House]:
    settings = settings_in(tmp_path)
    create_archive(settings)
    with house(settings) as found:
        yield found


def test_f63_enormous_key_is_not_read(opened: House) -> None:
    with served(opened) as port:
        enormous_key_is_not_read(port)


def test_f63_server_is_the_one_with_a_bound_whatever_else_is_installed(
    opened: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uvicorn takes httptools where it finds it, which bounds nothing."""
    chosen: list[object] = []

    class Config(uvicorn.Config):
        def load(self) -> None:
            super().load()
            chosen.append(self.http_protocol_class)

    monkeypatch.setattr(uvicorn, "Config", Config)
    with served(opened) as port:
        enormous_key_is_not_read(port)
    assert chosen == [H11Protocol]


def test_f63_enormous_key_that_is_read_is_found_out(
    opened: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_HEAD_BYTES", 2 * ENORMOUS_BYTES)
    with served(opened) as port, pytest.raises(AssertionError, match="read to its end: 401"):
        enormous_key_is_not_read(port)

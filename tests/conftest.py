"""What holds for every test: no socket but loopback, patient properties, honest skips."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

import password_memory
from holdfast.core.analysis import name_keys
from statement_cache import share_statements

# A property proves behaviour, not speed: a busy machine must not fail it.
settings.register_profile(
    "holdfast", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("holdfast")

share_statements()
name_keys("王敏")  # loads its dictionary, which every child that parses mail would load anew
# What a forked child runs reaches no report: it does not end as coverage wants it to.
os.register_at_fork(after_in_child=partial(sys.settrace, None))

_connect = socket.socket.connect


def _guarded(self: socket.socket, address: Any) -> None:
    is_local = self.family == socket.AF_UNIX or str(address[0]) in {"127.0.0.1", "::1", "localhost"}
    if not is_local:
        raise AssertionError(f"A test tried to reach {address}.")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _guarded)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out of coverage what is `unmeasured`: it runs the same code for long, or is killed."""
    for item in items:
        if item.get_closest_marker("unmeasured"):
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def _programs_measured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("unmeasured"):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def _passwords_remembered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.node.get_closest_marker("genuine_passwords"):
        password_memory.remember(monkeypatch)


@pytest.fixture
def need() -> Callable[[bool, str], None]:
    """Return a check for what the host must offer.

    Without it the test is reported as not run, with the reason; under `HOLDFAST_REQUIRE=all`,
    as in continuous integration, that is a failure.
    """

    def check(is_there: object, reason: str) -> None:
        if is_there:
            return
        if os.environ.get("HOLDFAST_REQUIRE") == "all":
            pytest.fail(f"needed here: {reason}")
        pytest.skip(f"not run ({reason})")

    return check


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that the users of real servers can enter."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-server-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)

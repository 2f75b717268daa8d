"""The units of systemd start real commands, and leave the jail of the parsers what it needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from string import Template
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from archive_kit import settings_in
from deploy_files import DEPLOY, VARIABLES, ran, unknown_words
from holdfast.ingest.jobs.kinds import KINDS
from holdfast.wiring.founding import create_archive
from http_listening import free_port
from work_kinds import until

UNITS = DEPLOY / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


def values(name: str, key: str) -> list[str]:
    text = (UNITS / name).read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.M)


@pytest.mark.parametrize("name", SERVICES)
def test_command_exists_with_its_options(name: str) -> None:
    (command,) = values(name, "ExecStart")
    program, *words = command.split()
    assert program == "/opt/holdfast/bin/holdfast"
    assert unknown_words(words) == []


@pytest.mark.parametrize("name", [*SERVICES, "engines.conf"])
def test_every_variable_is_a_setting(name: str) -> None:
    given = re.findall(r"\b(HOLDFAST_\w+)=", (UNITS / name).read_text(encoding="utf-8"))
    assert given
    assert set(given) <= VARIABLES


def test_every_credential_is_read_and_every_one_that_is_read_is_given() -> None:
    given = {value.partition(":")[0] for value in values("engines.conf", "LoadCredential")}
    read = {value.rpartition("/")[2] for value in values("engines.conf", "Environment")}
    assert given == read


@pytest.mark.parametrize("name", SERVICES)
def test_jail_can_still_confine_its_children(name: str) -> None:
    filters = values(name, "SystemCallFilter")
    assert filters == ["@system-service", "~@privileged"]  # setrlimit, prctl, seccomp stay
    assert values(name, "RestrictAddressFamilies") == ["AF_UNIX AF_INET AF_INET6"]  # its channel
    assert values(name, "OOMPolicy") == ["continue"]  # a child's end is not the service's
    assert values(name, "ProtectProc") == ["invisible"]  # /proc/self stays


@pytest.mark.parametrize("name", SERVICES)
def test_only_the_archive_itself_can_be_written(name: str) -> None:
    assert values(name, "ProtectSystem") == ["strict"]
    assert values(name, "ReadWritePaths") == []
    assert values(name, "StateDirectoryMode") == ["0700"]
    assert values(name, "CapabilityBoundingSet") == [""]
    assert values(name, "User") == ["holdfast"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_of_the_command_is_given(name: str) -> None:
    asked = set(re.findall(r"\$\{(\w+)\}", values(name, "ExecStart")[0]))
    given = set(re.findall(r"(\w+)=", " ".join(values(name, "Environment"))))
    assert asked <= given


def test_units_of_one_archive_serve_on_ports_of_their_own() -> None:
    # They read one file of variables, so one name with two defaults could not be overridden.
    ports = [
        given
        for name in SERVICES
        for given in re.findall(r"(\w*PORT)=(\d+)", " ".join(values(name, "Environment")))
    ]
    assert {name for name, _ in ports} == {"METRICS_PORT", "BEAT_METRICS_PORT"}
    assert len({port for _, port in ports}) == len(ports) == 2


def test_command_of_the_beat_serves_metrics_and_ends_when_it_is_told(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    port = free_port()
    given = {"METRICS_HOST": "127.0.0.1", "BEAT_METRICS_PORT": str(port)}
    words = Template(values("holdfast-beat@.service", "ExecStart")[0]).substitute(given).split()[1:]
    command = [sys.executable, "-m", "holdfast", *words]
    environment = dict(os.environ) | {"HOLDFAST_DATA": str(settings.data)}
    beat = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    try:
        until(lambda: beat.poll() is not None or metrics_at(port))
        served = metrics_at(port)
        beat.send_signal(signal.SIGTERM)
        _, said = beat.communicate(timeout=100)
    finally:
        beat.kill()
        beat.wait()
    events = [json.loads(line) for line in said.splitlines()]
    assert beat.returncode == 0
    assert [one["status"] for one in events if one["event"] == "worker.ended"] == [0]
    taken = set(re.findall(r'^holdfast_takes_jobs{kind="(\w+)"} 1.0$', served, re.M))
    assert taken == {"sequence", "anchor", "settle", "remind"}
    assert len(re.findall(r"^holdfast_takes_jobs{.*} 0.0$", served, re.M)) == len(KINDS) - 4
    assert "\nholdfast_catalogue_up 1.0\n" in served


def metrics_at(port: int) -> str:
    """What is served there; nothing while nobody listens."""
    try:
        return str(urlopen(f"http://127.0.0.1:{port}/metrics").read(), "utf-8")
    except URLError:
        return ""


@pytest.fixture
def instances(tmp_path: Path) -> list[Path]:
    """The templates as units of an archive called main, with a program that exists."""
    made = []
    for path in [*UNITS.glob("*@.service"), *UNITS.glob("*@.timer")]:
        unit = tmp_path / path.name.replace("@.", "@main.")
        text = path.read_text(encoding="utf-8")
        unit.write_text(text.replace("/opt/holdfast/bin/holdfast", "/bin/true"), encoding="utf-8")
        made.append(unit)
        if unit.suffix == ".service":
            extra = tmp_path / f"{unit.name}.d"
            extra.mkdir()
            shutil.copy(UNITS / "engines.conf", extra)
    return made


def test_systemd_accepts_the_units(
    instances: list[Path], need: Callable[[object, str], None]
) -> None:
    need(shutil.which("systemd-analyze"), "no systemd-analyze")
    status, text = ran("systemd-analyze", "verify", *instances)
    assert (status, text) == (0, "")
    instances[0].write_text("[Service]\nExecStart=/bin/true\nPrivateTemp=yes\n", encoding="utf-8")
    assert ran("systemd-analyze", "verify", instances[0])[1] != ""


def test_systemd_finds_little_to_take_away(
    instances: list[Path], need: Callable[[object, str], None]
) -> None:
    need(shutil.which("systemd-analyze"), "no systemd-analyze")
    for unit in instances:
        if unit.suffix == ".service":
            status, text = ran(
                "systemd-analyze", "security", "--offline=yes", "--threshold=20", unit
            )
            assert status == 0, text

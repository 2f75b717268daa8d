"""The Compose file names real settings, commands and files, and gives no process too much."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy_files import DEPLOY, VARIABLES, checker, load_yaml, ran, unknown_words

COMPOSE: dict[str, Any] = load_yaml(DEPLOY / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if "HOLDFAST_IMAGE" in one["image"]}
PRODUCT = {name: one for name, one in OURS.items() if "entrypoint" not in one}
ENDS_BY_ITSELF = {name for name, one in SERVICES.items() if one["restart"] == "no"}
ROOT_FOR_ONE_CHOWN = {"s3-volume"}
WRITES_ITS_OWN_KEYSTORE = {"elasticsearch"}
LISTENS = {"smtpd", "serve"}


@pytest.mark.parametrize("name", PRODUCT)
def test_every_variable_is_a_setting(name: str) -> None:
    given = {key for key in OURS[name]["environment"] if key.startswith("HOLDFAST_")}
    assert given
    assert given - VARIABLES == set()


@pytest.mark.parametrize("name", PRODUCT)
def test_command_exists_with_its_options(name: str) -> None:
    assert unknown_words(OURS[name]["command"]) == []


def test_a_command_that_does_not_exist_would_be_noticed() -> None:
    assert unknown_words(["surf"]) == ["surf"]
    assert unknown_words(["worker", "--threads", "2"]) == ["--threads"]


@pytest.mark.parametrize("name", SERVICES)
def test_process_has_no_right_that_it_can_do_without(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert ("ports" in service) is (name in LISTENS)
    assert service["read_only"] is (name not in WRITES_ITS_OWN_KEYSTORE)
    if name in ROOT_FOR_ONE_CHOWN:
        assert (service["cap_add"], service["network_mode"]) == (["CHOWN"], "none")
    else:
        assert service["user"].partition(":")[0] == "1000"
        assert "cap_add" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_process_cannot_take_the_whole_host(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ENDS_BY_ITSELF))
def test_whoever_stays_is_asked_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize(
    "name", [name for name in PRODUCT if "--metrics-port" in OURS[name]["command"]]
)
def test_process_is_asked_where_it_serves_its_metrics(name: str) -> None:
    words = OURS[name]["command"]
    port = words[words.index("--metrics-port") + 1]
    assert f"'http://127.0.0.1:{port}/metrics'" in OURS[name]["healthcheck"]["test"][-1]


def test_what_not_everybody_wants_starts_where_it_is_asked_for() -> None:
    behind = {name: one["profiles"] for name, one in PRODUCT.items() if "profiles" in one}
    assert behind == {"beat": ["beat"], "smtpd": ["smtp"]}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_image_is_of_one_version(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.match(r"v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", tag), tag


def test_engines_can_be_reached_from_inside_alone() -> None:
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in set(SERVICES) - set(PRODUCT) - ROOT_FOR_ONE_CHOWN:
        assert SERVICES[name]["networks"] == ["inside"]


def test_secrets_are_files_and_stand_nowhere_else() -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"(PASSWORD|SECRET_KEY|SECRET_ACCESS_KEY): ", text)
    for service in SERVICES.values():
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])


def test_secrets_that_are_made_are_those_that_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    subprocess.run([DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o400}
    assert all(re.fullmatch(rb"[0-9a-f]{48}", value) for value in made.values())
    assert len(set(made.values())) == len(made)
    subprocess.run([DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made


@pytest.mark.parametrize("profiles", ["", "s3", "s3,smtp", "s3,smtp,beat"])
def test_loader_of_compose_files_accepts_it(
    tmp_path: Path, need: Callable[[object, str], None], profiles: str
) -> None:
    loader = checker("compose-load")
    need(loader, "no compose-load: deploy/dev/checkers.sh install")
    said = {"COMPOSE_PROFILES": profiles, "HOME": str(tmp_path)}
    status, text = ran(loader, DEPLOY / "compose.yaml", environment=said)
    assert status == 0, text
    broken = tmp_path / "compose.yaml"
    good = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    broken.write_text(good.replace("depends_on:", "depend_on:"), encoding="utf-8")
    assert ran(loader, broken, environment=said)[0] != 0

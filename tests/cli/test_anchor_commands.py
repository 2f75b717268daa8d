"""`audit anchor`, `audit anchors`, and what `audit verify` and `verify` say of anchors."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from anchor_kit import rewrite
from cli_archive import Desk
from holdfast.settings import Flags, load
from server_tsa import Service, new_tsa, serving


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(new_tsa(tmp_path_factory.mktemp("tsa") / "one")) as found:
        yield found


@pytest.fixture
def service(authority: Service) -> Service:
    authority.status = 200
    return authority


@pytest.fixture
def desk(own: Desk, service: Service, tmp_path: Path) -> Desk:
    """An empty archive with tokens and a witness."""
    (tmp_path / "elsewhere").mkdir()
    told = {
        "TSA_URL": service.url,
        "TSA_CA_FILE": str(service.tsa.trust_file),
        "TSA_PRIVATE_ALLOWED": "true",
        "WITNESS_FILE": str(tmp_path / "elsewhere" / "witness"),
    }
    found = replace(own, env={f"HOLDFAST_ANCHORS__{name}": text for name, text in told.items()})
    found.run("init")
    return found


def test_checkpoint_is_anchored_listed_and_verified(desk: Desk) -> None:
    told = desk.run("audit", "anchor").out
    assert "token: 1 entries are anchored in http://localhost" in told
    assert "witness: 1 entries are anchored in" in told
    token, witness = desk.run("audit", "anchor", "--json").lines
    assert (token["schema"], token["kind"], token["size"]) == ("holdfast.anchor/1", "token", 3)
    assert token["stamped_at"]
    assert (witness["kind"], witness["stamped_at"]) == ("witness", None)
    listed = desk.run("audit", "anchors", "--json").lines
    assert [one["kind"] for one in listed] == ["witness", "token"] * 2
    assert [token, witness] == listed[1::-1]
    shown = desk.run("audit", "anchors", "--limit", "1").out
    assert witness["id"] in shown
    assert token["id"] not in shown
    assert "give the signed root" in desk.run("audit", "verify").out
    assert "Intact" in desk.run("verify").out
    assert "token: 0 min old" in desk.run("doctor").out


def test_files_for_other_tools_satisfy_openssl(desk: Desk, tmp_path: Path) -> None:
    desk.run("audit", "anchor")
    folder = tmp_path / "given"
    token = desk.run("audit", "anchors", "--to", folder, "--json").lines[-1]["id"]
    words = ["openssl", "ts", "-verify", "-data", f"{token}.checkpoint", "-in", f"{token}.tsr"]
    words += ["-CAfile", "tsa.pem", "-untrusted", "tsa.pem"]
    ran = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert "Verification: OK" in ran.stdout
    desk.run("audit", "verify", "--against", folder / f"{token}.checkpoint")
    desk.run("audit", "anchors", "--to", folder, status=5)
    (tmp_path / "file").write_text("x")
    desk.run("audit", "anchors", "--to", tmp_path / "file" / "below", status=7)


def test_place_that_is_away_is_told_and_costs_the_others_nothing(
    desk: Desk, service: Service
) -> None:
    service.status = 503
    told = desk.run("audit", "anchor", status=7)
    assert "token: localhost gives no token: HTTP 503." in told.out
    assert "Check anchors.tsa_url" not in told.out
    assert "witness: 1 entries" in told.out
    failed, made = desk.run("audit", "anchor", "--json", status=7).lines
    assert (failed["kind"], made["kind"]) == ("token", "witness")
    assert "503" in failed["error"]


def test_private_authority_that_is_not_allowed_says_which_setting(desk: Desk) -> None:
    ran = desk.run("audit", "anchor", status=7, HOLDFAST_ANCHORS__TSA_PRIVATE_ALLOWED="false")
    assert "no public address" in ran.out
    assert "anchors.tsa_private_allowed" in ran.err


def test_archive_without_places_says_what_to_set(own: Desk) -> None:
    own.run("init")
    assert "anchors.witness_file" in own.run("audit", "anchor", status=2).err
    assert own.run("audit", "anchors", "--json").lines == []


def test_rewritten_history_ends_both_verifications_with_six(desk: Desk) -> None:
    desk.run("search", "anything")
    desk.run("audit", "anchor")
    rewrite(load(Flags(data=desk.data)).settings, keeps_anchors=False)
    told = desk.run("audit", "verify", status=6).out
    assert "give the signed root" in told  # the log alone looks right
    assert "from seq 1 on they were cut off" in told
    ran = desk.run("verify", status=6)
    assert "from seq 1 on they were cut off" in ran.out
    assert "keep both as they are" in ran.err


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("tsa_url", "http://localhost/", "tsa_url needs tsa_ca_file"),
        ("lock", "true", "anchors.lock needs a bucket"),
        ("every_minutes", "0", "greater than or equal to 1"),
        ("tsa_url", "ftp://localhost/", "should match pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(own: Desk, name: str, value: str, why: str) -> None:
    ran = own.run("--set", f"anchors.{name}={value}", "config", "check", status=2)
    assert why in ran.out + ran.err

"""What `config check` and `doctor` say of the provider that people sign in through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cli_archive import Desk
from holdfast.core.errors import Refused
from holdfast.settings import Flags, load
from oidc_provider import CLIENT_ID, CLIENT_SECRET, Answer, Provider, providing


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing(Provider()) as found:
        yield found


@pytest.fixture
def desk(own: Desk, provider: Provider, tmp_path: Path) -> Desk:
    (tmp_path / "secret").write_text(CLIENT_SECRET)
    told = {
        "ISSUER": provider.issuer,
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "PUBLIC_URL": "http://localhost:8800",
        "PRIVATE_ALLOWED": "true",
    }
    return replace(own, env={f"HOLDFAST_OIDC__{name}": text for name, text in told.items()})


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ('issuer = "https://id.example"', "issuer needs client_id and public_url"),
        ('client_id = "x"', "client_id needs issuer"),
        ('issuer = "http://id.example"', "pattern"),
        ('issuer = "https://me:hunter2@id.example"', "pattern"),
        ('public_url = "https://a.example/path"', "pattern"),
        ('scopes = "email"', "openid is missing"),
        ('client_secret = "hunter2"\nclient_secret_file = "f"', "exclude each other"),
        (
            'issuer = "https://id.example"\nclient_id = "x"\npublic_url = "https://a.example"',
            "so service.is_behind_tls must be true",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(
    tmp_path: Path, toml: str, why: str
) -> None:
    file = tmp_path / "holdfast.toml"
    file.write_text(f"[oidc]\n{toml}\n", encoding="utf-8")
    with pytest.raises(Refused) as caught:
        load(Flags(config=file))
    assert why in str(caught.value.facts["problems"])
    assert "hunter2" not in str(caught.value) + str(caught.value.facts)


def test_lists_are_written_with_commas_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOLDFAST_OIDC__GROUPS", "Legal team, audit,")
    monkeypatch.setenv("HOLDFAST_OIDC__SCOPES", "openid,groups profile")
    section = load(Flags(values={"oidc.public_url": "http://localhost/"})).settings.oidc
    assert section.groups == ("Legal team", "audit")
    assert section.scopes == ("openid", "groups", "profile")


def test_check_reads_the_secret_and_shows_it_to_nobody(desk: Desk, tmp_path: Path) -> None:
    assert "defaults are in force" in desk.run("config", "check").out
    assert CLIENT_SECRET not in desk.run("config", "show", "--json").out
    (tmp_path / "secret").unlink()
    told = desk.run("config", "check", status=2).out
    assert "The file of client_secret cannot be read" in told
    assert "Check its path, owner and mode." in " ".join(told.split())


def test_doctor_says_whether_the_provider_answers_and_what_is_wrong(
    desk: Desk, provider: Provider
) -> None:
    desk.run("init")
    found = [one for one in desk.run("doctor", "--json").lines if one["examined"] == "provider"]
    assert [(one["state"], one["seen"]) for one in found] == [
        ("ok", f"{provider.issuer} answers; published keys: 1")
    ]
    provider.published = []
    assert "published keys: 0" in " ".join(desk.run("doctor", status=1).out.split())
    provider.answers["/.well-known/openid-configuration"] = Answer(404)
    (found_bad,) = [
        one for one in desk.run("doctor", "--json", status=1).lines if one["examined"] == "provider"
    ]
    assert found_bad["seen"] == ("localhost answers HTTP 404 to /.well-known/openid-configuration.")
    assert "Check oidc.issuer" in found_bad["next_step"]

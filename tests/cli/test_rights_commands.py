"""`user`, `key`, `team`: the first administrator, no secret in an argument, what ends at once."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest

from archive_kit import settings_in
from cli_archive import Desk, write_mbox
from holdfast.core.rights import Role
from holdfast.settings import Settings
from holdfast.storage.rights.api_keys import key_principal
from holdfast.storage.rights.sessions import Client
from holdfast.storage.rights.signing_in import authenticate
from holdfast.storage.rights.vouching import Vouched, sign_in_oidc
from holdfast.wiring.archive import open_archive

PASSWORD = "correct horse battery"


@pytest.fixture
def desk(own: Desk) -> Desk:
    """An archive without mail and users."""
    own.run("init")
    return own


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with a password."""
    path = tmp_path / "secret"
    path.write_text(f"{PASSWORD}\nnot this\n")
    return path


def settings_of(desk: Desk) -> Settings:
    return settings_in(desk.data.parent, data=desk.data)


def lets_in(desk: Desk, login: str, password: str, code: str = "") -> int:
    """Prove to be the user; return the user's row id."""
    with open_archive(settings_of(desk), "tester") as services:
        return authenticate(services.store, login, password, code).id


def test_first_administrator_is_made_on_an_archive_without_users(desk: Desk, secret: Path) -> None:
    assert "no user yet" in desk.run("user", "list").err
    ran = desk.run("user", "add", "root", "--role", "admin", "--password-file", secret)
    assert "root" in ran.out
    assert PASSWORD not in ran.out + ran.err
    assert lets_in(desk, "root", PASSWORD)
    assert [
        leaf["leaf"]["kind"] for leaf in desk.run("audit", "log", "--kind", "user", "--json").lines
    ] == ["user"]
    desk.run("user", "disable", "root", status=5)
    assert desk.run("verify").status == 0


def test_generated_password_is_shown_once_and_works(desk: Desk) -> None:
    made = desk.run("user", "add", "ann", "--role", "legal", "--generate", "--json").json
    assert made["schema"] == "holdfast.user/1"
    assert lets_in(desk, "ann", made["password"])
    again = desk.run("user", "password", "ann", "--generate")
    (line,) = [one for one in again.out.splitlines() if one.startswith("Password: ")]
    assert lets_in(desk, "ann", line.removeprefix("Password: "))
    shown = desk.run("user", "show", "ann", "--json").out
    assert 'password":' not in shown.replace("has_password", "")


def test_password_that_is_no_good_is_refused_before_anything_is_kept(
    desk: Desk, secret: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short"
    short.write_text("short\n")
    add = ("user", "add", "ann", "--role", "member")
    desk.run(*add, "--password-file", short, status=2)
    desk.run(*add, "--password-file", tmp_path / "none", status=2)
    desk.run(*add, "--password-file", secret, "--generate", status=2)
    assert desk.run("user", "list", "--json").json["users"] == []
    assert "user password ann" in desk.run(*add).err
    assert "no password" in desk.run("user", "password", "ann", status=2).err
    desk.run("user", "password", "nobody", "--generate", status=4)


@pytest.mark.parametrize(("second", "status"), [(PASSWORD, 0), ("another thing", 2)])
def test_password_is_asked_for_twice_and_never_shown(desk: Desk, second: str, status: int) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "holdfast", "user", "add", "ann", "--role", "member"]
    env = {**os.environ, "HOLDFAST_DATA": str(desk.data)}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as running:
        os.close(theirs)
        shown = b""
        answers = [PASSWORD, second]
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            shown += piece
            if answers and piece.endswith(b": "):  # a prompt, not its echo
                os.write(ours, f"{answers.pop(0)}\n".encode())
        assert running.wait() == status
    os.close(ours)
    assert PASSWORD.encode() not in shown
    if status == 0:
        assert lets_in(desk, "ann", PASSWORD)


def test_two_logins_of_one_person_are_shown_as_one(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "legal", "--name", "Ann Li")
    desk.run("user", "add", "ann-2", "--role", "compliance", "--person", "ann")
    first, second = desk.run("user", "list", "--json").json["users"]
    assert first["person"] == second["person"]
    desk.run("user", "add", "ANN", "--role", "legal", status=5)
    desk.run("user", "add", "bob", "--role", "legal", "--person", "nobody", status=4)
    table = desk.run("user", "list").out
    assert "Ann Li" in table
    assert "compliance" in table


def test_change_keeps_the_rest_and_refuses_an_older_version(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "member", "--address", "ann@our.example")
    changed = desk.run("user", "change", "ann", "--role", "manager", "--version", 1, "--json").json
    assert (changed["role"], changed["addresses"]) == ("manager", ["ann@our.example"])
    assert (
        "meanwhile"
        in desk.run("user", "change", "ann", "--name", "x", "--version", 1, status=5).err
    )
    assert "Changed ann" in desk.run("user", "change", "ann", "--address", "").out
    assert desk.run("user", "show", "ann", "--json").json["addresses"] == []


def test_disabling_ends_keys_at_once_and_a_dry_run_ends_nothing(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "crm")
    made = desk.run(
        "key", "create", "ann", "--name", "CRM", "--network", "10.0.0.0/8", "--json"
    ).json

    def works() -> bool:
        with open_archive(settings_of(desk), "tester") as services:
            return key_principal(services.store, made["secret"], "10.1.1.1") is not None

    assert "1 keys" in desk.run("user", "disable", "ann", "--dry-run").err
    assert works()
    assert "shut out" in desk.run("user", "disable", "ann").out
    assert not works()
    assert "disabled" in desk.run("user", "list").out
    assert "may sign in" in desk.run("user", "enable", "ann").out
    assert desk.run("user", "enable", "ann", "--json").json["disabled_at"] is None
    assert not works()


def test_key_is_shown_once_listed_and_revoked(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "legal")
    ran = desk.run("key", "create", "ann", "--action", "search", "--days", 30)
    secret = ran.out.strip()
    assert secret.startswith("holdfast_")
    assert "shown this once" in ran.err
    desk.run("key", "create", "ann", "--action", "users", status=2)
    (listed,) = desk.run("key", "list", "ann", "--json").json["keys"]
    assert listed["actions"] == ["search"]
    assert secret.startswith(listed["prefix"])
    assert secret not in str(listed)
    assert "would be revoked" in desk.run("key", "revoke", listed["id"], "--dry-run").err
    assert "valid" in desk.run("key", "list").out
    assert "Revoked" in desk.run("key", "revoke", listed["prefix"]).out
    assert desk.run("key", "revoke", listed["id"], "--json").json["revoked_at"]
    assert "revoked" in desk.run("key", "list").out
    desk.run("key", "revoke", "key_0000000000000", status=4)


def test_second_factor_is_set_up_in_two_steps_and_removed(desk: Desk, secret: Path) -> None:
    desk.run("user", "add", "ann", "--role", "legal", "--password-file", secret)
    made = desk.run("user", "totp", "ann", "--json").json
    assert made["uri"].startswith("otpauth://")
    assert (
        "codes from now on"
        in desk.run("user", "totp", "ann", "--confirm", pyotp.TOTP(made["secret"]).now()).out
    )
    assert desk.run("user", "show", "ann", "--json").json["has_second_factor"]
    desk.run("user", "totp", "ann", status=5)
    desk.run("user", "totp", "ann", "--remove", "--confirm", "1", status=2)
    assert "Nothing was changed" in desk.run("user", "totp", "ann", "--remove", "--dry-run").err
    assert desk.run("user", "show", "ann", "--json").json["has_second_factor"]
    assert "no code any more" in desk.run("user", "totp", "ann", "--remove").out
    assert not desk.run("user", "totp", "ann", "--remove", "--json").json["has_second_factor"]
    assert lets_in(desk, "ann", PASSWORD)
    assert "otpauth://" in desk.run("user", "totp", "ann").out


def test_issuer_is_linked_and_unlinked(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "legal")
    assert "Changed ann" in desk.run("user", "link", "ann", "https://id.example", "42").out
    with open_archive(settings_of(desk), "tester") as services:
        signed = sign_in_oidc(services.store, Vouched("https://id.example", "42"), Client())
        assert signed.user.login == "ann"
    desk.run("user", "link", "ann", status=2)
    desk.run("user", "link", "ann", "https://id.example", status=2)
    desk.run("user", "link", "ann", "https://id.example", "42", "--remove", status=2)
    assert desk.run("user", "link", "ann", "--remove", "--json").json["issuer"] == ""


def test_grants_and_denials_say_what_is_seen(desk: Desk, tmp_path: Path) -> None:
    desk.run("import", write_mbox(tmp_path / "a.mbox"))
    desk.run("user", "add", "ann", "--role", "legal")
    desk.run("user", "add", "bob", "--role", "member", "--address", "li@our.example")

    def sees(login: str) -> str:
        return str(desk.run("user", "show", login, "--json").json["scope"])

    assert sees("ann") == "everything"
    assert "li@our.example" in sees("bob")
    wall = desk.run("user", "deny", "ann", "query", "discount", "--reason", "wall").out
    assert "Kept from ann" in wall
    assert "discount" in sees("ann")
    ran = desk.run("user", "grant", "bob", "query", "harbour", "--until", "2099-01-01")
    assert "takes the place" in ran.err
    assert "li@our.example" not in sees("bob")
    assert "takes the place" not in desk.run("user", "grant", "bob", "own").err
    shown = desk.run("user", "show", "bob").out
    assert "query harbour" in shown
    assert "2099-01-01" in shown
    assert "not: query discount" in desk.run("user", "show", "ann").out
    for one in desk.run("user", "show", "bob", "--json").json["grants"]:
        assert "would be taken away" in desk.run("user", "ungrant", one["id"], "--dry-run").err
        assert "Taken away" in desk.run("user", "ungrant", one["id"]).out
        desk.run("user", "ungrant", one["id"], status=4)
    assert "li@our.example" in sees("bob")
    given = desk.run("user", "grant", "ann", "all", "--json").json
    assert desk.run("user", "ungrant", given["id"], "--json").json["kind"] == "all"


def test_contact_is_granted_by_its_id(desk: Desk, tmp_path: Path) -> None:
    desk.run("import", write_mbox(tmp_path / "a.mbox"))
    (found,) = desk.run("contact", "find", "anna@berg.example", "--json").json["contacts"]
    desk.run("user", "add", "crm", "--role", "crm")
    assert desk.run("user", "show", "crm", "--json").json["scope"] == "nothing"
    desk.run("user", "grant", "crm", "contact", found["id"])
    assert found["id"] in desk.run("user", "show", "crm", "--json").json["scope"]
    desk.run("user", "grant", "crm", "contact", "con_0000000000000", status=4)
    desk.run("user", "grant", "crm", "query", status=2)
    desk.run("user", "grant", "crm", "query", "(", status=2)
    desk.run("user", "grant", "crm", "own", "x", status=2)


def test_role_that_sees_no_records_is_told_so_when_it_is_granted_some(desk: Desk) -> None:
    desk.run("user", "add", "ops", "--role", "it")
    assert "sees no records" in desk.run("user", "grant", "ops", "all").err
    assert desk.run("user", "show", "ops", "--json").json["scope"] == "nothing"


def test_query_with_a_doubt_is_granted_with_a_warning(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "legal")
    ran = desk.run("user", "grant", "ann", "query", "a and b")
    assert "Granted to ann: query a and b." in ran.out


def test_teams_are_made_joined_and_left(desk: Desk) -> None:
    desk.run("user", "add", "ann", "--role", "manager", "--address", "ann@our.example")
    desk.run("user", "add", "bob", "--role", "member", "--address", "bob@our.example")
    assert "Added Sales" in desk.run("team", "add", "Sales").out
    desk.run("team", "add", "Sales", status=5)
    team = desk.run("team", "join", "Sales", "ann", "--json").json
    assert "ann, bob" in desk.run("team", "join", team["id"], "bob").out
    assert "bob@our.example" in desk.run("user", "show", "ann", "--json").json["scope"]
    assert "Sales" in desk.run("user", "show", "ann").out
    assert "Nothing was changed" in desk.run("team", "leave", "Sales", "bob", "--dry-run").err
    assert "In Sales: ann" in desk.run("team", "leave", "Sales", "bob").out
    assert "bob@our.example" not in desk.run("user", "show", "ann", "--json").json["scope"]
    assert "nobody" in desk.run("team", "leave", "Sales", "ann").out
    (listed,) = desk.run("team", "list", "--json").json["teams"]
    assert listed["members"] == []
    assert "Sales" in desk.run("team", "list").out
    assert desk.run("team", "add", "Legal", "--json").json["name"] == "Legal"


def test_every_role_can_be_given_and_is_said_in_chinese(desk: Desk) -> None:
    for role in Role:
        desk.run("user", "add", f"u-{role.value}", "--role", role.value)
    assert {one["role"] for one in desk.run("user", "list", "--json").json["users"]} == set(Role)
    shown = desk.run("user", "list", "--lang", "zh").out
    assert "合规" in shown
    assert "审计" in shown
    desk.run("user", "add", "x", "--role", "king", status=2)

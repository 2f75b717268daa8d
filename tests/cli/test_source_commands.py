"""`holdfast source …` against a scripted server: what people see, and how commands end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_archive import Desk
from imap_kit import letter
from imap_script import Asked, Script, honest, refusing, scripted

SECRET = "open-sesame-84"


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted(Script({number: letter(number) for number in range(1, 8)})) as serving:
        yield serving


@pytest.fixture
def desk(own: Desk, script: Script, tmp_path: Path) -> Desk:
    """An archive with the script's account as its only source."""
    own.run("init")
    (tmp_path / "secret").write_text(SECRET + "\nnot this\n", encoding="utf-8")
    add(own, tmp_path, script)
    return own


def add(desk: Desk, folder: Path, script: Script, *more: object, status: int = 0) -> str:
    words = ["--host", "localhost", "--port", script.port, "--tls", "none", "--user", "ann"]
    secret = ["--secret-file", folder / "secret"]
    ran = desk.run("source", "add", "imap", "mail", *words, *secret, *more, status=status)
    return ran.out + ran.err


def test_source_is_added_listed_tested_synced_and_compared(desk: Desk) -> None:
    (listed,) = desk.run("source", "list", "--json").json["sources"]
    assert (listed["name"], listed["user"], listed["last_success"]) == ("mail", "ann", None)
    tested = desk.run("source", "test", "mail").out
    assert "not encrypted" in tested
    assert "message number 7; message number 6; message number 5" in tested
    assert "7 new messages from mail" in desk.run("source", "sync", "mail", "-j", 1).out
    (again,) = desk.run("source", "sync", "--json").json["sources"]
    assert (again["offered"], again["at_server"], again["folders"]) == (0, 7, 1)
    (folder,) = desk.run("ledger", "--source", "mail", "--json").json["folders"]
    assert (folder["folder"], folder["at_server"], folder["kept"]) == ("INBOX", 7, 7)
    assert "INBOX" in desk.run("ledger", "--source", "mail").out
    assert desk.run("search", "--count", "source:mail").out.strip() == "7"
    assert "mail" in desk.run("source", "list").out
    assert desk.run("source", "sync", "--lang", "zh").status == 0


def test_source_is_set_paused_resumed_and_its_runs_are_listed(desk: Desk, script: Script) -> None:
    assert "It has not run yet" in desk.run("source", "logs", "mail").err
    desk.run("source", "sync", "mail", "-j", 1)
    (run,) = [desk.run("source", "logs", "mail", "--json").json]
    assert (run["why"], run["outcome"], run["new"]) == ("command", "whole", 7)
    assert "whole" in desk.run("source", "logs", "mail").out
    shown = desk.run("source", "set", "mail", "--json").json
    assert (shown["every"], shown["drafts"], shown["only"]) == (300, "sent", [])
    words = ("--since", "2030-01-01", "--exclude", "Junk", "--only", "a@b", "--every", 60)
    assert "2030-01-01" in desk.run("source", "set", "mail", *words).out
    foreign = desk.run("source", "set", "mail", "--keep", status=2).err
    assert "'keep' says nothing of the source 'mail'" in foreign
    (listed,) = desk.run("source", "list", "--json").json["sources"]
    assert (listed["state"], listed["excludes"], listed["next_run"]) == ("ok", ["Junk"], None)
    script.mail[8] = letter(8)
    assert "Skipped by rule" in desk.run("source", "sync").out
    told = desk.run("ledger", "--source", "mail", "--json").json
    assert told["rules"] == {"rule: since 2030-01-01": 1}
    assert told["folders"][0]["skipped"] == 1
    assert "since 2030-01-01" in desk.run("ledger", "--source", "mail").out
    ran = desk.run("source", "backfill", "mail", "--since", "2024-01-01", "--json")
    assert ran.json["sources"][0]["new"] == 1
    assert "Paused" in desk.run("source", "pause", "mail").out
    assert "is paused" in desk.run("source", "sync", "mail", status=5).err
    assert "No source is pulled" in desk.run("source", "sync").err
    assert "paused" in desk.run("source", "list").out
    assert desk.run("source", "pause", "mail", "--json").json["source"] == "mail"
    assert "Resumed" in desk.run("source", "resume", "mail").out
    assert desk.run("source", "resume", "mail", "--json").json["source"] == "mail"
    assert "now" in desk.run("source", "list").out
    assert "none is late" in desk.run("doctor").out


def test_backfill_wants_to_know_what(desk: Desk) -> None:
    wrong = {
        "What is to be fetched": (),
        "--failed takes no days": ("--failed", "--since", "2024-01-01"),
        "is no day": ("--until", "yesterday"),
        "The last day is before the first": ("--since", "2024-01-02", "--until", "2024-01-01"),
        "line break": ("--folder", "a\nb"),
    }
    for words, options in wrong.items():
        assert words in desk.run("source", "backfill", "mail", *options, status=2).err
    desk.run("source", "pause", "nobody", status=4)


def test_paused_source_waits_and_changed_flags_are_shown(
    desk: Desk, script: Script, tmp_path: Path
) -> None:
    desk.run("source", "remove", "mail")
    add(desk, tmp_path, script, "--paused")
    assert "is paused" in desk.run("source", "sync", "mail", status=5).err
    desk.run("source", "resume", "mail")
    desk.run("source", "sync", "mail", "-j", 1)
    script.flags = "\\Seen \\Flagged"
    assert "Other flags since" in desk.run("source", "sync", "mail").out
    (found, *_) = desk.run("search", "source:mail", "--format", "ids").out.split()
    (capture,) = desk.run("show", found, "--json").json["captures"]
    assert (capture["flags"], capture["later"][0]["is_deleted"]) == (["\\Seen"], False)
    assert set(capture["later"][0]["flags"]) == {"\\Seen", "\\Flagged"}


def test_secret_is_shown_nowhere(desk: Desk, script: Script) -> None:
    script.twist = refusing
    said = [
        desk.run("source", "list", "--json"),
        desk.run("source", "test", "mail", status=2),
        desk.run("source", "test", "mail", "--json", status=2),
        desk.run("source", "sync", "mail", status=2),
        desk.run("source", "list"),
    ]
    assert all(SECRET not in ran.out + ran.err for ran in said)
    assert "does not let ann in" in said[3].err
    assert said[2].json["steps"][-1]["step"] == "sign-in"


def test_trouble_of_some_is_partial_and_is_named(desk: Desk, script: Script) -> None:
    script.said_sizes[3] = 10
    script.listed = (b'() "/" INBOX', b'() "/" Gone')

    def vanished(asked: Asked, answer: bytes) -> bytes:
        if asked.words == 'EXAMINE "Gone"':
            return f"{asked.tag} NO there is no such folder\r\n".encode()
        return answer

    script.twist = vanished
    ran = desk.run("source", "sync", status=3)
    assert "Gone: The server refused EXAMINE: there is no such folder." in ran.err
    assert "holdfast ledger --failed" in ran.err
    assert "size_differs" in desk.run("ledger", "--failed").out
    script.twist, script.said_sizes, script.listed = honest, {}, (b'() "/" INBOX',)
    script.uidvalidity = 8
    again = desk.run("source", "sync")
    assert "INBOX: the server numbered it anew" in again.err
    script.listed = (b'() "/" Other',)
    assert "INBOX: the server has it no more" in desk.run("source", "sync").err
    assert "not at the server any more" in desk.run("ledger", "--source", "mail").out


def test_removed_source_keeps_its_mail_and_may_come_back(
    desk: Desk, script: Script, tmp_path: Path
) -> None:
    desk.run("source", "sync")
    assert "already" in add(desk, tmp_path, script, status=5)
    assert "What it gave stays" in desk.run("source", "remove", "mail").out
    desk.run("source", "remove", "mail", status=4)
    desk.run("source", "sync", "mail", status=4)
    assert "No source is pulled" in desk.run("source", "sync").err
    assert "No source is pulled" in desk.run("source", "list").err
    assert desk.run("search", "--count", "source:mail").out.strip() == "7"
    assert "Next" in add(desk, tmp_path, script, "--folder", "IN*", "--folder", "nowhere")
    ran = desk.run("source", "sync")
    assert "No folder matches nowhere." in ran.err
    assert desk.run("source", "remove", "mail", "--json").json["source"] == "mail"


def test_wrong_options_are_refused_with_the_next_step(
    desk: Desk, script: Script, tmp_path: Path
) -> None:
    secret = ("--secret-file", tmp_path / "secret")
    user = ("--user", "ann")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    wrong = {
        "There is no kind": ("pop3", "other", *user, *secret),
        "Where is the secret": ("imap", "other", "--host", "h", *user),
        "server or the user": ("imap", "other", *user, *secret),
        "There is no preset": ("imap", "other", "--preset", "x", *user, *secret),
        "in clear": ("imap", "other", "--host", "h.example", "--tls", "none", *user, *secret),
        "is unknown": ("imap", "other", "--host", "h", "--tls", "x", *user, *secret),
        "no port": ("imap", "other", "--host", "h", "--port", 70000, *user, *secret),
        "needs a name": ("imap", " ", "--host", "h", *user, *secret),
        "is empty": ("imap", "other", "--host", "h", *user, "--secret-file", tmp_path / "empty"),
        "cannot be read": ("imap", "other", "--host", "h", *user, "--secret-file", tmp_path / "no"),
        "line break": ("imap", "other", "--host", "h", "--user", "a\nb", *secret),
    }
    for words, options in wrong.items():
        assert words in " ".join(desk.run("source", "add", *options, status=2).err.split())


def test_presets_know_the_server_and_say_what_to_bring(desk: Desk, tmp_path: Path) -> None:
    words = ("--preset", "gmail", "--user", "ann@gmail.example", "--secret-file")
    ran = desk.run("source", "add", "imap", "gmail", *words, tmp_path / "secret")
    assert "app password" in ran.err
    ran = desk.run(
        "source", "add", "imap", "cloud", *words, tmp_path / "secret", "--preset", "aliyun",
        "--allow-plaintext", "--tls", "starttls", "--json",
    )  # fmt: skip
    assert ran.json["source"] == "cloud"
    cloud, gmail, _ = desk.run("source", "list", "--json").json["sources"]
    assert (gmail["host"], gmail["folders"][0]) == ("imap.gmail.com", "\\All")
    assert (cloud["host"], cloud["port"]) == ("imap.qiye.aliyun.com", 143)


def test_source_with_tokens_and_a_proxy_is_added_and_its_secrets_are_shown_nowhere(
    desk: Desk, tmp_path: Path
) -> None:
    for name in ("refresh", "client", "proxy"):
        (tmp_path / name).write_text(f"{name}-sesame\n", encoding="utf-8")
    words = [
        "source", "add", "imap", "tokens", "--preset", "gmail", "--user", "ann@gmail.example",
        "--oauth", "refresh-token", "--client-id", "id-1",
        "--secret-file", tmp_path / "refresh", "--client-secret-file", tmp_path / "client",
        "--proxy", "socks5://me@proxy.example", "--proxy-secret-file", tmp_path / "proxy",
    ]  # fmt: skip
    ran = desk.run(*words)
    assert "app password" not in ran.err
    again = ("--host", "h.example", "--user", "ann", "--secret-file", tmp_path / "client")
    tenant = ("--preset", "outlook", "--tenant", "t", "--oauth", "client-credentials")
    desk.run("source", "add", "imap", "cloud", *again, *tenant, "--client-id", "id-2")
    by_proxy = ("--proxy", "http://127.0.0.1:1", "--connections", 1)
    desk.run("source", "add", "imap", "plain", *again, *by_proxy)
    assert len(desk.run("source", "list", "--json").json["sources"]) == 4
    failed = desk.run("source", "test", "plain", "--json", status=None)
    assert "sesame" not in failed.out + failed.err


def test_wrong_words_about_the_way_are_refused(desk: Desk, tmp_path: Path) -> None:
    words = ("--host", "h.example", "--user", "ann", "--secret-file", tmp_path / "secret")
    wrong = {
        "no way to get them": ("--client-id", "x"),
        "holds a password": ("--proxy", "http://me:pw@proxy"),
        "not understood": ("--proxy", "ftp://proxy"),
        "connections are not possible": ("--connections", 16),
        "--compress 'x' is unknown": ("--compress", "x"),
    }
    for said, options in wrong.items():
        ran = desk.run("source", "add", "imap", "other", *words, *options, status=2)
        assert said in " ".join(ran.err.split())
        assert ":pw@" not in ran.err

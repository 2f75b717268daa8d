"""F28: a password that is refused is tried once, said, and costs no other account anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive_kit import ACTOR, opened, settings_in
from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap import running as imap_running
from holdfast.ingest.imap import syncing
from holdfast.ingest.imap.failures import Busy, SignInRefused, sign_in_refusal
from holdfast.ingest.imap.signing import entrance
from holdfast.ingest.imap.walking import Walk
from holdfast.ingest.source_kinds import Synced
from holdfast.ingest.sources import running, troubles
from holdfast.ingest.sources.bench import Ask
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import Ending, accounts_of, note_ended
from holdfast.storage.store import Store
from holdfast.wiring.runs import sync_sources
from imap_checks import asks_once_for_a_refused_sign_in
from imap_kit import account_of, added, ends, letter, plain_account, synced
from imap_script import Asked, Script, scripted
from server_dovecot import Dovecot, User

Plant = pytest.MonkeyPatch
WRONG = "wrong-open-sesame"
HOUR_MS = 3_600_000


def all_synced(settings: Settings) -> list[Synced]:
    """Sync all sources as the command does; end where it would end."""
    done: list[Synced] = []
    try:
        done.extend(sync_sources(settings, ACTOR, (), lambda _: None, Ask()))
    except HoldfastError:
        return done
    return done


def stops_one_account_alone(folder: Path, server: Dovecot, user: User) -> None:
    """Of three sources the second has a wrong password: the others come, and are due as ever."""
    user.append("INBOX", letter(1))
    other = server.user(f"{user.name}-other")
    other.append("INBOX", letter(2))
    settings = settings_in(folder)
    added(settings, account_of(other), server.password, "a-good")
    added(settings, account_of(user), WRONG, "bad")
    added(settings, account_of(user, port=server.port), server.password, "c-good")
    done = {one.source: one for one in all_synced(settings)}
    assert set(done) == {"a-good", "bad", "c-good"}, "another account was not run"
    assert isinstance(done["bad"].error, SignInRefused)
    assert WRONG not in str(done["bad"].error)
    news = [done[name].counts.new for name in ("a-good", "c-good")]
    assert news == [1, 1], "another account was not run"
    assert ends(settings, "a-good") == ends(settings, "c-good") == {"filed": 1}
    with opened(settings) as services:
        first, bad, last = sorted(accounts_of(services.store), key=lambda one: one.name)
        now_ms = services.store.now_ms()
    for good in (first, last):
        assert (good.trouble, good.failures, good.last_error) == ("", 0, ""), "another is stopped"
        assert good.next_ms is not None
        assert good.next_ms - now_ms < HOUR_MS / 2, "another is stopped"
    assert (bad.trouble, bad.failures) == ("sign_in", 1), "nobody is told why"
    assert "does not let" in bad.last_error
    assert bad.next_step
    assert bad.next_ms is not None
    assert bad.next_ms - now_ms > HOUR_MS / 3, "it is tried again soon"


def test_f28_wrong_password_stops_one_source_and_no_other(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    stops_one_account_alone(tmp_path, dovecot_server, dovecot_server.user("locked-out"))


def end_the_whole_run(plant: Plant) -> None:
    """A server that does not let one account in ends the run of all."""

    def offers(walk: Walk, _done: object) -> Iterator[object]:
        yield from walk.offers()

    plant.setattr(syncing, "_offers", offers)


def stop_all(plant: Plant) -> None:
    """What goes wrong with one source is noted of all."""

    def noted(store: Store, source_id: int, ending: Ending) -> None:
        ids = [source_id] if ending.is_success else [one.source_id for one in accounts_of(store)]
        for one in ids:
            note_ended(store, one, ending)

    plant.setattr(running, "note_ended", noted)


def take_it_for_any_trouble(plant: Plant) -> None:
    """A password that is refused is tried again as soon as a server that is down."""
    plant.setattr(troubles, "_PATIENCE", {})


def say_nothing(plant: Plant) -> None:
    """A refusal is a run like any other that brought nothing."""

    def ending(kept: object, trouble: object, error: object, now_ms: int) -> Ending:
        return Ending(now_ms + HOUR_MS)

    for module in (running, imap_running):
        plant.setattr(module, "after_failure", ending)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"),
    [(end_the_whole_run, "another account was not run"), (stop_all, "another is stopped"),
     (take_it_for_any_trouble, "it is tried again soon"), (say_nothing, "nobody is told why")],
)  # fmt: skip
def test_f28_refusal_that_costs_others_or_is_not_minded_is_found_out(
    tmp_path: Path,
    dovecot_server: Dovecot,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    words: str,
) -> None:
    bug(monkeypatch)
    user = dovecot_server.user(f"locked-out-{bug.__name__}")
    with pytest.raises(AssertionError, match=words):
        stops_one_account_alone(tmp_path, dovecot_server, user)


@pytest.mark.unmeasured
def test_f28_refusal_that_tells_the_secret_is_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    monkeypatch.setattr(entrance, "_without", lambda words, hidden: words)
    with pytest.raises(AssertionError, match="the secret is told"):
        asks_once_for_a_refused_sign_in(tmp_path)


QQ = (
    "NO Login fail. Account is abnormal, service is not open, password is incorrect, login "
    "frequency limited, or system is busy. More information at https://service.mail.qq.com/detail"
)


@pytest.mark.parametrize(
    "said",
    [
        QQ,
        "NO [AUTHENTICATIONFAILED] Wrong password, try again",
        "NO Invalid user or password: busy",
    ],
)
@pytest.mark.parametrize("way", ["LOGIN", "AUTHENTICATE"])
def test_f28_refusal_that_names_the_password_among_its_reasons_is_not_repeated(
    tmp_path: Path, said: str, way: str
) -> None:
    able = "IMAP4rev1" if way == "LOGIN" else "IMAP4rev1 AUTH=PLAIN"
    script = Script({1: letter(1)}, capabilities=able)

    def refusing(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("AUTHENTICATE"):
            script.tag = asked.tag
            return b"+ \r\n"
        if asked.words.startswith("LOGIN"):
            return f"{asked.tag} {said}\r\n".encode()
        if not asked.words:  # what follows AUTHENTICATE has no tag
            return f"{script.tag} {said}\r\n".encode()
        return answer

    script.twist = refusing
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), WRONG)
        done = synced(settings)
    assert isinstance(done.error, SignInRefused), "it is taken for a busy server"
    assert len(script.of(way)) == 1, "it was tried again"
    with opened(settings) as services:
        (kept,) = accounts_of(services.store)
    assert (kept.trouble, kept.failures) == ("sign_in", 1)


@pytest.mark.parametrize(
    "said", ["[UNAVAILABLE] Temporary authentication failure, password not checked: error",
             "Too many invalid logins, try again later"]
)  # fmt: skip
def test_f27_server_that_could_not_look_at_the_password_is_busy(said: str) -> None:
    assert isinstance(sign_in_refusal(plain_account(143), said), Busy)

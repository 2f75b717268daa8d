"""A real mailbox on a real Dovecot: everything, once, byte for byte, and nothing changed there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import findings, found, opened, settings_in
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.ingest.imap.comparing import compared
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.imap.session import connect
from holdfast.ingest.imap.trial import Trial
from holdfast.storage.catalogue.accounts import (
    find_account,
    open_secret,
    remove_account,
)
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import accounts
from holdfast.storage.upkeep import retire_keys, rotate_keys
from imap_answers import (
    binds_what_was_numbered_anew,
    goes_on_over_broken_connections,
    notices_what_another_session_expunges,
)
from imap_kill import fill, kill_rounds, mailbox
from imap_kit import (
    LARGE_BODY,
    SOURCE,
    Patience,
    account_of,
    added,
    counted,
    expected,
    held,
    letter,
    synced,
)
from imap_tap import tapped
from imap_trouble import STRIKES, trouble_rounds
from server_dovecot import CONNECTIONS, Dovecot, running
from source_kit import planned

TAKEN = {
    "INBOX": [letter(n) for n in range(12)],
    "项目/合同 & co": [letter(n) for n in range(12, 17)],
    "a b": [letter(17)],
    'quote " and back\\slash': [letter(18)],
    "emoji 😀/deep/deeper/deepest": [letter(19), letter(20)],
    "empty": [],
}
MAIL = {**TAKEN, "Drafts": [letter(21)]}
"""A draft is taken once it was sent."""


def test_every_folder_comes_whole_and_a_second_sync_fetches_nothing(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("whole")
    fill(user, MAIL)
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port), dovecot_server.password)
        first = synced(settings)
        assert (first.counts.new, first.found.at_server, first.found.folders) == (21, 22, 7)
        again = synced(settings)
    assert (again.counts.offered, again.is_whole) == (0, True)
    assert held(settings) == expected(TAKEN)
    assert found(settings, 'folder:"项目/合同 & co"') == 5
    assert findings(settings) == []
    with opened(settings) as services:
        kept = find_account(services.store, SOURCE)
        rows = compared(services.store, kept.source_id)
    assert sum(one.kept for one in rows) == 21
    assert sum(one.skipped for one in rows) == 1
    assert {(one.otherwise, one.missing) for one in rows} == {(0, 0)}


def test_f33_no_flag_changes_at_the_server(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("flags")
    user.append("INBOX", *(letter(n) for n in range(20)))
    user.append("INBOX", *(letter(n) for n in range(20, 30)), flags="(\\Seen \\Flagged)")
    user.append("INBOX", letter(30) + LARGE_BODY)
    before = user.flags("INBOX")
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port, tls="none"), dovecot_server.password)
        assert synced(settings).counts.new == 31
        assert synced(settings, reconciles=True).counts.offered == 0
    assert user.flags("INBOX") == before
    assert tap.of(b"EXAMINE")
    assert [tap.of(word) for word in (b"SELECT", b"STORE", b"EXPUNGE", b"BODY[", b"CLOSE")] == [
        [] for _ in range(5)
    ]


def test_f20_uidvalidity_that_changes_gives_no_new_original_and_no_new_interaction(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("anew")
    binds_what_was_numbered_anew(tmp_path, dovecot_server, user)


def test_f21_expunge_by_another_session_between_description_and_body(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("expunged")
    notices_what_another_session_expunges(tmp_path, dovecot_server, user)


def test_deletions_at_the_server_are_noted_and_not_followed(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("deleting")
    user.append("INBOX", *(letter(n) for n in range(4)))
    user.append("Old", letter(4))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    user.expunge("INBOX", 1, 2)
    user.delete("Old")
    done = synced(settings)
    assert (done.found.expunged, done.found.vanished, done.counts.offered) == (2, ["Old"], 0)
    assert synced(settings).found.vanished == ["Old"]  # for as long as somebody may not have heard
    planned(settings, late_s=0)
    assert synced(settings).found.vanished == []
    assert counted(settings)["captures"] == 5


def test_f30_renamed_folder_gives_no_new_original(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("renaming")
    user.append("Before", letter(1), letter(2))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    user.rename("Before", "后来")
    done = synced(settings)
    assert (done.counts.new, done.counts.duplicates, done.found.vanished) == (0, 2, ["Before"])
    assert counted(settings)["originals"] == 2


def test_folder_that_vanishes_while_it_is_synced_costs_itself_alone(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("vanishing")
    user.append("Away", letter(1))
    user.append("Here", letter(2))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port, tls="none"), dovecot_server.password)
        tap.acts.append((b'EXAMINE "Away"', lambda: user.delete("Away")))
        done = synced(settings)
    assert list(done.found.troubled) == ["Away"]
    assert "doesn't exist" in done.found.troubled["Away"]
    assert (done.counts.new, done.is_whole) == (1, False)


def test_patterns_choose_folders_by_name_and_by_special_use(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("choosing")
    fill(user, {**MAIL, "Junk": [letter(30)], "[Gmail]/All": [letter(31)]})
    settings = settings_in(tmp_path)
    patterns = ("项目/*", "[gmail]/all", "nowhere")
    added(settings, account_of(user, folders=patterns), dovecot_server.password)
    done = synced(settings)
    assert (done.counts.new, done.found.unmatched) == (6, ["nowhere"])
    all_but = account_of(user, excludes=("\\Junk", "\\Drafts"))
    added(settings, all_but, dovecot_server.password, "other")
    assert set(held(settings)) == {"项目/合同 & co", "[Gmail]/All"}
    assert synced(settings, "other").found.at_server == 22


def test_certificate_of_another_name_or_authority_is_refused(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("certificate")
    tls = {"port": dovecot_server.tls_port, "tls": "implicit"}
    connect(account_of(user, **tls)).close()
    for changes in ({"host": "127.0.0.1"}, {"ca_file": ""}, {"host": "127.0.0.1", **tls}):
        with pytest.raises(Refused, match="certificate"):
            connect(account_of(user, **changes))
    with pytest.raises(Refused, match="cannot be read"):
        connect(account_of(user, ca_file=str(tmp_path / "missing")))


def test_f27_fifth_connection_of_a_user_is_waited_for(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("busy")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    others = [connect(account_of(user)) for _ in range(CONNECTIONS)]
    for one in others:
        one.sign_in(dovecot_server.password.encode())

    def leave(times: int) -> None:
        if times == 2:
            others.pop().close()

    patience = Patience(leave)
    assert synced(settings, pause=patience).counts.new == 1
    assert len(patience.asked_s) == 2
    for one in others:
        one.close()


def test_f29_connection_that_breaks_again_and_again_costs_nothing(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("breaking")
    goes_on_over_broken_connections(tmp_path, dovecot_server, user)


def test_server_that_is_down_is_said_and_the_next_sync_goes_on(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("down")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        added(settings, account_of(user, port=tap.port), dovecot_server.password)
    done = synced(settings)
    assert isinstance(done.error, GaveUp)
    with opened(settings) as services:
        remove_account(services.store, SOURCE)
    added(settings, account_of(user), dovecot_server.password)
    assert synced(settings).counts.new == 1


@pytest.mark.unmeasured
def test_f1_killed_syncs_lose_nothing_and_double_nothing(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("killed")
    mail = mailbox(folders=6, messages=400)
    fill(user, mail)
    figures = kill_rounds(tmp_path, user, mail, rounds=4, seed=20_26)
    assert figures.bad == []
    assert (figures.missing, figures.doubled) == (0, 0)
    assert figures.killed_alive >= 2
    assert figures.kept_before > 0


@pytest.mark.unmeasured
def test_f20_f21_f29_strikes_at_server_connection_and_mailbox_lose_nothing_and_double_nothing(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-struck-"))
    folder.chmod(0o755)
    try:
        with running(folder) as server:
            figures = trouble_rounds(tmp_path, server, rounds=5, seed=20_26, messages=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert figures.bad == []
    assert (figures.missing, figures.doubled, figures.unreconciled) == (0, 0, 0)
    assert figures.struck.total() == len(STRIKES)


def test_secret_survives_new_keys_and_goes_with_the_source(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("secret")
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    with opened(settings) as services:
        store = services.store
        rotate_keys(store)
        assert retire_keys(store) == 1
        kept = find_account(store, SOURCE)
        assert open_secret(store, kept.source_id).decode() == dovecot_server.password
        remove_account(store, SOURCE)
        with reading(store.engine) as connection:
            row = connection.execute(select(accounts)).one()
        assert (row.wrapped_key, row.sealed_secret) == (None, None)
        with pytest.raises(NotFound):
            open_secret(store, kept.source_id)
        with pytest.raises(NotFound):
            find_account(store, SOURCE)
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert files
    assert not any(dovecot_server.password.encode() in path.read_bytes() for path in files)


def test_source_that_comes_back_takes_nothing_twice_and_no_other_takes_its_name(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("back")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    with pytest.raises(Conflict, match="already"):
        added(settings, account_of(user), dovecot_server.password)
    with opened(settings) as services:
        remove_account(services.store, SOURCE)
    other = dovecot_server.user("somebody-else")
    with pytest.raises(Conflict, match="another one"):
        added(settings, account_of(other), dovecot_server.password)
    added(settings, account_of(user), dovecot_server.password)
    assert synced(settings).counts.offered == 0


def test_trial_tells_each_step_and_stops_at_the_first_that_fails(dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("trial")
    user.append("INBOX", *(letter(n, subject=f"合同 {n}") for n in range(5)))
    secret = dovecot_server.password.encode()
    steps = list(Trial(account_of(user), secret).steps())
    assert [one.name for one in steps if one.error is None] == [
        "address",
        "connection",
        "sign-in",
        "capabilities",
        "folders",
        "samples",
    ]
    assert steps[-1].found == "合同 4; 合同 3; 合同 2"
    assert "certificate valid" in steps[1].found
    failing = {
        "address": account_of(user, host="nowhere.invalid"),
        "connection": account_of(user, ca_file=""),
        "folders": account_of(user, folders=("nowhere",)),
    }
    for name, account in failing.items():
        last = list(Trial(account, secret).steps())[-1]
        assert last.name == name
        assert last.error is not None
        assert last.error.next_step
    (*_, last) = Trial(account_of(user, tls="none"), b"wrong").steps()
    assert (last.name, last.found) == ("sign-in", "")

"""What changes at the server after a capture is added to it, and proved; nothing is followed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from archive_kit import findings, opened, settings_in
from holdfast.ingest.imap import later
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.later_facts import LaterFact, later_facts_of
from holdfast.storage.catalogue.schema import captures, later_facts
from imap_kit import account_of, added, counted, letter, plain_account, synced
from imap_script import Asked, Script, honest, scripted
from server_dovecot import Dovecot, User, wire


def store_flags(user: User, numbers: str, change: str, flags: str) -> None:
    """Change flags as a mail program does."""
    with user.signed_in() as client:
        client.select(wire("INBOX"))
        assert client.store(numbers, change, flags)[0] == "OK"


def noted(settings: Settings) -> list[list[tuple[frozenset[str], bool]]]:
    """By capture: the flags that were noted later, and whether the message was gone."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(captures.select().with_only_columns(captures.c.id)).all()
        found = later_facts_of(services.store, sorted(ids))
    return [[_said(one) for one in found.get(row, [])] for row in sorted(ids)]


def _said(one: LaterFact) -> tuple[frozenset[str], bool]:
    return frozenset(one.flags), one.is_deleted


def test_flags_and_deletions_are_added_to_captures(tmp_path: Path, dovecot_server: Dovecot) -> None:
    user = dovecot_server.user("flagging")
    user.append("INBOX", *(letter(n) for n in range(4)))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    store_flags(user, "2", "+FLAGS", "(\\Seen $Important)")
    assert synced(settings).found.flagged == 1
    assert synced(settings).found.flagged == 0
    store_flags(user, "2", "-FLAGS", "(\\Seen)")
    user.expunge("INBOX", 1)
    found = synced(settings, why="mail", news=frozenset({"INBOX"})).found
    assert (found.flagged, found.expunged) == (1, 1)
    assert synced(settings).found.expunged == 0
    both, one = frozenset({"\\Seen", "$Important"}), frozenset({"$Important"})
    assert noted(settings) == [[(frozenset(), True)], [(both, False), (one, False)], [], []]
    assert counted(settings)["captures"] == 4
    assert findings(settings) == []


@pytest.mark.parametrize("act", ["change", "delete", "add"])
def test_note_that_is_altered_is_found(tmp_path: Path, dovecot_server: Dovecot, act: str) -> None:
    user = dovecot_server.user(f"altered-{act}")
    user.append("INBOX", letter(1))
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    synced(settings)
    store_flags(user, "1", "+FLAGS", "(\\Seen)")
    synced(settings)
    with opened(settings) as services, writing(services.store.engine) as connection:
        row = connection.execute(later_facts.select()).one()
        statement = {
            "change": update(later_facts).values(flags='["\\\\Flagged"]'),
            "delete": delete(later_facts),
            "add": later_facts.insert().values({**row._mapping, "id": 1, "note_id": 1}),
        }[act]
        connection.execute(statement)
    assert [one.part for one in findings(settings)] == ["later_fact"]


def test_server_that_counts_no_changes_is_compared_a_part_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later, "COMPARED", 2)
    settings = settings_in(tmp_path)
    with scripted(Script({uid: letter(uid) for uid in (1, 2, 5)})) as script:
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        script.flags = "\\Seen \\Flagged"
        assert [synced(settings).found.flagged for _ in range(3)] == [2, 1, 0]
        assert script.of("(UID FLAGS)")[0].startswith("UID FETCH 1:2 ")
        script.flags = ""
        assert synced(settings, reconciles=True).found.flagged == 3


def test_list_that_is_cut_short_deletes_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    def short(asked: Asked, answer: bytes) -> bytes:
        return answer.replace(b"SEARCH 1 2 5", b"SEARCH 1 5")

    with scripted(Script({uid: letter(uid) for uid in (1, 2, 5)})) as script:
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        script.twist = short
        done = synced(settings)
        assert (done.found.expunged, done.found.at_server) == (0, 3)
        assert noted(settings) == [[], [], []]
        script.twist = honest
        del script.mail[2]
        assert synced(settings).found.expunged == 1
        assert noted(settings) == [[], [(frozenset({"\\Seen"}), True)], []]


def test_message_that_is_listed_again_is_said_to_be_there_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with scripted(Script({uid: letter(uid) for uid in (1, 2, 5)})) as script:
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        hidden = {1: script.mail.pop(1), 2: script.mail.pop(2)}
        assert synced(settings).found.expunged == 2
        script.mail = {2: hidden[2], **script.mail}
        again = synced(settings)
        assert (again.counts.offered, again.found.expunged) == (0, 0)
        seen = frozenset({"\\Seen"})
        assert noted(settings) == [[(seen, True)], [(seen, True), (seen, False)], []]
        synced(settings)
        assert [len(one) for one in noted(settings)] == [1, 2, 0]
    assert findings(settings) == []


def test_server_that_does_not_tell_whether_a_message_is_there_deletes_nothing(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)

    def silent(asked: Asked, answer: bytes) -> bytes:
        if "SEARCH UID" in asked.words:
            return f"{asked.tag} NO not now\r\n".encode()
        return answer

    with scripted(Script({1: letter(1), 2: letter(2)})) as script:
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        del script.mail[2]
        script.twist = silent
        done = synced(settings)
        assert (done.found.expunged, done.found.troubled) == (0, {})
        script.twist = honest
        assert synced(settings).found.expunged == 1

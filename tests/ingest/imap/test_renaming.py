"""F30: folders that are renamed at the server, between two syncs and during one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from archive_kit import findings, found, settings_in
from holdfast.ingest.imap import fetching
from holdfast.ingest.imap.fetching import Place
from holdfast.ingest.imap.names import item_key
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.ingest.readers.sealed_files import SealedFile
from holdfast.settings import Settings
from imap_kit import account_of, added, counted, expected, held, letter, synced
from imap_tap import tapped
from server_dovecot import Dovecot, User

Plant = pytest.MonkeyPatch
BEFORE, AFTER = "Before", "后来 & on"
MAIL = {
    "": [letter(1), letter(2)],
    "/deep": [letter(3)],
    "/deep/deeper": [letter(4), letter(5)],
}
"""By what follows the name of the folder that is renamed."""
RAW = [raw for messages in MAIL.values() for raw in messages]


def filled(server: Dovecot, name: str) -> User:
    """A user who has a folder with children."""
    user = server.user(name)
    for end, messages in MAIL.items():
        user.append(BEFORE + end, *messages)
    return user


def under(name: str) -> dict[str, list[bytes]]:
    """What is there when the folder has this name."""
    return {name + end: messages for end, messages in MAIL.items()}


def knows_both_names(settings: Settings, user: User, *, is_numbered_anew: bool) -> None:
    """After a renaming each message is one still, and found in the old folder and in the new."""
    synced(settings)
    user.rename(BEFORE, AFTER)
    if is_numbered_anew:
        user.number_anew()
    done = synced(settings)
    assert sorted(done.found.vanished) == sorted(under(BEFORE))
    is_one_each(settings)
    both = expected(under(BEFORE) | under(AFTER))
    assert held(settings) == both, "a name is missing"
    assert synced(settings).counts.offered == 0
    for name in (BEFORE, AFTER):
        assert found(settings, f'folder:"{name}"') > 0, "a name is not found"


def is_one_each(settings: Settings) -> None:
    """No message is another original or interaction, and nothing is damaged."""
    counts = counted(settings)
    assert (counts["originals"], counts["interactions"]) == (len(RAW), len(RAW)), "it is doubled"
    assert findings(settings) == []


def loses_nothing_by_a_renaming(folder: Path, server: Dovecot, user: User, command: bytes) -> None:
    """A folder is renamed when the sync is about to say this; the next one has all of it."""
    settings = settings_in(folder)
    with tapped(server.port) as tap:
        added(settings, account_of(user, port=tap.port, tls="none"), server.password)
        tap.acts.append((command, partial(user.rename, BEFORE, AFTER)))
        synced(settings)
        assert tap.acts == []
        synced(settings)
    kept = held(settings)
    for name, messages in expected(under(AFTER)).items():
        assert kept.get(name) == messages, "something is lost"
    is_one_each(settings)
    assert synced(settings).counts.offered == 0


@pytest.mark.parametrize("is_numbered_anew", [False, True])
def test_f30_renamed_folder_and_its_children_are_known_by_both_names(
    tmp_path: Path, dovecot_server: Dovecot, *, is_numbered_anew: bool
) -> None:
    user = filled(dovecot_server, f"renamed-{is_numbered_anew}")
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    knows_both_names(settings, user, is_numbered_anew=is_numbered_anew)


COMMANDS = {"listed": b"EXAMINE", "opened": b"UID SEARCH", "fetched": b"BODY.PEEK[]"}


@pytest.mark.parametrize("moment", COMMANDS)
def test_f30_folder_that_is_renamed_while_it_is_synced_loses_nothing(
    tmp_path: Path, dovecot_server: Dovecot, moment: str
) -> None:
    user = filled(dovecot_server, f"renamed-{moment}")
    loses_nothing_by_a_renaming(tmp_path, dovecot_server, user, COMMANDS[moment])


def forget_names(plant: Plant) -> None:
    """A message is known by UIDVALIDITY and UID alone, whatever folder it is in."""
    plant.setattr(Place, "key", lambda self, uid: item_key("x", self.uidvalidity, uid))


def mark_with_names(plant: Plant) -> None:
    """Each message is given a field that tells its folder, as some programs do."""

    def marked(offered: Offered, body: bytes | SealedFile) -> Fetched:
        assert isinstance(body, bytes)
        return Fetched(offered, b"X-Folder: " + offered.facts.folder.encode() + b"\r\n" + body)

    plant.setattr(fetching, "Fetched", marked)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "words"),
    [(forget_names, "a name is missing"), (mark_with_names, "it is doubled")],
)
def test_f30_names_that_are_forgotten_or_believed_are_found_out(
    tmp_path: Path,
    dovecot_server: Dovecot,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    words: str,
) -> None:
    user = filled(dovecot_server, bug.__name__)
    bug(monkeypatch)
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    with pytest.raises(AssertionError, match=words):
        knows_both_names(settings, user, is_numbered_anew=False)

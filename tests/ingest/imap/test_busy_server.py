"""F27: a server that wants to be left alone is, for as long as it says, whatever it was asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import opened
from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap import failures, link
from holdfast.ingest.imap.failures import (
    Busy,
    Lost,
    SaidNo,
    SignInRefused,
    Throttled,
    asked_wait_s,
    refusal,
)
from holdfast.ingest.imap.fetching import FolderFetch
from holdfast.ingest.imap.link import MOST_BUSY, MOST_LOSSES, GaveUp, Link
from holdfast.ingest.imap.signing import entrance
from holdfast.ingest.imap.signing.knocking import WINDOW_S, Knocks
from holdfast.ingest.sources import troubles
from holdfast.storage.catalogue.accounts import accounts_of
from imap_checks import SECRET, mail, reasons, serving
from imap_kit import Patience, added, ends, expected, held, plain_account, synced
from imap_script import Asked, Cut, Script, Twist, honest, scripted

Plant = pytest.MonkeyPatch


def busy(words: str, said: str) -> Twist:
    """Answer every command that holds the words with NO and what is said, or hang up saying it."""

    def twist(asked: Asked, answer: bytes) -> bytes:
        if words not in asked.words:
            return answer
        if said.startswith("BYE"):
            raise Cut(f"* {said}\r\n".encode())
        return f"{asked.tag} {said}\r\n".encode()

    return twist


def is_left_alone(folder: Path, words: str, said: str, trouble: str) -> None:
    """A busy server is asked a few times, ever more rarely; the next run is appointed for later.

    Args:
        folder: For everything.
        words: Of the command that it does not want to hear.
        said: What it says.
        trouble: How the source is marked.
    """
    script, other, patience = Script(mail(1, 2, 3)), Script(mail(4)), Patience()
    script.twist = busy(words, said)
    with serving(folder, script) as settings, scripted(other):
        added(settings, plain_account(other.port, "bob"), SECRET, "other")
        done = synced(settings, pause=patience)
        signed_in, tried = len(script.of("LOGIN")), len(script.of(words))
        is_answered = said.startswith("NO") and words != "LOGIN"
        assert signed_in <= (1 if is_answered else 5), f"it was signed in to {signed_in} times"
        assert isinstance(done.error, GaveUp), "it was not given up"
        most = 1 if "600" in said else 5
        assert tried == most, "a time that was named was passed over"
        assert len(patience.asked_s) == tried - 1, "it was not waited for"
        wholes = [15.0, 30.0, 60.0, 120.0][: tried - 1]
        for waited, whole in zip(patience.asked_s, wholes, strict=True):
            assert whole / 2 <= waited <= whole, "it was not waited for ever longer"
        spread = {w / whole for w, whole in zip(patience.asked_s, wholes, strict=True)}
        assert len(spread) == tried - 1, "all wait the same"
        assert reasons(settings) == {}, "a message was given up"
        with opened(settings) as services:
            (one, _) = sorted(accounts_of(services.store), key=lambda each: each.name)
            assert (one.name, one.trouble) == ("mail", trouble), "it has another name"
            until_s = ((one.next_ms or 0) - services.store.now_ms()) / 1000
        assert until_s > (600 if "600" in said else 140), "it is asked again soon"
        calm = Patience()
        assert (synced(settings, "other", calm).counts.new, calm.asked_s) == (1, [])
        script.twist = honest
        assert synced(settings).counts.new == 3, "it does not go on"
        assert held(settings) == expected({"INBOX": [*script.mail.values(), *other.mail.values()]})
        assert ends(settings) == {"filed": 3}


CASES = {
    "unavailable": ("LOGIN", "NO [UNAVAILABLE] a part of us is down", "throttled"),
    "hung up": ("LOGIN", "BYE [THROTTLED] Back off time: 600000 milliseconds", "throttled"),
    "quota in a folder": ("BODY.PEEK[]", "NO [OVERQUOTA] Account exceeded its limits", "quota"),
    "hung up in a folder": ("BODY.PEEK[]", "BYE [THROTTLED] slow down", "throttled"),
    "quota": ("LOGIN", "NO [OVERQUOTA] come back tomorrow", "quota"),
    "throttled": ("LOGIN", "NO [THROTTLED] slow down", "throttled"),
    "limit": ("LOGIN", "NO [LIMIT] Maximum number of connections", "throttled"),
    "hung up for the quota": ("LOGIN", "BYE [OVERQUOTA] bandwidth exceeded", "quota"),
    "hung up for a limit": ("LOGIN", "BYE [LIMIT] Maximum number of connections", "throttled"),
    "hung up, unavailable": ("LOGIN", "BYE [UNAVAILABLE] a part of us is down", "throttled"),
    "throttled at the list": ("LIST", "NO [THROTTLED] slow down", "throttled"),
    "quota at a folder": ("EXAMINE", "BYE [OVERQUOTA] bandwidth exceeded", "quota"),
    "throttled at the search": ("UID SEARCH", "NO [THROTTLED] slow down", "throttled"),
    "quota amid a folder": ("BODY.PEEK[]", "BYE [OVERQUOTA] bandwidth exceeded", "quota"),
    "hung up at a folder": ("EXAMINE", "BYE [LIMIT] too many connections", "throttled"),
    "hung up at the search": ("UID SEARCH", "BYE [LIMIT] too many connections", "throttled"),
    "hung up for a limit amid a folder": ("BODY.PEEK[]", "BYE [LIMIT] too many", "throttled"),
}


def is_waited_for(folder: Path, words: str, said: str) -> None:
    """A server that is busy with what it is asked is waited for each time, and loses nothing.

    Args:
        folder: For everything.
        words: Of the command that it is too busy for.
        said: What it says.
    """
    script, patience = Script(mail(1, 2)), Patience()
    script.twist = busy(words, said)
    with serving(folder, script) as settings:
        synced(settings, pause=patience)
        signed_in, tried = len(script.of("LOGIN")), len(script.of(words))
        most = MOST_BUSY if said.startswith("BYE") else 2
        assert signed_in <= most, f"it was signed in to {signed_in} times"
        assert len(patience.asked_s) >= tried - 1, "it was not waited for"
        assert all(7.5 <= one <= 120 for one in patience.asked_s), "it was not waited for"
        is_open = all(may_be_retried for _, _, may_be_retried in reasons(settings).values())
        assert is_open, "a message was given up"
        script.twist = honest
        synced(settings)
        assert held(settings) == expected({"INBOX": script.mail.values()}), "it does not go on"
        assert ends(settings) == {"filed": 2}


BUSY = {
    "unavailable at the list": ("LIST", "NO [UNAVAILABLE] a part of us is down"),
    "limit at a folder": ("EXAMINE", "NO [LIMIT] too many"),
    "hung up at the search": ("UID SEARCH", "BYE [UNAVAILABLE] a part of us is down"),
    "limit amid a folder": ("BODY.PEEK[]", "NO [LIMIT] too many"),
    "hung up amid a folder": ("BODY.PEEK[]", "BYE [UNAVAILABLE] a part of us is down"),
}


def is_signed_in_to_seldom(folder: Path, said: str, turns: int) -> None:
    """A server lets us in, hangs up on us, lets us in not: over all connections we knock seldom.

    Args:
        folder: For everything.
        said: When it hangs up, or in answer to a command.
        turns: It lets us in every so many times, each time where it is 1.
    """
    script = Script(mail(*range(1, 40)), listed=(b'() "/" A', b'() "/" B', b'() "/" C'))
    patience = Patience()

    def crowded(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("LOGIN") and (known := len(script.of("LOGIN"))) > 2:
            return answer if known % turns == 0 else f"{asked.tag} NO [LIMIT] full\r\n".encode()
        if "BODY.PEEK[]" not in asked.words:
            return answer
        if said.startswith("NO"):
            return f"{asked.tag} {said}\r\n".encode()
        raise Cut(f"* {said}\r\n".encode() if said else b"")

    script.twist = crowded
    with serving(folder, script) as settings:
        done = synced(settings, pause=patience)
        assert isinstance(done.error, GaveUp)
        signed_in = len(script.of("LOGIN"))
        wordless = 0 if said else 6  # three of each connection that had no need to wait
        assert signed_in <= 2 + 5 + wordless, f"it was signed in to {signed_in} times"
        script.twist = honest
        assert synced(settings).is_whole
        assert ends(settings) == {"filed": 39, "duplicate": 78}


HANG_UPS = ("", "BYE [LIMIT] too many", "BYE [OVERQUOTA] exceeded", "NO [LIMIT] too many")


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize("said", HANG_UPS)
def test_f27_account_has_one_budget_over_all_connections(
    tmp_path: Path, said: str, turns: int
) -> None:
    if said or turns > 1:  # else nobody says that it is busy
        is_signed_in_to_seldom(tmp_path, said, turns)


def test_f27_budget_comes_back_with_time_and_not_with_messages() -> None:
    now = [0.0]
    knocks = Knocks(3, lambda: now[0])
    assert [knocks.count(Busy("one")), knocks.count(Busy("two")), knocks.refusal()] == [1, 2, None]
    now[0], last = WINDOW_S - 1, Busy("three")
    assert (knocks.count(last), knocks.refusal()) == (3, last)
    now[0] = WINDOW_S
    assert (knocks.refusal(), knocks.count(last)) == (None, 2)


def test_f27_connections_that_break_without_a_word_are_waited_for_from_the_fourth(
    tmp_path: Path,
) -> None:
    def hanging_up(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("UID SEARCH"):
            raise Cut
        return answer

    patience = Patience()
    with serving(tmp_path, Script(mail(1), hanging_up)) as settings:
        assert isinstance(synced(settings, pause=patience).error, GaveUp)
    assert len(patience.asked_s) == MOST_LOSSES - 4  # the last one is the end
    assert 0.5 <= patience.asked_s[0] <= 1
    assert all(2 <= one <= 4 for one in patience.asked_s[2:])
    assert len(set(patience.asked_s)) == len(patience.asked_s)


@pytest.mark.parametrize("case", BUSY)
def test_f27_server_that_is_busy_with_one_command_is_waited_for(tmp_path: Path, case: str) -> None:
    is_waited_for(tmp_path, *BUSY[case])


@pytest.mark.parametrize("case", CASES)
def test_f27_busy_server_is_left_alone_and_the_next_run_goes_on(tmp_path: Path, case: str) -> None:
    is_left_alone(tmp_path, *CASES[case])


@pytest.mark.parametrize(
    ("said", "kind", "wait_s"),
    [("[OVERQUOTA] Account exceeded command or bandwidth limits.", Throttled, 0),
     ("[THROTTLED] Slow down", Throttled, 0),
     ("Request is throttled. Suggested Backoff Time: 300000 milliseconds", Throttled, 300),
     ("[UNAVAILABLE] Temporary authentication failure", Busy, 0),
     ("[LIMIT] Too many simultaneous connections", Busy, 0),
     ("Server is busy, retry after 20 s", Busy, 20),
     (f"Server is busy, retry after {'9' * 5000} s", Busy, 0),
     ("[CANNOT] Invalid character", SaidNo, 0),
     ("The mailbox name holds 5 secrets", SaidNo, 0)],
)  # fmt: skip
def test_f27_words_of_busy_servers_are_heard(
    said: str, kind: type[HoldfastError], wait_s: float
) -> None:
    assert type(refusal("a command", said)) is kind
    assert asked_wait_s(said) == wait_s


def test_f27_time_that_is_short_is_waited_for(tmp_path: Path) -> None:
    script, patience = Script(mail(1)), Patience()
    script.twist = busy("LOGIN", "BYE Server busy, wait 50 seconds")

    def relent(times: int) -> None:
        script.twist = honest

    patience.act = relent
    with serving(tmp_path, script) as settings:
        assert synced(settings, pause=patience).counts.new == 1
    assert [50 <= one <= 55 for one in patience.asked_s] == [True]


@pytest.mark.parametrize("said", ["NO [SERVERBUG] it happened again", "BYE [SERVERBUG] again"])
@pytest.mark.parametrize("bad", [{1}, {1, 2}], ids=["one", "two"])
def test_messages_that_make_the_server_busy_each_time_cost_themselves_alone(
    tmp_path: Path, bad: set[int], said: str
) -> None:
    def stumbling(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" not in asked.words or not bad & set(asked.uids):
            return answer
        if said.startswith("BYE"):
            raise Cut(f"* {said}\r\n".encode())
        return f"{asked.tag} {said}\r\n".encode()

    script = Script(mail(*range(1, 17)), stumbling)
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert (done.counts.new, done.error) == (16 - len(bad), None)
        assert set(reasons(settings)) == {f"INBOX/7/{uid}" for uid in bad}
    asked = [one.split()[2] for one in script.of("BODY.PEEK[]")]
    assert [asked.count("1:16"), *(asked.count(str(uid)) for uid in bad)] == [1, *([3] * len(bad))]
    assert len(script.of("LOGIN")) <= (1 + 1 + 3 * len(bad) if said.startswith("BYE") else 2)


def come_back_at_once(plant: Plant) -> None:
    """A server that is busy is asked again without a pause."""
    plant.setattr(Link, "_wait", lambda self, error, tried, longest_s=0.0: None)


def come_back_all_at_once(plant: Plant) -> None:
    """All accounts of a server that was down come back at the same moment."""
    plant.setattr(link._dice, "uniform", lambda low, high: high)


def take_it_for_any_trouble(plant: Plant) -> None:
    """What a server says of the account is taken for trouble with the connection."""
    plant.setattr(failures, "_busy_kind", lambda said: None)
    plant.setattr(entrance, "sign_in_refusal", lambda account, words: Lost(words))


def take_it_for_bad_messages(plant: Plant) -> None:
    """What a server says of the account is taken for something about the messages asked for."""
    plant.setattr(failures, "_busy_kind", lambda said: Busy)
    plant.setattr(failures, "turned_away", lambda said: Busy)
    plant.setattr(link, "MOST_BUSY", link.MOST_LOSSES)


def take_it_for_a_wrong_password(plant: Plant) -> None:
    """A server that lets nobody in now is taken for one that does not know us."""
    plant.setattr(entrance, "refusal", lambda command, words: SignInRefused(str(words)))


def take_the_quota_for_throttling(plant: Plant) -> None:
    """What the account used up is asked for again as soon as anything."""
    plant.setattr(troubles, "_QUOTA", re.compile("(?!)"))


def give_messages_up(plant: Plant) -> None:
    """A message that a busy server did not give is not asked for again."""
    failed = FolderFetch._failed
    plant.setattr(
        FolderFetch,
        "_failed",
        lambda self, uid, why: replace(failed(self, uid, why), is_retryable=False),
    )


def count_no_knock(plant: Plant) -> None:
    """Whoever was let in once may knock again as often as before."""
    plant.setattr(Knocks, "count", lambda self, error: 0)


def count_for_each_connection(plant: Plant) -> None:
    """Each connection has a budget of its own."""
    another = Link.another

    def more(self: Link) -> Link:
        made = another(self)
        made._knocks = Knocks(made.tries)
        return made

    plant.setattr(Link, "another", more)


def sign_in_anew_each_time(plant: Plant) -> None:
    """A connection over which the server said that it is busy is closed."""
    plant.setattr(Link, "_is_kept", lambda self, error: False)


@pytest.mark.parametrize(
    ("bug", "said", "turns"),
    [(count_no_knock, "BYE [LIMIT] too many", 3), (count_no_knock, "", 2),
     (count_for_each_connection, "BYE [LIMIT] too many", 2),
     (sign_in_anew_each_time, "NO [LIMIT] too many", 1)],
)  # fmt: skip
@pytest.mark.unmeasured
def test_f27_connector_that_signs_in_again_and_again_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None], said: str, turns: int
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="signed in to"):
        is_signed_in_to_seldom(tmp_path, said, turns)


def hear_no_time(plant: Plant) -> None:
    """A time that the server names is passed over."""
    plant.setattr(link, "asked_wait_s", lambda words: 0.0)


@pytest.mark.parametrize(
    ("bug", "case", "words"),
    [(come_back_at_once, "unavailable", "not waited for"),
     (come_back_all_at_once, "hung up in a folder", "all wait the same"),
     (take_it_for_any_trouble, "unavailable", "ever longer"),
     (take_it_for_bad_messages, "quota in a folder", "signed in to"),
     (take_it_for_a_wrong_password, "unavailable", "not given up"),
     (hear_no_time, "hung up", "passed over"),
     (come_back_at_once, "throttled at the list", "not waited for"),
     (take_it_for_any_trouble, "hung up for the quota", "ever longer"),
     (take_it_for_any_trouble, "hung up for a limit", "ever longer"),
     (take_it_for_any_trouble, "hung up, unavailable", "ever longer"),
     (take_it_for_a_wrong_password, "quota", "not given up"),
     (take_it_for_bad_messages, "quota amid a folder", "signed in to"),
     (take_the_quota_for_throttling, "quota at a folder", "another name")],
)  # fmt: skip
@pytest.mark.unmeasured
def test_f27_connector_that_hammers_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None], case: str, words: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        is_left_alone(tmp_path, *CASES[case])


@pytest.mark.parametrize(
    ("bug", "case", "words"),
    [(come_back_at_once, "hung up at the search", "not waited for"),
     (come_back_at_once, "limit amid a folder", "not waited for"),
     (take_it_for_any_trouble, "hung up at the search", "signed in to"),
     (give_messages_up, "hung up amid a folder", "was given up")],
)  # fmt: skip
@pytest.mark.unmeasured
def test_f27_connector_that_does_not_wait_for_a_busy_server_is_found_out(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None], case: str, words: str
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        is_waited_for(tmp_path, *BUSY[case])

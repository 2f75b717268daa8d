"""What a server may do wrong, and what becomes of the messages: transcripts with a scripted one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from archive_kit import findings, opened
from catalogue_lock import impatient
from fault_disk import can_loop, can_mount
from faulty_files import FaultyFiles
from holdfast.core.errors import Refused
from holdfast.ingest.imap.failures import Lost
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.imap.session import connect
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures
from imap_answers import (
    asks_thrice_then_quarantines,
    counts_what_is_gone,
    guesses_no_description,
    reads_no_flood_of_messages,
    sends_no_line_break,
    takes_large_messages_in_parts,
)
from imap_checks import (
    BROKEN,
    FULL,
    READ_ONLY,
    SECRET,
    asks_once_for_a_refused_sign_in,
    chooses_folders_by_the_names_that_people_see,
    costs_an_evil_name_its_folder_alone,
    finds_far_uids_in_three_trips,
    goes_on_when_it_may_write_again,
    goes_on_where_the_server_went_down,
    keeps_all_of_it_when_the_disk_failed,
    keeps_every_membership,
    mail,
    reads_no_flood,
    reasons,
    reconciles_what_was_not_counted,
    serving,
    takes_all_of_it_when_the_lock_is_gone,
    takes_all_of_it_when_there_is_room,
    takes_muddled_uids_once,
    takes_the_large_one_when_the_spool_has_room,
    waits_for_a_busy_server,
)
from imap_kit import (
    LARGE_BODY,
    ends,
    expected,
    held,
    letter,
    plain_account,
    synced,
)
from imap_script import Asked, Cut, Script, Twist, honest, scripted


def with_body(uid: int, wrong: bytes) -> Twist:
    """Answer every command for the body of one message, alone or among others, with `wrong`."""

    def twist(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" not in asked.words or uid not in asked.uids:
            return answer
        start = answer.index(b" FETCH (UID %d " % uid)
        first = answer.rindex(b"* ", 0, start)
        end = re.compile(rb"\)\r\n(?=\* \d+ FETCH|\S+ OK)").search(answer, start)
        assert end
        return answer[:first] + wrong + answer[end.end() :]

    return twist


def test_whole_conversation_only_looks_and_says_who_asks(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 5))
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.new == 3
    assert [one.split('"')[0].strip() for one in script.asked] == [
        "CAPABILITY",
        "LOGIN",
        "CAPABILITY",
        "ID (",
        "LIST",
        "EXAMINE",
        "UID SEARCH ALL",
        "UID FETCH 1:2,5 (UID RFC822.SIZE INTERNALDATE FLAGS)",
        "UID FETCH 1:2,5 (UID BODY.PEEK[])",
        "LOGOUT",
    ]


def test_second_sync_fetches_nothing(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 5))
    with serving(tmp_path, script) as settings:
        synced(settings)
        script.asked.clear()
        again = synced(settings)
    assert (again.counts.offered, again.batch, again.found.at_server) == (0, "", 3)
    assert script.of("FETCH") == script.of("(UID FLAGS)")


def test_internal_date_is_the_received_time_and_flags_are_facts(tmp_path: Path) -> None:
    script = Script(mail(1), flags="\\Seen $Forwarded \\Recent")
    with serving(tmp_path, script) as settings:
        synced(settings)
        with opened(settings) as services, reading(services.store.engine) as connection:
            row = connection.execute(select(captures)).one()
    assert row.received_ms == datetime(2024, 3, 15, 2, 22, tzinfo=UTC).timestamp() * 1000
    assert (row.folder, row.flags) == ("INBOX", "\\Seen $Forwarded")


def test_labels_and_id_of_gmail_are_facts(tmp_path: Path) -> None:
    labels = ' X-GM-LABELS ("\\\\Inbox" "My &U,BTFw-" work) X-GM-MSGID 1278455344230334865'
    script = Script(mail(1), capabilities="IMAP4rev1 X-GM-EXT-1", more=labels)
    with serving(tmp_path, script) as settings:
        synced(settings)
        with opened(settings) as services, reading(services.store.engine) as connection:
            row = connection.execute(select(captures)).one()
    assert script.of("X-GM-LABELS X-GM-MSGID")
    assert "gmail:1278455344230334865" in row.facts
    assert '"My 台北","work"' in row.facts
    assert "\\Inbox" in row.flags


def test_f21_body_nil_is_no_empty_original_and_asked_for_again(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 3), with_body(2, b"* 2 FETCH (UID 2 BODY[] NIL)\r\n"))
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.new == 2
        assert reasons(settings) == {
            "INBOX/7/2": ("failed", "not_given: the server gives no bytes of it", True)
        }
        script.twist = honest
        again = synced(settings)
        assert (again.counts.new, ends(settings)) == (1, {"filed": 3})
        assert findings(settings) == []


def test_f21_message_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    counts_what_is_gone(tmp_path)


def test_f22_answer_without_uid_is_taken_for_nobodys(tmp_path: Path) -> None:
    raw = letter(77)
    nameless = b"* 2 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(raw), raw)
    script = Script(mail(1, 2, 3), with_body(2, nameless))
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed, done.is_whole) == (2, 1, False)
        assert held(settings) == expected({"INBOX": [letter(1), letter(3)]})


def test_f22_description_without_uid_is_not_guessed(tmp_path: Path) -> None:
    guesses_no_description(tmp_path)


@pytest.mark.parametrize("said", [10, 100_000])
def test_f23_literal_unlike_its_stated_size_is_asked_for_thrice_then_quarantined(
    tmp_path: Path, said: int
) -> None:
    asks_thrice_then_quarantines(tmp_path, said)


def test_f23_size_that_is_right_the_second_time_is_believed(tmp_path: Path) -> None:
    short = b"* 2 FETCH (UID 2 BODY[] {4}\r\nFrom)\r\n"
    script = Script(mail(1, 2, 3))

    def once(asked: Asked, answer: bytes) -> bytes:
        if len(script.of("BODY.PEEK[]")) > 1:
            return answer
        return with_body(2, short)(asked, answer)

    script.twist = once
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.new == 3
        assert held(settings) == expected({"INBOX": script.mail.values()})


def test_server_known_to_estimate_sizes_is_believed_when_three_answers_agree(
    tmp_path: Path,
) -> None:
    script = Script(mail(1, 2), said_sizes={2: 10})
    with serving(tmp_path, script, has_exact_sizes=False) as settings:
        assert synced(settings).counts.new == 2
        assert held(settings) == expected({"INBOX": script.mail.values()})
        with opened(settings) as services, reading(services.store.engine) as connection:
            facts = connection.scalars(select(captures.c.facts)).all()
    assert any("size_said:10" in one for one in facts)


def test_f23_message_that_breaks_every_connection_leaves_its_neighbours_alone(
    tmp_path: Path,
) -> None:
    script = Script(mail(*range(1, 41)))

    def poisoned(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and 23 in asked.uids:
            raise Cut(answer[: len(answer) // 2])
        return answer

    script.twist = poisoned
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed, done.error) == (39, 1, None)
        assert list(reasons(settings)) == ["INBOX/7/23"]
        script.twist = honest
        assert synced(settings).counts.new == 1
        assert findings(settings) == []


def test_f24_first_sync_of_far_uids_takes_three_round_trips_and_the_data(tmp_path: Path) -> None:
    finds_far_uids_in_three_trips(tmp_path)


def test_f25_duplicate_and_unsorted_uids_up_to_the_largest(tmp_path: Path) -> None:
    takes_muddled_uids_once(tmp_path)


@pytest.mark.parametrize("evil", ["a\r\nb", "a\nb", "a\rb", "a\0b"])
def test_f31_line_break_in_an_argument_never_reaches_the_wire(evil: str) -> None:
    sends_no_line_break(evil)


def test_f31_quotes_in_user_and_secret_stay_one_argument_each(tmp_path: Path) -> None:
    script = Script(mail(1))
    with scripted(script):
        session = connect(plain_account(script.port, user='an" "n\\'))
        session.sign_in(b'pass" NOOP "\\')
        session.close()
    assert script.of("LOGIN") == ['LOGIN "an\\" \\"n\\\\" "pass\\" NOOP \\"\\\\"']


def test_f30_folder_name_with_a_line_break_costs_that_folder_alone(tmp_path: Path) -> None:
    costs_an_evil_name_its_folder_alone(tmp_path)


def test_folders_are_chosen_by_the_names_that_people_see(tmp_path: Path) -> None:
    chooses_folders_by_the_names_that_people_see(tmp_path)


def test_f32_endless_literal_is_not_read_into_memory(tmp_path: Path) -> None:
    reads_no_flood(tmp_path)


def test_f32_flood_of_messages_is_not_read_into_memory(tmp_path: Path) -> None:
    reads_no_flood_of_messages(tmp_path)


def test_f32_large_message_comes_in_parts_and_whole(tmp_path: Path) -> None:
    takes_large_messages_in_parts(tmp_path)


def test_large_message_on_its_way_lies_on_no_disk_in_clear(tmp_path: Path) -> None:
    large = letter(1) + LARGE_BODY
    script = Script({1: large})
    spooled: list[tuple[int, bool]] = []

    def looking(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]<8388608" in asked.words:
            (path,) = (settings.data / "spool").glob("*.mail")
            raw = path.read_bytes()
            spooled.append((len(raw), b"0123456789abcde" in raw))
        return answer

    script.twist = looking
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.new == 1
    ((length, is_clear),) = spooled
    assert length >= 8_000_000 - 65536
    assert not is_clear


@pytest.mark.parametrize(("said", "end"), [(20_000_000, "quarantined"), (9_000_000, "quarantined")])
def test_large_message_unlike_its_stated_size_is_quarantined(
    tmp_path: Path, said: int, end: str
) -> None:
    large = letter(1) + LARGE_BODY
    with serving(tmp_path, Script({1: large}, said_sizes={1: said})) as settings:
        synced(settings)
        assert reasons(settings)["INBOX/7/1"][0] == end
        assert list((settings.data / "spool").iterdir()) == []


def test_large_message_without_bytes_is_asked_for_again_later(tmp_path: Path) -> None:
    script = Script(mail(1, 2), said_sizes={2: 20_000_000})
    script.twist = lambda asked, answer: (
        b"* 2 FETCH (UID 2 BODY[]<0> NIL)\r\n" + f"{asked.tag} OK\r\n".encode()
        if "<" in asked.words
        else answer
    )
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.failed == 1


def test_large_message_that_breaks_the_connection_is_named(tmp_path: Path) -> None:
    script = Script(mail(1, 2), said_sizes={2: 20_000_000})

    def cutting(asked: Asked, answer: bytes) -> bytes:
        if "<" in asked.words:
            raise Cut
        return answer

    script.twist = cutting
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed) == (1, 1)
        assert list((settings.data / "spool").iterdir()) == []


def test_server_that_refuses_one_body_gives_the_others(tmp_path: Path) -> None:
    def refusing(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and 2 in asked.uids:
            return f"{asked.tag} NO [CANNOT] that one is damaged\r\n".encode()
        return answer

    with serving(tmp_path, Script(mail(1, 2, 3), refusing)) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed) == (2, 1)
        assert "that one is damaged" in reasons(settings)["INBOX/7/2"][1]


def test_no_after_some_answers_keeps_those(tmp_path: Path) -> None:
    script = Script(mail(1, 2, 3))

    def partly(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and asked.uids == (1, 2, 3):
            kept = script.answer(Asked(asked.tag, asked.words, (1, 3)))
            return kept.replace(b" OK done", b" NO [EXPUNGEISSUED] some are gone")
        return answer

    script.twist = partly
    with serving(tmp_path, script) as settings:
        assert synced(settings).counts.new == 3
    assert len(script.of("BODY.PEEK[]")) == 2


def test_f27_busy_server_is_waited_for_ever_longer_and_then_left(tmp_path: Path) -> None:
    waits_for_a_busy_server(tmp_path)


def test_f28_refused_sign_in_is_tried_once_and_tells_no_secret(tmp_path: Path) -> None:
    asks_once_for_a_refused_sign_in(tmp_path)


def test_f29_server_that_goes_down_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on_where_the_server_went_down(tmp_path, monkeypatch)


def test_f26_server_that_counts_no_changes_is_found_out_by_reconciling(tmp_path: Path) -> None:
    reconciles_what_was_not_counted(tmp_path)


def test_f12_message_in_several_folders_is_one_and_in_each_of_them(tmp_path: Path) -> None:
    keeps_every_membership(tmp_path)


@pytest.mark.parametrize("fault", [FULL, BROKEN, READ_ONLY], ids=str)
def test_f4_f5_f7_failing_disk_ends_the_run_and_the_next_one_takes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: tuple[str, int]
) -> None:
    keeps_all_of_it_when_the_disk_failed(tmp_path, monkeypatch, FaultyFiles(), fault)


def test_f6_full_disk_ends_the_run_and_the_next_one_takes_everything_when_there_is_room(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    takes_all_of_it_when_there_is_room(tmp_path)


def test_f6_full_spool_ends_the_run_and_the_next_one_takes_everything_when_there_is_room(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    takes_the_large_one_when_the_spool_has_room(tmp_path)


def test_f8_locked_catalogue_ends_the_run_and_the_next_one_takes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    takes_all_of_it_when_the_lock_is_gone(tmp_path, monkeypatch)


def test_f7_disk_that_becomes_read_only_is_told_once_and_the_next_run_takes_everything(
    tmp_path: Path, need: Callable[[object, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    goes_on_when_it_may_write_again(tmp_path)


def test_server_that_hangs_up_after_every_list_is_given_up(tmp_path: Path) -> None:
    def hanging_up(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("UID SEARCH"):
            raise Cut
        return answer

    script = Script(mail(1), hanging_up)
    with serving(tmp_path, script) as settings:
        assert isinstance(synced(settings).error, GaveUp)
    assert len(script.of("UID SEARCH")) == 40


def test_folder_numbered_anew_between_two_connections_is_left_for_the_next_sync(
    tmp_path: Path,
) -> None:
    script = Script(mail(1, 2))

    def renumbering(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and script.uidvalidity == 7:
            script.uidvalidity = 8
            raise Cut
        return answer

    script.twist = renumbering
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert done.counts.offered == 0
        assert "anew" in done.found.troubled["INBOX"]
        again = synced(settings)
        assert (again.counts.new, again.found.resets) == (2, ["INBOX"])


def test_folder_without_uidvalidity_is_not_taken(tmp_path: Path) -> None:
    script = Script(mail(1))
    script.twist = lambda asked, answer: answer.replace(b"UIDVALIDITY 7", b"NOMODSEQ")
    with serving(tmp_path, script) as settings:
        done = synced(settings)
    assert "number" in done.found.troubled["INBOX"]


def test_reconciling_finds_another_message_under_a_known_uid(tmp_path: Path) -> None:
    script = Script(mail(1, 2))
    with serving(tmp_path, script) as settings:
        synced(settings)
        script.mail[2] = letter(500)
        assert synced(settings).counts.offered == 0
        assert synced(settings, reconciles=True).counts.new == 1
        wanted = expected({"INBOX": [letter(1), letter(2), letter(500)]})
        assert held(settings) == wanted


def test_answer_that_is_no_imap_is_a_lost_connection(tmp_path: Path) -> None:
    script = Script(mail(1))
    script.twist = lambda asked, answer: answer.replace(b"FETCH (", b"FETCH (UID ")
    with serving(tmp_path, script) as settings:
        done = synced(settings)
        assert (done.counts.failed, done.error) == (1, None)
        assert "no IMAP" in reasons(settings)["INBOX/7/1"][1]


def test_server_without_a_way_to_sign_in_is_refused(tmp_path: Path) -> None:
    script = Script(mail(1), capabilities="IMAP4rev1 LOGINDISABLED")
    with scripted(script):
        session = connect(plain_account(script.port))
        with pytest.raises(Refused, match="no way to sign in"):
            session.sign_in(SECRET.encode())
        with pytest.raises(Refused, match="UTF-8"):
            session.sign_in(b"\xff")
        session.close()
        with pytest.raises(Refused, match="STARTTLS"):
            connect(plain_account(script.port, tls="starttls"))
    with pytest.raises(Lost):
        connect(plain_account(script.port))

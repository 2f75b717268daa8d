"""CHUNKING (RFC 3030): what BDAT announces is content, and durable at the last 250."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import kept, settings_in
from holdfast.ingest.smtp.arriving import Arriving
from holdfast.ingest.smtp.chunking import ChunkingSession, Chunks, read_chunk
from holdfast.ingest.smtp.config import SmtpConfig
from holdfast.settings import Settings
from smtp_checks import MAIL, sealed
from smtp_kit import CONFIG, JOURNAL, Client, Listening, bounded, listening

Plant = pytest.MonkeyPatch
STUFFED = b"Subject: dots\r\n\r\n.\r\n..\r\n.two\r\nQUIT\r\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@contextmanager
def begun(settings: Settings, config: SmtpConfig = CONFIG) -> Iterator[tuple[Listening, Client]]:
    """A listener, and a client that has said whom a message is for."""
    with listening(settings, config) as running, Client(running.port) as client:
        assert "CHUNKING" in client.greet()
        addressed(client)
        yield running, client


def addressed(client: Client) -> None:
    assert client.say("MAIL FROM:<a@x.example>").startswith("250 ")
    assert client.say(f"RCPT TO:<{JOURNAL}>").startswith("250 ")


def chunk(client: Client, content: bytes, *, last: bool = False) -> str:
    client.send(b"BDAT %d%s\r\n%s" % (len(content), b" LAST" if last else b"", content))
    return client.reply()


def keeps_chunks_as_they_are(settings: Settings) -> None:
    """Chunks become one message, byte for byte, and what looks like commands in it is none."""
    with begun(settings) as (running, client):
        assert chunk(client, STUFFED).startswith("250 "), "a chunk was refused"
        assert sealed(running) == 0
        assert chunk(client, b"").startswith("250 ")
        assert chunk(client, b"end", last=True).startswith("250 "), "it was not kept"
        assert sealed(running) == 1
        assert client.say("NOOP").startswith("250 "), "content became a command"
        running.end()
    assert kept(settings) == [STUFFED + b"end"], "other bytes were kept"


def test_chunks_become_one_message_byte_for_byte(settings: Settings) -> None:
    assert [read_chunk("12 LAST"), read_chunk("0")] == [(12, True), (0, False)]
    keeps_chunks_as_they_are(settings)


def test_chunks_that_are_sent_ahead_are_answered_in_turn(settings: Settings) -> None:
    with begun(settings) as (running, client):
        addressed_again = b"MAIL FROM:<b@x.example>\r\nRCPT TO:<%s>\r\n" % JOURNAL.encode()
        ahead = b"BDAT 5\r\nab\r\nc" + b"BDAT 1 last\r\nd" + addressed_again + b"BDAT 0 LAST\r\n"
        client.send(ahead)
        assert [client.reply()[:3] for _ in range(5)] == ["250"] * 5
        assert sealed(running) == 2
        running.end()
    assert sorted(kept(settings)) == [b"", b"ab\r\ncd"]


def test_large_message_in_chunks_goes_through_the_spool(settings: Settings) -> None:
    piece = b"0123456789abcd\r\n" * 65_536
    with begun(settings) as (running, client):
        for _ in range(4):
            assert chunk(client, piece).startswith("250 ")
        assert chunk(client, b"", last=True).startswith("250 ")
        running.end()
    assert kept(settings) == [piece * 4]


def discards_what_is_for_nobody(settings: Settings) -> None:
    """Content that comes without a recipient is read and dropped, and no command stands in it."""
    with listening(settings) as running, Client(running.port) as client:
        client.greet()
        smuggled = (
            b"MAIL FROM:<a@x.example>\r\nRCPT TO:<%s>\r\nDATA\r\nx\r\n.\r\n" % JOURNAL.encode()
        )
        assert chunk(client, smuggled, last=True).startswith("503 "), "it was taken"
        assert client.say("NOOP") == "250 OK", "content became a command"
        assert sealed(running) == 0, "it was kept"


def test_chunk_for_nobody_is_read_and_dropped(settings: Settings) -> None:
    discards_what_is_for_nobody(settings)


@pytest.mark.parametrize("wrong", ["", "x", "-1", "5 FIRST", "5 LAST LAST", "\u0665", "1" * 19])
def test_length_that_is_unclear_ends_the_session(settings: Settings, wrong: str) -> None:
    assert read_chunk(wrong) is None
    with begun(settings) as (running, client):
        client.send(f"BDAT {wrong}\r\nMAIL FROM:<b@x.example>\r\n".encode())
        assert client.reply().startswith("501 ")
        assert client.reply() == ""
        assert sealed(running) == 0


def test_message_that_is_begun_in_chunks_is_not_ended_by_data_and_is_forgotten(
    settings: Settings,
) -> None:
    with begun(settings) as (running, client):
        assert chunk(client, b"first").startswith("250 ")
        assert client.say("DATA").startswith("503 ")
        assert client.say("RSET").startswith("250 ")
        addressed(client)
        assert client.say("DATA").startswith("354 ")
        client.send(MAIL + b"\r\n.\r\n")
        assert client.reply().startswith("250 ")
        addressed(client)
        assert chunk(client, b"whole", last=True).startswith("250 ")
        running.end()
    assert sorted(kept(settings)) == sorted([MAIL + b"\r\n", b"whole"])


def test_f17_chunks_that_are_too_much_are_refused_and_all_hear_it(settings: Settings) -> None:
    with begun(settings, bounded(message_bytes=100_000)) as (running, client):
        assert chunk(client, b"x" * 90_000).startswith("250 ")
        assert chunk(client, b"x" * 20_000).startswith("552 ")
        assert chunk(client, b"x").startswith("552 ")
        assert chunk(client, b"", last=True).startswith("552 ")
        addressed(client)
        assert chunk(client, b"small", last=True).startswith("250 ")
        client.say("MAIL FROM:<a@x.example>")
        client.say(f"RCPT TO:<{JOURNAL}>")
        client.send(b"BDAT 99999999999\r\n")
        assert client.reply().startswith("552 ")
        assert client.reply() == ""
        running.end()
    assert kept(settings) == [b"small"]


def refuses_for_now_to_the_last_chunk(settings: Settings, plant: Plant) -> None:
    """A full spool is a temporary refusal in the answer to the last chunk, too."""
    with begun(settings) as (running, client):

        def full(_self: Arriving, _piece: bytes) -> None:
            raise OSError(28, "No space left on device")

        with plant.context() as patch:
            patch.setattr(Arriving, "add", full)
            assert chunk(client, b"one").startswith("452 "), "it was taken"
            assert chunk(client, b"two").startswith("452 "), "the next one hears another answer"
        last = chunk(client, b"three", last=True)
        assert last.startswith("452 "), "the last one hears another answer"
        addressed(client)
        assert chunk(client, b"whole", last=True).startswith("250 ")
        running.end()
    assert kept(settings) == [b"whole"], "a part of it was kept"


def test_f6_full_spool_is_a_temporary_refusal_to_the_last_chunk(
    settings: Settings, monkeypatch: Plant
) -> None:
    refuses_for_now_to_the_last_chunk(settings, monkeypatch)


def test_f18_chunks_that_trickle_are_ended(settings: Settings) -> None:
    with begun(settings, bounded(data_s=0.3)) as (running, client):
        answer = "250 "
        while answer.startswith("250 "):
            answer = chunk(client, b"x")
        assert answer.startswith("421 ")
        assert sealed(running) == 0


def test_f16_chunk_that_is_cut_off_leaves_nothing(settings: Settings) -> None:
    with listening(settings) as running:
        for size in (0, 3, 2_000_000):
            with Client(running.port) as client:
                client.greet()
                addressed(client)
                client.send(b"BDAT 3000000 LAST\r\n" + b"x" * size)
        running.wait_until_alone()
        assert sealed(running) == 0


def test_bare_newlines_in_chunks_are_refused_where_that_is_asked_for(settings: Settings) -> None:
    with begun(settings, replace(CONFIG, keeps_bare_newlines=False)) as (running, client):
        assert chunk(client, b"a\r").startswith("250 ")
        assert chunk(client, b"\nb\r\n", last=True).startswith("250 ")
        addressed(client)
        assert chunk(client, b"a\n", last=True).startswith("550 ")
        running.end()
    assert kept(settings) == [b"a\r\nb\r\n"]


def test_lmtp_answers_the_last_chunk_for_each_recipient(settings: Settings) -> None:
    other = "other@archive.example"
    config = replace(CONFIG, addresses=frozenset({JOURNAL, other}), lmtp_port=0)
    with listening(settings, config) as running:
        port = int(str(next(e["port"] for e in running.seen if e["event"] == "lmtp.listening")))
        with Client(port) as client:
            assert client.reply().startswith("220 ")
            assert "CHUNKING" in client.say("LHLO client.example")
            addressed(client)
            assert client.say(f"RCPT TO:<{other}>").startswith("250 ")
            assert chunk(client, b"one").startswith("250 ")
            assert chunk(client, b"two", last=True).startswith("250 ")
            assert client.reply().startswith("250 ")
            assert chunk(client, b"nobody", last=True).startswith("503 ")
            assert client.say("NOOP").startswith("250 ")


def undo_dots(plant: Plant) -> None:
    """Chunks are taken for lines whose dots are doubled."""
    plant.setattr(ChunkingSession, "_new_arriving", lambda self, **_: Arriving(self.door.spool))


def answer_before_reading(plant: Plant) -> None:
    """What is for nobody is refused before its bytes were read."""

    async def receive(self: ChunkingSession, chunks: Chunks, size: int) -> str:
        return chunks.answer or await received(self, chunks, size)

    received = ChunkingSession._receive_chunk
    plant.setattr(ChunkingSession, "_receive_chunk", receive)


def forget_the_trouble(plant: Plant) -> None:
    """Only the chunk that could not be taken hears of it."""
    push = ChunkingSession.push

    async def pushed(self: ChunkingSession, status: str) -> None:
        await push(self, status)
        if self._chunks is not None:
            self._chunks.answer = ""

    plant.setattr(ChunkingSession, "push", pushed)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "check", "words"),
    [(undo_dots, keeps_chunks_as_they_are, "other bytes were kept"),
     (answer_before_reading, discards_what_is_for_nobody, "became a command|was kept")],
)  # fmt: skip
def test_listener_that_takes_chunks_for_lines_is_found_out(
    settings: Settings,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    check: Callable[[Settings], None],
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(settings)


@pytest.mark.unmeasured
def test_listener_that_forgets_the_trouble_of_a_chunk_is_found_out(
    settings: Settings, monkeypatch: Plant
) -> None:
    forget_the_trouble(monkeypatch)
    with pytest.raises(AssertionError, match="hears another answer"):
        refuses_for_now_to_the_last_chunk(settings, monkeypatch)

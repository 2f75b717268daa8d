"""What must hold of a listener whatever it is offered; broken ones must fail the same checks."""

from __future__ import annotations

import base64
import gc
import select
import socket
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

from archive_kit import kept_in
from holdfast.ingest.smtp.config import Certificate, Clients, Login, SmtpConfig
from holdfast.storage.catalogue.ledger import sums
from smtp_kit import (
    CONFIG,
    JOURNAL,
    PATIENCE_S,
    Client,
    Listening,
    bounded,
    make_authority,
    make_certificate,
)

MAIL = b"From: a@x.example\r\nSubject: one\r\nMessage-ID: <1@x.example>\r\n\r\nbody"
SMUGGLED = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n",
    b"\r\n\x00.\r\n",
]  # fmt: skip
END = b"\r\n.\r\n"
CUT_BYTES = 80 << 10
"""Messages are cut off at each KiB up to here: beyond what a session reads ahead."""
LARGE_BYTES = 32 << 20
SMALL_BYTES = 10_000
"""Largest message of the listener that `refuses_what_is_too_large` takes."""


def sealed(listener: Listening) -> int:
    """Count what was kept and not filed."""
    return sums(listener.services.store).get("journal", {}).get("sealed", 0)


def keeps_as_one(listener: Listening, end: bytes) -> None:
    """Content with another end of data and commands behind it is one message (F13)."""
    before = len(kept_in(listener.services))
    second = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<" + JOURNAL.encode() + b">\r\nDATA\r\n"
    content = MAIL + end + second + b"Subject: smuggled\r\n\r\nhidden"
    with Client(listener.port) as client:
        client.greet()
        assert client.deliver(content).startswith("250 ")
    whole = content.replace(b"\r\n.", b"\r\n") + b"\r\n"
    assert kept_in(listener.services)[before:] == [whole], "smuggled"


def drops_what_came_in_clear(secured: Listening) -> None:
    """A command that was sent ahead of TLS is not heard behind it (F14)."""
    with Client(secured.port) as client:
        client.greet()
        client.send(b"STARTTLS\r\nMAIL FROM:<injected@x.example>\r\n")
        assert client.reply().startswith("220 ")
        client.start_tls()
        assert client.say("EHLO client.example").startswith("250-"), "injected"
        assert client.say(f"RCPT TO:<{JOURNAL}>").startswith("503 "), "injected"
    assert sealed(secured) == 0


def keeps_long_lines(listener: Listening) -> None:
    """Lines longer than the standard allows are kept as they are (F15)."""
    for length in (1000, 5000, 200_000):
        content = MAIL + b"\r\n" + b"y" * length + b"\r\n--"
        with Client(listener.port) as client:
            client.greet()
            assert client.deliver(content).startswith("250 "), "a long line was refused"
        assert kept_in(listener.services)[-1] == content + b"\r\n"


def keeps_nothing_of_what_is_cut_off(listener: Listening) -> None:
    """Content whose sender goes before its end leaves nothing, wherever it was cut off (F16).

    The sender closes its side (FIN) or breaks the connection (RST): after each KiB of a message,
    amid one that goes through the spool, and at each byte of the end of data.

    Args:
        listener: With nothing in it.
    """
    for end in (b"", *(END[:length] for length in range(1, len(END)))):
        for size in (*range(0, CUT_BYTES + 1, 1024), 3 << 20) if not end else (5, CUT_BYTES):
            content = (MAIL * (size // len(MAIL) + 1))[:size] + end
            for is_broken in (False, True):
                _cut_off(listener, content, is_broken=is_broken)
    listener.wait_until_alone()
    assert _open_in(listener.services.spool) == [], "a file of it is open"
    assert list(listener.services.spool.iterdir()) == [], "a file of it is left"
    with Client(listener.port) as client:
        client.greet()
        assert client.deliver(MAIL).startswith("250 ")
    assert kept_in(listener.services) == [MAIL + b"\r\n"], "half a message was kept"


def _cut_off(listener: Listening, content: bytes, *, is_broken: bool) -> None:
    with Client(listener.port) as client:
        client.greet()
        client.envelope()
        client.send(content)
        if is_broken:
            client.reset()
            listener.wait_until_alone()
        else:
            client.socket.shutdown(socket.SHUT_WR)
            assert client.reply() == "", "half a message was answered"


def _open_in(folder: Path) -> list[str]:
    """Name the files there that this process has open, also those that have no name there."""
    found = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # it was that of the list itself
            found.append(str(number.readlink()))
    return [one for one in found if one.startswith(f"{folder}/")]


def refuses_what_is_too_large(listener: Listening) -> None:
    """The size that is stated counts, and so does the size that it has (F17)."""
    with Client(listener.port) as client:
        client.greet()
        said = client.say(f"MAIL FROM:<> SIZE={SMALL_BYTES + 1}")
        assert said.startswith("552 "), "the stated size was passed over"
        for stated in ("<> SIZE=10", "<>"):
            client.envelope(stated)
            client.send(b"x" * (SMALL_BYTES + 1) + b"\r\n.\r\n")
            assert client.reply().startswith("552 "), "the stated size was believed"
        assert client.deliver(MAIL).startswith("250 ")
    with Client(listener.port) as client:
        client.greet()
        client.envelope()
        client.send(b"\r\n" * (SMALL_BYTES * 6 // 10))
        assert client.reply().startswith("552 ")
    assert sealed(listener) == 1


def takes_little_memory(listener: Listening) -> None:
    """A large message goes through the spool, not through memory (F17).

    Args:
        listener: In this process, with nothing in it.
    """
    piece = (b"0123456789abcde" * 65 + b"\r\n") * 67
    gc.collect()
    tracemalloc.start()
    try:
        with Client(listener.port) as client:
            client.greet()
            client.envelope()
            for _ in range(LARGE_BYTES // len(piece) + 1):
                client.send(piece)
            client.send(b".\r\n")
            assert client.reply().startswith("250 ")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < LARGE_BYTES // 2, f"it took {most >> 20} MiB"
    assert sealed(listener) == 1


def ends_garbage(listener: Listening, most: int) -> None:
    """Whoever sends what is no command is heard so often, and honest senders go on (F18).

    Args:
        listener: Of so many errors.
        most: As that.
    """
    for garbage in (b"\xff\xfe\x00\r\n", b"x" * 5000 + b"\r\n", b"\r\n", b"EXEC rm\r\n"):
        with Client(listener.port) as client:
            client.greet()
            client.send(garbage * 50)
            seen: list[str] = []
            with suppress(ConnectionResetError):  # the rest of the garbage was not read
                while len(seen) <= most + 1 and (line := client.reply()):
                    seen.append(line[:3])
            assert len(seen) <= most + 1, "garbage has no end"
            assert {"421", "500", "502"} & set(seen)
    with Client(listener.port) as honest:
        honest.greet()
        assert honest.deliver(MAIL).startswith("250 ")


def ends_endless_noops(listener: Listening, budget: int) -> None:
    """A client that only says NOOP is sent away (F18)."""
    with Client(listener.port) as client:
        client.greet()
        said = [client.say("NOOP")[:3] for _ in range(budget + 1)]
        assert said == ["250"] * budget + ["421"], "NOOP has no end"
        assert client.reply() == ""


def ends_silence(listener: Listening, patience_s: float = PATIENCE_S) -> None:
    """A client that says nothing more is told to go (F18)."""
    with Client(listener.port) as client:
        client.greet()
        assert _answers(client, patience_s), "silence has no end"
        assert client.reply().startswith("421 ")
        assert client.reply() == ""


def ends_content_that_trickles(listener: Listening, patience_s: float = PATIENCE_S) -> None:
    """Content that never ends is ended, however often a piece of it comes (F18)."""
    with Client(listener.port) as client:
        client.greet()
        client.envelope()
        client.send(b"Subject: x\r\n")
        for _ in range(int(patience_s / 0.05)):
            if _answers(client, 0.05):
                break
            client.send(b"x")
        else:
            raise AssertionError("content has no end")
        with suppress(ConnectionResetError):  # the last byte came after the answer
            assert client.reply().startswith("421 ")
    assert sealed(listener) == 0


def _answers(client: Client, seconds: float) -> bool:
    return bool(select.select([client.socket], [], [], seconds)[0])


def caps_connections(listener: Listening) -> None:
    """Where two may come, in all or of one peer, a third waits until one of them has gone (F18)."""
    first, second, third = (Client(listener.port) for _ in range(3))
    try:
        assert first.reply().startswith("220 ")
        assert second.reply().startswith("220 ")
        assert third.reply().startswith("421 "), "one too many came in"
        assert third.reply() == ""
        assert second.say("QUIT").startswith("221 ")
        assert second.reply() == ""
        with Client(listener.port) as fourth:
            assert fourth.reply().startswith("220 ")
    finally:
        for one in (first, second, third):
            one.close()


def relays_nothing(listener: Listening) -> None:
    """Only the addresses of the journal take mail (F19)."""
    with Client(listener.port) as client:
        client.greet()
        client.say("MAIL FROM:<a@x.example>")
        said = client.say("RCPT TO:<other@archive.example>")
        assert said.startswith("550 "), "another address took mail"
        assert client.say("DATA").startswith("503 ")
        assert client.say(f"RCPT TO:<{JOURNAL.upper()}>").startswith("250 ")
        assert client.say("DATA x").startswith("501 ")
    assert listener.wait_for("smtp.refused")["cause"] == "recipient"


def refuses_strangers(listener: Listening) -> None:
    """Who is not known may greet, and deliver nothing (F19)."""
    with Client(listener.port) as client:
        client.greet()
        said = client.say("MAIL FROM:<a@x.example>")
        assert said.startswith("550 "), "a stranger may deliver"
    assert listener.wait_for("smtp.refused")["cause"] == "peer"


def certified(folder: Path) -> SmtpConfig:
    """Return what a listener is told that knows nobody but by a certificate of `mail.example`.

    Args:
        folder: Gets certificates for `mail.example`, for `other.example`, and in `own` one for
            `mail.example` that somebody else has signed.
    """
    certificate = Certificate(*make_certificate(folder))
    make_authority(folder, "mail.example", "other.example")
    (folder / "own").mkdir()
    make_authority(folder / "own", "mail.example")
    clients = Clients(folder / "ca.pem", frozenset({"mail.example"}))
    return replace(CONFIG, networks=(), certificate=certificate, clients=clients)


def lets_no_other_certificate_deliver(signed: Listening, folder: Path) -> None:
    """A client without a certificate, or with one of another name or signer, is a stranger (F19).

    Args:
        signed: Of `certified`.
        folder: With its certificates.
    """
    others = {"none": None, "another name": "other.example.pem"}
    for whose, file in others.items():
        with Client(signed.port) as client:
            client.greet()
            client.say("STARTTLS")
            client.start_tls(folder / file if file else None)
            client.say("EHLO client.example")
            said = client.say("MAIL FROM:<>")
            assert said.startswith("550 "), f"{whose}: a stranger may deliver"
    said = ""
    with Client(signed.port) as client:
        client.greet()
        client.say("STARTTLS")
        with suppress(OSError):  # with TLS 1.3 the client's own handshake ends before the server's
            client.start_tls(folder / "own" / "mail.example.pem")
            said = client.say("EHLO client.example")
    assert said == "", "another signer: a stranger comes in"
    assert sealed(signed) == 0


def keeps_other_words_of_one_message_id(listener: Listening) -> None:
    """Other content under a Message-ID that is known is another original (F11)."""
    sent = [MAIL, MAIL + b" and more"]
    with Client(listener.port) as client:
        client.greet()
        assert {client.deliver(one)[:3] for one in sent} == {"250"}
    assert kept_in(listener.services) == [one + b"\r\n" for one in sent], "one stood for both"


def keeps_what_is_sent_again(listener: Listening, file: Callable[[], object]) -> None:
    """The answer is lost on the wire, and the sender comes again: one record, two receipts (F9).

    Args:
        listener: With nothing in it.
        file: Files what was sealed.
    """
    for attempt in ("lost", "heard"):
        with Client(listener.port) as client:
            client.greet()
            client.envelope()
            client.send(MAIL + b"\r\n.\r\n")
            assert _answers(client, PATIENCE_S)
            if attempt == "heard":
                assert client.reply().startswith("250 ")
    file()
    assert kept_in(listener.services) == [MAIL + b"\r\n"], "another original"
    ends = sums(listener.services.store)["journal"]
    assert ends == {"filed": 1, "duplicate": 1}, "a receipt is missing"


def guessable(**bounds: int) -> SmtpConfig:
    """Return what a listener is told that knows nobody but by a login."""
    networks = (ip_network("192.0.2.0/24"),)
    return replace(bounded(**bounds), networks=networks, login=Login("exchange", "s3cret"))


def sign_in(listener: Listening, password: str, own: str = "127.0.0.1") -> str:
    """Sign in over TLS from an address of this machine; return the answer."""
    given = base64.b64encode(f"\0exchange\0{password}".encode()).decode()
    with Client(listener.port, own) as client:
        client.greet()
        client.say("STARTTLS")
        client.start_tls()
        client.say("EHLO client.example")
        return client.say(f"AUTH PLAIN {given}")


def limits_guessing(secured: Listening, most: int) -> None:
    """Whoever guesses passwords is heard no more, in any session; others sign in as ever.

    Args:
        secured: Of `guessable`, with TLS.
        most: How many guesses of one address it looks at.
    """
    guesser = "127.0.0.2"
    answers = {sign_in(secured, f"guess-{number}", guesser)[:3] for number in range(most)}
    assert answers == {"535"}
    said = sign_in(secured, "s3cret", guesser)
    assert said.startswith("454 "), "it may be guessed on"
    assert sign_in(secured, "s3cret").startswith("235 "), "others are shut out"
    causes = [secured.wait_for("smtp.refused") for _ in range(most + 1)]
    assert [one["cause"] for one in causes] == ["login"] * most + ["login_failures"]
    assert {one["peer"] for one in causes} == {guesser}

"""What the listener says and keeps, as transcripts over loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from archive_kit import kept, settings_in
from holdfast.core.errors import Refused, Unavailable
from holdfast.core.records import CaptureFacts
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp.config import Certificate, Clients, Login
from holdfast.ingest.smtp.session import NO_SPACE
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures
from holdfast.wiring.runs import parser_pool
from smtp_checks import (
    MAIL,
    SMALL_BYTES,
    SMUGGLED,
    caps_connections,
    certified,
    drops_what_came_in_clear,
    ends_content_that_trickles,
    ends_endless_noops,
    ends_silence,
    keeps_as_one,
    keeps_long_lines,
    keeps_nothing_of_what_is_cut_off,
    keeps_other_words_of_one_message_id,
    keeps_what_is_sent_again,
    lets_no_other_certificate_deliver,
    refuses_strangers,
    refuses_what_is_too_large,
    relays_nothing,
    sealed,
)
from smtp_kit import (
    CONFIG,
    JOURNAL,
    Client,
    Listening,
    bounded,
    listening,
    make_certificate,
)
from smtp_trust import believes_no_mail_of_people, believes_only_those_who_may_journal


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listening]:
    with listening(settings) as running:
        yield running


@pytest.fixture
def client(listener: Listening) -> Iterator[Client]:
    with Client(listener.port) as connected:
        yield connected


def facts(listener: Listening) -> CaptureFacts:
    with reading(listener.services.store.engine) as connection:
        return msgspec.json.decode(
            connection.scalars(select(captures.c.facts)).one(), type=CaptureFacts
        )


def test_message_is_kept_byte_for_byte_when_250_is_heard(
    listener: Listening, client: Client, settings: Settings
) -> None:
    offered = client.greet()
    assert "SIZE 104857600" in offered
    assert "8BITMIME" in offered
    assert "SMTPUTF8" in offered
    assert "AUTH" not in offered
    assert client.deliver(MAIL).startswith("250 ")
    assert sealed(listener) == 1
    assert client.say("QUIT").startswith("221 ")
    listener.end()
    assert kept(settings) == [MAIL + b"\r\n"]


def test_session_is_noted_with_the_capture(listener: Listening, client: Client) -> None:
    client.greet()
    client.envelope("<sender@x.example>")
    client.send(b"x\r\n.\r\n")
    client.reply()
    found = facts(listener)
    assert found.received_at is not None
    assert found.smtp is not None
    assert (found.smtp.peer, found.smtp.helo) == ("127.0.0.1", "client.example")
    assert (found.smtp.sender, found.smtp.recipients) == ("sender@x.example", (JOURNAL,))


def test_many_messages_of_one_session_are_each_kept(listener: Listening, client: Client) -> None:
    client.greet()
    for number in range(5):
        assert client.deliver(MAIL + b"%d" % number).startswith("250 ")
    assert sealed(listener) == 5


def test_f9_answer_that_is_lost_makes_another_capture_and_no_other_original(
    listener: Listening, settings: Settings
) -> None:
    with parser_pool(settings) as pool:
        keeps_what_is_sent_again(listener, lambda: file_sealed(listener.services.desk, pool))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\r\n", b"\r\n\r\n\r\n", b"..x", b"x\r\n..\r\ny", b"\r\n..\r\n", b"\x00\xff\x80",
        b"x\r\n" * 30_000, b"y" * 200_000, (b"z" * 70_000 + b"\r\n..d\r\n") * 40,
        b"a" * 65_535 + b"\r\n..b", b"a" * 65_533 + b"\r\n..b", b".\r", b"..\rx", b"\r\nx", b"\rx",
    ],
    ids=lambda content: f"{len(content)}-{content[:6]!r}",
)  # fmt: skip
def test_content_of_any_form_comes_back(
    client: Client, listener: Listening, settings: Settings, content: bytes
) -> None:
    client.greet()
    client.envelope()
    client.send(content + (b".\r\n" if not content else b"\r\n.\r\n"))
    assert client.reply().startswith("250 ")
    assert client.say("NOOP").startswith("250 ")
    listener.end()
    undotted = content.replace(b"\r\n.", b"\r\n")
    undotted = undotted[1:] if undotted.startswith(b".") else undotted
    assert kept(settings) == [undotted + b"\r\n" if content else b""]


def test_f11_other_words_of_one_message_id_are_another_original(listener: Listening) -> None:
    keeps_other_words_of_one_message_id(listener)


@pytest.mark.parametrize("end", SMUGGLED, ids=repr)
def test_f13_only_the_one_end_of_data_ends_it(listener: Listening, end: bytes) -> None:
    keeps_as_one(listener, end)


def test_f15_lines_of_any_length_are_kept(listener: Listening) -> None:
    keeps_long_lines(listener)


def test_commands_sent_ahead_are_answered_in_turn(listener: Listening, client: Client) -> None:
    client.greet()
    one = f"MAIL FROM:<>\r\nRCPT TO:<{JOURNAL}>\r\nDATA\r\n".encode()
    client.send(one + MAIL + b"\r\n.\r\n" + one + MAIL + b"2\r\n.\r\nQUIT\r\n")
    codes = [client.reply()[:3] for _ in range(9)]
    assert codes == ["250", "250", "354", "250", "250", "250", "354", "250", "221"]
    assert sealed(listener) == 2


def test_f16_truncated_content_leaves_nothing(listener: Listening) -> None:
    keeps_nothing_of_what_is_cut_off(listener)


def test_large_message_goes_through_the_spool(
    listener: Listening, client: Client, settings: Settings
) -> None:
    line = b"All work and no play %d\r\n"
    content = b"".join(line % number for number in range(500_000))
    client.greet()
    assert client.deliver(content).startswith("250 ")
    assert list(listener.services.spool.iterdir()) == []
    listener.end()
    assert kept(settings) == [content + b"\r\n"]


def test_f17_message_is_refused_by_the_size_it_states_and_by_the_size_it_has(
    settings: Settings,
) -> None:
    with listening(settings, bounded(message_bytes=SMALL_BYTES)) as listener:
        refuses_what_is_too_large(listener)
        with Client(listener.port) as client:
            client.greet()
            client.envelope()
            with pytest.raises((ConnectionError, TimeoutError)):  # it hangs up before the end
                client.send(b"x" * (100 << 20))


def test_f19_only_the_journal_addresses_take_mail(listener: Listening) -> None:
    relays_nothing(listener)


def test_data_before_a_greeting_is_refused(client: Client) -> None:
    client.reply()
    assert client.say("DATA").startswith("503 ")


def test_f19_stranger_may_not_deliver(settings: Settings) -> None:
    config = replace(CONFIG, networks=(ip_network("192.0.2.0/24"),))
    login = Login("exchange", "s3cret")  # without one it would be refused at the door
    with listening(settings, replace(config, login=login)) as listener:
        refuses_strangers(listener)


def test_mapped_address_counts_as_the_one_it_maps() -> None:
    assert CONFIG.trusts("::ffff:127.0.0.1")
    assert not CONFIG.trusts("::1")
    assert not CONFIG.trusts("")


@pytest.fixture
def secured(settings: Settings, tmp_path: Path) -> Iterator[Listening]:
    config = replace(
        CONFIG,
        networks=(),
        login=Login("exchange", "s3cret"),
        certificate=Certificate(*make_certificate(tmp_path)),
    )
    with listening(settings, config) as running:
        yield running


def test_login_over_tls_lets_a_stranger_deliver(secured: Listening) -> None:
    with Client(secured.port) as client:
        assert "STARTTLS" in client.greet()
        assert client.say("AUTH PLAIN AGV4Y2hhbmdlAHMzY3JldA==").startswith("538 ")
        assert client.say("STARTTLS").startswith("220 ")
        client.start_tls()
        assert "AUTH" in client.say("EHLO client.example")
        assert client.say("AUTH PLAIN AGV4Y2hhbmdlAHdyb25n").startswith("535 ")
        assert client.say("MAIL FROM:<>").startswith("550 ")
        assert client.say("AUTH PLAIN AGV4Y2hhbmdlAHMzY3JldA==").startswith("235 ")
        assert client.deliver(MAIL).startswith("250 ")
    found = facts(secured)
    assert found.smtp is not None
    assert found.smtp.user == "exchange"
    assert found.smtp.tls.startswith("TLSv1.")


def test_f14_what_was_sent_ahead_of_tls_is_dropped(secured: Listening) -> None:
    drops_what_came_in_clear(secured)


def test_certificate_that_cannot_be_read_is_refused(settings: Settings, tmp_path: Path) -> None:
    config = replace(CONFIG, certificate=Certificate(tmp_path / "no.pem", tmp_path / "no.key"))
    with pytest.raises(Refused, match="certificate"), listening(settings, config):
        pass


def test_port_in_use_is_said(listener: Listening, tmp_path: Path) -> None:
    taken = replace(CONFIG, port=listener.port)
    other = settings_in(tmp_path / "other")
    with pytest.raises(Unavailable, match="listened on"), listening(other, taken):
        pass


def test_f18_connections_are_capped_for_a_peer_and_in_all(settings: Settings) -> None:
    for bounds in ({"connections": 2}, {"connections_per_peer": 2}):
        with listening(settings, bounded(**bounds)) as listener:
            caps_connections(listener)


def test_f18_endless_noops_are_ended(settings: Settings) -> None:
    with listening(settings, bounded(noops=5)) as listener:
        ends_endless_noops(listener, 5)


@pytest.mark.parametrize("bounds", [{"idle_s": 0.2}, {"session_s": 0.2}], ids=str)
def test_f18_silent_session_is_ended(settings: Settings, bounds: dict[str, float]) -> None:
    with listening(settings, bounded(**bounds)) as listener:
        ends_silence(listener)


def test_f18_content_that_trickles_is_ended(settings: Settings) -> None:
    with listening(settings, bounded(data_s=0.2)) as listener:
        ends_content_that_trickles(listener)


def test_client_is_told_of_the_end_and_what_was_received_is_kept(
    listener: Listening, settings: Settings
) -> None:
    with Client(listener.port) as idle, Client(listener.port) as busy:
        idle.greet()
        busy.greet()
        busy.envelope()
        busy.send(MAIL + b"\r\n.\r\n")
        listener.ask_to_end()
        assert busy.reply().startswith("250 ")
        assert idle.reply().startswith("421 ")
    listener.end()
    assert len(kept(settings)) == 1


def test_full_spool_is_a_temporary_refusal(listener: Listening, client: Client) -> None:
    client.greet()
    listener.services.spool.rmdir()
    client.envelope()
    client.send(b"x" * (3 << 20) + b"\r\n.\r\n")
    assert client.reply().startswith("451 ")
    listener.services.spool.mkdir()
    assert client.deliver(b"x" * (3 << 20)).startswith("250 ")
    assert NO_SPACE.startswith("452 ")


@pytest.mark.parametrize(
    ("content", "is_refused"),
    [
        (b"a\nb", True), (b"a\rb", True), (b"a\r\r\nb", True), (b"\nb", True), (b"a\r\n\nb", True),
        (b"a\r\nb", False), (b"x" * 65_535 + b"\r\ny", False), (b"x" * 65_536 + b"\r\ny", False),
        (b"x" * 65_535 + b"\ry" + b"z" * 70_000, True), (b"x" * 65_536 + b"\ny", True),
        (b"a\n.\nMAIL FROM:<evil@x.example>", True),
    ],
    ids=lambda value: f"{len(value)}-{value[-12:]!r}" if isinstance(value, bytes) else None,
)  # fmt: skip
def test_bare_newlines_are_refused_where_that_is_asked_for(
    settings: Settings, content: bytes, *, is_refused: bool
) -> None:
    config = replace(CONFIG, keeps_bare_newlines=False)
    with listening(settings, config) as listener, Client(listener.port) as client:
        client.greet()
        assert client.deliver(content).startswith("550 5.6.0" if is_refused else "250 ")
        assert client.deliver(MAIL).startswith("250 ")
        assert sealed(listener) == 2 - is_refused
        if is_refused:
            assert listener.wait_for("smtp.refused")["cause"] == "bare_newline"


def test_report_is_trusted_only_from_those_who_may_journal(settings: Settings) -> None:
    believes_only_those_who_may_journal(settings)


@pytest.fixture
def signed(settings: Settings, tmp_path: Path) -> Iterator[Listening]:
    with listening(settings, certified(tmp_path)) as running:
        yield running


def test_certificate_of_a_known_name_lets_a_client_deliver(
    signed: Listening, tmp_path: Path
) -> None:
    with Client(signed.port) as client:
        client.greet()
        client.say("STARTTLS")
        client.start_tls(tmp_path / "mail.example.pem")
        client.say("EHLO client.example")
        assert client.deliver(MAIL).startswith("250 ")
    found = facts(signed)
    assert found.smtp is not None
    assert found.smtp.certificate == "mail.example"
    assert found.trust.reports


def test_f19_no_other_certificate_lets_a_client_deliver(signed: Listening, tmp_path: Path) -> None:
    lets_no_other_certificate_deliver(signed, tmp_path)


def test_names_of_certificates_are_read_from_both_places() -> None:
    anyone = Clients(Path("ca.pem"))
    known = Clients(Path("ca.pem"), frozenset({"a.example"}))
    subject = ((("countryName", "CN"),), (("commonName", "A.example"),))
    assert known.name_in({"subject": subject}) == "A.example"
    assert known.name_in({"subject": subject, "subjectAltName": (("DNS", "b.example"),)}) == ""
    assert anyone.name_in({"subjectAltName": (("DNS", "b.example"),)}) == "b.example"
    assert anyone.name_in({}) == ""


def test_authorities_that_cannot_be_read_are_refused(settings: Settings, tmp_path: Path) -> None:
    certificate = Certificate(*make_certificate(tmp_path))
    config = replace(CONFIG, certificate=certificate, clients=Clients(tmp_path / "no.pem"))
    with pytest.raises(Refused, match="authorities"), listening(settings, config):
        pass


def test_lmtp_answers_for_each_recipient(settings: Settings) -> None:
    second = "drop@archive.example"
    config = replace(CONFIG, addresses=frozenset({JOURNAL, second}), lmtp_port=0)
    with listening(settings, config) as listener:
        place = next(one for one in listener.seen if one["event"] == "lmtp.listening")
        with Client(int(str(place["port"]))) as client:
            assert client.reply().startswith("220 ")
            assert client.say("EHLO client.example").startswith("500 ")
            assert client.say("HELO client.example").startswith("500 ")
            assert "SIZE" in client.say("LHLO client.example")
            client.say("MAIL FROM:<>")
            assert client.say("RCPT TO:<nobody@archive.example>").startswith("550 ")
            assert client.say("DATA").startswith("503 ")
            assert client.say(f"RCPT TO:<{JOURNAL}>").startswith("250 ")
            assert client.say(f"RCPT TO:<{second}>").startswith("250 ")
            assert client.say("DATA").startswith("354 ")
            client.send(MAIL + b"\r\n.\r\n")
            assert [client.reply()[:4], client.reply()[:4]] == ["250 ", "250 "]
            assert client.say("NOOP").startswith("250 ")
        assert sealed(listener) == 1
        found = facts(listener)
        assert found.smtp is not None
        assert found.smtp.recipients == (JOURNAL, second)


def test_mail_of_people_is_kept_with_who_sent_it_and_is_never_believed(settings: Settings) -> None:
    believes_no_mail_of_people(settings)


ODD = [
    "<a b@x.example>", "<a@b@x.example>", "<@x.example>", "<a@>", "<a..b@x.example>", "<a.@x.jp>",
    "</o=Org/ou=Site/cn=Recipients/cn=ann>", "<\"unclosed@x.example>", "<a,b@x.example>", "<root>",
    "<用户@例子.公司>", "<a@[192.0.2.1>", "<a@x_y.example>", "<=?utf-8?q?a?=@x.example>", "<(x)@y>",
]  # fmt: skip


@pytest.mark.parametrize("path", ODD)
def test_sender_of_any_form_is_noted_and_loses_no_copy(
    listener: Listening, client: Client, path: str
) -> None:
    client.greet()
    client.envelope(path)
    client.send(MAIL + b"\r\n.\r\n")
    assert client.reply().startswith("250 ")
    found = facts(listener)
    assert found.smtp is not None
    assert found.smtp.sender == path[1:-1]


def test_odd_recipients_are_refused_as_others_are(client: Client) -> None:
    client.greet()
    client.say("MAIL FROM:<>")
    for path in (*ODD, f"<{JOURNAL}@x.example>", f"<x {JOURNAL}>"):
        assert client.say(f"RCPT TO:{path}").startswith("550 5.1.1")
    assert client.say(f"RCPT TO:<@relay.example,@other.example:{JOURNAL}>").startswith("250 ")
    for nothing in ("", "<", ">", "a>b<"):
        assert client.say(f"RCPT TO:{nothing}")[0] in "45"


@pytest.mark.parametrize(
    "options",
    ["AUTH=<>", "AUTH=ann+2Bbob@x.example", "SIZE=100 AUTH=<> BODY=8BITMIME", "auth=<> SMTPUTF8"],
)
def test_who_submitted_a_message_first_is_passed_over(
    listener: Listening, client: Client, options: str
) -> None:
    client.greet()
    assert client.say(f"MAIL FROM:<a@x.example> {options}").startswith("250 ")
    client.say(f"RCPT TO:<{JOURNAL}>")
    client.say("DATA")
    client.send(MAIL + b"\r\n.\r\n")
    assert client.reply().startswith("250 ")
    found = facts(listener)
    assert found.smtp is not None
    assert found.smtp.sender == "a@x.example"


def test_options_that_nobody_knows_are_refused(client: Client) -> None:
    client.greet()
    for options in ("AUTHOR=<>", "AUTH", "AUTH=", "RET=HDRS", "SIZE=200000000 AUTH=<>"):
        assert client.say(f"MAIL FROM:<a@x.example> {options}")[0] == "5"

"""What servers offer beyond IMAP4rev1: namespaces, compression, UTF-8 names, literals, STARTTLS."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from imapclient import imap_utf7

import server_dovecot
from archive_kit import settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap.abilities import Namespace, as_literal, foreign_prefix, namespaces_of
from holdfast.ingest.imap.failures import Lost, SaidNo
from holdfast.ingest.imap.metering import Meter
from holdfast.ingest.imap.names import Folder, chosen
from holdfast.ingest.imap.session import connect
from holdfast.ingest.imap.trial import Trial
from holdfast.ingest.imap.wire.stream import Stream
from imap_kit import LARGE_BODY, account_of, added, expected, held, letter, plain_account, synced
from imap_script import Asked, Script, scripted
from imap_tap import tapped
from server_dovecot import Dovecot
from server_scripts import Missing

_RICH = """
mail_plugins = acl zlib
protocol imap {{
  mail_plugins = acl zlib imap_acl imap_zlib
}}
plugin {{
  acl = vfile
  acl_shared_dict = file:{folder}/shared.db
}}
namespace others {{
  type = shared
  separator = /
  prefix = others/%%u/
  location = maildir:{folder}/mail/%%u
  list = children
  subscriptions = no
}}
namespace public {{
  type = public
  separator = /
  prefix = Public/
  location = maildir:{folder}/mail/public
  list = yes
  subscriptions = no
}}
"""


@pytest.fixture(scope="module")
def shared_rich() -> Iterator[Dovecot | str]:
    folder = Path(tempfile.mkdtemp(prefix="holdfast-rich-"))
    folder.chmod(0o755)
    try:
        with server_dovecot.running(folder, _RICH.format(folder=folder)) as dovecot:
            path = folder / "shared.db"
            path.touch()
            path.chmod(0o666)
            folder.chmod(0o777)  # Dovecot writes the list of who shares beside it
            yield dovecot
    except Missing as error:
        yield str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def rich(shared_rich: Dovecot | str, need: Callable[[object, str], None]) -> Dovecot:
    need(isinstance(shared_rich, Dovecot), str(shared_rich))
    assert isinstance(shared_rich, Dovecot)
    return shared_rich


def test_folders_of_others_are_named_and_taken_only_when_chosen(
    tmp_path: Path, rich: Dovecot
) -> None:
    bob, ann = rich.user("bob"), rich.user("ann")
    bob.append("合同", letter(1))
    with bob.signed_in() as client:
        assert client.setacl(server_dovecot.wire("合同"), "ann", "lr")[0] == "OK"
    ann.append("INBOX", letter(2))
    public = rich.folder / "mail" / "public"
    for name in ("cur", "new", "tmp"):
        (public / ".News" / name).mkdir(parents=True)
    (public / ".News" / "cur" / "1.M1P1.x:2,").write_bytes(letter(3))
    (public / ".News" / "dovecot-acl").write_text("anyone lr\n")
    for path in (public, *public.rglob("*")):
        shutil.chown(path, "dovecot", "dovecot")
    steps = {one.name: one for one in Trial(account_of(ann), rich.password.encode()).steps()}
    assert steps["folders"].found.startswith("1 of ")
    _, _, others = steps["folders"].found.partition("of others, taken when chosen: ")
    assert sorted(others.split(", ")) == ["Public/News", "others/bob/合同"]
    wanted = {
        (): {"INBOX": [letter(2)]},
        ("*",): {"INBOX": [letter(2)]},
        ("others/bob/*",): {"others/bob/合同": [letter(1)]},
        ("*", "Public/*"): {"INBOX": [letter(2)], "Public/News": [letter(3)]},
    }
    for number, (patterns, mail) in enumerate(wanted.items()):
        settings = settings_in(tmp_path / str(number))
        added(settings, account_of(ann, folders=patterns), rich.password)
        assert synced(settings).is_whole
        assert held(settings) == expected(mail)


def test_compressed_connection_gives_the_same_bytes_in_fewer(tmp_path: Path, rich: Dovecot) -> None:
    user = rich.user("packed")
    mail = {"INBOX": [letter(n) for n in range(40)] + [letter(40) + LARGE_BODY]}
    user.append("INBOX", *mail["INBOX"])
    moved = {}
    for how in ("always", "never", "auto"):
        settings = settings_in(tmp_path / how)
        with tapped(rich.port) as tap:
            added(settings, account_of(user, port=tap.port, compress=how), rich.password)
            assert synced(settings).is_whole
            moved[how] = tap.down_bytes
        assert held(settings) == expected(mail)
    assert moved["always"] * 20 < moved["never"]
    assert moved["auto"] > moved["always"] * 20  # within one machine it only costs


def _pair(pieces: bytes) -> tuple[Meter, socket.socket]:
    near, far = socket.socketpair()
    far.sendall(pieces)
    stream = Stream(near)
    stream.compress()
    return Meter(stream), far


def test_compressed_answer_that_would_fill_the_memory_is_not_opened_further() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    assert len(bomb) < 150_000
    for read in ("line", "literal"):
        meter, far = _pair(bomb[:100_000])
        meter.allow(1 << 20)
        tracemalloc.start()
        with pytest.raises(Lost, match="more than was asked for"):
            meter.readline() if read == "line" else meter.read(2 << 20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 << 20
        meter.stream.close()
        far.close()


@pytest.mark.parametrize(
    ("sent", "words"),
    [(b"\xff" * 20, "no DEFLATE"), (zlib.compress(b"x", wbits=-15), "ended the compression")],
)
def test_broken_compression_is_a_lost_connection(sent: bytes, words: str) -> None:
    meter, far = _pair(sent)
    with pytest.raises(Lost, match=words):
        meter.read(100)
    far.close()
    meter.stream.close()


def test_stream_cuts_lines_and_lengths_wherever_the_pieces_end() -> None:
    near, far = socket.socketpair()
    stream = Stream(near)
    text = b"one\r\ntwo\r\n" + os.urandom(300_000).replace(b"\n", b"x") + b"\nrest"
    sender = threading.Thread(target=far.sendall, args=(text,))
    sender.start()
    assert stream.readline(100) == b"one\r\n"
    assert stream.read(2) == b"tw"
    assert stream.readline(100) == b"o\r\n"
    assert stream.readline(1000) == text[10:1010]
    assert stream.read(5) == text[1010:1015]
    assert stream.readline(1 << 20) == text[1015:-4]
    sender.join()
    near.setblocking(False)
    with pytest.raises(BlockingIOError):
        stream.readline(100)
    near.setblocking(True)
    far.close()
    assert stream.readline(100) == b"rest"
    assert (stream.readline(9), stream.read(9)) == (b"", b"")
    stream.close()
    stream.close()


def test_server_that_refuses_to_compress_is_read_as_it_is(tmp_path: Path) -> None:
    def refusing(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("COMPRESS"):
            return f"{asked.tag} NO [COMPRESSIONACTIVE] no\r\n".encode()
        return answer

    script = Script({1: letter(1)}, refusing, capabilities="IMAP4rev1 COMPRESS=DEFLATE")
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port, compress="always"), "secret")
        assert synced(settings).counts.new == 1
    assert script.of("COMPRESS DEFLATE")


def test_names_in_utf8_are_the_folders_that_they_are_in_utf7(tmp_path: Path) -> None:
    said = b"* ENABLED UTF8=ACCEPT\r\n"

    def enabling(asked: Asked, answer: bytes) -> bytes:
        return said + answer if asked.words.startswith("ENABLE") else answer

    script = Script({1: letter(1)}, enabling, capabilities="IMAP4rev1 ENABLE UTF8=ACCEPT")
    script.listed = ('() "/" "项目 & co"'.encode(), b'() "/" INBOX', b'() "/" "\xff\xfe"')
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port, excludes=("INBOX",)), "secret")
        done = synced(settings)
        assert (done.counts.new, done.counts.duplicates, done.found.troubled) == (1, 1, {})
        assert set(held(settings)) == {"项目 & co", "ÿþ"}
        assert script.of("EXAMINE")[0].encode("latin-1") == 'EXAMINE "项目 & co"'.encode()
        script.capabilities = "IMAP4rev1"
        script.listed = (b'() "/" "' + imap_utf7.encode("项目 & co") + b'"',)
        assert synced(settings).counts.offered == 0
        said = b""
        script.capabilities = "IMAP4rev1 ENABLE UTF8=ACCEPT"
        assert synced(settings).counts.offered == 0


@pytest.mark.parametrize(
    ("more", "sent"),
    [(" LITERAL+", ["EXAMINE {5+}", "caf\xc3\xa9"]), ("", ["EXAMINE {5}", "caf\xc3\xa9"])],
)
def test_name_of_eight_bits_is_sent_as_a_literal(
    tmp_path: Path, more: str, sent: list[str]
) -> None:
    script = Script({1: letter(1)}, capabilities=f"IMAP4rev1{more}")
    script.listed = (b'() "/" "caf\xc3\xa9"',)

    def literal(asked: Asked, answer: bytes) -> bytes:
        if asked.words == "EXAMINE {5+}":
            script.tag = asked.tag
            return b""
        if asked.words == "EXAMINE {5}":
            script.tag = asked.tag
            return b"+ go on\r\n"
        if asked.tag.startswith("caf"):
            return script.answer(Asked(script.tag, "EXAMINE"))
        return answer

    script.twist = literal
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), "secret")
        assert synced(settings).counts.new == 1
    assert script.of("EXAMINE") == [sent[0]]


def test_literal_goes_without_waiting_only_where_the_server_said_so() -> None:
    assert as_literal(b"ab", frozenset({"LITERAL+"})) == b"{2+}\r\nab"
    assert as_literal(b"ab", frozenset({"LITERAL-"})) == b"{2+}\r\nab"
    assert as_literal(b"a" * 4097, frozenset({"LITERAL-"})) is None
    assert as_literal(b"ab", frozenset()) is None
    with scripted(Script({})) as script:
        session = connect(plain_account(script.port))
        session.sign_in(b"secret")
        with pytest.raises(SaidNo, match="control characters"):
            session.examine(Folder(b"caf\xc3\xa9\x07"))
        session.close()


@pytest.mark.parametrize(
    ("said", "name", "prefix"),
    [
        (b'(("INBOX." ".")) (("user." ".")) (("" "."))', b"user.bob", b"user."),
        (b'(("INBOX." ".")) (("user." ".")) (("" "."))', b"News", b""),
        (b'(("INBOX." ".")) (("user." ".")) (("" "."))', b"INBOX.Sent", None),
        (b'(("INBOX." ".")) (("user." ".")) (("" "."))', b"INBOX", None),
        (b'(("" "/")) NIL NIL', b"Sent", None),
        (b'(("" "/" "X-PARAM" ("a" "b"))) NIL (("#s/" NIL))', b"#s/x", b"#s/"),
        (b"NIL NIL NIL", b"Sent", None),
        (b'((1 "/")) (2)', b"Sent", None),
        (b"(((", b"Sent", None),
    ],
)
def test_namespaces_as_servers_write_them(said: bytes, name: bytes, prefix: bytes | None) -> None:
    assert foreign_prefix(name, namespaces_of([said])) == prefix


def test_pattern_must_name_what_is_not_ones_own() -> None:
    own, shared = Folder(b"News"), Folder(b"#s/News", foreign=b"#s/")
    rootless = Folder(b"Board", foreign=b"")
    all_of_them = [own, shared, rootless]
    assert chosen(all_of_them, (), ()) == [own]
    assert chosen(all_of_them, ("*", "*News"), ()) == [own]
    assert chosen(all_of_them, ("#S/*",), ()) == [shared]
    assert chosen(all_of_them, ("Bo*",), ()) == [rootless]
    assert chosen(all_of_them, ("#s/*",), ("*News",)) == []
    assert foreign_prefix(b"x", [Namespace("others", b"y")]) is None


def test_what_is_sent_in_clear_behind_the_consent_to_tls_is_refused() -> None:
    def injecting(asked: Asked, answer: bytes) -> bytes:
        if asked.words == "STARTTLS":
            return f"{asked.tag} OK begin\r\n* 1 EXISTS\r\n".encode()
        return answer

    script = Script({}, injecting, capabilities="IMAP4rev1 STARTTLS")
    with scripted(script), pytest.raises(Lost, match="sent in clear"):
        connect(plain_account(script.port, tls="starttls"))
    assert script.asked[-1] == "STARTTLS"


def test_what_was_said_before_tls_is_forgotten(rich: Dovecot) -> None:
    with tapped(rich.port) as tap:
        tap.replaces[b"STARTTLS"] = b"STARTTLS X-EVIL AUTH=EVIL"
        session = connect(account_of(rich.user("forgetting"), port=tap.port))
        assert not {"X-EVIL", "AUTH=EVIL"} & session.capabilities
        assert "AUTH=PLAIN" in session.capabilities
        session.close()


def test_greeting_that_rules_out_tls_and_refusal_of_it_send_no_secret() -> None:
    script = Script({}, capabilities="IMAP4rev1 STARTTLS", greeting=b"* PREAUTH hello\r\n")
    with scripted(script):
        with pytest.raises(Refused, match="signed in already"):
            connect(plain_account(script.port, tls="starttls"))
        script.greeting = b"* OK hello\r\n"
        script.twist = lambda asked, answer: (
            f"{asked.tag} NO not now\r\n".encode() if asked.words == "STARTTLS" else answer
        )
        with pytest.raises(SaidNo, match="not now"):
            connect(plain_account(script.port, tls="starttls"))
    assert not script.of("LOGIN")

"""Signing in by tokens: a real Dovecot asks a real token service whose they are."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import server_dovecot
from archive_kit import opened, settings_in
from holdfast.core.errors import HoldfastError, Refused
from holdfast.ingest.imap.account import Account
from holdfast.ingest.imap.failures import Busy, Lost, SignInRefused
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.imap.session import Session, context_of
from holdfast.ingest.imap.signing import tokens as signing_tokens
from holdfast.ingest.imap.signing.door import Door
from holdfast.ingest.imap.signing.oauth import (
    CLIENT,
    REFRESH,
    Credentials,
    Oauth,
    Said,
    oauth_of,
    sealed,
    unsealed,
)
from holdfast.ingest.imap.signing.sasl import BEARER, XOAUTH2, Exchange
from holdfast.ingest.imap.signing.tokens import Tokens
from holdfast.ingest.imap.trial import Trial
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import accounts_of, open_secret
from imap_checks import Memory
from imap_kit import Patience, account_of, added, letter, synced
from imap_script import Asked, Script, scripted
from imap_tap import tapped
from server_dovecot import Dovecot
from server_scripts import Missing
from token_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    REFRESH_TOKEN,
    Reply,
    TokenService,
    refusal,
    serving,
)

Plant = pytest.MonkeyPatch
CREDENTIALS = Credentials(refresh_token=REFRESH_TOKEN, client_secret=CLIENT_SECRET)
_TOKENS = """
auth_mechanisms = plain xoauth2 oauthbearer
auth_cache_size = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""
_SERVICE = """
introspection_mode = post
introspection_url = http://127.0.0.1:{port}/introspect
username_attribute = username
active_attribute = active
active_value = true
"""


@dataclass(frozen=True, slots=True)
class Both:
    """The mail server and the service that knows its tokens."""

    dovecot: Dovecot
    service: TokenService

    def account(self, flow: str = REFRESH, **changes: Any) -> Account:
        user = self.dovecot.user(self.service.user)
        oauth = Oauth(flow, CLIENT_ID, self.service.url, "mail")
        return account_of(user, **{"oauth": oauth, **changes})


@pytest.fixture(scope="module")
def shared_both() -> Iterator[Both | str]:
    service = TokenService()
    folder = Path(tempfile.mkdtemp(prefix="holdfast-tokens-"))
    folder.chmod(0o755)
    try:
        with serving(service) as port:
            service.port = port
            (folder / "oauth2.conf").write_text(_SERVICE.format(port=port))
            with server_dovecot.running(folder, _TOKENS.format(folder=folder)) as dovecot:
                dovecot.user(service.user).append("INBOX", letter(1), letter(2))
                yield Both(dovecot, service)
    except Missing as error:
        yield str(error)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def both(shared_both: Both | str, need: Callable[[object, str], None]) -> Both:
    need(isinstance(shared_both, Both), str(shared_both))
    assert isinstance(shared_both, Both)
    fresh = TokenService(port=shared_both.service.port)
    for name in TokenService.__slots__:
        setattr(shared_both.service, name, getattr(fresh, name))
    return shared_both


def source(folder: Path, account: Account, credentials: Credentials = CREDENTIALS) -> Settings:
    settings = settings_in(folder)
    added(settings, account, sealed(credentials).decode())
    return settings


def kept(settings: Settings) -> Credentials:
    with opened(settings) as services:
        (one,) = accounts_of(services.store)
        return unsealed(open_secret(services.store, one.source_id))


def tokens(account: Account, memory: Memory) -> Tokens:
    assert account.oauth is not None
    return Tokens(account.oauth, account.user, memory, account.dial(), context_of(account))


@pytest.mark.parametrize("flow", [REFRESH, CLIENT])
def test_mailbox_is_pulled_by_a_token_that_is_fetched_once_and_kept_sealed(
    tmp_path: Path, both: Both, flow: str
) -> None:
    settings = source(tmp_path, both.account(flow))
    assert synced(settings).counts.new == 2
    again = synced(settings)
    assert (again.counts.offered, again.error) == (0, None)
    assert [one["grant_type"].replace("_", "-") for one in both.service.asked] == [flow]
    assert both.service.asked[0]["scope"] == "mail"
    (given,) = both.service.given
    assert kept(settings).access_token == given
    secret = [one.encode() for one in (given, REFRESH_TOKEN, CLIENT_SECRET)]
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if any(one in path.read_bytes() for one in secret)]


@pytest.mark.parametrize(
    ("replaces", "mechanism"),
    [({}, BEARER), ({b" AUTH=OAUTHBEARER": b""}, XOAUTH2)],
)
def test_both_mechanisms_open_the_mailbox(
    both: Both, replaces: dict[bytes, bytes], mechanism: str
) -> None:
    memory = Memory(sealed(CREDENTIALS))
    with tapped(both.dovecot.port) as tap:
        tap.replaces.update(replaces)
        account = both.account(port=tap.port, tls="none")
        door = Door(account, memory.secret, memory)
        session = door.entered(door.connected())
        assert [one.wire for one in session.folders()]
        session.close()
    assert tap.of(f"AUTHENTICATE {mechanism}".encode())


def test_token_is_renewed_before_it_ends_and_a_rotated_one_is_kept(both: Both) -> None:
    both.service.rotates = True
    memory = Memory(sealed(CREDENTIALS))
    mine = tokens(both.account(), memory)
    first = mine.access()
    memory.at_ms += 3299_000
    assert mine.access() == first
    memory.at_ms += 1_000
    assert mine.access() != first
    assert len(both.service.asked) == 2
    assert unsealed(memory.secret).refresh_token == both.service.refresh_token != REFRESH_TOKEN
    assert unsealed(memory.secret).client_secret == CLIENT_SECRET


@pytest.mark.parametrize(
    ("lifetime_s", "good_s"), [(60, 48), (None, 3300), (0, 0), (1_000_000, 999_700)]
)
def test_token_is_used_for_most_of_its_time(
    both: Both, lifetime_s: int | None, good_s: int
) -> None:
    both.service.lifetime_s = lifetime_s
    memory = Memory(sealed(CREDENTIALS))
    tokens(both.account(), memory).access()
    assert unsealed(memory.secret).renew_ms == memory.at_ms + good_s * 1000


def renews_a_refused_token_once(folder: Path, both: Both) -> None:
    """A token that is refused is renewed once, without waiting, and opens the mailbox."""
    settings = source(folder, both.account())
    synced(settings)
    both.service.live.clear()
    patience = Patience()
    done = synced(settings, pause=patience)
    assert (done.error, patience.asked_s) == (None, []), "it was not renewed"
    assert len(both.service.asked) == 2


def test_f28_refused_token_is_renewed_once_and_then_opens(tmp_path: Path, both: Both) -> None:
    renews_a_refused_token_once(tmp_path, both)


def gives_up_when_a_new_token_is_refused(folder: Path, both: Both) -> None:
    """Where a new token is refused as well, that is said, and no third one asked for."""
    both.service.is_dud = True
    settings = source(folder, both.account())
    patience = Patience()
    done = synced(settings, pause=patience)
    assert isinstance(done.error, SignInRefused)
    asked = (len(both.service.asked), patience.asked_s)
    assert asked == (2, []), "it was asked for again and again"
    assert "The token was new" in done.error.cause
    assert not any(one in str(done.error) for one in both.service.given)


def test_f28_new_token_that_is_refused_as_well_ends_it(tmp_path: Path, both: Both) -> None:
    gives_up_when_a_new_token_is_refused(tmp_path, both)


def sends_no_revoked_token_again(folder: Path, both: Both) -> None:
    """A refresh token that was revoked is sent once; from then on a person is asked."""
    both.service.refresh_token = "another"
    settings = source(folder, both.account())
    first, again = synced(settings), synced(settings)
    assert len(both.service.asked) == 1, "it was sent again"
    for done in (first, again):
        assert isinstance(done.error, SignInRefused)
        assert "takes the refresh token of tokens no more: invalid_grant" in done.error.cause
        assert "Sign in at the service anew" in done.error.next_step
        assert REFRESH_TOKEN not in str(done.error), "the token is told"
    with opened(settings) as services:
        (one,) = accounts_of(services.store)
    assert (one.failures, one.last_error) == (2, first.error.cause)  # type: ignore[union-attr]
    assert REFRESH_TOKEN not in one.last_error, "the token is told"


def test_f28_revoked_refresh_token_is_said_and_never_sent_again(tmp_path: Path, both: Both) -> None:
    sends_no_revoked_token_again(tmp_path, both)


def forget_what_was_refused(plant: Plant) -> None:
    """A token is good until its time is over, whatever the server says of it."""
    access = Tokens.access
    plant.setattr(Tokens, "access", lambda self, refused="": access(self))


def ask_again_and_again(plant: Plant) -> None:
    """As long as tokens are refused, more are asked for."""

    def again(self: Door, session: Session, token: str) -> None:
        for _ in range(5):
            token = self._kept_tokens().access(refused=token)
        once(self, session, token)

    once = Door._again
    plant.setattr(Door, "_again", again)


def forget_that_it_is_over(plant: Plant) -> None:
    """A refresh token that was revoked may be taken the next time."""
    plant.setattr(signing_tokens, "_OVER", frozenset[str]())


def tell_all(plant: Plant) -> None:
    """What the service says is told as it is."""
    plant.setattr(signing_tokens, "_without", lambda words, asked: words)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "check", "words"),
    [(forget_what_was_refused, renews_a_refused_token_once, "not renewed"),
     (ask_again_and_again, gives_up_when_a_new_token_is_refused, "again and again"),
     (forget_that_it_is_over, sends_no_revoked_token_again, "sent again"),
     (tell_all, sends_no_revoked_token_again, "the token is told")],
)  # fmt: skip
def test_f28_connector_that_hammers_with_tokens_is_found_out(
    tmp_path: Path,
    both: Both,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    check: Callable[[Path, Both], None],
    words: str,
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(tmp_path, both)


def test_another_process_that_renewed_first_is_believed(both: Both) -> None:
    memory = Memory(sealed(CREDENTIALS))
    mine, other = tokens(both.account(), memory), tokens(both.account(), memory)
    both.service.rotates = True
    first = other.access()
    assert mine.access() == first
    memory.at_ms += 3_600_000
    stale = memory.secret
    renewed = other.access()

    class Late(Memory):
        """Shows the renewed secret only after the service said no."""

        def latest(self) -> bytes:
            return stale if len(both.service.asked) < 3 else self.secret

    late = Late(memory.secret, memory.at_ms)
    assert tokens(both.account(), late).access() == renewed
    assert len(both.service.asked) == 3


def test_client_that_the_service_does_not_know_is_said(both: Both) -> None:
    account = both.account(CLIENT)
    wrong = replace(CREDENTIALS, client_secret="wrong-sesame")
    with pytest.raises(SignInRefused, match=r"invalid_client \(no …\)") as caught:
        tokens(account, Memory(sealed(wrong))).access()
    assert "wrong-sesame" not in str(caught.value)
    assert "--client-id" in caught.value.next_step


WRONG: list[tuple[Reply, type[HoldfastError], str]] = [
    (Reply(302, headers=(("Location", "/elsewhere"),)), Refused, "points elsewhere"),
    (Reply(200, b"\x1f\x8b", (("Content-Encoding", "gzip"),)), Refused, "compressed"),
    (Reply(200, b" " * 1_100_000), Refused, "more than 1048576"),
    (Reply(200, b"<html>"), SignInRefused, "not understood"),
    (Reply(200, b"[]"), SignInRefused, "not understood"),
    (Reply(200, b"{}"), SignInRefused, "no token that we can use"),
    (Reply(200, b'{"access_token": "a b"}'), SignInRefused, "no token that we can use"),
    (Reply(200, b'{"access_token": "ab", "token_type": "mac"}'), SignInRefused, "can use"),
    (Reply(200, b'{"access_token": "abc", "expires_in": "soon"}'), SignInRefused, "understood"),
    (Reply(404, b"no"), SignInRefused, "HTTP 404"),
    (Reply(429, b"slow"), Busy, "HTTP 429"),
    (Reply(503, b"{}"), Busy, "HTTP 503"),
    (refusal("temporarily_unavailable"), Busy, "temporarily_unavailable"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), WRONG)
def test_answer_that_is_no_token_is_named_and_asked_for_once(
    both: Both, reply: Reply, kind: type[HoldfastError], words: str
) -> None:
    both.service.replies.append(reply)
    memory = Memory(sealed(CREDENTIALS))
    with pytest.raises(kind, match=words):
        tokens(both.account(), memory).access()
    assert len(both.service.asked) == 1
    assert memory.secret == sealed(CREDENTIALS)


def test_busy_service_is_waited_for_and_then_left(tmp_path: Path, both: Both) -> None:
    both.service.replies.extend([Reply(503)] * 5)
    settings = source(tmp_path, both.account())
    patience = Patience()
    done = synced(settings, pause=patience)
    assert isinstance(done.error, GaveUp)
    assert len(patience.asked_s) == 4
    assert min(patience.asked_s) >= 7.5
    assert synced(settings).counts.new == 2


@contextmanager
def over_tls(both: Both) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = both.dovecot.folder
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    with serving(both.service, context) as port:
        yield f"https://localhost:{port}/token"


def test_service_over_tls_needs_a_valid_certificate(both: Both) -> None:
    with over_tls(both) as url:
        account = both.account(oauth=Oauth(REFRESH, CLIENT_ID, url))
        assert tokens(account, Memory(sealed(CREDENTIALS))).access() in both.service.live
        for wrong in (replace(account, ca_file=""), other_name(account)):
            with pytest.raises(Refused, match="certificate"):
                tokens(wrong, Memory(sealed(CREDENTIALS))).access()
    assert len(both.service.asked) == 1


def other_name(account: Account) -> Account:
    assert account.oauth is not None
    url = account.oauth.token_url.replace("localhost", "127.0.0.1")
    return replace(account, oauth=replace(account.oauth, token_url=url))


def test_f64_service_in_the_own_network_is_not_asked_unless_allowed(both: Both) -> None:
    memory = Memory(sealed(CREDENTIALS))
    with pytest.raises(Refused, match="no public address"):
        tokens(both.account(allows_private=False), memory).access()
    for host in ("169.254.169.254", "[::ffff:169.254.169.254]"):
        oauth = Oauth(REFRESH, CLIENT_ID, f"https://{host}/token")
        with pytest.raises(Refused, match="no public address"):
            tokens(both.account(oauth=oauth), memory).access()
    assert both.service.asked == []


def test_service_that_is_down_is_a_lost_connection(both: Both) -> None:
    with tapped(1) as tap:
        url = f"http://localhost:{tap.port}/token"
    account = both.account(oauth=Oauth(REFRESH, CLIENT_ID, url))
    with pytest.raises(Lost, match="broke"):
        tokens(account, Memory(sealed(CREDENTIALS))).access()


def test_service_that_speaks_no_http_is_named(both: Both) -> None:
    def blank(_asked: Asked, _answer: bytes) -> bytes:
        return b"\r\n"

    script = Script({}, blank)
    with scripted(script):
        url = f"http://localhost:{script.port}/token"
        account = both.account(oauth=Oauth(REFRESH, CLIENT_ID, url))
        with pytest.raises(Lost, match="no HTTP"):
            tokens(account, Memory(sealed(CREDENTIALS))).access()


def test_trial_names_who_gave_the_token(tmp_path: Path, both: Both) -> None:
    memory = Memory(sealed(CREDENTIALS))
    steps = {one.name: one for one in Trial(both.account(), memory.secret, memory).steps()}
    assert steps["sign-in"].found == "tokens, by a token of localhost"
    assert steps["samples"].error is None
    without = list(Trial(both.account(), memory.secret).steps())[-1]
    assert (without.name, str(without.error)) == ("sign-in", "Tokens have no place to be kept.")


def test_server_that_takes_no_tokens_or_is_busy(both: Both) -> None:
    memory = Memory(sealed(CREDENTIALS))

    def busy(asked: Asked, answer: bytes) -> bytes:
        if asked.words.startswith("AUTHENTICATE"):
            return f"{asked.tag} NO [LIMIT] too many connections\r\n".encode()
        return answer

    script = Script({}, busy)
    with scripted(script):
        account = both.account(port=script.port, tls="none")
        door = Door(account, memory.secret, memory)
        with pytest.raises(Refused, match="takes no tokens"):
            door.entered(door.connected())
        script.capabilities = "IMAP4rev1 AUTH=XOAUTH2"
        with pytest.raises(Busy):
            door.entered(door.connected())
    assert len(both.service.asked) == 1


def test_messages_are_as_the_mechanisms_say() -> None:
    bearer = Exchange(BEARER, "a=b,c", "mail.example", 993, "tok")
    wanted = b"n,a=a=3Db=2Cc,\x01host=mail.example\x01port=993\x01auth=Bearer tok\x01\x01"
    assert bearer.answer(b"") == wanted
    assert bearer.answer(b'{"status":"invalid_token"}') == b"\x01"
    assert bearer.status == "invalid_token"
    other = Exchange(XOAUTH2, "ann", "mail.example", 993, "tok")
    assert other.answer(b"") == b"user=ann\x01auth=Bearer tok\x01\x01"
    assert other.answer(b"who knows") == b""
    assert other.status == "who knows"
    other.answer(b"[]")
    assert other.status == ""


def test_what_services_are_known_for() -> None:
    gmail = oauth_of(Said(REFRESH, "id"), "gmail")
    assert (gmail.host, gmail.scope) == ("oauth2.googleapis.com", "https://mail.google.com/")
    cloud = oauth_of(Said(CLIENT, "id", tenant="t-1"), "outlook")
    assert cloud.token_url == "https://login.microsoftonline.com/t-1/oauth2/v2.0/token"
    assert cloud.scope == "https://outlook.office365.com/.default"
    assert "/organizations/" in oauth_of(Said(REFRESH, "id"), "outlook").token_url
    own = oauth_of(Said(CLIENT, "id", "https://id.example/token", "s"), "gmail")
    assert (own.host, own.scope) == ("id.example", "s")


@pytest.mark.parametrize(
    ("said", "preset", "words"),
    [
        (Said(CLIENT, "id"), "gmail", "gives no tokens by"),
        (Said(CLIENT, "id"), "outlook", "tenant is missing"),
        (Said(REFRESH, ""), "gmail", "client is missing"),
        (Said("magic", "id"), "gmail", "is unknown"),
        (Said(REFRESH, "id"), "generic", "no https URL"),
        (Said(REFRESH, "id", "http://id.example/token"), "generic", "no https URL"),
        (Said(REFRESH, "id", "https://me:pw@id.example/"), "generic", "no https URL"),
        (Said(REFRESH, "a\nb", "https://id.example/"), "generic", "line break"),
    ],
)
def test_wrong_words_about_tokens_are_refused(said: Said, preset: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        oauth_of(said, preset)


def test_secret_that_is_no_credentials_is_refused() -> None:
    with pytest.raises(Refused, match="not understood"):
        unsealed(b"open-sesame")

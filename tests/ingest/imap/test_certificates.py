"""A server that cannot show who it is hears no secret: neither one of mail nor one of tokens."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from archive_kit import opened, settings_in
from certificates import Authority, new_authority
from holdfast.core.errors import HoldfastError, Refused
from holdfast.ingest.imap import session
from holdfast.ingest.imap.account import Account
from holdfast.ingest.imap.signing import door
from holdfast.ingest.imap.signing.oauth import REFRESH, Credentials, Oauth, sealed
from holdfast.ingest.imap.signing.tokens import Tokens
from holdfast.storage.catalogue.accounts import accounts_of
from imap_checks import SECRET, Memory, mail
from imap_kit import Patience, added, plain_account, synced
from imap_script import CAPABILITIES, Script, scripted
from token_server import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TokenService, serving

Plant = pytest.MonkeyPatch
SHOWN: dict[str, tuple[Callable[[Authority], ssl.SSLContext], str]] = {
    "another name": (lambda by: by.server("other.example"), "not valid for 'localhost'"),
    "expired": (lambda by: by.server("localhost", days=-1), "expired"),
    "signed by itself": (lambda by: by.server("localhost", signs_itself=True), "self-signed"),
}
TLS = {"implicit": CAPABILITIES, "starttls": f"{CAPABILITIES} STARTTLS"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


def account_at(port: int, authority: Authority, tls: str) -> Account:
    return plain_account(port, tls=tls, ca_file=authority.file)


def is_told_nothing(folder: Path, authority: Authority, shown: str, tls: str) -> None:
    """A mail server with such a certificate is refused in words, and hears no secret."""
    shows, words = SHOWN[shown]
    script = Script(mail(1), capabilities=TLS[tls], tls=shows(authority))
    settings, patience = settings_in(folder), Patience()
    with scripted(script):
        added(settings, account_at(script.port, authority, tls), SECRET)
        done = synced(settings, pause=patience)
    assert not script.of(SECRET), "the secret was sent"
    assert isinstance(done.error, Refused)
    assert words in done.error.cause
    assert done.error.next_step
    assert patience.asked_s == []
    with opened(settings) as services:
        assert [one.trouble for one in accounts_of(services.store)] == ["certificate"]


def gives_no_secret_for_a_token(authority: Authority, shown: str) -> None:
    """A service of tokens with such a certificate is refused in words, and hears no secret."""
    shows, words = SHOWN[shown]
    service, error = TokenService(), None
    with serving(service, shows(authority)) as port:
        oauth = Oauth(REFRESH, CLIENT_ID, f"https://localhost:{port}/token", "mail")
        account = plain_account(port, ca_file=authority.file, oauth=oauth, tls="implicit")
        secret = sealed(Credentials(refresh_token=REFRESH_TOKEN, client_secret=CLIENT_SECRET))
        trusted = session.context_of(account)
        try:
            Tokens(oauth, "ann", Memory(secret), account.dial(), trusted).access()
        except HoldfastError as raised:
            error = raised
    assert service.asked == [], "the secret was sent"
    assert isinstance(error, Refused)
    assert words in error.cause
    assert error.next_step


@pytest.mark.parametrize("tls", TLS)
@pytest.mark.parametrize("shown", SHOWN)
def test_mail_server_that_cannot_show_who_it_is_hears_no_secret(
    tmp_path: Path, authority: Authority, shown: str, tls: str
) -> None:
    is_told_nothing(tmp_path, authority, shown, tls)


@pytest.mark.parametrize("shown", SHOWN)
def test_token_service_that_cannot_show_who_it_is_hears_no_secret(
    authority: Authority, shown: str
) -> None:
    gives_no_secret_for_a_token(authority, shown)


@pytest.mark.parametrize("tls", TLS)
def test_right_certificate_opens_the_way(tmp_path: Path, authority: Authority, tls: str) -> None:
    tls_context = authority.server("localhost")
    script = Script(mail(1), capabilities=TLS[tls], tls=tls_context)
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, account_at(script.port, authority, tls), SECRET)
        assert synced(settings).counts.new == 1


def believe_everybody(account: Account) -> ssl.SSLContext:
    """What is shown is not looked at."""
    context = ssl.create_default_context(cafile=account.ca_file)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def believe_any_name(account: Account) -> ssl.SSLContext:
    """Whose name a certificate has is not looked at."""
    context = ssl.create_default_context(cafile=account.ca_file)
    context.check_hostname = False
    return context


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("bug", "shown"),
    [(believe_any_name, "another name"), (believe_everybody, "expired"),
     (believe_everybody, "signed by itself")],
)  # fmt: skip
def test_connector_that_believes_certificates_is_found_out(
    tmp_path: Path,
    authority: Authority,
    monkeypatch: Plant,
    bug: Callable[[Account], ssl.SSLContext],
    shown: str,
) -> None:
    for module in (session, door):
        monkeypatch.setattr(module, "context_of", bug)
    with pytest.raises(AssertionError, match="the secret was sent"):
        is_told_nothing(tmp_path, authority, shown, "implicit")
    with pytest.raises(AssertionError, match="the secret was sent"):
        gives_no_secret_for_a_token(authority, shown)

"""Where connections lead that a source needs, whatever answers and proxies say (F64)."""

from __future__ import annotations

import ssl
from contextlib import suppress

from holdfast.core.errors import HoldfastError, Refused
from holdfast.ingest.imap.session import connect
from holdfast.ingest.imap.signing.oauth import REFRESH, Credentials, Oauth, sealed
from holdfast.ingest.imap.signing.tokens import Tokens
from holdfast.ingest.outbound.dialling import Dial
from imap_checks import Memory
from imap_kit import plain_account
from imap_script import Script, scripted
from proxy_server import ProxyServer, proxying
from token_server import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Reply, TokenService, serving

REDIRECTS = (301, 302, 303, 307, 308)


def follows_no_redirect() -> None:
    """A service of tokens that points elsewhere is refused: nobody there is asked (F64)."""
    secret = sealed(Credentials(refresh_token=REFRESH_TOKEN, client_secret=CLIENT_SECRET))
    service, elsewhere = TokenService(), TokenService()
    causes: list[str] = []
    with serving(service) as service.port, serving(elsewhere) as elsewhere.port:
        oauth = Oauth(REFRESH, CLIENT_ID, service.url, "mail")
        for status in REDIRECTS:
            service.replies.append(Reply(status, headers=(("Location", elsewhere.url),)))
            trusted = ssl.create_default_context()
            tokens = Tokens(oauth, "ann", Memory(secret), Dial(allows_private=True), trusted)
            try:
                tokens.access()
            except HoldfastError as error:
                causes.append(error.cause)
    assert elsewhere.asked == [], "a redirect was followed"
    refused = [cause for cause in causes if "points elsewhere" in cause]
    assert len(refused) == len(REDIRECTS), "a redirect was not refused"
    assert len(service.asked) == len(REDIRECTS)


def tells_a_proxy_what_was_checked(kind: str) -> None:
    """A proxy is asked for the address that was checked, and for none that is private (F64)."""
    script = Script({})
    with scripted(script), proxying(ProxyServer()) as proxy:
        way = f"{kind}://127.0.0.1:{proxy.port}"
        with suppress(HoldfastError):
            connect(plain_account(script.port, proxy=way)).close()
        said: HoldfastError | None = None
        try:
            connect(plain_account(script.port, proxy=way, allows_private=False)).close()
        except HoldfastError as error:
            said = error
    assert proxy.asked == [f"127.0.0.1:{script.port}"], "it was asked for something else"
    assert isinstance(said, Refused)
    assert "no public address" in said.cause

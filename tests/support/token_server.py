"""A service that gives access tokens over real HTTP, and tells a mail server whose they are."""

from __future__ import annotations

import json
import secrets
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

from http_listening import listening

CLIENT_ID = "holdfast-test"
CLIENT_SECRET = "client-sesame-41"
REFRESH_TOKEN = "refresh-sesame-52"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered instead of a token."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def refusal(error: str, **more: str) -> Reply:
    """An answer as RFC 6749, section 5.2 has it."""
    return Reply(400, json.dumps({"error": error, **more}).encode())


@dataclass(slots=True)
class TokenService:
    """What the service knows; a test changes it at will."""

    user: str = "tokens"
    """Whose mailbox its tokens open."""
    refresh_token: str = REFRESH_TOKEN
    """That it takes; a new one after each use when it rotates."""
    rotates: bool = False
    lifetime_s: int | None = 3600
    live: set[str] = field(default_factory=set)
    """Access tokens that open the mailbox."""
    given: list[str] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    """Every request for a token."""
    replies: list[Reply] = field(default_factory=list)
    """Each is given once, before anything else."""
    is_dud: bool = False
    """Tokens are given that open nothing."""
    port: int = 0

    @property
    def url(self) -> str:
        """Where tokens are had."""
        return f"http://localhost:{self.port}/token"

    def token(self, form: dict[str, str]) -> Reply:
        """Answer a request for a token."""
        self.asked.append(form)
        if self.replies:
            return self.replies.pop(0)
        grant = form.get("grant_type")
        if form.get("client_id") != CLIENT_ID:
            return refusal("invalid_client")
        if grant == "client_credentials" and form.get("client_secret") != CLIENT_SECRET:
            return refusal("invalid_client", error_description=f"no {form.get('client_secret')}")
        if grant == "refresh_token" and form.get("refresh_token") != self.refresh_token:
            said = f"the token {form.get('refresh_token')} is revoked"
            return refusal("invalid_grant", error_description=said)
        made = secrets.token_urlsafe(24)
        self.given.append(made)
        if not self.is_dud:
            self.live.add(made)
        answer: dict[str, object] = {"access_token": made, "token_type": "Bearer"}
        if self.lifetime_s is not None:
            answer["expires_in"] = self.lifetime_s
        if self.rotates and grant == "refresh_token":
            self.refresh_token = answer["refresh_token"] = secrets.token_urlsafe(24)
        return Reply(200, json.dumps(answer).encode())

    def introspected(self, form: dict[str, str]) -> Reply:
        """Tell a mail server whose token it is (RFC 7662)."""
        is_live = form.get("token", "") in self.live
        said = {"active": is_live, "username": self.user} if is_live else {"active": False}
        return Reply(200, json.dumps(said).encode())


def _handler(service: TokenService) -> type[BaseHTTPRequestHandler]:
    ways: dict[str, Callable[[dict[str, str]], Reply]] = {
        "/token": service.token,
        "/introspect": service.introspected,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = {name: values[0] for name, values in parse_qs(raw).items()}
            reply = ways[self.path](form)
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_unused: object) -> None:
            pass

    return Handler


@contextmanager
def serving(service: TokenService, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve on a port of our own on loopback; yield it."""
    with listening(_handler(service), context) as port:
        yield port

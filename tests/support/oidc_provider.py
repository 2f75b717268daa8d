"""A provider of OpenID Connect on loopback: Authlib's own server classes over real HTTP.

It speaks the protocol as it should; a test then has it lie, fall silent or change its keys.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import AuthorizationCodeMixin, OpenIDCode
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from http_listening import listening

CLIENT_ID = "holdfast-test"
CLIENT_SECRET = "client-sesame-77"
Forge = Callable[[dict[str, Any], dict[str, Any]], str]
"""Header and claims of a token → the token that is given instead."""


@lru_cache
def key(name: str) -> RSAKey:
    """Return a key pair, the same one for the same name."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def signed(header: dict[str, Any], claims: dict[str, Any], by: str = "first") -> str:
    """Return a token that a key of ours signed, of whatever length."""
    registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 1 << 30
    return jwt.encode({**header, "alg": "RS256"}, claims, key(by), registry=registry)


def bare(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token that is put together by hand."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers instead of what it should."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    waits: threading.Event | None = None
    """The answer stops in its middle until then."""


@dataclass(slots=True)
class Provider:
    """What the provider knows and does; a test changes it at will."""

    person: dict[str, Any] | None = field(
        default_factory=lambda: {"sub": "42", "email": "ann@our.example", "email_verified": True}
    )
    """Who is signed in there, as tokens call them; None: they say no."""
    published: list[str] = field(default_factory=lambda: ["first"])
    """Names of the keys that it publishes."""
    signs_with: str = "first"
    forge: Forge | None = None
    document: dict[str, Any] = field(default_factory=dict)
    """Members of the discovery document that are other than they should be."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """Path → what is answered there."""
    named: str | None = None
    """As whom it answers (RFC 9207)."""
    forgets_codes: bool = True
    """A code counts once."""
    asked: list[str] = field(default_factory=list)
    """Every path that was asked for."""
    forms: list[dict[str, str]] = field(default_factory=list)
    """What was sent to the token endpoint."""
    return_url: str = ""
    """The one that is registered."""
    port: int = 0
    codes: dict[str, Code] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """As it names itself; another site than 127.0.0.1, as providers are."""
        return f"http://localhost:{self.port}"

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            **self.document,
        }

    def keys(self) -> dict[str, Any]:
        """Return the published keys."""
        return {"keys": [key(name).as_dict(private=False) for name in self.published]}

    def authorized(self, query: dict[str, str]) -> Answer:
        """Answer somebody who was sent here, as one who is signed in already."""
        server = _Server(self)
        request = _request("GET", f"{self.issuer}/authorize?{urlencode(query)}", query)
        grant = server.get_authorization_grant(request)
        status, body, headers = server.create_authorization_response(
            request, None if self.person is None else dict(self.person), grant
        )
        located = dict(headers)
        if "Location" in located and self.named is not None:
            located["Location"] += "&" + urlencode({"iss": self.named})
        return Answer(status, _encoded(body), tuple(located.items()))

    def exchanged(self, form: dict[str, str], headers: dict[str, str]) -> Answer:
        """Give tokens for a code."""
        self.forms.append(form)
        request = _request("POST", f"{self.issuer}/token", form, headers)
        status, body, found = _Server(self).create_token_response(request)
        if isinstance(body, dict) and "id_token" in body and self.forge is not None:
            head, claims, _ = body["id_token"].split(".")
            body = {**body, "id_token": self.forge(_opened(head), _opened(claims))}
        return Answer(status, _encoded(body), tuple(found))


def _opened(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode() if isinstance(body, dict) else str(body).encode()


@dataclass(slots=True)
class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """A code that was given, and what it was given for."""

    code: str
    asked: dict[str, str]
    user: dict[str, Any]

    @property
    def code_challenge(self) -> str | None:
        return self.asked.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.asked.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.asked.get("redirect_uri")

    def get_scope(self) -> str:
        return self.asked.get("scope", "")

    def get_nonce(self) -> str | None:
        return self.asked.get("nonce")

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass(slots=True)
class _Client(ClientMixin):  # type: ignore[misc]
    provider: Provider
    id_token_signed_response_alg = "RS256"

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.provider.return_url

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.provider.return_url

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class _Request(OAuth2Request):  # type: ignore[misc]
    sent: dict[str, str]

    @property
    def args(self) -> dict[str, str]:
        return self.sent

    @property
    def form(self) -> dict[str, str]:
        return self.sent


def _request(
    method: str, url: str, sent: dict[str, str], headers: dict[str, str] | None = None
) -> _Request:
    made = _Request(method, url, headers=headers or {})
    made.payload = BasicOAuth2Payload(sent)
    made.sent = sent
    return made


class _Server(AuthorizationServer):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider = provider
        made = BearerTokenGenerator(lambda *_args, **_more: "access-token-of-no-use")
        self.register_token_generator("default", made)
        extensions = [CodeChallenge(required=True), _Token(provider)]
        self.register_grant(_Grant, extensions)

    def query_client(self, client_id: str) -> _Client | None:
        return _Client(self.provider) if client_id == CLIENT_ID else None

    def save_token(self, token: Any, request: Any) -> None:
        pass

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        pass


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    def save_authorization_code(self, code: str, request: _Request) -> None:
        asked = dict(request.payload.data)
        self.server.provider.codes[code] = Code(code, asked, request.user)

    def query_authorization_code(self, code: str, client: _Client) -> Code | None:
        found: Code | None = client.provider.codes.get(code)
        return found

    def delete_authorization_code(self, authorization_code: Code) -> None:
        if self.server.provider.forgets_codes:
            del self.server.provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.user


class _Token(OpenIDCode):  # type: ignore[misc]
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return any(one.asked.get("nonce") == nonce for one in self.provider.codes.values())

    def resolve_client_private_key(self, client: _Client) -> RSAKey:
        return key(self.provider.signs_with)

    def get_encode_header(self, client: _Client) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.provider.signs_with}

    def get_client_claims(self, client: _Client) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": CLIENT_ID}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> dict[str, Any]:
        return user


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.answer(parts.path, lambda: self.page(parts.path, dict(parse_qsl(parts.query))))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = dict(parse_qsl(raw))
            self.answer(self.path, lambda: provider.exchanged(form, dict(self.headers.items())))

        def page(self, path: str, query: dict[str, str]) -> Answer:
            if path == "/authorize":
                return provider.authorized(query)
            pages = {
                "/.well-known/openid-configuration": provider.metadata,
                "/keys": provider.keys,
            }
            return Answer(body=_encoded(pages[path]())) if path in pages else Answer(404)

        def answer(self, path: str, usual: Callable[[], Answer]) -> None:
            provider.asked.append(path)
            said = provider.answers.get(path) or usual()
            self.send_response(said.status)
            for name, value in said.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            half = len(said.body) // 2 if said.waits else len(said.body)
            self.wfile.write(said.body[:half])
            if said.waits is not None:
                said.waits.wait(30)
            self.wfile.write(said.body[half:])

        def log_message(self, *_unused: object) -> None:
            pass

    return Handler


@contextmanager
def providing(provider: Provider) -> Iterator[Provider]:
    """Serve on a port of our own on loopback."""
    with listening(_handler(provider)) as provider.port:
        yield provider

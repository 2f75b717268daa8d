"""The pages of one archive, visited as a browser does: cookies, forms, no API key."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from api_kit import PEER
from holdfast.api.app import create_app
from holdfast.core.rights import ROLES, Action, Role
from holdfast.ingest.viewing import Viewer
from holdfast.storage.rights.own_account import choose_password
from holdfast.storage.rights.signing_in import Credentials
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.serving import served_by

if TYPE_CHECKING:
    from fastapi import FastAPI
    from httpx2 import Response

    from holdfast.settings import Settings

PASSWORD = "correct horse battery staple"
ORIGIN = "http://testserver"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(slots=True)
class Visitor:
    """One browser."""

    client: TestClient
    language: str = "en"

    def get(self, path: str, status: int = 200, **more: Any) -> Response:
        """Load a page."""
        headers = {"Accept-Language": self.language, **more.pop("headers", {})}
        answer: Response = self.client.get(path, headers=headers, follow_redirects=False, **more)
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return answer

    def send(self, path: str, status: int = 303, **fields: str) -> Response:
        """Send a form that the site gave."""
        return self.post(path, status, {"form_token": self.token(), **fields})

    def post(
        self, path: str, status: int, fields: dict[str, str], site: str = "same-origin"
    ) -> Response:
        """Send any form, from any site."""
        headers = {"Accept-Language": self.language, "Sec-Fetch-Site": site}
        answer: Response = self.client.post(
            path, data=fields, headers=headers, follow_redirects=False
        )
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return answer

    def token(self) -> str:
        """Return the token that the forms of the site carry for this browser."""
        for path in ("/sign-in", "/matters", "/search"):
            answer = self.client.get(path, follow_redirects=False)
            if found := _TOKEN.search(answer.text):
                return found[1]
        raise AssertionError("no page gave a form")

    def plant(self, name: str, value: str) -> None:
        """Put a cookie of the site into the browser, as a neighbour or a thief would."""
        host = "testserver.local"  # as http.cookiejar calls a host without dots
        self.client.cookies.set(f"holdfast-{name}", value, domain=host, path="/")

    def sign_in(self, login: str, password: str = PASSWORD) -> Visitor:
        """Come in."""
        self.send("/sign-in", login=login, password=password)
        return self


@dataclass(slots=True)
class House:
    """The service of one archive; people are added with `hire`."""

    services: Services
    app: FastAPI
    hired: int = 0

    def hire(self, login: str, role: Role, **more: Any) -> None:
        """Add a user with a password that they chose themselves, where two persons may ask."""
        store = self.services.store
        is_second = Action.RELEASE in ROLES[Role(role)]
        given = f"given {PASSWORD}" if is_second else PASSWORD
        add_user(store, NewUser(login, Role(role), password=given, **more))
        if is_second:
            choose_password(store, Credentials(login, given), PASSWORD)

    def somebody(self, role: Role) -> str:
        """Add a user with a login of its own; return that."""
        self.hired += 1
        self.hire(f"user{self.hired}", role)
        return f"user{self.hired}"

    def browser(self, language: str = "en") -> Visitor:
        """Return a browser without cookies."""
        client = TestClient(self.app, client=(PEER, 50000), raise_server_exceptions=False)
        return Visitor(client, language)

    def seat(self, login: str, role: Role, language: str = "en", **more: Any) -> Visitor:
        """Add a user and return their browser, signed in."""
        self.hire(login, role, **more)
        return self.browser(language).sign_in(login)

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """Return the details of the audit log's entries of a kind, newest first."""
        from holdfast.storage.audit_reading import Asked, audit_entries

        found, _ = audit_entries(self.services.store, Asked(kind=kind, limit=1000))
        return [{"actor": one.actor, "subject": one.subject, **(one.detail or {})} for one in found]


def flat(text: str) -> str:
    """The words of a page, without its tags."""
    text = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", text)))


def ids(text: str) -> list[str]:
    """The messages that a list shows."""
    return re.findall(r'data-id="(msg_\w+)"', text)


@contextmanager
def house(settings: Settings) -> Iterator[House]:
    """Open the archive and serve it in this process."""
    with Viewer() as viewer, open_archive(settings, "tester") as services:
        yield House(services, create_app(served_by(services, viewer)))

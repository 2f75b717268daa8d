"""One archive behind the HTTP service, with people of every role; asked as clients ask it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.api.app import create_app
from holdfast.core.identity import row_id
from holdfast.core.rights import Role
from holdfast.ingest.viewing import Viewer
from holdfast.storage.rights.api_keys import NewKey, create_key
from holdfast.storage.rights.users import NewUser, add_user
from holdfast.wiring.archive import Services, open_archive
from holdfast.wiring.founding import create_archive
from holdfast.wiring.serving import served_by

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from holdfast.settings import Settings

PEER = "127.0.0.1"
PREFIX = "/api/v1"


@dataclass(slots=True)
class Office:
    """The service of one archive and the keys of its people."""

    services: Services
    client: TestClient
    keys: dict[str, str] = field(default_factory=dict)

    def hire(self, login: str, role: str, **more: Any) -> str:
        """Add a user with a key; return the key."""
        add_user(self.services.store, NewUser(login=login, role=Role(role), **more))
        made = NewKey(login=login, name="test", is_own=True)
        _, secret = create_key(self.services.store, made)
        self.keys[login] = secret
        return secret

    def propose(self, who: str, policy: dict[str, Any]) -> Any:
        """Have a policy simulated, then propose it, as the same person."""
        digest = self.post(who, "/policies/simulate", json=policy)["digest"]
        return self.post(who, "/policies", 201, json={**policy, "simulation": digest})

    def retire(self, who: str, name: str) -> Any:
        """Have the end of a policy simulated, then propose it, as the same person."""
        path = f"/policies/{name}/retire"
        digest = self.post(who, f"{path}/simulate")["digest"]
        return self.post(who, path, json={"simulation": digest})

    def ask(self, who: str, method: str, path: str, **more: Any) -> Response:
        """Send one request as this person, or as nobody."""
        headers = dict(more.pop("headers", {}))
        if who:
            headers["Authorization"] = f"Bearer {self.keys.get(who, who)}"
        answer: Response = self.client.request(method, PREFIX + path, headers=headers, **more)
        return answer

    def get(self, who: str, path: str, status: int = 200, **more: Any) -> Any:
        """Ask, and return the JSON of an answer with this status."""
        answer = self.ask(who, "GET", path, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def post(self, who: str, path: str, status: int = 200, **more: Any) -> Any:
        """Send, and return the JSON of an answer with this status."""
        answer = self.ask(who, "POST", path, **more)
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer.json()

    def search(self, who: str, query: str, **more: Any) -> Any:
        """Search and return the answer."""
        return self.post(who, "/search", json={"query": query, **more})

    def found(self, who: str, query: str) -> list[str]:
        """Return the ids of what a search finds."""
        return [hit["record"]["id"] for hit in self.search(who, query, limit=1000)["hits"]]

    def contact(self, address: str, who: str = "legal") -> str:
        """Return the id of the contact that has the address, as this person finds it."""
        (found,) = self.get(who, f"/contacts?address={address}")["contacts"]
        return str(found["id"])

    def ended_export(self, who: str, export_id: str) -> Any:
        """Wait until the package is made, and return the export."""
        name = f"export-{row_id('exp', export_id)}"
        for thread in threading.enumerate():
            if thread.name == name:
                thread.join()
        return self.get(who, f"/exports/{export_id}")

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of the audit log of this kind, newest first."""
        from holdfast.storage.audit_reading import Asked, audit_entries

        found, _ = audit_entries(self.services.store, Asked(kind=kind, limit=1000))
        return [{**(one.detail or {}), "actor": one.actor, "subject": one.subject} for one in found]


@contextmanager
def office(settings: Settings) -> Iterator[Office]:
    """Open the archive and serve it in this process."""
    with Viewer() as viewer, open_archive(settings, "tester") as services:
        app = create_app(served_by(services, viewer))
        with TestClient(app, client=(PEER, 50000), raise_server_exceptions=True) as client:
            yield Office(services, client)


@contextmanager
def letters_office(folder: Path, *, custodian: str = "", **service: Any) -> Iterator[Office]:
    """Serve a new archive of the five letters, without a limit of requests."""
    settings = settings_in(folder, service={"requests_per_minute": 0, **service})
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian=custodian)
    with office(settings) as opened:
        yield opened


@contextmanager
def empty_office(folder: Path) -> Iterator[Office]:
    """Serve a new archive that holds nothing yet, without a limit of requests."""
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    with office(settings) as opened:
        yield opened

"""Guesses ids at every route of the description: what is hidden is as absent as what never was.

Each operation that names something in its path is asked as somebody of each role who sees nothing
of the archive, once for what is there and once for what is not. Both answers have to be one. What
is the whole archive's, and not of a scope, is asked for only where the role lacks the action.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from api_kit import PREFIX, Office, office
from archive_kit import bring_in, settings_in
from chat_kit import written
from cli_archive import write_mbox
from holdfast.core.identity import public_id
from holdfast.core.rights import ROLES, Action, Role
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.jobs import NewJob, enqueue
from holdfast.wiring.founding import create_archive
from hook_storm import SYSTEMS, add_systems

if TYPE_CHECKING:
    from pathlib import Path

SCOPED = {
    "record_id", "thread_id", "contact_id", "identity_id", "link_id", "merge_id", "batch_id",
    "conversation_id", "domain", "export_id", "hook_id", "key_id", "bulk_id",
}  # fmt: skip
"""What belongs to a scope or to a person: nobody else may learn that it is there."""
WHOLE = {
    "matter_id", "hold_id", "disposal_id", "name", "login", "grant_id", "team", "webhook_id",
    "delivery_id", "job_id",
}  # fmt: skip
"""What is the archive's: the action alone decides who sees it."""
OPEN = {"prove_hook", "take_event", "read_samples"}
"""Asked without a key, and judged by the vendor's signature; or the same for everybody."""
EMPTY = {"read_company_timeline"}
"""Nothing is said of a company in the words for one that nobody ever wrote to."""
WIDE = {Role.ADMIN: {"revoke_key"}}
"""Whoever manages users manages their keys."""
BODIES: dict[str, Any] = {
    "change_contact": {"note": "guessed"},
    "link_identity": {"address": "guessed@else.example"},
    "change_matter": {"note": "guessed"},
    "place_hold": {"name": "guessed", "reason": "guessed"},
    "ask_release": {"reason": "guessed"},
    "give_notice": {"custodian": "guessed"},
    "change_metadata": {"summary": "guessed"},
    "except_item": {"record_id": public_id("msg", 1), "reason": "guessed"},
    "review_disposal": {},
    "approve_disposal": {"manifest": "0" * 64},
    "execute_disposal": {},
    "change_user": {"name": "guessed"},
    "add_grant": {"kind": "all"},
    "join_team": {"login": "guessed"},
    "change_webhook": {"name": "guessed"},
    "rotate_webhook": {},
}
"""What a request needs beside its path, by operation; of most nothing."""
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Wang\r\nEMAIL:wang.min@jia.example\r\nEND:VCARD\r\n"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route of the description."""

    name: str
    method: str
    path: str

    @property
    def names(self) -> list[str]:
        """The parameters of its path, in order."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def real_names(self) -> dict[str, str]:
        """Parameter → its name among what is there: jobs are of two kinds."""
        is_bulk = self.name == "undo_many"
        return {one: "bulk_id" if one == "job_id" and is_bulk else one for one in self.names}

    @property
    def is_scoped(self) -> bool:
        """Whether it shows or changes something that belongs to a scope."""
        return not SCOPED.isdisjoint(self.real_names.values())


@dataclass(slots=True)
class Guesses:
    """An archive in which everything is there, and strangers of every role."""

    office: Office
    real: dict[str, str]
    """Parameter of a path → the name of something that is there."""
    asked: Counter[str] = field(default_factory=Counter)
    """Operation → how many strangers guessed."""

    def operations(self) -> list[Operation]:
        """Return all that name something in their path.

        Raises:
            AssertionError: One names what this module knows nothing of: say here what it is.
        """
        described = self.office.get("admin", "/openapi.json")
        found = [
            Operation(one["operationId"], method.upper(), path.removeprefix(PREFIX))
            for path, methods in described["paths"].items()
            for method, one in methods.items()
            if "{" in path and one["operationId"] not in OPEN
        ]
        known = SCOPED | WHOLE | {"part"}
        unknown = {name for one in found for name in one.names} - known
        assert not unknown, f"nobody guessed these: {sorted(unknown)}"
        return found

    def all_alike(self) -> None:
        """Guess everything as everybody.

        Raises:
            AssertionError: An answer tells what is there and what is not.
        """
        for operation in self.operations():
            for role in Role:
                self.alike(operation, role)

    def alike(self, operation: Operation, role: Role) -> None:
        """Compare what is said of something that is there with what is said of nothing."""
        real = {name: self.real[one] for name, one in operation.real_names.items()}
        nothing = self._answer(operation, role, absent(real))
        where = f"{role.value}: {operation.method} {operation.path}"
        is_denied = nothing[0] == 403
        if not is_denied and (not operation.is_scoped or operation.name in WIDE.get(role, ())):
            return  # whoever has the action sees all of them
        assert nothing[0] in (403, 404) or operation.name in EMPTY, f"{where} unread: {nothing}"
        hidden = self._answer(operation, role, real)
        assert hidden == nothing, f"{where} tells what is there: {hidden}, else {nothing}"
        self.asked[operation.name] += 1

    def _answer(self, operation: Operation, role: Role, names: dict[str, str]) -> Any:
        """Return status, kind and words of an answer, without what was asked for."""
        body = BODIES.get(operation.name)
        if operation.name == "merge_contacts":
            body = {"other_id": names["contact_id"]}
        path = operation.path.format_map(names)
        got = self.office.ask(
            f"stranger-{role.value}", operation.method, path,
            json=body, headers={"If-Match": '"1"'},
        )  # fmt: skip
        said = got.text
        for name, value in names.items():
            said = said if name == "part" else said.replace(value, "…")
        said = re.sub(r'"request_id":"[^"]*"', "", said)
        kept = ("content-type", "etag", "allow", "content-language")
        return got.status_code, {name: got.headers.get(name) for name in kept}, said


def absent(real: dict[str, str]) -> dict[str, str]:
    """Return names of the same form of what never was."""
    made_up = dict(real)
    for name in real:
        prefix, mark, _ = real[name].partition("_")
        made_up[name] = public_id(prefix, 4242) if mark else f"x{real[name]}"
    return made_up | {name: value for name, value in real.items() if name == "part"}


@contextmanager
def guessing(folder: Path) -> Iterator[Guesses]:
    """Serve an archive of letters and a room in which there is one of everything."""
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"]},
        service={"requests_per_minute": 0},
        outgoing={"private_hosts": ["127.0.0.1"], "public_url": "https://archive.example/"},
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    lines = [f"25/03/24, 10:0{n} - {who}: word {n}\n" for n, who in enumerate("ABA")]
    room = written(folder / "room", {"WhatsApp Chat with B.txt": "".join(lines)})
    bring_in(settings, room, custodian="Li Qiang")
    add_systems(settings, SYSTEMS[-1:])
    with office(settings) as opened:
        for login, role in (("keeper", "legal"), ("admin", "admin"), ("ann", "compliance")):
            opened.hire(login, role)
        for one in Role:
            opened.hire(f"stranger-{one.value}", one.value)
            if Action.SEARCH in ROLES[one]:
                opened.post(
                    "admin", f"/users/stranger-{one.value}/grants", 201,
                    json={"kind": "query", "value": "subject:nothing-of-the-kind"},
                )  # fmt: skip
        yield Guesses(opened, made(opened))


def made(office: Office) -> dict[str, str]:
    """Have one of everything made; return the names."""
    legal, admin = "keeper", "admin"
    record = office.search(legal, "harbour")["hits"][0]["record"]
    wang = office.contact("wang.min@jia.example", legal)
    anna = office.contact("anna@berg.example", legal)
    (room,) = office.get(legal, "/conversations?q=B")["conversations"]
    given = {"address": "second@jia.example"}
    link = office.post(legal, f"/contacts/{wang}/identities", json=given)
    merge = office.post(legal, f"/contacts/{wang}/merge", json={"other_id": anna})
    batch = office.ask(legal, "POST", "/contacts/import?name=a.vcf", content=CARD.encode()).json()
    export = office.post(legal, "/exports", 202, json={"query": "harbour"})["export"]
    office.ended_export(legal, export["id"])
    matter = office.post(legal, "/matters", 201, json={"name": "K1"})
    order = {"name": "all", "reason": "dispute", "query": "harbour"}
    hold = office.post(legal, f"/matters/{matter['id']}/holds", 201, json=order)["hold"]
    policy = {"name": "mail", "kind": "floor", "days": 10}
    office.post("ann", "/policies", 201, json=policy)
    target = {"target_url": "https://hooks.example/x", "event": "message.archived"}
    hook = office.post(legal, "/hooks", 201, json=target)
    webhook = office.post(
        admin, "/webhooks", 201, json={"url": "https://hooks.example/y", "owner": "keeper"}
    )
    grant = office.post(admin, "/users/keeper/grants", 201, json={"kind": "all"})
    office.post(admin, "/teams", 201, json={"name": "mail"})
    store = office.services.store
    with writing(store.engine) as connection:
        job = enqueue(connection, NewJob("tick", "{}"), store.ids, store.now_ms())
    many = {"ids": [record["id"]], "change": {"summary": "of the harbour"}}
    bulk = office.post(legal, "/metadata", json=many)
    shown = office.get(legal, f"/contacts/{wang}")
    return {
        "record_id": record["id"],
        "thread_id": record["thread_id"],
        "part": "1",
        "contact_id": wang,
        "identity_id": shown["identities"][0]["id"],
        "link_id": link["id"],
        "merge_id": merge["id"],
        "batch_id": batch["batch"],
        "conversation_id": room["id"],
        "domain": "jia.example",
        "export_id": export["id"],
        "hook_id": hook["id"],
        "key_id": office.get(legal, "/keys")[0]["id"],
        "matter_id": matter["id"],
        "hold_id": hold["id"],
        "disposal_id": public_id("dsp", 1),
        "name": "mail",
        "login": "keeper",
        "grant_id": grant["id"],
        "team": "mail",
        "webhook_id": webhook["webhook"]["id"],
        "delivery_id": public_id("dlv", 1),
        "job_id": public_id("job", job),
        "bulk_id": bulk["job_id"],
    }

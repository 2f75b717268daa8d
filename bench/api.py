"""Times the HTTP service on an archive that exists: searches, records, trails, pages, by the bar.

python bench/api.py DATA [--rounds 50] [--json FILE]

Starts `holdfast serve` on the archive, adds a user and a key, and asks over one connection that is
kept open, as a client library does; and for pages, signed in, as a browser does. What is asked is
drawn from the archive itself: its most frequent senders and contacts, words of its subjects; the
largest contact has lines of its own. The audit log is written before each answer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

HOLDFAST = Path(sys.executable).with_name("holdfast")
BAR_MS = 100
LOGIN = "bench"


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request: how to send it, for the number of a round."""

    name: str
    send: Callable[[int], httpx2.Response]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is asked for, from what the archive holds."""

    records: list[Any]
    words: list[str]
    senders: list[str]
    contacts: list[str]
    largest: str
    """The contact with the most messages among the most frequent senders."""
    company: str
    """Its domain, else the most frequent one."""


def command(data: Path, *words: str, given: str = "") -> str:
    """Run `holdfast` on the archive and return what it printed."""
    done = subprocess.run(
        [str(HOLDFAST), "--data", str(data), *words],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and "already" not in done.stderr:
        raise SystemExit(f"holdfast {words[0]} failed: {done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def service(data: Path) -> Iterator[str]:
    """Serve the archive; yields the address of its API."""
    place = ["--data", str(data), "--set", "service.requests_per_minute=0"]
    process = subprocess.Popen(
        [str(HOLDFAST), "serve", "--port", "0", "--json", *place],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        told = json.loads(process.stdout.readline() if process.stdout else "")
        yield f"http://{told['host']}:{told['port']}/api/v1"
    finally:
        process.terminate()
        process.wait()


def drawn(client: httpx2.Client) -> Drawn:
    """Look what the archive holds."""
    first = client.post(
        "/search", json={"facets": ["sender", "month", "domain"], "limit": 200}
    ).json()
    records = [hit["record"] for hit in first["hits"]]
    words = re.findall(r"\w{4,}", " ".join(one["subject"] for one in records)) or ["mail"]
    senders = [one["value"] for one in first["facets"]["sender"]]
    contacts = [p["contact_id"] for one in records for p in one["participants"] if p["contact_id"]]
    found = [client.get("/contacts", params={"address": one}).json() for one in senders]
    people = [one for each in found for one in each["contacts"]]
    sizes = {one["id"]: sum(i["messages"] for i in one["identities"]) for one in people}
    if not sizes:
        raise SystemExit("No sender is a contact: is the archive empty, or its index behind?")
    largest = max(sizes, key=sizes.__getitem__)
    own = next(one["company_domain"] for one in people if one["id"] == largest)
    company = own or next((one["value"] for one in first["facets"]["domain"]), "example.com")
    return Drawn(records, words, senders, contacts, largest, company)


def requests_of(client: httpx2.Client, known: Drawn) -> list[Asked]:
    """Return what is measured of the API."""
    records, words = known.records, known.words
    people, contacts = known.senders, known.contacts

    def search(**order: Any) -> Callable[[int], httpx2.Response]:
        def send(number: int) -> httpx2.Response:
            made = {k: v(number) if callable(v) else v for k, v in order.items()}
            return client.post("/search", json={"limit": 20, **made})

        return send

    def contact(view: str, *ids: str) -> Callable[[int], httpx2.Response]:
        return lambda n: client.get(f"/contacts/{ids[n % len(ids)]}/{view}")

    return [
        Asked("term", search(query=lambda n: words[n % len(words)])),
        Asked("two terms", search(query=lambda n: f"{words[n % len(words)]} {words[-1]}")),
        Asked("phrase", search(query=lambda n: f'"{" ".join(words[n % len(words):][:2])}"')),
        Asked("sender, newest", search(query=lambda n: f"from:{people[n % len(people)]}")),
        Asked("everything, facets", search(query="", facets=["sender", "month", "domain"])),
        Asked("record", lambda n: client.get(f"/records/{records[n % len(records)]['id']}")),
        Asked("trail", contact("timeline", *contacts)),
        Asked("trail, largest", contact("timeline", known.largest)),
        Asked("trail, company", lambda _: client.get(f"/companies/{known.company}/timeline")),
        Asked("portrait", contact("portrait", *contacts)),
        Asked("portrait, largest", contact("portrait", known.largest)),
    ]  # fmt: skip


def pages_of(browser: httpx2.Client, known: Drawn) -> list[Asked]:
    """Return what is measured of the pages."""
    records, words = known.records, known.words

    def search(number: int) -> httpx2.Response:
        return browser.get("/search", params={"q": words[number % len(words)]})

    return [
        Asked("page: search", search),
        Asked("page: record", lambda n: browser.get(f"/records/{records[n % len(records)]['id']}")),
        Asked("page: contact", lambda n: browser.get(f"/contacts/{known.largest}")),
    ]


def sign_in(browser: httpx2.Client, login: str, password: str) -> None:
    """Come in as a person does."""
    token = re.search(r'name="form_token" value="([^"]+)"', browser.get("/sign-in").text)
    form = {"form_token": token[1] if token else "", "login": login, "password": password}
    done = browser.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    if done.status_code != 303:
        raise SystemExit(f"sign-in: {done.status_code}")


def measure(asked: Asked, rounds: int) -> dict[str, object]:
    """Return percentiles of one kind of request, in milliseconds."""
    taken = []
    for number in range(rounds):
        start = time.perf_counter()
        answer = asked.send(number)
        taken.append((time.perf_counter() - start) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{asked.name}: {answer.status_code} {answer.text[:300]}")
    p95 = statistics.quantiles(taken, n=20)[-1]
    result = {"name": asked.name, "p50_ms": round(statistics.median(taken), 1)}
    return {**result, "p95_ms": round(p95, 1), "bar_ms": BAR_MS, "is_met": p95 <= BAR_MS}


def main() -> None:
    """Parse arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    login = f"{LOGIN}{time.time_ns()}"
    new = command(options.data, "user", "add", login, "--role", "legal", "--generate", "--json")
    key = json.loads(command(options.data, "key", "create", login, "--name", "bench", "--json"))
    with service(options.data) as place:
        headers = {"Authorization": f"Bearer {key['secret']}"}
        with httpx2.Client(base_url=place, headers=headers, timeout=120) as client:
            total = client.post("/search", json={"limit": 0}).json()["total"]
            known = drawn(client)
            trail = client.get(f"/contacts/{known.largest}/timeline").json()["total"]
            rows = [measure(one, options.rounds) for one in requests_of(client, known)]
        with httpx2.Client(base_url=place.removesuffix("/api/v1"), timeout=120) as browser:
            sign_in(browser, login, json.loads(new)["password"])
            rows += [measure(one, options.rounds) for one in pages_of(browser, known)]
    machine = {"system": platform.platform(), "cores": os.cpu_count()}
    text = json.dumps(
        {"messages": total, "largest_trail": trail, "machine": machine, "requests": rows}, indent=1
    )
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

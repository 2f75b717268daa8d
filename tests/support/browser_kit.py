"""A real server of one archive, and a real browser that looks at it and tells on it."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from playwright.sync_api import sync_playwright

from archive_kit import bring_in, settings_in
from holdfast.core.rights import Role
from holdfast.ingest.demo.generating import generate
from holdfast.wiring.founding import create_archive
from pages_kit import PASSWORD, House, house
from vault_kit import not_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from holdfast.settings import Settings

AXE = Path(__file__).resolve().parents[1] / "browser" / "axe.min.js"
DESKTOP = {"width": 1366, "height": 850}
PHONE = {"width": 390, "height": 844}
MESSAGES = 200
ZONE = "Asia/Shanghai"
LOCALES = {"en": "en-GB", "zh": "zh-CN"}


@dataclass(slots=True)
class Site:
    """One archive that is served on a port of its own."""

    url: str
    house: House


@dataclass(slots=True)
class Watched:
    """A page, and everything about it that ought not to happen."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)
    """Of the console: errors, and what the policy forbade."""
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Load a page of the site, its frames and pictures too."""
        self.page.goto(self.site.url + path, wait_until="load")

    def settle(self) -> None:
        """Wait until nothing has been asked for during half a second."""
        self.page.wait_for_load_state("networkidle")

    def sign_in(self, login: str = "legal") -> None:
        """Come in by the form."""
        self.go("/sign-in")
        self.page.fill("#login", login)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/search")

    def foreign(self) -> list[str]:
        """Return the requests that left the site."""
        return [url for url in self.requests if not url.startswith((self.site.url, "data:"))]

    def scrolls_sideways(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        script = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(script))

    def violations(self) -> list[str]:
        """Return what axe-core finds wrong by WCAG 2.2, levels A and AA."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        # Frames of mail run no script, so axe cannot look into them.
        options: dict[str, Any] = {"runOnly": tags, "iframes": False}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@dataclass(slots=True)
class Trap:
    """A place that stands for every foreign host; nobody may come."""

    port: int
    caught: list[str] = field(default_factory=list)


@contextmanager
def trap() -> Iterator[Trap]:
    """Listen where foreign names lead; a mere connection is noted."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        found = Trap(sock.getsockname()[1])

        def watch() -> None:
            while True:
                try:
                    client, peer = sock.accept()
                except OSError:
                    return
                with client:
                    found.caught.append(str(peer))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def chromium(foreign: Trap | None = None) -> Iterator[Browser]:
    """Start the system's Chromium without a screen; names of hosts lead to the trap."""
    rules = f"MAP *.example 127.0.0.1:{foreign.port}" if foreign else "MAP *.example ~NOTFOUND"
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        not_run("no Chromium; deploy/dev/install-debian.sh installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            # In containers the sandbox of processes is forbidden; what is tested is the site.
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                f"--host-resolver-rules={rules}",
            ],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def looking_at(
    site: Site, browser: Browser, *, language: str = "en", **options: Any
) -> Iterator[Watched]:
    """Open a fresh window on the site."""
    options.setdefault("viewport", DESKTOP)
    context = browser.new_context(
        locale=LOCALES[language],
        extra_http_headers={"Accept-Language": LOCALES[language]},
        **options,
    )
    context.set_default_timeout(20_000)
    try:
        yield watched(context, site)
    finally:
        context.close()


def watched(context: BrowserContext, site: Site) -> Watched:
    """Return a new page of which everything is noted."""
    page = context.new_page()
    seen = Watched(page, site)
    page.on("console", lambda line: _complain(seen, line.type, line.text))
    page.on("pageerror", lambda error: seen.complaints.append(f"exception: {error}"))
    page.on("request", lambda request: seen.requests.append(request.url))

    def dismiss(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    return seen


def _complain(seen: Watched, kind: str, text: str) -> None:
    is_status = text.startswith("Failed to load resource: the server responded")
    if kind in {"error", "warning"} and not is_status:
        seen.complaints.append(text)


@contextmanager
def serving(settings: Settings) -> Iterator[Site]:
    """Serve an archive in this process, on a port that is free."""
    with house(settings) as opened, socket.create_server(("127.0.0.1", 0)) as sock:
        config = uvicorn.Config(opened.app, log_config=None, lifespan="off", access_log=False)
        server = _Quiet(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        try:
            yield Site(f"http://127.0.0.1:{sock.getsockname()[1]}", opened)
        finally:
            server.should_exit = True
            thread.join()


class _Quiet(uvicorn.Server):
    """The server in a thread, which can have no handlers of signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def demo_settings(folder: Path) -> Settings:
    """Make an archive of the demonstration's mail, in two languages."""
    settings = settings_in(
        folder,
        archive={"internal_domains": ["calderfell.example"], "zone": ZONE, "name": "Demo"},
        service={"requests_per_minute": 0},
    )
    create_archive(settings)
    story = generate(folder / "mail", seed=1, messages=MESSAGES)
    bring_in(settings, *story.mailboxes, custodian="Leila Hartmann")
    return settings


def staffed(site: Site) -> Site:
    """Give the archive its people."""
    for role in (Role.LEGAL, Role.COMPLIANCE, Role.MEMBER, Role.MANAGER, Role.AUDITOR):
        site.house.hire(role.value, role)
    return site

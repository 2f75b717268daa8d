"""Walks the way to an account step by step, and says what holds at each; takes nothing in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from holdfast.core.errors import HoldfastError, NotFound
from holdfast.ingest.imap.failures import translated
from holdfast.ingest.imap.names import chosen, lack
from holdfast.ingest.imap.signing.door import Door
from holdfast.ingest.outbound.addresses import resolved
from holdfast.parsers.defects import Defects
from holdfast.parsers.headers import decoded_fields, read_header

if TYPE_CHECKING:
    from holdfast.ingest.imap.account import Account
    from holdfast.ingest.imap.names import Folder
    from holdfast.ingest.imap.session import Session
    from holdfast.ingest.imap.signing.tokens import Kept

SAMPLES = 3
ADDRESS_STEP = "address"
SAMPLE_STEP = "samples"
"""The step whose finding is what messages say."""
_MOST_HEADER = 64 * 1024
_MOST_CHARACTERS = 80
_WORTH_KNOWING = (
    "ID",
    "ESEARCH",
    "CONDSTORE",
    "QRESYNC",
    "SPECIAL-USE",
    "IDLE",
    "X-GM-EXT-1",
    "NAMESPACE",
    "COMPRESS=DEFLATE",
    "UTF8=ACCEPT",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way."""

    name: str
    """`address`, `connection`, `sign-in`, `capabilities`, `folders`, `samples`."""
    found: str = ""
    """What was found, for people."""
    error: HoldfastError | None = None
    """Why it goes no further, and what to do."""


@dataclass(slots=True)
class Trial:
    """One walk; `steps` ends at the first that fails."""

    account: Account
    secret: bytes = field(repr=False)
    kept: Kept | None = None
    """Where the secret lies; see `Door`."""
    _session: Session | None = None
    _folders: list[Folder] = field(default_factory=list)
    _door: Door = field(init=False)

    def __post_init__(self) -> None:
        self._door = Door(self.account, self.secret, self.kept)

    def steps(self) -> Iterator[Step]:
        """Yield each step when it is done."""
        ways: tuple[tuple[str, Callable[[], str]], ...] = (
            (ADDRESS_STEP, self._address),
            ("connection", self._connection),
            ("sign-in", self._sign_in),
            ("capabilities", self._capabilities),
            ("folders", self._list),
            (SAMPLE_STEP, self._samples),
        )
        try:
            for name, way in ways:
                try:
                    step = Step(name, way())
                except HoldfastError as error:
                    step = Step(name, error=error)
                yield step
                if step.error is not None:
                    return
        finally:
            if self._session is not None:
                self._session.close()

    def _address(self) -> str:
        account = self.account
        with translated(account):
            return ", ".join(resolved(account.target, allows_private=account.allows_private))

    def _connection(self) -> str:
        self._session = self._door.connected()
        wire: Any = self._session.client.socket()
        cipher = getattr(wire, "cipher", lambda: None)()
        if cipher is None:
            return f"{self.account.place}, not encrypted"
        return f"{self.account.place}, {wire.version()} {cipher[0]}, certificate valid"

    def _sign_in(self) -> str:
        self._session = self._door.entered(self._open())
        oauth = self.account.oauth
        return f"{self.account.user}, by a token of {oauth.host}" if oauth else self.account.user

    def _capabilities(self) -> str:
        has = self._open().capabilities
        return " ".join(one for one in _WORTH_KNOWING if one in has) or "IMAP4rev1"

    def _list(self) -> str:
        listed = self._open().folders()
        account = self.account
        self._folders = chosen(listed, account.folders, account.excludes)
        if not self._folders:
            known = ", ".join(one.name for one in listed[:20] if one.is_selectable)
            raise NotFound("No folder is chosen.", next_step=f"The server has: {known}.")
        if cause := lack(listed, account.folders):
            raise NotFound(cause, next_step="Let it show all mail; Gmail: Settings, Labels.")
        names = ", ".join(one.name for one in self._folders)
        found = f"{len(self._folders)} of {len(listed)}: {names}"
        others = [one.name for one in listed if one.foreign is not None and one.is_selectable]
        return f"{found}; of others, taken when chosen: {', '.join(others)}" if others else found

    def _samples(self) -> str:
        session = self._open()
        subjects: list[str] = []
        for folder in sorted(self._folders, key=lambda one: one.name != "INBOX"):
            session.examine(folder)
            for uid in reversed(session.uids()[-SAMPLES + len(subjects) :]):
                subjects.append(_subject(session.part(uid, 0) or b""))
            if len(subjects) == SAMPLES:
                break
        return "; ".join(subjects) or "the folders are empty"

    def _open(self) -> Session:
        assert self._session is not None  # noqa: S101 - the steps go in order
        return self._session


def _subject(raw: bytes) -> str:
    defects = Defects()
    header = read_header(raw, 0, min(len(raw), _MOST_HEADER), defects)
    fields = decoded_fields(header, defects)
    found = next((value for name, value in fields if name.lower() == "subject"), "")
    return " ".join(found.split())[:_MOST_CHARACTERS] or "–"

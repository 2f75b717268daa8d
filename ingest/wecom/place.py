"""How an archive of WeCom is reached, checked when it is named; holds no secret, starts nothing."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec

from holdfast.core.errors import Refused

KIND = "wecom"
MOST_MESSAGES = 1000
"""Of one page: the SDK gives no more."""
ANSWER_S = 60.0


@dataclass(frozen=True, slots=True)
class WecomPlace:
    """The archive of one corporation."""

    corp: str
    """Its id, `ww…`."""
    command: tuple[str, ...]
    """Program and arguments of the bridge; none of them is secret."""
    secrets: str = ""
    """File that the bridge reads its secrets from; we only tell it where."""
    keys: str = ""
    """Directory with private keys, `VERSION.pem`; empty: the bridge decrypts by itself."""
    page: int = 500
    """Messages that are asked for at a time."""
    answer_s: float = ANSWER_S
    """The bridge must say something at least this often."""

    def __post_init__(self) -> None:
        if not self.corp or not self.corp.isprintable():
            raise Refused("Which corporation is it?", next_step="Give its id, 'corp'.")
        if not self.command or not self.command[0].startswith("/"):
            raise Refused(
                "Which program is the bridge?", next_step="Give 'command' with an absolute path."
            )
        if not 0 < self.page <= MOST_MESSAGES:
            raise Refused(f"A page of {self.page} is not possible.", next_step="From 1 to 1000.")

    @property
    def identity(self) -> str:
        """What makes another source of it when it changes, as JSON."""
        return msgspec.json.encode({"corp": self.corp}).decode()


def placed(text: str) -> WecomPlace:
    """Return the archive that a person describes as JSON.

    Raises:
        Refused: Something is missing, or others can read what is secret.
    """
    try:
        place = read(text)
    except msgspec.MsgspecError as error:
        raise Refused(
            f"The settings cannot be read: {error}.",
            next_step="Write them as docs/connectors/wecom.md says.",
        ) from error
    if place.keys and not Path(place.keys).is_dir():
        raise Refused(f"There is no directory {place.keys}.", next_step="Check 'keys'.")
    if place.secrets:
        refuse_open(Path(place.secrets))
    return place


def refuse_open(path: Path) -> None:
    """Do not use a secret that others of this machine can read.

    Raises:
        Refused: They can, or it cannot be read.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise Refused(f"There is no file {path}.", next_step="Check the path.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(f"Others can read {path}.", next_step=f"Run: chmod 600 {path}")


def written(place: WecomPlace) -> str:
    """Return it as JSON; `read` takes it back."""
    return msgspec.json.encode(place).decode()


read = msgspec.json.Decoder(WecomPlace).decode

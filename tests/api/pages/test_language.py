from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

from holdfast.api.asking import GOVERNED_FACETS
from holdfast.api.pages import words_en, words_zh
from holdfast.api.pages.messages import Tab
from holdfast.api.pages.people import DIRECTIONS
from holdfast.api.pages.rendering import TEMPLATES, environment
from holdfast.api.pages.results import FACETS
from holdfast.api.pages.talk import LATER, MARKS
from holdfast.api.shapes.search import Collapse, Sort
from holdfast.core.consents import STATES
from holdfast.core.query import Part
from holdfast.core.records import TextState
from holdfast.core.rules import Kind
from holdfast.retention.decisions import ClockSource, Verdict
from holdfast.retention.release import Needs
from pages_kit import House, Visitor

_NAMED = re.compile(r"%\((\w+)\)s")
_HAN = re.compile("[\u4e00-\u9fff]")


def templates() -> Iterator[Path]:
    yield from sorted(TEMPLATES.glob("*.html"))


def written() -> set[str]:
    """Every text that a template translates."""
    found = set()
    for path in templates():
        with path.open("rb") as file:
            options = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "silent": "false"}
            for _, function, text, _ in babel_extract(file, ("_", "ngettext"), [], options):
                texts = [one for one in ([text] if isinstance(text, str) else text or ()) if one]
                found.add(texts[-1] if function == "ngettext" else texts[0])
    return found


def named() -> set[str]:
    """Every name of a value that pages say in words."""
    values = {one.value for one in Sort}
    values |= {f"by {one.value or 'nothing'}" for one in Collapse}
    values |= {*FACETS, *GOVERNED_FACETS}
    values |= {one.value for one in Part} - {"any", "content", "body", "open_any", "open_with"}
    values |= {f"tab {one.value}" for one in Tab}
    values |= {f"text {one.value}" for one in TextState}
    values |= {f"verdict {one.value}" for one in Verdict}
    values |= {f"clock {one.value}" for one in ClockSource}
    values |= {f"rule {one.value}" for one in Kind}
    values |= {f"way {one}" for one in DIRECTIONS} | {f"weekday {day}" for day in range(1, 8)}
    values |= {f"mark {one}" for one in MARKS} | {f"kind {one.value}" for one in LATER}
    values |= {f"consent {one}" for one in STATES}
    return values | {f"hold {one.value}" for one in Needs}


def titles() -> set[str]:
    from holdfast.api.pages.texts import people_of

    source = Path(people_of.__code__.co_filename).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HEAD":
            return {ast.literal_eval(pair.elts[0]) for pair in node.value.elts}  # type: ignore[attr-defined]
    raise AssertionError("the fields of the head are not found")


def test_every_text_of_every_page_is_there_in_chinese() -> None:
    assert (written() | named() | titles()) - words_zh.MESSAGES.keys() == set()


def test_no_chinese_text_is_left_over() -> None:
    assert words_zh.MESSAGES.keys() - (written() | named() | titles()) == set()


def test_names_of_values_are_words_in_english_too() -> None:
    plain = {"from", "to", "cc", "bcc", "with", "subject", "attachment", "envelope", "expanded"}
    assert named() - words_en.MESSAGES.keys() == plain


def test_translations_fill_in_the_same_values() -> None:
    for english, chinese in words_zh.MESSAGES.items():
        assert sorted(_NAMED.findall(english)) == sorted(_NAMED.findall(chinese)), english


def test_translations_are_chinese() -> None:
    same = {"tab html"}
    odd = {text for text, said in words_zh.MESSAGES.items() if not _HAN.search(said)}
    assert odd == same


def test_no_template_holds_words_outside_of_the_catalogue() -> None:
    allowed = {"English", "中文", "HTML", "SHA-256", "Message-ID", "Enter", "Esc"}
    # Kinds of pages, for their styles:
    allowed |= {"narrow", "search", "message", "matter", "contact"}
    for path in templates():
        text = re.sub(r"{[%#{].*?[%#}]}", " ", path.read_text(encoding="utf-8"), flags=re.S)
        text = re.sub(r"<[^>]*>|&\w+;", " ", text, flags=re.S)
        words = {word.strip("().,:;·") for word in text.split()}
        assert {word for word in words if len(word) > 1} - allowed == set(), path.name


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en-GB", "en"), ("fr,zh;q=0.1", "zh-CN"), ("", "en")],
)
def test_the_browser_chooses_the_language(premises: House, accepted: str, tag: str) -> None:
    answer = premises.browser().get("/sign-in", headers={"Accept-Language": accepted})
    assert f'<html lang="{tag}">' in answer.text
    assert answer.headers["content-language"] == tag
    assert "Accept-Language" in answer.headers["vary"]


def test_the_switch_outweighs_the_browser_and_leads_back(premises: House) -> None:
    browser = premises.browser().sign_in("legal")
    sent = browser.send("/language", language="zh", next="/search?q=a")
    assert sent.headers["location"] == "/search?q=a"
    assert '<html lang="zh-CN">' in browser.get("/search").text
    browser.send("/language", language="en", next="//evil.example")
    assert '<html lang="en">' in browser.get("/search").text
    browser.send("/language", language="xx")
    assert '<html lang="en">' in browser.get("/search").text


def test_problems_have_titles_in_the_language(chinese: Visitor) -> None:
    assert "未找到" in chinese.get("/nowhere", 404).text


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_what_failed_is_said_in_the_language_of_the_page(chinese: Visitor) -> None:
    page = one_line(chinese.get("/search?q=price+AND+(open", 400).text)
    assert '<span lang="zh-CN">括号 ( 没有闭合。</span>' in page
    page = one_line(chinese.get("/matters/mat_%7B0%7D", 404).text)
    assert '<p class="quiet" lang="zh-CN">没有案件 &#39;mat_{0}&#39;。请查看案件列表。</p>' in page


def test_the_chosen_language_outweighs_the_browsers_for_failures_too(premises: House) -> None:
    browser = premises.browser("zh").sign_in("legal")
    browser.send("/language", language="en", next="/")
    page = one_line(browser.get("/matters/none", 404).text)
    assert '<p class="quiet" lang="en">There is no matter' in page
    assert "未找到" not in page
    browser.send("/language", language="zh", next="/")
    page = one_line(browser.get("/matters/none", 404, headers={"Accept-Language": "en"}).text)
    assert "没有案件 &#39;none&#39;。请查看案件列表。" in page


def test_what_was_not_done_is_said_in_the_language(chinese: Visitor) -> None:
    page = one_line(chinese.send("/matters", 400, name="\x07").text)
    assert '<span lang="zh-CN">该名称不能使用。请给出可打印的短名称。</span>' in page


def test_warnings_of_a_query_are_said_in_the_language(chinese: Visitor) -> None:
    page = one_line(chinese.get("/search?q=harbour+price+OR+ship").text)
    assert '<p class="note" lang="zh-CN">并列的词项比 OR 结合更紧' in page


def test_one_and_many_are_told_apart() -> None:
    made = environment("en", {}).from_string("{{ ngettext('%(num)s file', '%(num)s files', n) }}")
    assert [made.render(n=n) for n in (0, 1, 2)] == ["0 files", "1 file", "2 files"]

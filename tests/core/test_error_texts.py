"""Failures in the reader's language: all that is raised has its Chinese, and values stay."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter, ascii_letters

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followed_texts import ROOT
from holdfast.core.error_texts import retold, told, translated
from holdfast.core.errors import Refused
from holdfast.core.errors_zh import TEXTS, WORDS
from raised_texts import Found, raised_texts

BUILT = {
    "The body may have {} bytes.": "api/envelope.py",
    "Something broke here; the request was not finished.": "api/pages/failures.py",
    "Terms side by side bind closer than OR: a b OR c is read as (a b) OR c.": (
        "indexer/query_parser.py"
    ),
    "Inside quotes * is punctuation, not a wildcard.": "indexer/query_language/leaves.py",
    "{}: a question mark stands for one character.": "indexer/query_language/leaves.py",
    "size:{} asks for exactly {} bytes; see larger:.": "indexer/query_language/leaves.py",
    **dict.fromkeys(
        (
            "Elasticsearch does not know this user and password. ({})",
            "Elasticsearch takes no more: the disk of a node is full (flood-stage watermark). ({})",
            "The index in Elasticsearch is set to read-only. ({})",
            "The user of Elasticsearch may not do this. ({})",
            "What answers is not Elasticsearch. ({})",
            "The connection to Elasticsearch cannot be trusted: {}. ({})",
            "Elasticsearch did not answer in time. ({})",
            "Elasticsearch cannot be reached: {}. ({})",
            "Correct index.user and index.password.",
            "Give the user the rights to manage indices that begin with index.prefix.",
            "Correct index.url; OpenSearch and proxies that hide the product header are not taken.",
            "Name the certificate that signed the server's in index.ca_file, and check the "
            "host name.",
            "Look at the cluster's load; the work goes on by itself.",
            "Check that it runs and that index.url names it; the work goes on by itself.",
        ),
        "indexer/elastic/connection.py",
    ),
    **dict.fromkeys(
        (
            "The lock of a segment only moves forward. It is locked until {}.",
            "The lock of a segment only moves forward. It is locked until {}. "
            "A legal hold is on it.",
            "The mode of a lock may not be changed. It is locked until {}.",
            "The mode of a lock may not be changed. It is locked until {}. A legal hold is on it.",
        ),
        "storage/object_lock.py",
    ),
    "Check that it exists and may be read; else: holdfast source set --exclude.": (
        "ingest/imap/running.py"
    ),
    "The server shows no folder of all mail (\\All). No folder matches {}.": "ingest/imap/names.py",
    "Check oidc.issuer; an issuer in the own network needs oidc.private_allowed, one with a "
    "certificate of a private authority oidc.ca_file.": "ingest/outbound/issuers.py",
    "The address cannot be used ({}).": "ingest/outbound/courier.py",
    "Check the issuer of the webhook.": "ingest/webhooks/vendors/teams.py",
    **dict.fromkeys(
        (
            "{} messages are not indexed for {} s",
            "an item is sealed and not filed for {} s",
            "an audit event is not numbered for {} s",
        ),
        "ingest/jobs/reporting.py",
    ),
    **dict.fromkeys(
        (
            "There is no setting {} ({}).",
            "There is no setting {} ({}). Did you mean {}?",
            "The environment variable {} names no section.",
            "The environment variable {} names no section. Did you mean {}?",
        ),
        "src/holdfast/settings/loading.py",
    ),
}
"""What is put together so that the walk does not find it, or is no failure → its module."""
OF_THE_FRAMEWORK = {
    "Not Found",
    "Method Not Allowed",
    "There was an error parsing the body",
}
STAYS_ENGLISH = {
    "Python {}, SQLite {}, tantivy {}, cryptography {}": "names",
    "{} for {} s": "its three texts are in BUILT",
}
NOT_FOLLOWED = {
    # Words of others, which nobody can translate beforehand.
    r"_CONTROL.sub(' ', text).strip(' .')[:_MOST_WORDS]": "what a mail server says",
    "' '.join(text(answer.get('next_step')).split())[:_MOST_WORDS]": "what a bridge says",
    "ran.stderr.strip()[-400:]": "what the verifier of an export says",
    "str(error.strerror)": "what the operating system says",
    "damaged_files(folder)['any']": "what the index engine says",
    "connection.exec_driver_sql('PRAGMA integrity_check').scalars()['any']": "what SQLite says",
    "str(cause)": "what SQLite says",
    "', '.join((f'{state} {items:,}' for state, items in sorted(counts.items())))": "names",
    # Names of fields and values.
    "', '.join(PARTY_TYPES[1:])": "names",
    "', '.join(FIELDS)": "names",
    # Only the audit log reads it.
    "CHECKS.items()['any']": "why a provider's word is not taken",
    # In BUILT.
    "say(error)": "indexer/elastic/connection.py",
    "self.config.advice": "ingest/outbound/issuers.py",
    "' '.join([cause, *reasons])": "storage/object_lock.py",
    "problems[0]": "src/holdfast/settings/loading.py",
    # Texts of other failures, behind the names of what failed.
    "' '.join(failed)": "ingest/jobs/anchoring.py",
}
_SOURCE_QUOTES = re.compile(r'"\s*f?"|\\"')


@pytest.fixture(scope="module")
def raised() -> Found:
    return raised_texts()


def pieces(template: str) -> list[str]:
    """What stands around the holes of an English template."""
    found = [""]
    for text, name, *_ in Formatter().parse(template):
        found[-1] += text
        found += [""] if name is not None else []
    return found


def holes(translation: str) -> list[tuple[int, str]]:
    return [
        (int(name), mark or "")
        for _, name, mark, _ in Formatter().parse(translation)
        if name is not None
    ]


def filled(template: str, values: list[str]) -> str:
    first, *rest = pieces(template)
    return first + "".join(value + piece for value, piece in zip(values, rest, strict=True))


def expected(translation: str, values: list[str]) -> str:
    return "".join(
        text + ("" if name is None else values[int(name)])
        for text, name, *_ in Formatter().parse(translation)
    )


def test_everything_that_is_raised_is_translated(raised: Found) -> None:
    assert len(raised.texts) > 1000
    missing = {text: raised.texts[text][0] for text in raised.texts.keys() - TEXTS.keys()}
    assert missing.keys() == STAYS_ENGLISH.keys(), missing


def test_nothing_is_translated_that_is_not_raised(raised: Found) -> None:
    assert set(TEXTS) - raised.texts.keys() - BUILT.keys() - OF_THE_FRAMEWORK == set()
    assert not BUILT.keys() & raised.texts.keys()


def test_what_is_built_otherwise_stands_where_the_list_says() -> None:
    for template, place in BUILT.items():
        source = _SOURCE_QUOTES.sub("", re.sub(r'"\s*\n\s*f?"', "", (ROOT / place).read_text()))
        words = re.split(r"[{}().]| for |Did you mean|No folder|A legal|It is locked", template)
        assert all(one.strip(" :") in source for one in words), template


def test_what_the_walk_does_not_follow_is_known(raised: Found) -> None:
    assert raised.unknown.keys() == NOT_FOLLOWED.keys()


@pytest.mark.parametrize("texts", [TEXTS, WORDS])
def test_a_translation_has_the_holes_of_its_template(texts: dict[str, str]) -> None:
    for template, translation in texts.items():
        numbers = sorted(number for number, _ in holes(translation))
        assert numbers == list(range(len(pieces(template)) - 1)), template
        assert {mark for _, mark in holes(translation)} <= {"", "word", "said"}, template


def test_words_that_the_code_puts_into_holes_are_translated(raised: Found) -> None:
    given_words: set[str] = set()
    for template, translation in TEXTS.items():
        for number, mark in holes(translation):
            if mark == "word":
                given_words |= set(raised.pieces(template, number))
    in_words = {one for one in given_words if any(map(str.islower, one))}
    assert in_words - WORDS.keys() == set()
    assert WORDS.keys() - given_words == set()


def test_each_text_finds_its_own_translation() -> None:
    for template, translation in TEXTS.items():
        values = [f"‹{number}›" for number in range(len(pieces(template)) - 1)]
        said = translated(filled(template, values), "zh")
        assert said == expected(translation, values)
        assert re.search("[\u4e00-\u9fff]", said) or template.startswith("holdfast "), template
        assert translated(filled(template, values), "en") == filled(template, values)


def hostile() -> Iterator[str]:
    yield from ("{}", "{0}", "{0:said}", "{0.__class__}", "%s", "\n", "a\nb\r\n", "\0", "", " ")
    yield from ("Sign in.", "There is no hold x.", "indexing", "no reason given", "”。{1}")
    yield "'}" * 1000
    yield "x" * 100_000
    yield "There is no thread " * 5_000
    yield ". " * 50_000


@pytest.mark.parametrize("value", list(hostile()), ids=lambda value: repr(value[:20]))
def test_a_value_stays_whatever_it_says(value: str) -> None:
    assert translated(f"There is no thread {value}.", "zh") == f"没有会话 {value}。"
    said = translated(f"The source {value!r} says nothing that we know of.", "zh")
    assert said == f"The source {value!r} says nothing that we know of."
    swapped = translated(f"7 holds of {value} are in force.", "zh")
    assert swapped == f"{value} 有 7 项保全生效中。"


def test_no_value_makes_a_template_slow_or_fail() -> None:
    """Values that repeat what a template looks for, but for its last character."""
    for template in TEXTS:
        around = pieces(template)
        longest = max(around, key=len)[:-1] or "."
        value = longest * (20_000 // len(longest) + 1)
        text = filled(template, [value] * (len(around) - 1))
        assert len(around) == 1 or value[:1000] in translated(text, "zh")


@given(st.text(max_size=300), st.text(st.characters(exclude_characters=ascii_letters)))
def test_what_nobody_raised_stays(text: str, wordless: str) -> None:
    assert translated(text, "en") == text
    # With words of a template, anything may be what that says: "… is no address.".
    assert translated(f"Quite unknown: {wordless}", "zh") == f"Quite unknown: {wordless}"
    assert isinstance(translated(text, "zh"), str)


@given(st.text(max_size=300).filter(lambda text: "'" not in text and "offered" not in text))
def test_any_value_comes_out_as_it_went_in(value: str) -> None:
    assert translated(f"There is no source {value}.", "zh") == f"没有来源 {value}。"


def test_words_and_failures_within_a_failure_are_translated_where_they_are_meant() -> None:
    said = translated("The disk is full (while writing the backup).", "zh")
    assert said == "磁盘已满（在写入备份时）。"
    said = translated("Something else (while opening {0}).", "zh")
    assert said == "Something else（在打开 {0}时）。"
    said = translated("tsa.example gives no token that we can use. It is no checkpoint.", "zh")
    assert said == "tsa.example 未给出可用的令牌。它不是检查点。"


def test_failures_within_failures_are_followed_a_few_levels_only() -> None:
    text = "It is no checkpoint."
    for _ in range(2000):
        text = f"a gives no token that we can use. {text}"
    said = translated(text, "zh")
    assert said.startswith("a 未给出可用的令牌。")
    assert said.endswith("a gives no token that we can use. It is no checkpoint.")


def test_cause_and_next_step_are_one_text() -> None:
    error = Refused("There is no hold x.", next_step="Run: holdfast hold list")
    assert told(error, "zh") == "没有保全 x。请运行：holdfast hold list"
    assert told(error, "en") == str(error)
    assert told(Refused("There is no hold x."), "zh") == "没有保全 x。"
    assert told(Refused("Nobody said this", next_step="Sign in."), "zh") == (
        "Nobody said this 请登录。"
    )


def test_a_kept_failure_is_parted_again() -> None:
    kept = "There is no hold a. b. Run: holdfast hold list"
    assert retold(kept, "zh") == "没有保全 a. b。请运行：holdfast hold list"
    assert retold(kept, "en") == kept
    assert retold("There is no hold x.", "zh") == "没有保全 x。"
    assert retold(". " * 50_000, "zh") == ". " * 50_000

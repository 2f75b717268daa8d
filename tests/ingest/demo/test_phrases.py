"""The texts of the demo: enough of them, and every slot has words."""

from __future__ import annotations

import random

from holdfast.ingest.demo import story
from holdfast.ingest.demo.phrases import phrasebooks


def test_there_are_enough_sentences_in_both_languages() -> None:
    books = phrasebooks()
    assert len(books["en"].sentences) >= 100
    assert len(books["zh"].sentences) >= 90
    assert sum(len(set(book.sentences)) for book in books.values()) >= 200


def test_no_slot_stays_open() -> None:
    chance = random.Random(1).random
    for book in phrasebooks().values():
        for template in (*book.subjects, *book.sentences, *book.notices, *book.news):
            text = template.render(chance)
            assert text
            assert "{" not in text


def test_telling_words_occur_in_no_template() -> None:
    said = " ".join(
        part
        for book in phrasebooks().values()
        for template in (*book.subjects, *book.sentences, *book.notices, *book.news)
        for part in (*template.texts, *(word for words in template.slots for word in words))
    ).casefold()
    for query, _, _ in (*story.QUERIES, story.BULLETIN_QUERY):
        assert query.strip('"').casefold() not in said


def test_texts_can_be_said_in_their_charsets() -> None:
    chance = random.Random(2).random
    books = phrasebooks()
    for language, charset in (("zh", "gb2312"), ("tw", "big5"), ("ja", "iso-2022-jp")):
        for template in (*books[language].subjects, *books[language].sentences):
            assert template.render(chance).encode(charset)

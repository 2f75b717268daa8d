"""A5: the message in which something was agreed is the first hit, with the words standing out."""

from __future__ import annotations

from api_kit import Office


def test_a5_phrase_contact_time_and_attachment_give_the_message(home: Office) -> None:
    quarter = "after:2024-01-01 before:2024-04-01"
    answer = home.search("legal1", f"价格 8.5 折 from:王敏 {quarter}")
    assert answer["total"] == 1
    hit = answer["hits"][0]
    piece = hit["snippets"][0]
    marked = [piece["text"][start:end] for start, end in piece["marks"]]
    assert {"价格", "8.5", "折"} <= set("".join(marked).replace("8.5", " 8.5 ").split()) | set(
        marked
    )
    record = hit["record"]
    assert (record["at"], record["channel"]) == ("2024-03-15T02:22:00.000Z", "email")
    assert record["participants"][0]["address"] == "wang.min@jia.example"


def test_a5_words_that_stand_in_the_attachment_alone_are_found_and_marked(home: Office) -> None:
    answer = home.search("legal1", "lighthouse with:王敏 has:attachment filetype:pdf")
    hit = answer["hits"][0]
    assert (answer["total"], hit["snippets"][0]["part"]) == (1, "attachment")
    thread = home.get("legal1", f"/threads/{hit['record']['thread_id']}")
    assert hit["record"]["id"] in [one["id"] for one in thread["records"]]

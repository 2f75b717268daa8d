"""What failed over HTTP, in the reader's language: details too, codes and values never."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from pydantic_core import core_schema

from api_kit import Office
from holdfast.api.faults import _CHINESE, fault

ZH = {"Accept-Language": "zh-CN,zh;q=0.9"}


def both(house: Office, who: str, path: str, status: int) -> tuple[Any, Any]:
    """The same failure in English and in Chinese."""
    return house.get(who, path, status), house.get(who, path, status, headers=ZH)


def test_detail_is_in_the_readers_language_and_code_is_not(house: Office) -> None:
    english, chinese = both(house, "legal", "/records/msg_00000000", 404)
    assert english["detail"].startswith("There is no record 'msg_00000000'.")
    assert chinese["detail"].startswith("没有记录 'msg_00000000'。")
    same = {"type", "status", "code", "errors"}
    assert {name: english[name] for name in same} == {name: chinese[name] for name in same}


@pytest.mark.parametrize("value", ["{}", "{0:said}", "Sign in.", "%s", "There is no hold x."])
def test_a_value_in_a_detail_stays_as_it_was_sent(house: Office, value: str) -> None:
    answer = house.post("legal", "/search", 422, json={"query": "", "zone": value}, headers=ZH)
    assert answer["detail"] == f"{value!r} 不是时区。"
    assert answer["errors"] == [{"pointer": "/zone", "detail": f"{value!r} 不是时区。"}]


def test_a_query_is_refused_in_chinese_at_the_same_place(house: Office) -> None:
    order = {"query": "价格 AND (open"}
    english = house.post("legal", "/search", 400, json=order)
    chinese = house.post("legal", "/search", 400, json=order, headers=ZH)
    assert chinese["caret"] == english["caret"]
    assert chinese["position"] == english["position"]
    assert chinese["detail"].startswith("括号 ( 没有闭合。")
    where = f"（第 {english['position']} 个字符）"
    assert chinese["errors"] == [{"pointer": "/query", "detail": f"括号 ( 没有闭合。{where}"}]
    assert english["errors"][0]["detail"].endswith(f"(character {english['position']})")


@pytest.mark.parametrize(
    ("order", "pointer", "english", "chinese"),
    [
        ({"query": "", "qurey": ""}, "/body/qurey", "not permitted", "不允许有此项。"),
        ({"query": "", "limit": "{limit}"}, "/body/limit", "valid integer", "此项应为整数"),
        ({"query": "", "limit": 10**6}, "/body/limit", "less than or equal", "此项应小于或等于"),
        ({"query": 7}, "/body/query", "valid string", "此项应为字符串。"),
    ],
)
def test_what_is_wrong_in_a_request_is_said_in_both(
    house: Office, order: dict[str, Any], pointer: str, english: str, chinese: str
) -> None:
    for headers, said in (({}, english), (ZH, chinese)):
        answer = house.post("legal", "/search", 422, json=order, headers=headers)
        wrong = {one["pointer"]: one["detail"] for one in answer["errors"]}
        assert said in wrong[pointer]
        assert answer["detail"] == answer["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [("GET", "/nowhere", 404, "此地址没有内容。"), ("PUT", "/search", 405, "此地址不支持该方法。")],
)
def test_the_frameworks_own_refusals_are_chinese(
    house: Office, method: str, path: str, status: int, said: str
) -> None:
    answer = house.ask("legal", method, path, headers=ZH)
    assert answer.status_code == status
    assert answer.json()["detail"] == said


def test_a_body_that_is_too_large_is_refused_in_chinese(house: Office) -> None:
    answer = house.ask("legal", "POST", "/search", content=b" " * 20_000_000, headers=ZH)
    assert answer.status_code == 413
    assert re.fullmatch("请求体最多 [0-9]+ 字节。", answer.json()["detail"])


def test_every_kind_of_fault_is_one_that_the_framework_knows() -> None:
    assert _CHINESE.keys() <= set(get_args(core_schema.ErrorType))


def test_an_unknown_fault_and_unknown_limits_stay_english() -> None:
    assert fault({"type": "odd", "msg": "It is odd"}, "zh") == "It is odd"
    assert fault({"type": "string_too_long", "msg": "Long", "ctx": {}}, "zh") == "Long"
    assert fault({"type": "string_too_long", "msg": "Long"}, "zh") == "Long"
    assert fault({"type": "missing", "msg": "Field required"}, "en") == "Field required"
    assert fault({"type": "missing", "msg": "Field required"}, "zh") == "缺少此项。"


def test_limits_are_filled_in_and_never_read_as_a_template() -> None:
    error = {"type": "string_pattern_mismatch", "msg": "?", "ctx": {"pattern": "{gt}{0.x}"}}
    assert fault(error, "zh") == "此项应符合格式“{gt}{0.x}”。"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_warnings_follow_the_reader_too(house: Office, method: str) -> None:
    for headers, said in (({}, "Terms side by side"), (ZH, "并列的词项")):
        if method == "GET":
            answer = house.get("legal", "/search?query=price+a+OR+b", headers=headers)
        else:
            order = {"query": "price a OR b"}
            answer = house.post("legal", "/search", json=order, headers=headers)
        assert answer["warnings"][0].startswith(said)


def test_the_audit_log_stays_english(house: Office) -> None:
    house.get("legal", "/sources", 403, headers=ZH)
    assert not re.search("[\u4e00-\u9fff]", str(house.entries("refused")[0]))

"""Say what the framework finds wrong in a request, in the reader's language; decides nothing.

The framework says it in English, with a kind (https://docs.pydantic.dev/latest/errors/validation_errors/)
and the limits it holds to. Kinds that are not listed here stay English.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHINESE = {
    "missing": "缺少此项。",
    "extra_forbidden": "不允许有此项。",
    "json_invalid": "请求体不是有效的 JSON。",
    "json_type": "此项应为 JSON。",
    "string_type": "此项应为字符串。",
    "string_too_short": "此项至少应有 {min_length} 个字符。",
    "string_too_long": "此项最多可有 {max_length} 个字符。",
    "string_pattern_mismatch": "此项应符合格式“{pattern}”。",
    "string_unicode": "此项不是有效的 Unicode 文本。",
    "bytes_type": "此项应为字节。",
    "bytes_too_long": "此项最多可有 {max_length} 字节。",
    "int_type": "此项应为整数。",
    "int_parsing": "此项应为整数，无法解析所给的文本。",
    "int_parsing_size": "此项的整数过大，无法解析。",
    "int_from_float": "此项应为整数，却带有小数部分。",
    "float_type": "此项应为数字。",
    "float_parsing": "此项应为数字，无法解析所给的文本。",
    "finite_number": "此项应为有限的数字。",
    "bool_type": "此项应为 true 或 false。",
    "bool_parsing": "此项应为 true 或 false，无法解析所给的文本。",
    "greater_than": "此项应大于 {gt}。",
    "greater_than_equal": "此项应大于或等于 {ge}。",
    "less_than": "此项应小于 {lt}。",
    "less_than_equal": "此项应小于或等于 {le}。",
    "list_type": "此项应为列表。",
    "tuple_type": "此项应为列表。",
    "set_type": "此项应为列表。",
    "too_short": "此项至少应有 {min_length} 个元素，实有 {actual_length} 个。",
    "too_long": "此项最多可有 {max_length} 个元素，实有 {actual_length} 个。",
    "dict_type": "此项应为对象。",
    "model_type": "此项应为对象。",
    "model_attributes_type": "此项应为对象。",
    "literal_error": "此项应为 {expected} 之一。",
    "enum": "此项应为 {expected} 之一。",
    "none_required": "此项应为 null。",
    "date_type": "此项应为日期。",
    "date_parsing": "此项应为日期，写作 2024-03-31。",
    "date_from_datetime_parsing": "此项应为日期，写作 2024-03-31。",
    "datetime_type": "此项应为日期和时间。",
    "datetime_parsing": "此项应为日期和时间，写作 2024-03-31T10:30:00Z。",
    "datetime_from_date_parsing": "此项应为日期和时间，写作 2024-03-31T10:30:00Z。",
    "timezone_aware": "此项应写明时区。",
    "union_tag_invalid": "此项的类型应为 {expected_tags} 之一。",
    "union_tag_not_found": "此项没有写明类型。",
}


def fault(error: Mapping[str, Any], language: str) -> str:
    """Return what is wrong with one part of a request.

    Args:
        error: As pydantic lists it: `type`, `msg`, and `ctx` with the limits.
        language: `en` or `zh`.
    """
    template = _CHINESE.get(str(error.get("type")), "") if language == "zh" else ""
    try:
        return template.format_map(error.get("ctx") or {}) or str(error["msg"])
    except LookupError:  # another release names its limits otherwise
        return str(error["msg"])

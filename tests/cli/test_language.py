"""Messages in Chinese: complete, with the same facts, chosen by option or environment."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast.cli
from cli_archive import Desk, write_mbox
from holdfast.cli.language import messages
from holdfast.cli.words_zh import MESSAGES

PRINTING = {"result", "note", "warn", "hint", "title", "words"}


def literals() -> Iterator[str]:
    """Every string of the command line that stands where a message is printed."""
    for path in sorted(Path(holdfast.cli.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for one in told(node):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def told(node: ast.AST) -> list[ast.expr]:
    if not isinstance(node, ast.Call):
        return []
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if isinstance(node.func, ast.Name) and node.func.id in {"Column", "Counter"}:
        return node.args[-1:] if node.func.id == "Counter" else node.args[:1]
    return node.args[:1] if name in PRINTING else node.args[1:] if name == "counted" else []


def has_words(template: str) -> bool:
    bare = "".join(text for text, *_ in string.Formatter().parse(template))
    return any(letter.isalpha() for letter in bare) and not bare.lstrip().startswith("$")


@pytest.mark.parametrize("template", sorted(set(filter(has_words, literals()))))
def test_every_message_is_translated(template: str) -> None:
    assert template in MESSAGES


def names(template: str) -> list[str]:
    return sorted(name for _, name, *_ in string.Formatter().parse(template) if name)


@pytest.mark.parametrize("template", MESSAGES)
def test_translation_states_the_same_facts(template: str) -> None:
    assert names(template) == names(MESSAGES[template])


def test_option_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert messages() == {}
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert messages() is MESSAGES
    assert messages("en") == {}
    monkeypatch.setenv("LC_ALL", "C")
    assert messages() == {}
    assert messages("zh") is MESSAGES


def test_commands_speak_chinese(own: Desk, tmp_path: Path) -> None:
    ran = own.run("import", write_mbox(tmp_path / "a.mbox"), "--lang", "zh")
    assert "提供" in ran.out
    assert "下一步" in ran.err
    assert "封邮件" in own.run("--lang", "zh", "search", "discount").err
    assert "没有匹配" in own.run("search", "xyzzy", LC_ALL="zh_CN.UTF-8").err
    assert "错误：" in own.run("show", "nobody@x.example", "--lang", "zh", status=4).err
    assert "完好" in own.run("verify", "--lang", "zh").out
    assert "审计日志" in own.run("doctor", "--lang", "zh").out


def test_failures_speak_chinese_and_their_values_stay(own: Desk) -> None:
    own.run("init")
    said = own.run("--lang", "zh", "hold", "show", "{0} Sign in.", status=4).err
    assert "错误： 没有" in said
    assert "{0} Sign in." in said
    assert "请运行：holdfast hold list" in said
    assert own.run("hold", "show", "none", status=4).err.startswith("Error: There is no hold")
    said = own.run("--lang", "zh", "search", "price AND (open", status=2).err
    assert "括号 ( 没有闭合。" in said
    assert "^" in said


def test_warnings_speak_chinese(own: Desk) -> None:
    own.run("init")
    said = own.run("--lang", "zh", "search", "harbour price OR ship").err
    assert "并列的词项比 OR 结合更紧" in said


def test_settings_that_are_wrong_are_explained_in_chinese(own: Desk) -> None:
    said = own.run("--lang", "zh", "config", "check", "--set", "vault.segmnt_mib=1", status=2).out
    assert "没有设置 'vault.segmnt_mib'" in said
    assert "您是否要写 'vault.segment_mib'？" in said


def test_json_stays_english(own: Desk) -> None:
    own.run("init")
    ran = own.run("--lang", "zh", "search", "price OR a b", "--format", "json")
    assert "Terms side by side" in ran.out
    assert "并列的词项" in ran.err


def test_what_doctor_sees_is_said_in_chinese(own: Desk) -> None:
    own.run("init")
    ran = own.run("--lang", "zh", "doctor", status=None, COLUMNS="90")
    assert "与目录内容一致" in ran.out
    assert "没有等待的任务" in ran.out
    assert "nothing waits" not in ran.out
    assert '"seen":"nothing waits"' in own.run("--lang", "zh", "doctor", "--json").out.replace(
        '": "', '":"'
    )

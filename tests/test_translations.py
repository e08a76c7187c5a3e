"""Both languages are whole: everything shown is marked in the source, and every marked string has its English."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask import session as cookie
from flask_admin.babel import Translations
from flask_admin.babel import gettext as admin_gettext
from flask_wtf.i18n import translations as form_words

from models import print_words, quality_words, return_words, task_words, words
from models.home import CHECKOUT
from models.words import Said
from screens import languages
from screens.languages import told
from screens.messages import said
from screens.trace_words import ACTIONS
from services import Refused
from translations import catalogue

CHINESE = re.compile(r"[\u3001-\u303f\u3400-\u9fff\uff00-\uffef]")
PLACES = re.compile(r"%\(\w+\)[a-z]|\{\w+\}")
MARKS = {"_", "gettext", "_l", "lazy_gettext", "N_", "Said", "Refused", "Throttled"}
TAGS = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}|<(script|style).*?</\1>|<[^>]*>", re.DOTALL)
STRINGS = re.compile(r"""_\(\s*(?:'[^']*'|"[^"]*")|'[^']*'|"[^"]*\"""")
NAMES = {"掌灯", "中文", "¥"}  # the product and the languages keep their names
NOT_SHOWN = {  # names of downloaded files, whose sheets are Chinese, and what is no text
    "screens/campaign_forms.py",  # what may stand between account numbers
    "screens/languages.py",  # what stands between the parts of stored titles
    "screens/pages/competitions.py",
    "screens/pages/visits.py",
    "screens/masking.py",
    "screens/processes.py",  # what serve says in the shell
}
NEUTRAL = re.compile("[·—…]+")
WIDE = re.compile("[“”‘’]")  # Chinese fonts draw them as wide as a character


@pytest.fixture(scope="module")
def source() -> dict[str, str]:
    """Every marked string with a file it stands in."""
    return dict(catalogue.strings())


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    """The committed catalogue."""
    return {str(one.id): str(one.string or "") for one in catalogue.english() if one.id}


def test_every_string_has_its_english(source: dict[str, str], english: dict[str, str]) -> None:
    missing = {text: name for text, name in source.items() if not english.get(text)}
    assert missing == {}, "python translations/catalogue.py lists and adds them"


def test_the_catalogue_holds_nothing_else(source: dict[str, str], english: dict[str, str]) -> None:
    assert sorted(set(english) - set(source)) == []


def test_no_english_is_a_guess() -> None:
    assert [one.id for one in catalogue.english() if one.id and one.fuzzy] == []


def test_both_languages_take_the_same_values(english: dict[str, str]) -> None:
    wrong = {
        text: english_one
        for text, english_one in english.items()
        if sorted(set(PLACES.findall(text))) != sorted(set(PLACES.findall(english_one)))
    }
    assert wrong == {}


def test_values_fill_every_english_sentence(english: dict[str, str]) -> None:
    for text, english_one in english.items():
        if "%(" in text:
            values = dict.fromkeys(re.findall(r"%\((\w+)\)", text), "x")
            assert (text % values) and (english_one % values)


def test_english_holds_no_chinese(english: dict[str, str]) -> None:
    examples = re.compile("户号|户名|广东省佛山市禅城区")  # what stands in files keeps its language
    left = {
        text: one
        for text, one in english.items()
        if CHINESE.search(examples.sub("", one)) or WIDE.search(one)
    }
    assert left == {}


def test_labels_begin_with_a_capital(english: dict[str, str]) -> None:
    lists = [
        value
        for module in (words, quality_words, return_words, task_words, print_words)
        for value in vars(module).values()
        if isinstance(value, dict)
    ]
    labels = [
        english[text] for one in lists for text in one.values() if isinstance(text, str) and text in english
    ]
    assert [label for label in labels if label[0].islower()] == [] and len(labels) > 100


def bare_strings(path: Path) -> Iterator[str]:
    """Chinese text of a module that is neither marked nor a docstring."""
    tree = ast.parse(path.read_text("utf-8"))
    told = {
        id(arg)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MARKS
        for arg in node.args[:1]
    }
    told |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            rest = NEUTRAL.sub("", node.value).strip()
            if CHINESE.search(rest) and rest not in NAMES:
                yield f"{path.relative_to(CHECKOUT)}:{node.lineno} {node.value}"


def test_screens_mark_what_they_show() -> None:
    shown = [
        path
        for path in sorted((CHECKOUT / "screens").rglob("*.py"))
        if "commands" not in path.parts and path.relative_to(CHECKOUT).as_posix() not in NOT_SHOWN
    ]
    assert [text for path in shown for text in bare_strings(path)] == []


def test_refusals_are_source_strings() -> None:
    wrong = []
    for floor in ("services", "workflows", "screens/pages"):
        for path in sorted((CHECKOUT / floor).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                name = getattr(getattr(node, "func", None), "id", "")
                if name in ("Refused", "Said", "Throttled") and isinstance(node.args[0], ast.JoinedStr):
                    wrong.append(f"{path.relative_to(CHECKOUT)}:{node.lineno}")
    assert wrong == []


def test_templates_mark_what_they_show() -> None:
    wrong = []
    for path in sorted((CHECKOUT / "templates").rglob("*.html")):
        text = path.read_text("utf-8")
        if "print" in path.parts:
            continue
        outside = [part for part in TAGS.sub("\n", text).splitlines() if CHINESE.search(part)]
        inside = [
            one
            for block in re.findall(r"{{.*?}}|{%.*?%}", text, re.DOTALL)
            for one in STRINGS.findall(block)
            if CHINESE.search(one) and not one.startswith("_(")
        ]
        attributes = re.findall(r'(?:alt|title|placeholder|aria-label|data-confirm)="([^"{]*)"', text)
        inside += [one for one in attributes if CHINESE.search(one)]
        wrong += [f"{path.name}: {one.strip()}" for one in outside + inside if one.strip() not in NAMES]
    assert wrong == []


@pytest.fixture
def asked_in_english(app: Flask) -> Iterator[None]:
    """A request of somebody who reads English."""
    with app.test_request_context():
        cookie["locale"] = "en"
        yield


def test_refusals_are_said_in_english_with_their_values(asked_in_english: None) -> None:
    refusal = Refused("没有编码为「%(code)s」的竞赛。请在竞赛页面核对编码。", code="JS01")
    assert str(refusal) == "没有编码为「JS01」的竞赛。请在竞赛页面核对编码。"
    assert (
        said(refusal)
        == 'There is no competition with the code "JS01". Check the code on the competitions page.'
    )


def test_a_sentence_within_a_sentence_is_said_too(asked_in_english: None) -> None:
    inner = Said("是%(what)s", what="网页")
    refusal = Refused("没有保存：%(why)s请向客户问清楚后再填。", why=inner)
    assert str(refusal).startswith("没有保存：是网页") and said(refusal).startswith(
        "Not saved: is a web page"
    )


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("已完成", "Done"),
        ("「考核 2026-10」的步骤「pick」失败", 'Step "pick" of "考核 2026-10" failed'),
        ("联系信息核对 · HD202611-01", "Contact survey · HD202611-01"),
        ("回函待柜台办理：已出租、户名变更", "For the counter: Rented out, Change of name"),
        ("陈先生要求改期", "陈先生要求改期"),
        ("", ""),
    ],
)
def test_stored_sentences_are_told_in_english(asked_in_english: None, stored: str, shown: str) -> None:
    assert told(stored) == shown


def test_libraries_speak_chinese_unless_asked(app: Flask) -> None:
    with app.test_request_context():
        assert admin_gettext("Save") == "保存" and told("已完成") == "已完成"
        assert form_words.gettext("This field is required.") == "该字段是必填字段。"
        assert Translations().gettext("This field is required.") == "该字段是必填字段。"


def test_catalogues_are_compiled_again_when_they_change(tmp_path: Path) -> None:
    target = languages.compiled(tmp_path) / "en" / "LC_MESSAGES" / "messages.mo"
    first = target.read_bytes()
    target.write_bytes(b"")
    assert languages.compiled(tmp_path) and target.read_bytes() == first
    age = target.stat().st_mtime_ns
    languages.compiled(tmp_path)
    assert target.stat().st_mtime_ns == age and len(first) > 10_000
    os.utime(target, ns=(1, 1))
    languages.compiled(tmp_path)
    assert target.stat().st_mtime_ns == age


def test_every_trace_has_its_word() -> None:
    source = "".join(
        path.read_text("utf-8") for floor in catalogue.PYTHON for path in (CHECKOUT / floor).rglob("*.py")
    )
    written = set(re.findall(r'\b(?:traces\.)?(?:record|entry)\(\s*\w+,\s*"([a-z_]+\.[a-z_]+)"', source))
    written |= {f"competition.{state}" for state in words.COMPETITION_STATES if state != "draft"}
    assert len(written) > 40 and sorted(written - set(ACTIONS)) == []

"""Options as forms: what a field is asked like, from which list, when it is shown, and what is wrong in words."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from factories import make_staff
from pydantic import Field
from sqlalchemy.orm import Session

from models.options import Options, asked
from services import choices
from services.choices import CHOICES, Lists
from services.options import (
    changed_only,
    is_shown,
    list_faults,
    offering,
    option_faults,
    questions_of,
)


class Row(Options):
    """A row of a list."""

    code: str = Field(min_length=1)
    label: str = asked("意见", min_length=1, max_length=20)


class All(Options):
    """One option of every kind."""

    size: int = asked("数量", 5, ge=1, le=9, help="一次几户")
    day: str | None = asked("说明", None, max_length=30)
    strict: bool = asked("严格", False)
    how: Literal["a", "b"] = asked("方式", "a", labels={"a": "甲"}, shown_if={"strict": True})
    unit: str = asked("单位", "", choices="units")
    kinds: tuple[str, ...] = asked("种类", (), choices="kinds")
    rows: tuple[Row, ...] = asked("意见表", ())
    when: Any = asked("条件", None, form="condition")


QUESTIONS = {one.name: one for one in questions_of(All, {})}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("size", "number"), ("day", "text"), ("strict", "bool"), ("how", "choice"), ("unit", "choice"),
        ("kinds", "choices"), ("rows", "rows"), ("when", "condition"),
    ],
)  # fmt: skip
def test_a_field_is_asked_as_its_type_says(name: str, kind: str) -> None:
    assert QUESTIONS[name].kind == kind


def test_limits_and_help_go_into_the_form() -> None:
    size = QUESTIONS["size"]
    assert (size.least, size.most, size.help, QUESTIONS["day"].longest) == (1, 9, "一次几户", 30)
    assert [part.name for part in QUESTIONS["rows"].parts] == ["label"]


@pytest.mark.parametrize(
    ("wanted", "value", "shown"),
    [
        (True, "x", True),
        (True, "", False),
        (False, None, True),
        (("a", "b"), "b", True),
        (("a",), "b", False),
    ],
)
def test_a_field_is_shown_beside_certain_values(wanted: Any, value: Any, shown: bool) -> None:
    class One(Options):
        other: str = asked("甲", "", shown_if={"first": wanted})

    (question,) = questions_of(One, {})
    assert is_shown(question, {"first": value}) is shown


def test_what_is_chosen_stays_when_its_list_has_lost_it() -> None:
    (unit,) = (one for one in questions_of(All, {"unit": "Z9"}) if one.name == "unit")
    assert offering(unit, lambda source, chosen: {"A1": "甲所"}).labels == {"A1": "甲所", "Z9": "Z9"}


def test_choices_that_a_list_lost_are_faults() -> None:
    found = list(
        list_faults(All, {"unit": "Z9", "kinds": ["mobile", "odd"]}, lambda source, chosen: {"mobile": "手机"})
    )
    assert [(fault.name, str(fault.text)) for fault in found] == [
        ("unit", "「单位」中没有「Z9」，请重新选择"),
        ("kinds", "「种类」中没有「odd」，请重新选择"),
    ]


def test_a_fault_in_a_row_names_the_row_and_its_field() -> None:
    (fault,) = option_faults(All, {"rows": [{"code": "ok", "label": "好"}, {"code": "no", "label": ""}]})
    assert (fault.name, str(fault.text)) == ("rows.1.label", "「意见」太短")


def test_only_what_differs_from_the_default_is_kept() -> None:
    assert changed_only(All, {"size": 5, "kinds": [], "strict": True, "unit": ""}) == {"strict": True}


def test_people_are_found_beyond_the_first_of_a_long_list(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make_staff(session, "clerk", name=name) for name in ("林一", "林二", "陈三")]
    monkeypatch.setattr(choices, "PEOPLE_LISTED", 2)
    last = made[-1].username
    assert last not in (Lists(session)("people") or {})
    assert list(Lists(session, "陈")("people") or {}) == [last]
    both = Lists(session, "林")("people", [last, "nobody"]) or {}
    assert set(both) == {one.username for one in made}


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_every_list_of_choices_answers(session: Session, name: str) -> None:
    assert all(code and label for code, label in CHOICES[name](session))

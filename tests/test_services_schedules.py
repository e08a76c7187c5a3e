"""Calendar rules: which moments they name, how they are said, what a fault is called."""

from datetime import date, datetime
from itertools import islice
from time import perf_counter

import pytest
from pydantic import ValidationError

from models.clock import ZONE
from services import schedule_rules
from services.calendar import Calendar
from services.options import option_faults
from services.schedule_rules import When

# The year 2026: National Day off from 1 to 7 October, Saturday 10 October worked instead (a row of first data each).
HOLIDAYS = frozenset(date(2026, 10, day) for day in range(1, 8))
KNOWN = Calendar(HOLIDAYS, frozenset({date(2026, 9, 20), date(2026, 10, 10)}))
START = datetime(2026, 9, 28, 9, 0, tzinfo=ZONE)  # a Monday


def found(most=4, after=START, **rule):
    moments = islice(schedule_rules.slots(When(**rule), after, KNOWN), most)
    return [f"{moment:%m-%d %H:%M}" for moment in moments]


@pytest.mark.parametrize(
    ("rule", "expected", "said"),
    [
        ({"every": "week"}, ["10-05 08:00", "10-12 08:00"], "每周一 8:00"),
        ({"every": "week", "weekdays": ["1", "3"], "at": "09:30"}, ["09-28 09:30", "09-30 09:30"], "每周一、周三 9:30"),
        ({"every": "week", "off_days": "skip"}, ["10-12 08:00", "10-19 08:00"],
         "每周一 8:00（遇节假日、休息日不发起）"),
        ({"every": "week", "off_days": "after"}, ["10-08 08:00", "10-12 08:00"],
         "每周一 8:00（遇节假日、休息日推迟到后一个工作日）"),
        ({"every": "week", "off_days": "before"}, ["09-30 08:00", "10-12 08:00"],
         "每周一 8:00（遇节假日、休息日提前到前一个工作日）"),
        ({"every": "week", "weekdays": ["6"], "off_days": "skip"}, ["10-10 08:00"],
         "每周六 8:00（遇节假日、休息日不发起）"),
        ({"every": "workday", "at": "00:05"},
         ["09-29 00:05", "09-30 00:05", "10-08 00:05", "10-09 00:05", "10-10 00:05"],
         "每个工作日 0:05"),
        ({"every": "month_workday", "at": "17:00"}, ["09-30 17:00", "10-30 17:00", "11-30 17:00", "12-31 17:00"],
         "每月最后一个工作日 17:00"),
        ({"every": "month_workday", "workday": 1}, ["10-08 08:00", "11-02 08:00"], "每月第 1 个工作日 8:00"),
        ({"every": "month_workday", "workday": -2}, ["09-29 08:00", "10-29 08:00"], "每月倒数第 2 个工作日 8:00"),
        ({"every": "month_day", "day": 31}, ["09-30 08:00", "10-31 08:00", "11-30 08:00"], "每月最后一天 8:00"),
        ({"every": "month_day", "day": 5}, ["10-05 08:00", "11-05 08:00"], "每月 5 日 8:00"),
        ({"every": "days", "number": 10, "first": "2026-09-25"}, ["10-05 08:00", "10-15 08:00"],
         "从 2026-09-25 起每 10 天 8:00"),
        ({"every": "days", "number": 1, "first": "2026-10-02", "off_days": "after"},
         ["10-08 08:00", "10-09 08:00", "10-10 08:00", "10-12 08:00"],
         "从 2026-10-02 起每 1 天 8:00（遇节假日、休息日推迟到后一个工作日）"),
        ({"every": "cron", "cron": "30 7 1 * *"}, ["10-01 07:30", "11-01 07:30"], "按 cron 表达式 30 7 1 * *"),
    ],
)  # fmt: skip
def test_a_rule_names_its_moments(rule, expected, said):
    assert found(len(expected), **rule) == expected
    assert schedule_rules.sentence(When(**rule)) == said


def test_a_shifted_day_counts_once():
    every = {"every": "days", "number": 1, "first": "2026-10-01", "off_days": "before"}
    after = datetime(2026, 9, 30, 7, 0, tzinfo=ZONE)
    assert found(3, after, **every) == ["09-30 08:00", "10-08 08:00", "10-09 08:00"]


def test_slots_of_a_gap_are_those_between():
    rule = When(every="week", weekdays=["1", "2"])
    first, until = START.replace(hour=8), datetime(2026, 10, 13, 8, 0, tzinfo=ZONE)
    moments = schedule_rules.between(rule, first, until, KNOWN, most=100)
    assert [f"{moment:%m-%d}" for moment in moments] == ["09-28", "09-29", "10-05", "10-06", "10-12", "10-13"]
    assert schedule_rules.between(rule, first, until, KNOWN, most=2) == moments[-2:]


def test_a_long_gap_of_minutes_is_looked_at_from_its_end():
    rule, until = When(every="cron", cron="*/2 * * * *"), datetime(2026, 10, 1, 0, 1, tzinfo=ZONE)
    begun = perf_counter()
    found = schedule_rules.between(rule, datetime(2020, 1, 1, tzinfo=ZONE), until, KNOWN, most=1000)
    assert (len(found), found[-1]) == (1000, until.replace(minute=0)) and perf_counter() - begun < 2
    assert schedule_rules.between(rule, until.replace(minute=0), until, KNOWN, most=5) == [until.replace(minute=0)]


def test_a_rule_that_never_comes_has_no_slot():
    assert found(every="cron", cron="0 8 30 2 *") == []


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"every": "week", "weekdays": []}, "请至少选一个周几"),
        ({"every": "week", "at": "8:00"}, "「几点」格式不对"),
        ({"every": "month_workday", "workday": 0}, "第几个工作日不能是 0"),
        ({"every": "days"}, "请填写从哪一天起"),
        ({"every": "cron", "cron": "0 8 * *"}, "cron 表达式不对"),
        ({"every": "cron", "cron": "61 8 * * *"}, "cron 表达式不对"),
        ({"every": "month_day", "day": 32}, "「几号」不能大于 31"),
    ],
)
def test_a_fault_of_a_rule_is_named(rule, fault):
    assert [one for one in option_faults(When, rule) if fault in one.text]
    with pytest.raises(ValidationError):
        When(**rule)

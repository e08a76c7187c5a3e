"""Calendar rules of schedules: which days and when, with holidays and make-up workdays; in words, and as slots."""

from __future__ import annotations

import calendar as months
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from croniter import CroniterBadDateError, croniter
from pydantic import StringConstraints, model_validator

from models.clock import ZONE
from models.options import Options, asked
from models.words import N_, Said
from services.calendar import Calendar

Every = Literal["week", "workday", "month_day", "month_workday", "days", "cron"]
Weekday = Literal["1", "2", "3", "4", "5", "6", "7"]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]

EVERY = {
    "week": N_("每周的某几天"),
    "workday": N_("每个工作日"),
    "month_day": N_("每月的某一天"),
    "month_workday": N_("每月的第几个工作日"),
    "days": N_("每隔几天"),
    "cron": N_("cron 表达式"),
}
WEEKDAYS = {
    "1": N_("周一"), "2": N_("周二"), "3": N_("周三"), "4": N_("周四"),
    "5": N_("周五"), "6": N_("周六"), "7": N_("周日"),
}  # fmt: skip
OFF_DAYS = {
    "run": N_("照常"),
    "skip": N_("不发起"),
    "before": N_("提前到前一个工作日"),
    "after": N_("推迟到后一个工作日"),
}
DAY_HELP = N_("31 是每月的最后一天；没有这一天的月份也是最后一天。")
WORKDAY_HELP = N_("1 是第一个，-1 是最后一个，-2 是倒数第二个。")
CRON_HELP = N_("五段：分 时 日 月 周，例如 0 8 * * 1 是每周一 8:00。")
ON_DAYS = ("week", "month_day", "days")
LAST_DAY = 31
LONGEST_BREAK = 20  # days that a holiday with its bridge days never reaches
FAR = 3 * 366  # days ahead that are looked at: a rule without a slot in them has none


class When(Options):
    """When a schedule starts its workflow."""

    every: Every = asked(N_("什么时候"), "week", labels=EVERY)
    weekdays: tuple[Weekday, ...] = asked(N_("周几"), ("1",), labels=WEEKDAYS, shown_if={"every": "week"})
    day: int = asked(N_("几号"), 1, ge=1, le=31, shown_if={"every": "month_day"}, help=DAY_HELP)
    workday: int = asked(
        N_("第几个工作日"), -1, ge=-10, le=23, shown_if={"every": "month_workday"}, help=WORKDAY_HELP
    )
    number: int = asked(N_("隔几天"), 7, ge=1, le=366, shown_if={"every": "days"})
    first: date | None = asked(N_("从哪一天起"), None, shown_if={"every": "days"})
    cron: str = asked(N_("cron 表达式"), "", max_length=60, shown_if={"every": "cron"}, help=CRON_HELP)
    at: Clock = asked(
        N_("几点"), "08:00", help=N_("两位小时和两位分钟，例如 08:00；用 cron 表达式时不看这一项。")
    )
    off_days: Literal["run", "skip", "before", "after"] = asked(
        N_("遇到节假日或休息日"), "run", labels=OFF_DAYS, shown_if={"every": list(ON_DAYS)}
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What a kind of rule cannot do without."""
        if self.every == "week" and not self.weekdays:
            raise ValueError(N_("请至少选一个周几"))
        if self.every == "month_workday" and self.workday == 0:
            raise ValueError(N_("第几个工作日不能是 0"))
        if self.every == "days" and self.first is None:
            raise ValueError(N_("请填写从哪一天起"))
        if self.every == "cron" and (len(self.cron.split()) != 5 or not croniter.is_valid(self.cron)):
            raise ValueError(N_("cron 表达式不对：要有五段，分 时 日 月 周"))
        return self


def slots(rule: When, after: datetime, known: Calendar) -> Iterator[datetime]:
    """The moments of a rule after a moment, in order, as business time; ends where none comes in three years."""
    if rule.every == "cron":
        yield from _cron(rule.cron, after.astimezone(ZONE))
        return
    found = (datetime.combine(day, time.fromisoformat(rule.at), ZONE) for day in _days(rule, after, known))
    yield from (moment for moment in found if moment > after)


def between(rule: When, first: datetime, until: datetime, known: Calendar, *, most: int) -> list[datetime]:
    """The slots from a first one up to a moment, both included; the newest `most` where there are more."""
    if rule.every == "cron":
        return _cron_back(rule.cron, first, until, most)
    kept: list[datetime] = []
    for moment in slots(rule, first - timedelta(seconds=1), known):
        if moment > until:
            break
        kept = [*kept[-most + 1 :], moment]
    return kept


def next_slot(rule: When, after: datetime, known: Calendar) -> datetime | None:
    """The first moment of a rule after a moment; None where there is none."""
    return next(slots(rule, after, known), None)


def sentence(rule: When) -> Said:
    """A rule as people say it."""
    if rule.every == "cron":
        return Said("按 cron 表达式 %(cron)s", cron=rule.cron)
    at = rule.at.lstrip("0") if not rule.at.startswith("00") else rule.at[1:]
    when = Said("%(days)s %(at)s", days=_days_in_words(rule), at=at)
    if rule.every not in ON_DAYS or rule.off_days == "run":
        return when
    return Said("%(when)s（遇节假日、休息日%(then)s）", when=when, then=Said(OFF_DAYS[rule.off_days]))


def _days_in_words(rule: When) -> Said:
    if rule.every == "week":
        names = Said.joined([Said(WEEKDAYS[day]) for day in sorted(rule.weekdays)], joint="、")
        return Said("每%(days)s", days=names)
    if rule.every == "workday":
        return Said("每个工作日")
    if rule.every == "days":
        return Said("从 %(first)s 起每 %(number)s 天", first=rule.first, number=rule.number)
    if rule.every == "month_day":
        return Said("每月最后一天") if rule.day == LAST_DAY else Said("每月 %(day)s 日", day=rule.day)
    if rule.workday == -1:
        return Said("每月最后一个工作日")
    if rule.workday < 0:
        return Said("每月倒数第 %(at)s 个工作日", at=-rule.workday)
    return Said("每月第 %(at)s 个工作日", at=rule.workday)


def _cron(text: str, after: datetime) -> Iterator[datetime]:
    """Slots of a cron expression; it is asked in local time without a zone, which China's has no jumps to trouble."""
    found = croniter(text, after.replace(tzinfo=None), max_years_between_matches=FAR // 366)
    try:
        while True:
            yield found.get_next(datetime).replace(tzinfo=ZONE)
    except CroniterBadDateError:  # none in all these years
        return


def _cron_back(text: str, first: datetime, until: datetime, most: int) -> list[datetime]:
    """The newest `most` slots of a cron expression in a span, found from its end: a year of minutes is not walked."""
    end = until.astimezone(ZONE).replace(tzinfo=None) + timedelta(seconds=1)
    found = croniter(text, end, max_years_between_matches=FAR // 366)
    kept: list[datetime] = []
    try:
        while len(kept) < most and (moment := found.get_prev(datetime).replace(tzinfo=ZONE)) >= first:
            kept.append(moment)
    except CroniterBadDateError:
        pass
    return kept[::-1]


def _days(rule: When, after: datetime, known: Calendar) -> Iterator[date]:
    """The days of a rule from a little before a moment on, each once."""
    start = after.astimezone(ZONE).date() - timedelta(days=LONGEST_BREAK)
    ahead = (start + timedelta(days=number) for number in range(FAR))
    named = (day for day in ahead if _is_named(rule, day, known))
    moved = (_moved(rule, day, known) for day in named)
    kept = (day for day in moved if day is not None)
    yield from (
        day for before, day in pairwise(_with_nothing_before(kept)) if day is not None and day != before
    )


def _with_nothing_before(days: Iterator[date]) -> Iterator[date | None]:
    yield None
    yield from days


def _is_named(rule: When, day: date, known: Calendar) -> bool:
    """Whether a rule names a day, before holidays are looked at."""
    if rule.every == "week":
        return str(day.isoweekday()) in rule.weekdays
    if rule.every == "workday":
        return known.is_workday(day)
    if rule.every == "days":
        return rule.first is not None and day >= rule.first and (day - rule.first).days % rule.number == 0
    last = months.monthrange(day.year, day.month)[1]
    if rule.every == "month_day":
        return day.day == min(rule.day, last)
    days = [found for number in range(1, last + 1) if known.is_workday(found := day.replace(day=number))]
    place = rule.workday - 1 if rule.workday > 0 else rule.workday
    return -len(days) <= place < len(days) and days[place] == day


def _moved(rule: When, day: date, known: Calendar) -> date | None:
    """Where a day goes when people do not work on it."""
    if rule.every not in ON_DAYS or rule.off_days == "run" or known.is_workday(day):
        return day
    if rule.off_days == "skip":
        return None
    step = timedelta(days=-1 if rule.off_days == "before" else 1)
    while not known.is_workday(day):
        day += step
    return day


def as_row(rule: When) -> dict[str, Any]:
    """A rule as it is stored."""
    return rule.model_dump(mode="json")

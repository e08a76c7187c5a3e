"""Numbers that were lengthened, and area codes that were merged: the one table, for judging and for batch updates.

A rule says what an old number became; a number in its new form has none, so nothing is touched twice. `confirmed` are
rules found in two sources independent of each other; in all of them the new form is valid for libphonenumber and the
old one is not. The others only raise a doubt: what a person must find out is never replaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from models.words import N_

TWO = N_("通信管理局升位公告，两处独立来源相符")
ONE = N_("升位公告的转载，只有一处来源")
OPEN = N_("并网公告的转载，新号首位未见公布")


@dataclass(frozen=True)
class NumberUpgrade:
    """Numbers of `old_area` with `old_length` digits (first digit one of `firsts`) became `new_area` + prefix + number.

    `since` is the day it took effect. `home`: certain only for a unit of that area code, as the old area was divided.
    """

    place: str
    old_area: str
    new_area: str
    prefix: str
    since: date
    source: str
    confirmed: bool = False
    old_length: int = 7
    firsts: str = "2345678"
    home: str = ""

    @property
    def key(self) -> str:
        """What names the rule in stored data."""
        return f"{self.old_area}-{self.old_length}-{self.firsts[0]}"

    def concerns(self, area: str, local: str) -> bool:
        """Whether a number of this area and these local digits is in the old form."""
        return area == self.old_area and len(local) == self.old_length and local[:1] in self.firsts

    def is_certain(self, home: str) -> bool:
        """Whether a unit of area code `home` may replace numbers by this rule."""
        return self.confirmed and self.home in ("", home)

    def upgraded(self, local: str) -> str:
        """The number as it is now, in E.164."""
        return f"+86{self.new_area[1:]}{self.prefix}{local}"


def _rule(words: str, since: date, source: str, **more: str | bool) -> NumberUpgrade:
    place, old_area, new_area, *prefix = words.split()
    facts = {"place": place, "old_area": old_area, "new_area": new_area, "prefix": "".join(prefix)}
    return NumberUpgrade(**facts, since=since, source=source, **more)  # type: ignore[arg-type]


UPGRADES = (
    _rule("合肥 0551 0551 6", date(2012, 12, 8), TWO, confirmed=True),
    _rule("巢湖市、庐江 0565 0551 8", date(2012, 12, 8), TWO, confirmed=True, home="0551"),
    _rule("长沙 0731 0731 8", date(2009, 6, 28), TWO, confirmed=True),
    _rule("株洲 0733 0731 2", date(2009, 6, 28), TWO, confirmed=True),
    _rule("湘潭 0732 0731 5", date(2009, 6, 28), TWO, confirmed=True),
    _rule("贵阳 0851 0851 8", date(2014, 12, 20), TWO, confirmed=True),
    _rule("遵义 0852 0851 2", date(2014, 12, 20), TWO, confirmed=True),
    _rule("安顺 0853 0851 3", date(2014, 12, 20), TWO, confirmed=True),
    _rule("抚顺 0413 024 5", date(2011, 8, 28), TWO, confirmed=True),
    _rule("铁岭 0410 024 7", date(2011, 8, 28), TWO, confirmed=True),
    _rule("本溪 0414 024", date(2014, 5, 24), OPEN),
    _rule("开封 0378 0371", date(2013, 10, 26), OPEN),
    _rule("昆明 0871 0871 6", date(2012, 12, 16), ONE),
    _rule("南昌 0791 0791 8", date(2011, 8, 28), ONE),
    _rule("济南 0531 0531 8", date(2005, 5, 21), ONE),
    _rule("青岛 0532 0532 8", date(2005, 5, 21), ONE),
    _rule("石家庄 0311 0311 8", date(2005, 5, 21), ONE),
    _rule("海口 0898 0898 6", date(2003, 9, 1), ONE),
    _rule("三亚 0899 0898 8", date(2003, 9, 1), ONE),
    _rule("儋州 0890 0898 2", date(2003, 9, 1), ONE),
    _rule("咸阳 0910 029 3", date(2006, 9, 1), ONE),
    _rule("北京 010 010 6", date(1996, 5, 8), ONE),
    _rule("上海 021 021 6", date(1995, 11, 25), ONE, firsts="23457"),
    _rule("上海 021 021 5", date(1995, 11, 25), ONE, firsts="68"),
)

BY_AREA: dict[str, tuple[NumberUpgrade, ...]] = {
    area: tuple(rule for rule in UPGRADES if rule.old_area == area)
    for area in {rule.old_area for rule in UPGRADES}
}


def find_upgrade(area: str, local: str) -> NumberUpgrade | None:
    """The upgrade that concerns a number as it was before it; a number in the new form has none."""
    rules = BY_AREA.get(area)
    return next((rule for rule in rules if rule.concerns(area, local)), None) if rules else None

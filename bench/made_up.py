"""Made-up customers column by column, with the unevenness of life: common surnames, few number heads, rare classes.

Every value stands as the database stores it, so that nothing need be turned into anything while it is written.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

from services.search_texts import NO_DAY, facets_of

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高梁郑谢宋唐许邓韩冯曹彭曾萧田董潘袁蔡蒋余于杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵"
    "万钱严覃武戴莫孔向汤"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文辉力志永健世广义兴良海山仁波宁贵福生龙元全胜学祥才发成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松"
    "善厚庆民友裕河哲江浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋斌梁栋维启克伦翔旭鹏泽晨辰士以家致树炎德行时泰盛雄琛钧冠策腾楠榕风航弘"
)
PLACES = (
    "东西南北中新大上下前后长平安福和永兴华明光玉金石龙凤青白红绿水山江河湖海桥塘坑岗岭坡田村井泉林竹松梅桂花"
)
ROADS = ("路", "一路", "二路", "大道", "街", "巷", "中路", "东路")
ESTATES = ("花园", "新村", "小区", "苑", "大厦", "广场", "公寓", "名城")
HEADS = [f"1{middle}{last}" for middle in "3895746" for last in "9876532104"]
AREAS = ("755", "757", "769", "760", "752", "756")
CLASSES = ("low_voltage_residential", "low_voltage_business", "high_voltage")
MOBILES = ("valid", "repairable", "suspect", "invalid")
ADDRESSES = ("valid", "repairable", "invalid")
DAYS = [None if day % 50 == 0 else str(date(1990, 1, 1) + timedelta(days=day)) for day in range(13_000)]
SEEN_DAYS = [f"{datetime(2026, 11, 1, tzinfo=UTC) - timedelta(days=day):%Y-%m-%d}" for day in range(1157)]
SECONDS = [f" {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000" for second in range(86_400)]
CLOSED_ON = "2025-01-01"
Line = tuple[Any, ...]

CUSTOMER = ("id", "unit_id", "account_no", "name", "customer_class", "opened_on", "closed_on", "changed_at",
            "created_at", "meter_book", "manager_id", "reach")  # fmt: skip
CONTACT = ("id", "customer_id", "unit_id", "kind", "value", "raw", "verdict", "created_at", "state", "source")
ROW = ("customer_id", "unit_id", "manager_id", "account_no", "opened_on", "changed_at", "facets", "text")


class Home(NamedTuple):
    """A supply station: its unit, what its addresses begin with, who works there."""

    unit_id: int
    region: str
    managers: Sequence[int]


class Judged(NamedTuple):
    """A kind and its verdict, as facets are made from it."""

    kind: str
    verdict: str


class Seen(NamedTuple):
    """A customer, as facets are made from it."""

    customer_class: str
    closed_on: str | None
    reach: int


class Made(NamedTuple):
    """One chunk, ready for three tables."""

    customers: list[Line]
    contacts: list[Line]
    rows: list[Line]


def chunks(rows: int, size: int, home_of: Callable[[int], Home]) -> Iterator[Made]:
    """Customers 1 to `rows`; those of one station follow one another, as imports write them."""
    chance = random.Random(1)  # noqa: S311 made-up data
    towns = _Towns(chance)
    for first in range(1, rows + 1, size):
        made = Made([], [], [])
        keys = range(first, min(rows, first + size - 1) + 1)
        for key, *facts in zip(keys, *_columns(chance, towns, len(keys)), strict=True):
            _add(made, key, home_of(key), facts)
        yield made


class _Towns:
    """The names of streets and estates that there are, and those of people."""

    def __init__(self, chance: random.Random) -> None:
        self.roads = [_place(chance) + chance.choice(ROADS) for _ in range(20_000)]
        self.estates = [_place(chance) + chance.choice(ESTATES) for _ in range(20_000)]
        self.given = [*GIVEN, *(one + other for one in GIVEN for other in GIVEN)]
        single = [1 / (rank + 10) for rank in range(len(GIVEN))]
        double = (one * other * 1.5 for one in single for other in single)
        self.often = list(accumulate([*(weight / 5 for weight in single), *double]))


def _place(chance: random.Random) -> str:
    return chance.choice(PLACES) + chance.choice(PLACES)


def _falling(number: int, head: int) -> list[float]:
    """How often each of a list occurs that begins with the commonest."""
    return list(accumulate(1 / (rank + head) for rank in range(number)))


def _columns(chance: random.Random, towns: _Towns, number: int) -> list[Any]:
    """What varies by chance, one list a fact."""

    def some(found: Sequence[Any], often: Sequence[float] | None = None) -> list[Any]:
        return chance.choices(found, cum_weights=often, k=number)

    return [
        some(SURNAMES, _falling(len(SURNAMES), 5)),
        some(towns.given, towns.often),
        some(CLASSES, (900, 995, 1000)),
        some(DAYS),
        some((None, CLOSED_ON), (49, 50)),
        map(str.__add__, some(SEEN_DAYS), some(SECONDS)),
        some(range(4)),
        map(str.__add__, some(towns.roads), some([str(number) for number in range(1, 401)])),
        some(towns.estates),
        map("{}栋{}房".format, some(range(1, 41)), some(range(101, 3301))),
        some(ADDRESSES, (85, 95, 100)),
        some((*MOBILES, None), (72, 83, 88, 90, 100)),
        map("{}{:08}".format, some(HEADS, _falling(len(HEADS), 6)), some(range(10**8))),
        some((None, "8"), (9, 10)),
        map("{:07}".format, some(range(10**7))),
    ]


def _add(made: Made, key: int, home: Home, facts: Sequence[Any]) -> None:
    surname, given, customer_class, opened, closed, moment, manager, road, estate, door, *values = facts
    address_verdict, mobile_verdict, mobile, has_line, line = values
    account, name = f"03{home.unit_id:05}{key % 10**6:06}", surname + given
    address = f"{home.region}{road}号{estate}{door}"
    reach, facets = _flags(customer_class, closed, address_verdict, mobile_verdict, has_line)
    unit_id, manager_id = home.unit_id, home.managers[manager]
    book = f"{unit_id}-{key % 10}"
    made.customers.append(
        (key, unit_id, account, name, customer_class, opened, closed, moment, moment, book, manager_id, reach)
    )
    tail = (moment, "current", "import")
    made.contacts.append((key * 3, key, unit_id, "supply_address", address, address, address_verdict, *tail))
    text = f"{account}\n{name}\n{address}"
    if mobile_verdict:
        value = "" if mobile_verdict == "invalid" else f"+86{mobile}"
        made.contacts.append((key * 3 + 1, key, unit_id, "mobile", value, mobile, mobile_verdict, *tail))
        text = f"{text}\n{mobile}"
    if has_line:
        number = f"{AREAS[unit_id % len(AREAS)]}{has_line}{line}"
        made.contacts.append((key * 3 + 2, key, unit_id, "landline", f"+86{number}", number, "valid", *tail))
        text = f"{text}\n0{number}"
    made.rows.append((key, unit_id, manager_id, account, opened or NO_TEXT, moment, facets, text))


NO_TEXT = NO_DAY.isoformat()


@cache
def _flags(
    customer_class: str, closed: str | None, address: str, mobile: str | None, line: str | None
) -> Line:
    """What works for a customer, and the facets."""
    good = ("valid", "repairable")
    reach = (address in good) * 1 | (mobile in good) * 6 | bool(line) * 4
    values = [Judged("supply_address", address)]
    values += [Judged("mobile", mobile)] if mobile else []
    values += [Judged("landline", "valid")] if line else []
    return reach, facets_of(Seen(customer_class, closed, reach), values)

"""Customers, contacts and search rows of a made-up province, written set by set past the services, for measuring."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Index, insert, text
from sqlalchemy.orm import Session

from models import Contact, Customer, SearchRow, Staff, Unit
from models.bulk import insert_rows
from services import search
from services.search_texts import facets_of, text_of

CHUNK = 10_000
STATION = 3_000  # customers of one supply station
TABLES = (Customer.__table__, Contact.__table__, SearchRow.__table__)
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
CITIES = ("甲山市", "乙水市", "丙川市", "丁原市", "戊江市", "己湖市", "庚城市", "辛港市")
COUNTIES = ("东湖区", "西岭区", "南塘区", "北桥区", "新城区", "长河县", "安平县", "永宁县")


class Value(NamedTuple):
    """One current contact value."""

    kind: str
    value: str
    raw: str
    verdict: str


def fill(session: Session, rows: int) -> None:
    """Make units, account managers and `rows` customers; indexes are left out until the end."""
    stations = make_units(session, max(1, rows // STATION))
    managers = make_managers(session, stations)
    session.commit()
    engine: Any = session.get_bind()
    for index in _indexes():
        with suppress(Exception), engine.begin() as connection:
            index.drop(connection)
    for made, chunk in enumerate(_chunks(rows, stations, managers)):
        _write(session, chunk)
        session.commit()
        if made % 20 == 19:
            sys.stderr.write(f"{(made + 1) * CHUNK} customers\n")
    build_indexes(engine)


def build_indexes(engine: Engine) -> None:
    """What a fresh data file has, and the statistics that planners go by."""
    for index in _indexes():
        with engine.begin() as connection:
            index.create(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        _analyse(connection)


def _analyse(connection: Connection) -> None:
    words = "VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE"
    for table in (*TABLES, Unit.__table__):
        connection.execute(text(f"{words} {table.name}"))


def _indexes() -> list[Index]:
    """The indexes of the three tables; of contacts only what the list reads."""
    found = [index for table in TABLES[::2] for index in table.indexes]
    return sorted(found + list(Contact.__table__.indexes), key=lambda index: str(index.name))


def make_units(session: Session, number: int) -> list[Unit]:
    """Bureaus of about twenty counties of about twenty stations, under the root; the stations."""
    root = session.query(Unit).filter(Unit.parent_id.is_(None)).one()
    made: list[Unit] = []
    for place in range(number):
        if place % 400 == 0:
            bureau = _unit(session, root, "bureau", f"B{place // 400:03}", CITIES[place // 400 % len(CITIES)])
        if place % 20 == 0:
            county = _unit(
                session, bureau, "county_bureau", f"C{place // 20:04}", COUNTIES[place // 20 % len(COUNTIES)]
            )
        made.append(
            _unit(
                session,
                county,
                "supply_station",
                f"S{place:05}",
                "".join(PLACES[step % len(PLACES)] for step in (place, place // len(PLACES))),
            )
        )
    return made


def _unit(session: Session, parent: Unit, kind: str, code: str, name: str) -> Unit:
    unit = Unit(
        code=code, name=f"{name}供电所" if kind == "supply_station" else f"{name}供电局", kind=kind, path=""
    )
    unit.parent_id, unit.region = (
        parent.id,
        f"{parent.region}{name}" if kind != "supply_station" else parent.region,
    )
    session.add(unit)
    session.flush()
    unit.path = f"{parent.path}{unit.id}/"
    return unit


def make_managers(session: Session, stations: Sequence[Unit]) -> dict[int, list[int]]:
    """Four account managers a station, by unit."""
    rows = [
        {
            "username": f"m{unit.id}-{place}",
            "name": f"{SURNAMES[place]}{GIVEN[unit.id % 100]}",
            "unit_id": unit.id,
        }
        | {"fs_uniquifier": f"m{unit.id}-{place}", "active": True, "must_change": False, "capacity": 20}
        for unit in stations
        for place in range(4)
    ]
    found: dict[int, list[int]] = {}
    for row in session.execute(insert(Staff).returning(Staff.id, Staff.unit_id), rows):
        found.setdefault(row.unit_id, []).append(row.id)
    return found


class Dice:
    """Numbers by chance, cut from one long one: a tenth of the price of asking for each."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 made-up data
        self.left = 0

    def shake(self) -> None:
        """New numbers for one customer."""
        self.left = self.chance.getrandbits(256)

    def below(self, number: int) -> int:
        """A number from 0."""
        self.left, found = divmod(self.left, number)
        return found

    def of(self, found: Sequence[Any]) -> Any:
        """One of some."""
        return found[self.below(len(found))]


def _chunks(
    rows: int, stations: Sequence[Unit], managers: dict[int, list[int]]
) -> Iterator[list[dict[str, Any]]]:
    dice, made = Dice(1), []
    places = [(unit.id, unit.region) for unit in stations]
    for key in range(1, rows + 1):
        dice.shake()
        unit_id, region = places[min((key - 1) // STATION, len(places) - 1)]
        made.append(_customer(key, unit_id, dice) | {"values": _values(region, dice)})
        made[-1]["manager_id"] = dice.of(managers[unit_id])
        if len(made) == CHUNK or key == rows:
            yield made
            made = []


def _customer(key: int, unit_id: int, dice: Dice) -> dict[str, Any]:
    """One account: numbers follow the units as in life, opening days and changes do not."""
    moment = LAST - timedelta(seconds=dice.below(10**8))
    part = dice.below(1000)
    return {
        "id": key,
        "unit_id": unit_id,
        "account_no": f"03{unit_id:05}{key % 10**6:06}",
        "name": dice.of(SURNAMES) + dice.of(GIVEN) + (dice.of(GIVEN) if dice.below(5) else ""),
        "customer_class": CLASSES[0 if part < 5 else 1 if part < 100 else 2],
        "opened_on": None if key % 50 == 0 else date(1990, 1, 1) + timedelta(days=dice.below(13_000)),
        "closed_on": None if dice.below(50) else date(2025, 1, 1),
        "changed_at": moment,
        "created_at": moment,
        "meter_book": f"{unit_id}-{key % 10}",
    }


LAST = datetime(2026, 11, 1, tzinfo=UTC)
CLASSES = ("high_voltage", "low_voltage_business", "low_voltage_residential")
MOBILES = ("valid",) * 80 + ("repairable",) * 12 + ("suspect",) * 5 + ("invalid",) * 3
ADDRESSES = ("valid",) * 85 + ("repairable",) * 10 + ("invalid",) * 5


def _values(region: str, dice: Dice) -> list[Value]:
    road = dice.of(PLACES) + dice.of(PLACES) + dice.of(ROADS)
    estate = dice.of(PLACES) + dice.of(PLACES) + dice.of(ESTATES)
    door = f"{1 + dice.below(40)}栋{101 + dice.below(3200)}房"
    address = f"{region}{road}{1 + dice.below(400)}号{estate}{door}"
    found = [Value("supply_address", address, address, dice.of(ADDRESSES))]
    if dice.below(10):
        mobile, verdict = f"1{dice.of('3589')}{dice.below(10**9):09}", dice.of(MOBILES)
        found.append(Value("mobile", "" if verdict == "invalid" else f"+86{mobile}", mobile, verdict))
    return found


def _reach(values: Sequence[Value]) -> int:
    works = {value.kind for value in values if value.verdict in ("valid", "repairable")}
    return ("supply_address" in works) * 1 + ("mobile" in works) * 6


class Seen(NamedTuple):
    """A customer as the rows of a search are made from it."""

    account_no: str
    name: str
    customer_class: str
    closed_on: date | None
    reach: int


def _write(session: Session, chunk: Sequence[dict[str, Any]]) -> None:
    customers, contacts, rows = [], [], []
    for one in chunk:
        values = one.pop("values")
        one["reach"] = _reach(values)
        customers.append(one)
        contacts += [_contact(one, value) for value in values]
        rows.append(_search_row(one, values))
    insert_rows(session, TABLES[0], customers)
    insert_rows(session, TABLES[1], contacts)
    insert_rows(session, TABLES[2], rows)
    search.index(session, {}, {row["customer_id"]: row["text"] for row in rows})


def _contact(customer: dict[str, Any], value: Value) -> dict[str, Any]:
    facts = {
        "customer_id": customer["id"],
        "unit_id": customer["unit_id"],
        "state": "current",
        "source": "import",
    }
    return (
        facts
        | value._asdict()
        | {"id": customer["id"] * 2 + (value.kind == "mobile"), "created_at": customer["created_at"]}
    )


def _search_row(customer: dict[str, Any], values: Sequence[Value]) -> dict[str, Any]:
    seen = Seen(*(customer[name] for name in Seen._fields))
    names = ("unit_id", "manager_id", "account_no", "changed_at")
    return {
        "customer_id": customer["id"],
        **{name: customer[name] for name in names},
        "opened_on": customer["opened_on"] or date(1, 1, 1),
        "facets": facets_of(seen, values),
        "text": text_of(seen, values),
    }

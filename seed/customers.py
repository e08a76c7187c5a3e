"""Customers of the generated bureau as clean rows of its file: everything right, not everything filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from models.clock import start_of_day
from seed.bureau import Bureau, BureauUnit
from seed.names import Names, credit_code, firm, identity_number, load_names, person, pick
from seed.phones import Blocks, landline, load_blocks, mobile
from seed.streets import AREA_SIZE, Area, areas, door

FIELDS = (
    "户号", "户名", "供电单位", "用电类别", "客户类别", "用电地址", "邮政编码", "手机",
    "固定电话", "联系电话", "联系人", "通讯地址", "电子邮箱", "微信", "立户日期", "客户经理",
    "敏感客户", "台区", "抄表册", "录入人", "录入时间", "统一社会信用代码", "身份证号",
)  # fmt: skip
Row = dict[str, str]
BUSINESS_SHARE = {"estate": 0.03, "road": 0.45, "village": 0.06, "office": 0.97, "works": 0.95}
LARGE_SHARE = {"office": 0.12, "works": 0.22}
NEW_SHARE = 0.04
LATE_SHARE = 0.14
UNDATED_SHARE = 0.02
MAILBOXES = ("qq.com", "163.com", "126.com", "139.com", "21cn.com", "foshan.net")
COUNTY_CODES = {"FS01": "440604", "FS02": "440605", "FS03": "440606", "FS04": "440608"}
OLD_COUNTY_CODES = {"FS01": "440602", "FS02": "440622", "FS03": "440623", "FS04": "440624"}


@dataclass(frozen=True)
class Owner:
    """Who holds one or several accounts, and how to reach them."""

    name: str
    is_firm: bool
    mobile: str
    landline: str
    contact: str
    email: str
    wechat: str
    identity: str


@dataclass(frozen=True)
class Desk:
    """Who looks after a transformer area, and what its rows draw on: looked up once an area, not a row."""

    names: Names
    blocks: Blocks
    today: date
    county: BureauUnit
    county_code: str
    manager: str
    large_manager: str
    recorders: tuple[str, ...]


def customers(bureau: Bureau, *, count: int, seed: int, today: date) -> Iterator[Row]:
    """`count` clean rows in constant memory; the first of them are the same whatever the count.

    `today` is the day of the export: some customers opened within its month, some of them recorded late.
    """
    names, blocks = load_names(), load_blocks()
    left = count
    for area in areas(bureau, seed=seed):
        rng = Random(f"{seed}|customers|{area.number}")
        desk = _desk(bureau, area, (names, blocks, today))
        yield from _area_rows(desk, area, rng, min(left, AREA_SIZE))
        left -= AREA_SIZE
        if left <= 0:
            return


def _desk(bureau: Bureau, area: Area, drawn: tuple[Names, Blocks, date]) -> Desk:
    county = bureau.county_of(area.unit)
    station = area.unit if area.unit.kind == "supply_station" else bureau.unit(area.unit.parent)
    manager = bureau.one(area.unit.code, "account_manager", area.book_number).name
    clerk = bureau.one(station.code, "clerk").name
    reader = bureau.one(station.code, "meter_reader").name
    return Desk(
        *drawn,
        county=county,
        county_code=COUNTY_CODES[county.code],
        manager=manager,
        large_manager=bureau.one(county.code, "account_manager").name,
        recorders=(clerk,) * 11 + (reader,) * 4 + (manager,) * 5,
    )


def account_number(county: str, number: int) -> str:
    """A sixteen-digit account number: `06`, the county, and a scrambled running number that never repeats."""
    return f"06{county[-2:]}{(number * 618033988751 + 20250701) % 10**12:012d}"


def _area_rows(desk: Desk, area: Area, rng: Random, count: int) -> Iterator[Row]:
    """One area's customers; an owner may hold the next doors too, and a family may share its number."""
    owner, more = _owner(desk, area, rng), 0
    for place in range(count):
        if more > 0:
            more -= 1
        else:
            owner = _next_owner(desk, area, rng, owner)
            more = _further_doors(area, rng)
        yield _row(desk, area, rng, owner, place)


def _further_doors(area: Area, rng: Random) -> int:
    """How many neighbouring doors the same owner holds: landlords, firms with several accounts."""
    share = {"village": 0.03, "office": 0.08, "works": 0.06}.get(area.sort, 0.01)
    return 1 + int(rng.random() * 5) if rng.random() < share else 0


def _next_owner(desk: Desk, area: Area, rng: Random, before: Owner) -> Owner:
    owner = _owner(desk, area, rng)
    if owner.is_firm or before.is_firm or rng.random() > 0.05:
        return owner
    family = person(rng, desk.names, surname=before.name[:1])
    return replace(owner, name=family, mobile=before.mobile, wechat=before.wechat)


def _owner(desk: Desk, area: Area, rng: Random) -> Owner:
    number = mobile(rng, desk.blocks)
    is_firm = rng.random() < BUSINESS_SHARE[area.sort]
    code = desk.county_code
    if is_firm:
        name = firm(rng, desk.names, desk.county.name[:2])
        return Owner(
            name,
            is_firm,
            number,
            landline(rng, area.unit.area_code) if rng.random() < 0.8 else "",
            person(rng, desk.names),
            _email(rng, number) if rng.random() < 0.5 else "",
            "",
            credit_code(rng, code),
        )
    name = person(rng, desk.names)
    return Owner(
        name,
        is_firm,
        number,
        landline(rng, area.unit.area_code) if rng.random() < 0.14 else "",
        name if rng.random() < 0.55 else "",
        _email(rng, number) if rng.random() < 0.09 else "",
        _wechat(rng, number) if rng.random() < 0.22 else "",
        identity_number(rng, OLD_COUNTY_CODES[desk.county.code]) if rng.random() < 0.6 else "",
    )


def _row(desk: Desk, area: Area, rng: Random, owner: Owner, place: int) -> Row:
    large = owner.is_firm and rng.random() < LARGE_SHARE.get(area.sort, 0.0)
    unit = desk.county if large else area.unit
    opened, recorded = _dates(desk.today, rng)
    address = door(area, place, rng)
    return {
        "户号": account_number(desk.county.code, area.number * AREA_SIZE + place),
        "户名": owner.name,
        "供电单位": unit.name,
        "用电类别": _usage(area, owner, large, rng),
        "客户类别": _class(owner, large),
        "用电地址": address,
        "邮政编码": area.postcode,
        "手机": owner.mobile,
        "固定电话": owner.landline if not large else owner.landline or landline(rng, unit.area_code),
        "联系电话": mobile(rng, desk.blocks) if rng.random() < 0.05 else "",
        "联系人": owner.contact,
        "通讯地址": address if large or rng.random() < 0.2 else "",
        "电子邮箱": owner.email if not large else owner.email or _email(rng, owner.mobile),
        "微信": owner.wechat,
        "立户日期": opened.isoformat(),
        "客户经理": desk.large_manager if large else desk.manager,
        "敏感客户": _sensitivity(rng),
        "台区": area.name,
        "抄表册": area.book,
        "录入人": pick(rng, desk.recorders),
        "录入时间": f"{recorded:%Y-%m-%d %H:%M}" if recorded else "",
        "统一社会信用代码": owner.identity if owner.is_firm else "",
        "身份证号": "" if owner.is_firm else owner.identity,
    }


def _usage(area: Area, owner: Owner, large: bool, rng: Random) -> str:
    if not owner.is_firm:
        return "居民生活"
    if large:
        return "大工业"
    return "农业生产" if area.sort == "village" and rng.random() < 0.4 else "一般工商业"


def _class(owner: Owner, large: bool) -> str:
    if large:
        return "高压"
    return "低压非居民" if owner.is_firm else "低压居民"


def _sensitivity(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.006:
        return "高敏"
    return "重点关注" if draw < 0.022 else ""


def _dates(today: date, rng: Random) -> tuple[date, datetime | None]:
    """The opening day, and the moment the contacts were recorded; None where the old system kept no date."""
    if rng.random() < NEW_SHARE:
        opened = today.replace(day=1 + int(rng.random() * today.day))
        late = rng.random() < LATE_SHARE
        recorded = opened + timedelta(days=11 + int(rng.random() * 9) if late else int(rng.random() * 4))
    else:
        opened = today.replace(day=1) - timedelta(days=1 + int(rng.random() ** 1.6 * 9000))
        recorded = opened + timedelta(days=int(rng.random() ** 2 * (today - opened).days))
        if rng.random() < UNDATED_SHARE:
            return opened, None
    minutes = 8 * 60 + 30 + int(rng.random() * 510)
    return opened, start_of_day(min(recorded, today)) + timedelta(minutes=minutes)


def _email(rng: Random, number: str) -> str:
    box = pick(rng, MAILBOXES)
    return f"{number[:11]}@139.com" if box == "139.com" else f"{int(rng.random() * 9e8) + 10**8}@{box}"


def _wechat(rng: Random, number: str) -> str:
    return number if rng.random() < 0.5 else f"wxid_{int(rng.random() * 36**8):x}"

"""The head of an address as written: province and city, and what reads like a county by its ending."""

from __future__ import annotations

import re
from typing import NamedTuple

from quality.divisions import MUNICIPALITIES, Named, Place, find_city, find_province

_NO_PLACE = Place()
_HAN = "\u3007\u3400-\u9fff"
# A district's or county's name is short and holds no street. 小区, 社区, 园区 and the like are parts of towns.
_COUNTY = re.compile(
    rf"(?:[{_HAN}]{{2,12}}?(?:自治县|自治旗)"
    rf"|[{_HAN}]{{1,8}}(?:经济技术|高新技术|经济|高新技术产业|高新|技术产业)开发区"
    rf"|(?:经济技术|高新技术|高新技术产业|经济)开发区|工业园区(?=[{_HAN}])"
    rf"|[{_HAN}]{{1,5}}?(?:(?<=[^小社园校院厂库景宅活业片一二三四五六七八九十郊])区(?![府委间块]|街道)"
    rf"|县(?![前衙级府])|旗(?![杆舰帜袍路街村])|市(?![场民政府委立]))"
    rf"|[东西南北中城郊矿]区(?![府委间块]|街道))"
)
_STREETS = re.compile(r".+[路街道巷弄号栋幢镇].|..[村乡].|.[村乡]..")
_ESTATE_INSIDE = re.compile(
    "花园|广场|家园|华庭|名苑|公寓|豪庭|雅苑|大厦|公馆|小区|山庄|名城|丽景|花苑|新村|大院|宿舍|工业|科技"
)
ESTATES = re.compile(r"(?:花园|广场|家园|华庭|名苑|公寓|中心|豪庭|雅苑|大厦|之光|公馆|新城|丽景|小区|山庄|名城|府)")
_ROADS = re.compile(
    r"[东西南北中上下内外前后新老一二三四五六七八九十环]{0,3}"
    r"(?:大道|大街|路|街|道|巷|弄|里|胡同|桥|广场|大厦|村|社区|小区|花园|苑|公园|门|站|区|县|镇|乡|市|州|旗)"
)


class Head(NamedTuple):
    """Province and city. `length` counts the characters taken; the flags say how they were written, `renamed`
    under which former name (襄樊市>襄阳市(2010)).
    """

    province: str = ""
    city: str = ""
    length: int = 0
    is_full: bool = True
    is_repeated: bool = False
    is_contradictory: bool = False
    renamed: str = ""


def read_head(text: str, own: Place = _NO_PLACE) -> Head:
    """Read province and city from the beginning of a text without spaces.

    A bare name (佛山, 中山) counts as a city only where a district follows, or, for one's own city, a street with a
    name of its own: 中山路 and 南京东路 are streets. `own` is the unit's region.
    """
    head = _read_city(_read_province(text, own), text, own.city)
    return _skip_repeated(head, text)


def _read_province(text: str, own: Place) -> Head:
    found = find_province(text)
    if not found:
        return Head()
    rest = text[found.length :]
    city = None if found.is_sure else find_city(text)
    if city and city.is_sure:  # 吉林市 is the city, not the province
        return Head()
    is_alone = found.name in MUNICIPALITIES or found.name == own.province
    if found.is_sure or _is_city_next(rest, found.name) or (is_alone and read_county(rest)):
        return Head(province=found.name, length=found.length, is_full=found.is_full)
    return Head()


def _is_city_next(rest: str, province: str) -> bool:
    city = find_city(rest)
    if city is None or city.is_sure or read_county(rest[city.length :]):
        return city is not None
    return city.province == province and not _ROADS.match(rest[city.length :])  # 广东佛山南海大沥镇


def _read_city(head: Head, text: str, own_city: str) -> Head:
    rest = text[head.length :]
    rest = rest.removeprefix("市辖区") if head.province in MUNICIPALITIES else rest
    skipped = len(text) - head.length - len(rest)
    city = find_city(rest)
    if not city or not (city.is_sure or _is_bare_city(city, rest[city.length :], head, own_city)):
        return head._replace(length=head.length + skipped, is_full=head.is_full and not skipped)
    return head._replace(
        city=city.name,
        length=head.length + city.length,
        is_full=head.is_full and city.is_full,
        is_contradictory=bool(head.province) and head.province != city.province,
        renamed=f"{rest[: city.length]}>{city.name}({city.since})" if city.since else "",
    )


def _is_bare_city(city: Named, rest: str, head: Head, own_city: str) -> bool:
    if _ROADS.match(rest):
        return False
    return bool(read_county(rest)) or city.name == own_city or city.province == head.province


def _skip_repeated(head: Head, text: str) -> Head:
    """Exports write 广东省佛山市 in front of addresses that begin with it."""
    while head.province or head.city:
        rest = text[head.length :]
        names = (head.province + head.city, head.city, head.province)
        again = next((name for name in names if name and rest.startswith(name)), "")
        if not again:
            return head
        head = head._replace(length=head.length + len(again), is_repeated=True)
    return head


def read_county(rest: str) -> str:
    """The district, county or county-level city with which a text begins, or an empty text."""
    found = _COUNTY.match(rest)
    if not found:
        return ""
    name = found.group()
    if not name.endswith(("自治县", "开发区")) and (_STREETS.match(name) or _ESTATE_INSIDE.search(name)):
        return ""
    if name.endswith("市") and (len(name) < 3 or ESTATES.match(rest[len(name) :])):
        return ""
    return "" if name == "山区" or (name.endswith("旗") and len(name) < 3) else name

"""The tail of an address: town, village, road, number, estate, building, unit, floor, room, read by their endings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_HAN = "\u3007\u3400-\u9fff\U00020000-\U0003ffff"
_NAME = rf"[{_HAN}](?:(?![路街道巷弄号])[{_HAN}])"  # the first character and, as often as needed, the others
_N = "[一二三四五六七八九十百]"
_ESTATE_WORDS = (
    "小区|花园|花苑|公寓|新村|新苑|家园|广场|大厦|大楼|中心|名城|新城|豪庭|华庭|雅苑|名苑|嘉园|雅居|名居|山庄"
    "|别墅|宿舍区?|大院"
    "|工业园区?|工业区|产业园区?|科技园区?|园区|开发区|住宅区|生活区|市场|商场|酒店|宾馆|医院|学校|中学|小学"
    "|幼儿园|学院|大学"
    "|公司|仓库|码头|车站|农场|林场|公馆|商城|商厦|写字楼|综合楼|办公楼|教学楼|住宅楼|宿舍楼|厂区"
)
_ESTATE = rf"{_ESTATE_WORDS}|[苑府湾城里轩阁楼居园台邸坊港岛谷郡墅院店站局所行会馆部庭寓厦庄厂屋围]"
_NOT_ROAD = r"(?![东西南北中前后内外]{0,2}(?:路|街|大街|大道|道|巷|弄|里|横|直))"
_PREMISES = re.compile(rf"[{_HAN}A-Za-z]{{1,12}}?(?:{_ESTATE_WORDS}){_NOT_ROAD}")
_ENDS_AS_ESTATE = re.compile(rf"(?:{_ESTATE})$")

_TOKENS = {
    "town": rf"{_NAME}{{0,7}}?(?:镇街道办事处|镇街道|街道办事处|街道办|街道(?![东西南北]?[路街])|苏木|办事处"
    rf"|(?<!小)镇(?![东西南北中前后新]?(?:路|街|大道|巷|道))|乡(?![村情土愁音百花名大府]|[东西南北中]?(?:路|街|道)))",
    "village": rf"{_NAME}{{0,7}}?(?:村民委员会|居民委员会|村委会|居委会|行政村|自然村|社区居委会|社区"
    rf"|村(?![民街巷镇委]|[东西南北中前后头尾口]?(?:大?道|路)|[前后头尾口][街巷])|[屯寨庄](?=[\d第东西南北上下]|{_N}))",
    "group": rf"(?:第?(?:\d{{1,3}}|{_N}{{1,3}})|[东西南北中上下前后新老]|[{_HAN}]{{1,4}}?)"
    r"(?:村民小组|生产队|小组|组|队|社(?!区))",
    "road": rf"(?:[GSXY]?\d{{1,4}}(?=[国省县乡]道|号?路)|\d{{1,2}}(?=街|路|大道))?[{_HAN}A-Za-z]{{0,9}}?"
    r"(?:大道|大街|[国省县乡]道|公路|马路|(?<!铁)路(?![口桥灯边旁])|街(?![道坊心口边])|(?<!街)道(?![教观士口具]))"
    rf"(?:[东西南北中]段|{_N}{{1,2}}段|{_N}{{1,2}}[横直]?[路街]|[东西南北中上下](?:[路街]|(?=\d)))?",
    "lane": rf"(?:[{_HAN}]{{1,6}}?|\d{{1,4}}|第?{_N}{{1,3}})"
    rf"(?:巷|弄|胡同|支弄|(?:[里坊条横直])(?=\d|{_N}{{1,3}}号|[东西南北]?$))",
    "number": rf"(?:门牌|No\.?)?(?:[附甲乙丙新老旧临])?(?:\d{{1,5}}[A-Za-z]?|{_N}{{1,5}})"
    rf"(?:(?:-|之|至|、|/|~)\d{{1,4}})*(?:号院|号大院|号(?!楼|线|地铁|机|门|房|室|铺|档|商铺|仓|公?路|大街|车|单元))"
    rf"(?:附\d{{1,4}}号?|之(?:\d{{1,3}}|{_N}{{1,3}})|-\d{{1,3}}(?![\d-]))?",
    "building": rf"(?:[A-Za-z]{{1,2}}-?\d{{0,3}}|\d{{1,4}}(?:-\d{{1,3}})?[A-Za-z]?|{_N}{{1,4}}|[甲乙丙丁戊东南西北中])"
    rf"(?:号楼|号院楼|号?栋楼?|号?幢楼?|号?座(?!机)|#楼?|座楼)",
    "unit": rf"(?:[\dA-Za-z]{{1,3}}|{_N}{{1,3}}|[甲乙丙丁东西中南北])(?:单元|梯(?![级形])|门(?=\d))",
    "floor": rf"第?(?:(?:负|地下|B)?(?:\d{{1,3}}|{_N}{{1,3}})|首|底|顶)(?:层|楼|F(?![A-Za-z]))",
    "room": rf"(?:[A-Za-z]{{0,2}}-?\d{{1,5}}[A-Za-z]?(?:[-、/~]\d{{1,5}}[A-Za-z]?)*|{_N}{{1,4}}|[东西南北中甲乙丙丁])"
    r"(?:号商铺|商铺|铺位|号铺|号房|号室|号档|号仓|号车库|单位|房间|室|房|户|铺|档|卡|仓|车库)"
    rf"|之(?:\d{{1,3}}|{_N}{{1,3}})",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _TOKENS.items()}
_SHORT = re.compile(
    r"(?P<building>(?:[A-Za-z]-?)?\d{1,3})(?:#|栋|幢|座)?-(?:(?P<unit>\d{1,2})-)?"
    r"(?P<room>[A-Za-z]?\d{2,4}[A-Za-z]?)(?:室|房|号)?(?!\d)"
)
_BARE_ROOM = re.compile(
    r"[A-Za-z]{0,2}-?\d{2,5}[A-Za-z]?(?:[-、/]\d{1,5})*(?![\dA-Za-z]|号楼|栋|幢|座|单元|[巷弄街路横组队社村])"
)
_UNIT_ROOM = re.compile(r"(?P<unit>\d{1,2})-(?P<room>\d{3,4}[A-Za-z]?)(?:室|房|号)?(?![\d-])")  # behind a building
_INSIDE_ROOM = re.compile(rf"(?:\d{{1,5}}[A-Za-z]?|{_N}{{1,3}})号")
_ESTATE_NAME = re.compile(
    rf"(?:[{_HAN}A-Za-z·]|\d{{1,2}}(?=期|区)|\d(?=号院)){{1,20}}?"
    rf"(?=第?[A-Za-z]{{0,2}}-?\d{{1,4}}(?:-\d|[A-Za-z]?(?:号楼|号?栋|号?幢|号?座|#|单元|层|楼|室|房|梯|号|$))"
    rf"|[A-Za-z]{{1,2}}(?:栋|幢|座)|(?:{_N}{{1,3}}|[甲乙丙丁东南西北中])(?:号楼|栋|幢|座|单元|层|梯)|$|[()])"
)
_RELATIVE = re.compile(r"(?:旁边?|附近|斜?对面|后面|前面|隔壁|背后|侧边?|交叉口|交界处?|交汇处?|路口|以[东西南北])$")
_SKIP = " ,，、;()（）-·.。:：\"'“”[]【】"


class Tail(NamedTuple):
    """The parts as written; `rest` is what fits nowhere, `is_relative` when it ends beside or opposite a place."""

    parts: dict[str, str]
    rest: str = ""
    is_relative: bool = False


_Reader = Callable[[str, int, dict[str, str]], "int | None"]


def read_tail(text: str, town: str = "") -> Tail:
    """Take what follows the district, and its town where that is known, apart from left to right."""
    parts: dict[str, str] = {"town": town} if town else {}
    rest: list[str] = []
    place = 0
    while place < len(text):
        found = None if text[place] in _SKIP else _next(text, place, parts)
        if found:
            place = found
            continue
        if text[place] not in _SKIP:
            rest.append(text[place])
        place += 1
    return Tail(parts, "".join(rest), bool(_RELATIVE.search(text)))


def _next(text: str, place: int, parts: dict[str, str]) -> int | None:
    """Read the part that begins at a place into `parts`; where it ends, or None."""
    char = text[place]
    readers: tuple[_Reader, ...] = _OUTSIDE
    if char.isascii() or char in _BEFORE_SIGNS:
        readers = _INSIDE if parts.keys() & _DOORS else _AT_THE_DOOR
    for read in readers:
        end = read(text, place, parts)
        if end:
            return end
    return None


def _read_short(text: str, place: int, parts: dict[str, str]) -> int | None:
    """3-2-502 and 3-502: building, unit, room; behind a building 2-502: unit, room."""
    pattern = _UNIT_ROOM if "building" in parts and "unit" not in parts else _SHORT
    is_taken = "room" in parts or parts.keys() >= {"building", "unit"}
    found = None if is_taken else pattern.match(text, place)
    if not found:
        return None
    parts.update({name: value for name, value in found.groupdict().items() if value})
    return found.end()


def _read_building(text: str, place: int, parts: dict[str, str]) -> int | None:
    return _take("building", text, place, parts)


def _read_unit(text: str, place: int, parts: dict[str, str]) -> int | None:
    return _take("unit", text, place, parts)


def _read_floor(text: str, place: int, parts: dict[str, str]) -> int | None:
    return _take("floor", text, place, parts)


def _read_room(text: str, place: int, parts: dict[str, str]) -> int | None:
    if "room" in parts:
        return None
    found = _PATTERNS["room"].match(text, place) or _BARE_ROOM.match(text, place)
    if not found or text.startswith("号", found.end()):
        inside = _INSIDE_ROOM.match(text, place) if parts.keys() & {"building", "unit", "floor", "number"} else None
        found = inside or (None if text.startswith("号", found.end() if found else place) else found)
    if not found:
        return None
    parts["room"] = found.group()
    return found.end()


def _read_number(text: str, place: int, parts: dict[str, str]) -> int | None:
    return _take("number", text, place, parts)


def _take(name: str, text: str, place: int, parts: dict[str, str]) -> int | None:
    found = None if name in parts else _PATTERNS[name].match(text, place)
    if not found:
        return None
    parts[name] = found.group()
    return found.end()


def _read_outer(text: str, place: int, parts: dict[str, str]) -> int | None:
    """Town, village, group, road or lane: whichever ends first."""
    found = [(match.end(), name) for name in _expected(parts) if (match := _PATTERNS[name].match(text, place))]
    if not found:
        return None
    end, name = min(found, key=lambda pair: pair[0])
    premises = _PREMISES.match(text, place)
    if premises and (premises.end() < end or (name == "village" and _is_new_village(text, end))):
        return _add_estate(parts, premises.group(), premises.end())
    second = {"road": "lane", "village": "group"}.get(name, name)
    parts[second if name in parts else name] = text[place:end]
    return end


def _expected(parts: dict[str, str]) -> list[str]:
    if "number" in parts or "building" in parts:
        return []
    names = ["road"] if "road" not in parts or "lane" not in parts else []
    names += [] if "lane" in parts else ["lane"]
    names += [] if parts.keys() >= {"village", "group"} else ["village"]
    names += [] if parts.keys() & {"town", "road", "estate"} else ["town"]
    return names + (["group"] if parts.keys() & {"village", "town"} and "group" not in parts else [])


def _is_new_village(text: str, end: int) -> bool:
    return text[end - 2 : end] == "新村" and bool(_PATTERNS["building"].match(text, end))


def _read_estate(text: str, place: int, parts: dict[str, str]) -> int | None:
    found = _ESTATE_NAME.match(text, place)
    name = found.group() if found else ""
    if not found or len(name) < 2 or (found.end() == len(text) and not _ENDS_AS_ESTATE.search(name)):
        return None
    return _add_estate(parts, name, found.end())


def _add_estate(parts: dict[str, str], name: str, end: int) -> int:
    parts["estate"] = parts.get("estate", "") + name
    return end


_DOORS = frozenset(("number", "estate", "building", "unit", "floor", "village", "group", "lane"))
_BEFORE_SIGNS = frozenset("第一二三四五六七八九十百甲乙丙丁戊东南西北中首底顶负地附新老旧临之门")  # 三栋, 甲18号, 首层
_OUTSIDE: tuple[_Reader, ...] = (_read_outer, _read_estate)
_AT_THE_DOOR: tuple[_Reader, ...] = (_read_building, _read_number, *_OUTSIDE)
_INSIDE: tuple[_Reader, ...] = (
    _read_short, _read_building, _read_unit, _read_floor, _read_room, _read_number, *_OUTSIDE,
)  # fmt: skip

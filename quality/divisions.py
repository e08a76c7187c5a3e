"""Provinces and their cities: what an address may leave out, and what contradicts it.

The names are those of the Ministry of Civil Affairs as of 2025-12-31. Counties that stand directly under a province
are listed with its cities. Districts and streets are not here: they are read by their endings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_CITIES = {
    "北京市": "",
    "天津市": "",
    "河北省": "石家庄市 唐山市 秦皇岛市 邯郸市 邢台市 保定市 张家口市 承德市 沧州市 廊坊市 衡水市",
    "山西省": "太原市 大同市 阳泉市 长治市 晋城市 朔州市 晋中市 运城市 忻州市 临汾市 吕梁市",
    "内蒙古自治区": (
        "呼和浩特市 包头市 乌海市 赤峰市 通辽市 鄂尔多斯市 呼伦贝尔市 巴彦淖尔市 乌兰察布市 兴安盟 "
        "锡林郭勒盟 阿拉善盟"
    ),
    "辽宁省": (
        "沈阳市 大连市 鞍山市 抚顺市 本溪市 丹东市 锦州市 营口市 阜新市 辽阳市 盘锦市 铁岭市 "
        "朝阳市 葫芦岛市"
    ),
    "吉林省": "长春市 吉林市 四平市 辽源市 通化市 白山市 松原市 白城市 延边朝鲜族自治州",
    "黑龙江省": (
        "哈尔滨市 齐齐哈尔市 鸡西市 鹤岗市 双鸭山市 大庆市 伊春市 佳木斯市 七台河市 牡丹江市 黑河市 "
        "绥化市 大兴安岭地区"
    ),
    "上海市": "",
    "江苏省": (
        "南京市 无锡市 徐州市 常州市 苏州市 南通市 连云港市 淮安市 盐城市 扬州市 镇江市 泰州市 "
        "宿迁市"
    ),
    "浙江省": "杭州市 宁波市 温州市 嘉兴市 湖州市 绍兴市 金华市 衢州市 舟山市 台州市 丽水市",
    "安徽省": (
        "合肥市 芜湖市 蚌埠市 淮南市 马鞍山市 淮北市 铜陵市 安庆市 黄山市 滁州市 阜阳市 宿州市 "
        "六安市 亳州市 池州市 宣城市"
    ),
    "福建省": "福州市 厦门市 莆田市 三明市 泉州市 漳州市 南平市 龙岩市 宁德市",
    "江西省": "南昌市 景德镇市 萍乡市 九江市 新余市 鹰潭市 赣州市 吉安市 宜春市 抚州市 上饶市",
    "山东省": (
        "济南市 青岛市 淄博市 枣庄市 东营市 烟台市 潍坊市 济宁市 泰安市 威海市 日照市 临沂市 "
        "德州市 聊城市 滨州市 菏泽市"
    ),
    "河南省": (
        "郑州市 开封市 洛阳市 平顶山市 安阳市 鹤壁市 新乡市 焦作市 濮阳市 许昌市 漯河市 三门峡市 "
        "南阳市 商丘市 信阳市 周口市 驻马店市 济源市"
    ),
    "湖北省": (
        "武汉市 黄石市 十堰市 宜昌市 襄阳市 鄂州市 荆门市 孝感市 荆州市 黄冈市 咸宁市 随州市 "
        "恩施土家族苗族自治州 仙桃市 潜江市 天门市 神农架林区"
    ),
    "湖南省": (
        "长沙市 株洲市 湘潭市 衡阳市 邵阳市 岳阳市 常德市 张家界市 益阳市 郴州市 永州市 怀化市 "
        "娄底市 湘西土家族苗族自治州"
    ),
    "广东省": (
        "广州市 韶关市 深圳市 珠海市 汕头市 佛山市 江门市 湛江市 茂名市 肇庆市 惠州市 梅州市 "
        "汕尾市 河源市 阳江市 清远市 东莞市 中山市 潮州市 揭阳市 云浮市"
    ),
    "广西壮族自治区": (
        "南宁市 柳州市 桂林市 梧州市 北海市 防城港市 钦州市 贵港市 玉林市 百色市 贺州市 河池市 "
        "来宾市 崇左市"
    ),
    "海南省": (
        "海口市 三亚市 三沙市 儋州市 五指山市 琼海市 文昌市 万宁市 东方市 定安县 屯昌县 澄迈县 "
        "临高县 白沙黎族自治县 昌江黎族自治县 乐东黎族自治县 陵水黎族自治县 保亭黎族苗族自治县 "
        "琼中黎族苗族自治县"
    ),
    "重庆市": "",
    "四川省": (
        "成都市 自贡市 攀枝花市 泸州市 德阳市 绵阳市 广元市 遂宁市 内江市 乐山市 南充市 眉山市 "
        "宜宾市 广安市 达州市 雅安市 巴中市 资阳市 阿坝藏族羌族自治州 甘孜藏族自治州 凉山彝族自治州"
    ),
    "贵州省": (
        "贵阳市 六盘水市 遵义市 安顺市 毕节市 铜仁市 黔西南布依族苗族自治州 黔东南苗族侗族自治州 "
        "黔南布依族苗族自治州"
    ),
    "云南省": (
        "昆明市 曲靖市 玉溪市 保山市 昭通市 丽江市 普洱市 临沧市 楚雄彝族自治州 红河哈尼族彝族自治州 "
        "文山壮族苗族自治州 西双版纳傣族自治州 大理白族自治州 德宏傣族景颇族自治州 怒江傈僳族自治州 "
        "迪庆藏族自治州"
    ),
    "西藏自治区": "拉萨市 日喀则市 昌都市 林芝市 山南市 那曲市 阿里地区",
    "陕西省": "西安市 铜川市 宝鸡市 咸阳市 渭南市 延安市 汉中市 榆林市 安康市 商洛市",
    "甘肃省": (
        "兰州市 嘉峪关市 金昌市 白银市 天水市 武威市 张掖市 平凉市 酒泉市 庆阳市 定西市 陇南市 "
        "临夏回族自治州 甘南藏族自治州"
    ),
    "青海省": (
        "西宁市 海东市 海北藏族自治州 黄南藏族自治州 海南藏族自治州 果洛藏族自治州 玉树藏族自治州 "
        "海西蒙古族藏族自治州"
    ),
    "宁夏回族自治区": "银川市 石嘴山市 吴忠市 固原市 中卫市",
    "新疆维吾尔自治区": (
        "乌鲁木齐市 克拉玛依市 吐鲁番市 哈密市 昌吉回族自治州 博尔塔拉蒙古自治州 巴音郭楞蒙古自治州 "
        "阿克苏地区 克孜勒苏柯尔克孜自治州 喀什地区 和田地区 伊犁哈萨克自治州 塔城地区 阿勒泰地区 "
        "石河子市 阿拉尔市 图木舒克市 五家渠市 北屯市 铁门关市 双河市 可克达拉市 昆玉市 胡杨河市 "
        "新星市 白杨市"
    ),
    "香港特别行政区": "",
    "澳门特别行政区": "",
    "台湾省": "",
}

# name now: former names (with /) and the year; prefectures that became cities with their old ending
_CITY_RENAMES = {
    name: entry
    for entries in (
        "襄阳市:襄樊市2010 普洱市:思茅市/思茅地区2007 淮安市:淮阴市2001 通辽市:哲里木盟1999 鄂尔多斯市:伊克昭盟2001 "
        "呼伦贝尔市:呼伦贝尔盟2001 乌兰察布市:乌兰察布盟2003 巴彦淖尔市:巴彦淖尔盟2003 永州市:零陵地区1995 "
        "张家界市:大庸市1994 荆州市:荆沙市1996 达州市:达川地区1999 昌都市:昌都地区2014 日喀则市:日喀则地区2014 "
        "林芝市:林芝地区2015 山南市:山南地区2016 那曲市:那曲地区2018 吐鲁番市:吐鲁番地区2015 哈密市:哈密地区2016 "
        "海东市:海东地区2013 铜仁市:铜仁地区2011 毕节市:毕节地区2011 安顺市:安顺地区2000 遵义市:遵义地区1997 "
        "陇南市:陇南地区2004 定西市:定西地区2003 庆阳市:庆阳地区2002 平凉市:平凉地区2002 酒泉市:酒泉地区2002 "
        "张掖市:张掖地区2002 武威市:武威地区2001 固原市:固原地区2001 临沧市:临沧地区2003 丽江市:丽江地区2002 "
        "保山市:保山地区2000 昭通市:昭通地区2001 百色市:百色地区2002 河池市:河池地区2002 贺州市:贺州地区2002 "
        "商洛市:商洛地区2001 安康市:安康地区2000 榆林市:榆林地区1999 吕梁市:吕梁地区2003 晋中市:晋中地区1999 "
        "运城市:运城地区2000 忻州市:忻州地区2000 临汾市:临汾地区2000 六安市:六安地区1999 宣城市:宣城地区2000 "
        "池州市:池州地区2000 上饶市:上饶地区2000 宜春市:宜春地区2000 抚州市:抚州地区2000 吉安市:吉安地区2000 "
        "赣州市:赣州地区1998 周口市:周口地区2000 驻马店市:驻马店地区2000 信阳市:信阳地区1998 商丘市:商丘地区1997 "
        "眉山市:眉山地区2000 资阳市:资阳地区2000 巴中市:巴中地区2000 雅安市:雅安地区2000 广安市:广安地区1998 "
        "宁德市:宁德地区1999 滨州市:滨州地区2000 菏泽市:菏泽地区2000 聊城市:聊城地区1997 丽水市:丽水地区2000 "
        "绥化市:绥化地区1999 怀化市:怀化地区1997 娄底市:娄底地区1999 黄冈市:黄冈地区1995 咸宁市:咸宁地区1998",
    )
    for name, entry in (pair.split(":") for pair in entries.split())
}

_ALIASES = {
    "内蒙古": "内蒙古自治区",
    "内蒙": "内蒙古自治区",
    "广西": "广西壮族自治区",
    "广西自治区": "广西壮族自治区",
    "广西省": "广西壮族自治区",
    "西藏": "西藏自治区",
    "宁夏": "宁夏回族自治区",
    "宁夏自治区": "宁夏回族自治区",
    "新疆": "新疆维吾尔自治区",
    "新疆自治区": "新疆维吾尔自治区",
    "香港": "香港特别行政区",
    "澳门": "澳门特别行政区",
}
MUNICIPALITIES = frozenset(("北京市", "天津市", "上海市", "重庆市"))
_PEOPLES = re.compile(
    r"(?:朝鲜|土家|苗|藏|羌|彝|布依|侗|哈尼|壮|傣|白|景颇|傈僳|回|蒙古|哈萨克)族|柯尔克孜|自治州|蒙古(?=自治州)"
)


class Place(NamedTuple):
    """A province, a city of it, and a district or county; empty where not known."""

    province: str = ""
    city: str = ""
    county: str = ""


class Named(NamedTuple):
    """A province or city found at the beginning of a text: its full name and how many characters name it.

    `is_sure` is false for a bare name (佛山, 中山), which may as well begin a street's name. `since` is the year in
    which a former name (襄樊市) was given up, else 0.
    """

    name: str
    province: str
    length: int
    is_sure: bool
    is_full: bool
    since: int = 0


def provinces() -> tuple[str, ...]:
    """The full names of all provinces."""
    return tuple(_CITIES)


def cities_of(province: str) -> tuple[str, ...]:
    """The full names of a province's cities; a municipality has none."""
    return tuple(_CITIES.get(province, "").split())


def former_names(city: str) -> Iterator[tuple[str, int]]:
    """What a city was called before, and the year in which that ended."""
    entry = _CITY_RENAMES.get(city, "")
    for old in entry[:-4].split("/") if entry else ():
        yield old, int(entry[-4:])


def find_province(text: str) -> Named | None:
    """The province with whose name a text begins."""
    return _longest(_province_names(), text)


def find_city(text: str) -> Named | None:
    """The city with whose name a text begins."""
    return _longest(_city_names(), text)


@lru_cache(maxsize=256)
def read_region(text: str) -> Place:
    """A unit's region (广东省佛山市, 佛山, 北京市朝阳区) as a place; empty when it names no province or city."""
    flat = "".join(text.split())
    province, city = find_province(flat), find_city(flat)
    if province and (province.is_sure or not (city and city.is_sure)):  # but 吉林市 is the city, not the province
        rest = flat[province.length :]
        city = find_city(rest)
        if city and city.province != province.name:
            return Place() if city.is_sure else Place(province.name, "", rest)
        return Place(province.name, city.name, rest[city.length :]) if city else Place(province.name, "", rest)
    return Place(city.province, city.name, flat[city.length :]) if city else Place()


_Index = dict[str, tuple[tuple[str, Named], ...]]


def _longest(names: _Index, text: str) -> Named | None:
    return next((named for written, named in names.get(text[:2], ()) if text.startswith(written)), None)


@lru_cache(maxsize=1)
def _province_names() -> _Index:
    full = [(name, Named(name, name, len(name), True, True)) for name in _CITIES]
    short = {name[:-1]: name for name in _CITIES if name[-1] in "省市"}
    others = [(word, Named(name, name, len(word), _is_sure(word), False)) for word, name in (short | _ALIASES).items()]
    return _index([*full, *others])


def _is_sure(word: str) -> bool:
    return word.endswith(("省", "自治区"))


@lru_cache(maxsize=1)
def _city_names() -> _Index:
    found = []
    for province in _CITIES:
        for name in cities_of(province):
            found.append((name, Named(name, province, len(name), True, True)))
            short = _PEOPLES.sub("", name) if name.endswith("州") else name.rstrip("市盟")
            short = short.removesuffix("地区")
            if name.endswith("自治州"):
                found.append((f"{short}州", Named(name, province, len(short) + 1, True, False)))
            if len(short) > 1:
                found.append((short, Named(name, province, len(short), False, False)))
            found += [(old, Named(name, province, len(old), True, True, since)) for old, since in former_names(name)]
    return _index(found)


def _index(found: list[tuple[str, Named]]) -> _Index:
    """By the first two characters, long names first, so that 吉林市 goes before 吉林."""
    ordered = sorted(found, key=lambda pair: -len(pair[0]))
    return {word[:2]: tuple(pair for pair in ordered if pair[0][:2] == word[:2]) for word, _named in found}

"""Districts that have another name now: what stands in old files, and what is written today.

State Council approvals with the year in which they took effect. Only districts that passed as a whole into one other
are listed; where a county was divided, its old name does not tell which part is meant.
"""

from __future__ import annotations

from dataclasses import dataclass

from quality.divisions import MUNICIPALITIES, Place, find_city


@dataclass(frozen=True)
class Renamed:
    """A former district or county, where it is now, and since which year."""

    old: str
    place: Place
    since: int


# city: old name, name now, year
_RENAMES = {
    "佛山市": (
        ("南海市", "南海区", 2002),
        ("顺德市", "顺德区", 2002),
        ("三水市", "三水区", 2002),
        ("高明市", "高明区", 2002),
    ),
    "广州市": (
        ("番禺市", "番禺区", 2000),
        ("花都市", "花都区", 2000),
        ("增城市", "增城区", 2014),
        ("从化市", "从化区", 2014),
    ),
    "江门市": (("新会市", "新会区", 2002),),
    "珠海市": (("斗门县", "斗门区", 2001),),
    "惠州市": (("惠阳市", "惠阳区", 2003),),
    "汕头市": (("澄海市", "澄海区", 2003),),
    "肇庆市": (("高要市", "高要区", 2015),),
    "韶关市": (("曲江县", "曲江区", 2004),),
    "清远市": (("清新县", "清新区", 2012),),
    "阳江市": (("阳东县", "阳东区", 2014),),
    "潮州市": (("潮安县", "潮安区", 2013),),
    "揭阳市": (("揭东县", "揭东区", 2012),),
    "云浮市": (("云安县", "云安区", 2014),),
    "南京市": (("江宁县", "江宁区", 2000), ("溧水县", "溧水区", 2013), ("高淳县", "高淳区", 2013)),
    "常州市": (("武进市", "武进区", 2002),),
    "苏州市": (("吴江市", "吴江区", 2012),),
    "扬州市": (("江都市", "江都区", 2011),),
    "泰州市": (("姜堰市", "姜堰区", 2012),),
    "杭州市": (
        ("萧山市", "萧山区", 2001),
        ("富阳市", "富阳区", 2014),
        ("临安市", "临安区", 2017),
        ("下城区", "拱墅区", 2021),
    ),
    "宁波市": (("鄞县", "鄞州区", 2002), ("奉化市", "奉化区", 2016)),
    "绍兴市": (("上虞市", "上虞区", 2013), ("绍兴县", "柯桥区", 2013)),
    "福州市": (("长乐市", "长乐区", 2017),),
    "济南市": (("章丘市", "章丘区", 2016),),
    "青岛市": (("即墨市", "即墨区", 2017), ("胶南市", "黄岛区", 2012)),
    "成都市": (
        ("郫县", "郫都区", 2016),
        ("双流县", "双流区", 2015),
        ("新都县", "新都区", 2001),
        ("温江县", "温江区", 2002),
        ("新津县", "新津区", 2020),
    ),
    "大连市": (("普兰店市", "普兰店区", 2015),),
    "长春市": (("九台市", "九台区", 2014),),
    "西安市": (("长安县", "长安区", 2002), ("高陵县", "高陵区", 2014)),
    "北京市": (
        ("崇文区", "东城区", 2010),
        ("宣武区", "西城区", 2010),
        ("密云县", "密云区", 2015),
        ("延庆县", "延庆区", 2015),
    ),
    "上海市": (
        ("卢湾区", "黄浦区", 2011),
        ("南汇区", "浦东新区", 2009),
        ("闸北区", "静安区", 2015),
        ("崇明县", "崇明区", 2016),
    ),
}


def _place(city: str, county: str) -> Place:
    if city in MUNICIPALITIES:
        return Place(city, "", county)
    named = find_city(city)
    return Place(named.province if named else "", city, county)


def renamed(county: str) -> Renamed | None:
    """What became of a district or county, or None where its name still stands (or nothing certain is known)."""
    for city, names in _RENAMES.items():
        for old, new, since in names:
            if old == county:
                return Renamed(old, _place(city, new), since)
    return None

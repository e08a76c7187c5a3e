"""Which provinces the first two digits of a postcode stand for."""

from __future__ import annotations

# The province of each first pair of digits, by the majority of its post offices; more than one where a border post
# region (eastern Inner Mongolia) has numbers of its neighbours.
PREFIXES: dict[str, tuple[str, ...]] = {
    prefix: tuple(provinces.split())
    for prefixes, provinces in (
        ("10", "北京市"),
        ("20", "上海市"),
        ("30", "天津市"),
        ("40", "重庆市"),
        ("01 02", "内蒙古自治区"),
        ("03 04", "山西省"),
        ("05 06 07", "河北省"),
        ("11 12", "辽宁省"),
        ("13", "吉林省 内蒙古自治区"),
        ("15", "黑龙江省"),
        ("16", "黑龙江省 内蒙古自治区"),
        ("21 22", "江苏省"),
        ("23 24", "安徽省"),
        ("25 26 27", "山东省"),
        ("31 32", "浙江省"),
        ("33 34", "江西省"),
        ("35 36", "福建省"),
        ("41 42", "湖南省"),
        ("43 44", "湖北省"),
        ("45 46 47", "河南省"),
        ("51 52", "广东省"),
        ("53 54", "广西壮族自治区"),
        ("55 56", "贵州省"),
        ("57", "海南省"),
        ("61 62 63 64", "四川省"),
        ("65 66 67", "云南省"),
        ("71 72", "陕西省"),
        ("73 74", "甘肃省"),
        ("75", "宁夏回族自治区"),
        ("81", "青海省"),
        ("83 84", "新疆维吾尔自治区"),
        ("85 86", "西藏自治区"),
        ("99", "香港特别行政区 澳门特别行政区 台湾省"),
    )
    for prefix in prefixes.split()
}

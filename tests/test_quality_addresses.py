"""Addresses as customers and clerks write them, judged in Foshan, Nanjing and nowhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.addresses import judge_address, split_address
from quality.divisions import Place, cities_of, provinces, read_region
from quality.routes import walking_key
from quality.verdicts import REASONS, Context

FOSHAN = Context(area_code="0757", region="广东省佛山市")
NANJING = Context(region="江苏省南京市")


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("广东省佛山市禅城区汾江南路18号", "L5"),
        ("广东省 佛山市 禅城区 汾江南路 18号", "L5"),
        ("广东省佛山市禅城区汾江南路18号3栋502", "L6"),
        ("广东省佛山市南海区桂城街道南海大道北12号天安中心A座1203", "L6"),
        ("广东省佛山市顺德区乐从镇新桂路明珠广场G座3楼301室", "L6"),
        ("广东省佛山市南海区西樵镇崇民村委会南海村民小组三巷12号", "L5"),
        ("广东省佛山市高明区更合镇白石村三组12号", "L5"),
        ("广东省佛山市禅城区城南花园3-2-502", "L6"),
        ("广东省佛山市禅城区永安路88号之三", "L5"),
        ("广东省佛山市禅城区永安路88号(农业银行对面)", "L5"),
        ("广东省佛山市张槎工业区12号", "L5"),
    ],
)
def test_address_to_the_door_is_valid(text: str, level: str) -> None:
    verdict = judge_address(text, "supply_address", FOSHAN)
    assert (verdict.verdict, verdict.kind, verdict.value) == ("valid", level, text.replace(" ", ""))


@pytest.mark.parametrize(
    ("text", "full", "reason"),
    [
        ("佛山市禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "region_left_out"),
        ("广东省南海市桂城南海大道北12号", "广东省佛山市南海区桂城南海大道北12号", "district_renamed"),
        ("南海市桂城南海大道北12号", "广东省佛山市南海区桂城南海大道北12号", "district_renamed"),
        ("广东省佛山市顺德市乐从镇新桂路3号", "广东省佛山市顺德区乐从镇新桂路3号", "district_renamed"),
        ("禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "region_left_out"),
        ("汾江南路18号3栋502", "广东省佛山市汾江南路18号3栋502", "region_left_out"),
        ("佛山禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "region_left_out"),
        ("广东佛山禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "region_left_out"),
        ("广东省禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "region_left_out"),
        ("广东省佛山市禅城区汾江南路１８号", "广东省佛山市禅城区汾江南路18号", "address_characters"),
        ("廣東省佛山市禪城區汾江南路18號", "广东省佛山市禅城区汾江南路18号", "address_characters"),
        ("528000广东省佛山市禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "address_noise"),
        ("广东省佛山市禅城区汾江南路18号 邮编:528000", "广东省佛山市禅城区汾江南路18号", "address_noise"),
        ("广东省佛山市禅城区汾江南路18号 电话13923112345", "广东省佛山市禅城区汾江南路18号", "address_noise"),
        ("地址:广东省佛山市禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "address_noise"),
        ("广东省佛山市广东省佛山市禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "repeated_prefix"),
        ("广东省佛山市佛山市禅城区汾江南路18号", "广东省佛山市禅城区汾江南路18号", "repeated_prefix"),
    ],
)
def test_certain_address_is_repairable(text: str, full: str, reason: str) -> None:
    verdict = judge_address(text, "supply_address", FOSHAN)
    assert (verdict.verdict, verdict.value) == ("repairable", full)
    assert reason in verdict.reasons


@pytest.mark.parametrize(
    "text", ["鼓楼区中山路1号", "鼓楼区 中山路 1号", "南京鼓楼区中山路1号", "江苏鼓楼区中山路1号"]
)
def test_street_is_never_read_as_a_city(text: str) -> None:
    verdict = judge_address(text, "supply_address", NANJING)
    assert (verdict.verdict, verdict.value) == ("repairable", "江苏省南京市鼓楼区中山路1号")


@pytest.mark.parametrize(
    "text",
    ["中山路1号", "中山一路1号", "中山大道1号", "北京西路1号", "南京东路1号", "上海街1号", "佛山大道中1号"],
)
def test_street_named_after_a_city_stays_a_street(text: str) -> None:
    assert judge_address(text, "supply_address", FOSHAN).value == f"广东省佛山市{text}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("湖南省佛山市禅城区汾江南路18号", "province_conflict"),
        ("湖南佛山禅城区汾江南路18号", "province_conflict"),
        ("广东省长沙市岳麓区中山路1号", "province_conflict"),
        ("湖南省长沙市岳麓区中山路1号", "outside_region"),
        ("广州市天河区中山路1号", "outside_region"),
        ("北京市朝阳区建国路88号", "outside_region"),
        ("汾江南路18号对面", "relative_place"),
        ("汾江南路18号旁边", "relative_place"),
        ("人民路12号;中山路3号", "two_addresses"),
        ("人民路12号或中山路3号", "two_addresses"),
    ],
)
def test_contradiction_and_two_places_are_suspect(text: str, reason: str) -> None:
    verdict = judge_address(text, "supply_address", FOSHAN)
    assert verdict.verdict == "suspect"
    assert reason in verdict.reasons


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("郫县望丛中路1号", "四川省成都市郫都区望丛中路1号"),
        ("杭州市下城区中山北路1号", "浙江省杭州市拱墅区中山北路1号"),
        ("北京市宣武区广安门内大街1号", "北京市西城区广安门内大街1号"),
        ("广州市番禺市市桥镇大北路1号", "广东省广州市番禺区市桥镇大北路1号"),
    ],
)
def test_old_district_tells_its_city(text: str, full: str) -> None:
    assert judge_address(text, "postal_address").value == full


@pytest.mark.parametrize("text", ["鼓楼区中山路1号", "汾江南路18号", "江苏省鼓楼区中山路1号"])
def test_place_unknown_without_region_is_suspect(text: str) -> None:
    verdict = judge_address(text, "supply_address")
    assert (verdict.verdict, verdict.reasons, verdict.value) == ("suspect", ("place_uncertain",), text)


def test_city_tells_its_province_without_region() -> None:
    assert judge_address("佛山市禅城区汾江南路18号").value == "广东省佛山市禅城区汾江南路18号"
    assert judge_address("北京朝阳区建国路88号").value == "北京市朝阳区建国路88号"


def test_letters_may_go_to_another_province() -> None:
    text = "湖南省长沙市岳麓区中山路1号"
    assert judge_address(text, "postal_address", FOSHAN).verdict == "valid"
    assert judge_address(text, "supply_address", FOSHAN).verdict == "suspect"


@pytest.mark.parametrize(
    ("text", "level", "reason"),
    [
        ("佛山市", "L1", "too_short"),
        ("广东省佛山市禅城区", "L2", "too_short"),
        ("佛山市禅城区石湾镇街道", "L3", "too_short"),
        ("禅城区汾江南路", "L4", "too_short"),
        ("城南花园", "L4", "too_short"),
        ("石湾村三组", "L4", "too_short"),
        ("汾江南路18号3栋", "L5", "no_room"),
        ("城南花园3栋", "L5", "no_room"),
        ("城南花园3栋2单元", "L5", "no_room"),
        ("18号", "L0", "not_an_address"),
        ("广东省", "L0", "not_an_address"),
        ("张三", "L0", "not_an_address"),
        ("13923112345", "L0", "not_an_address"),
        ("同上", "L0", "refers_elsewhere"),
        ("同用电地址", "L0", "refers_elsewhere"),
    ],
)
def test_what_no_letter_reaches_is_invalid(text: str, level: str, reason: str) -> None:
    verdict = judge_address(text, "supply_address", FOSHAN)
    assert (verdict.verdict, verdict.kind, verdict.reasons) == ("invalid", level, (reason,))


@pytest.mark.parametrize("text", ["", " ", "无", "不详", "-", "N/A", "无地址"])
def test_blank_address_is_missing(text: str) -> None:
    assert (judge_address(text).verdict, judge_address(text).kind) == ("missing", "L0")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("汾江南路18号城南花园3栋502室", "road=汾江南路 number=18号 estate=城南花园 building=3栋 room=502室"),
        ("城南花园3-2-502", "estate=城南花园 building=3 unit=2 room=502"),
        ("城南花园3-502", "estate=城南花园 building=3 room=502"),
        ("城南新村3栋502", "estate=城南新村 building=3栋 room=502"),
        ("城南花园汾江南路18号", "estate=城南花园 road=汾江南路 number=18号"),
        ("石湾镇街道跃进路石湾村12号", "town=石湾镇街道 road=跃进路 village=石湾村 number=12号"),
        ("石湾村三组12号", "village=石湾村 group=三组 number=12号"),
        ("石湾村第5村民小组12号", "village=石湾村 group=第5村民小组 number=12号"),
        ("水口村委会东头村5号", "village=水口村委会 group=东头村 number=5号"),
        ("红旗村十二队15号", "village=红旗村 group=十二队 number=15号"),
        ("石湾村南街三巷5号", "village=石湾村 road=南街 lane=三巷 number=5号"),
        (
            "南海大道北12号天安中心A座1203",
            "road=南海大道北 number=12号 estate=天安中心 building=A座 room=1203",
        ),
        ("人民路12弄3号402室", "road=人民路 lane=12弄 number=3号 room=402室"),
        ("环市东路371-375号", "road=环市东路 number=371-375号"),
        ("中山一路18号之三", "road=中山一路 number=18号之三"),
        ("甲18号", "number=甲18号"),
        ("建国路88号院3号楼12层1501", "road=建国路 number=88号院 building=3号楼 floor=12层 room=1501"),
        ("中山路18号首层5号铺", "road=中山路 number=18号 floor=首层 room=5号铺"),
        ("万科城A区3栋2梯501", "estate=万科城A区 building=3栋 unit=2梯 room=501"),
        (
            "丽景花园东区三栋四单元六楼602",
            "estate=丽景花园东区 building=三栋 unit=四单元 floor=六楼 room=602",
        ),
        ("翠湖绿洲B2栋12A", "estate=翠湖绿洲 building=B2栋 room=12A"),
        ("铁路新村5栋302", "estate=铁路新村 building=5栋 room=302"),
        ("325国道12号", "road=325国道 number=12号"),
        ("罗村街道罗村大道北5号", "town=罗村街道 road=罗村大道北 number=5号"),
        ("学院路30号", "road=学院路 number=30号"),
        (
            "荷城街道沧江路443号1座2单元301",
            "town=荷城街道 road=沧江路 number=443号 building=1座 unit=2单元 room=301",
        ),
        ("桂城街道南海大道北12号", "town=桂城街道 road=南海大道北 number=12号"),
        ("阳光花园A-12-301", "estate=阳光花园 building=A-12 room=301"),
        ("金地格林小镇B3-1-202", "estate=金地格林小镇 building=B3 unit=1 room=202"),
        ("祥和苑3#2-501", "estate=祥和苑 building=3# unit=2 room=501"),
        ("河东村五队12巷3号", "village=河东村 group=五队 lane=12巷 number=3号"),
        ("同济路61号百花广场第28层2801", "road=同济路 number=61号 estate=百花广场 floor=第28层 room=2801"),
        ("民权路28号英利大厦20-5", "road=民权路 number=28号 estate=英利大厦 room=20-5"),
        ("五星村三社12号", "village=五星村 group=三社 number=12号"),
        ("张家屯23号", "village=张家屯 number=23号"),
        ("前进村二屯5号", "village=前进村 group=二屯 number=5号"),
        ("人民路12号附3号", "road=人民路 number=12号附3号"),
        ("沿江路1号院2号楼1801", "road=沿江路 number=1号院 building=2号楼 room=1801"),
    ],
)
def test_tail_is_taken_apart(text: str, parts: str) -> None:
    expected = dict(pair.split("=") for pair in parts.split())
    found = vars(split_address(text))
    assert {name: value for name, value in found.items() if value} == expected


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("青岛市市北区", ("山东省", "青岛市", "市北区")),
        ("唐山市路南区", ("河北省", "唐山市", "路南区")),
        ("吉林市昌邑区", ("吉林省", "吉林市", "昌邑区")),
        ("吉林省吉林市昌邑区", ("吉林省", "吉林市", "昌邑区")),
        ("恩施州恩施市", ("湖北省", "恩施土家族苗族自治州", "恩施市")),
        ("内蒙古呼和浩特市土默特左旗", ("内蒙古自治区", "呼和浩特市", "土默特左旗")),
        ("江苏省苏州市昆山市玉山镇", ("江苏省", "苏州市", "昆山市")),
        ("海南省琼中黎族苗族自治县营根镇", ("海南省", "琼中黎族苗族自治县", "")),
        ("重庆市市辖区渝中区", ("重庆市", "", "渝中区")),
        ("中山市东区街道", ("广东省", "中山市", "")),
        ("周村区丝绸路", ("山东省", "淄博市", "周村区")),
        ("新乡县朗公庙镇", ("河南省", "新乡市", "新乡县")),
        ("大都市花园3栋502", ("", "", "")),
        ("城南小区3栋502", ("", "", "")),
    ],
)
def test_head_is_read_by_table_and_endings(text: str, head: tuple[str, str, str]) -> None:
    parts = split_address(text)
    assert (parts.province, parts.city, parts.county) == head


def test_doors_come_in_walking_order() -> None:
    doors = ["建国路9号", "建国路9号二单元", "建国路9号十单元", "建国路10号", "建国路100号", "文化路1号"]
    assert sorted(reversed(doors), key=lambda door: walking_key(split_address(door))) == doors


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("广东省佛山市", Place("广东省", "佛山市")),
        ("佛山", Place("广东省", "佛山市")),
        ("广东省佛山市禅城区", Place("广东省", "佛山市", "禅城区")),
        ("吉林市", Place("吉林省", "吉林市")),
        ("北京市朝阳区", Place("北京市", "", "朝阳区")),
        ("湖南省佛山市", Place()),
        ("不知道", Place()),
    ],
)
def test_region_of_a_unit_is_read(text: str, place: Place) -> None:
    assert read_region(text) == place


def test_all_provinces_and_cities_are_there() -> None:
    assert len(provinces()) == 34
    prefectures = [city for province in provinces() for city in cities_of(province)]
    assert len(prefectures) == len(set(prefectures)) == 333 + 32


ADDRESS_LIKE = st.text(
    alphabet="广东省佛山市禅城区石湾镇汾江南路中街道村组号栋座单元室花园0123456789-()、;或 A１禪", max_size=40
)


@pytest.mark.slow
@given(
    text=st.one_of(st.text(max_size=50), ADDRESS_LIKE),
    column=st.sampled_from(["supply_address", "postal_address"]),
)
@settings(max_examples=120)
def test_standard_address_is_judged_the_same_again(text: str, column: str) -> None:
    verdict = judge_address(text, column, FOSHAN)
    assert all(reason in REASONS for reason in verdict.reasons)
    assert bool(verdict.values) == (verdict.verdict in ("valid", "repairable", "suspect"))
    for value in verdict.values:
        again = judge_address(value, column, FOSHAN)
        assert again.value == value
        assert again.verdict == ("suspect" if verdict.verdict == "suspect" else "valid")

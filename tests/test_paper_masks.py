"""What is left readable on paper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper import masks


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("王小明", "王*"),
        ("欧阳修远", "欧阳*"),
        ("阿不都热合曼·买买提江", "阿*"),
        ("John Smith", "J*"),
        ("李", "李*"),
        ("𠮷田", "𠮷*"),
        ("", ""),
        ("  张三 ", "张*"),
        ("佛山市南海区宏达金属制品有限公司", "佛山****有限公司"),
        ("张记面馆", "张****面馆"),
        ("罗园村民委员会", "罗****村民委员会"),
        ("中国农业银行股份有限公司佛山分行", "中国****分行"),
        ("佛山市第一人民医院（分院）", "佛山****医院"),
        ("陈场", "陈*"),
        ("某某某某某某某某某", "某某****"),
    ],
)
def test_name_is_covered(name, shown):
    assert masks.mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13800138000", "138****8000"),
        ("+8613800138000", "138****8000"),
        ("138-0013 8000", "138****8000"),
        ("008613800138000", "138****8000"),
        ("0757-85551234", "0757-****1234"),
        ("+8675785551234", "0757-****1234"),
        ("020-85551234", "020-****1234"),
        ("+862085551234", "020-****1234"),
        ("0757-85551234转801", "0757-****1234"),
        ("85551234", "****1234"),
        ("95598", "****"),
        ("4008001234", "400****234"),
        ("+85291234567", "+852****567"),
        ("", ""),
        ("无", ""),
    ],
)
def test_phone_is_covered(phone, shown):
    assert masks.mask_phone(phone) == shown


@pytest.mark.parametrize(
    ("account", "shown"),
    [
        ("0301234567", "030****567"),
        ("0301234567890123", "0301********0123"),
        ("123456", "1****6"),
        ("12345", "****"),
        ("", ""),
    ],
)
def test_account_is_covered(account, shown):
    assert masks.mask_account(account) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("广东省佛山市禅城区祖庙街道建新路12号3座501", "广东省佛山市禅城区祖庙街道建新路****"),
        ("南庄镇罗园村李家大屋", "南庄镇罗园村****"),
        ("恒福花园三座501房", "恒福花园****"),
        ("禅城区建设一路8号", "禅城区建设一路****"),
        ("杭州市下沙3号大街12号", "杭州市下沙3号大街****"),
        ("南海区桂城街道107国道旁", "南海区桂城街道107国道****"),
        ("高明区荷城街道文华路甲1号", "高明区荷城街道文华路****"),
        ("杨和镇对川村委会七队", "杨和镇对川村委会****"),
        ("祖庙街道人民路东方广场B栋1201", "祖庙街道人民路东方广场****"),
        ("建新路１２号", "建新路****"),
        ("", ""),
    ],
)
def test_address_keeps_no_house_and_room(address, shown):
    assert masks.mask_address(address) == shown


@pytest.mark.parametrize(
    ("email", "shown"),
    [
        ("zhang@163.com", "z***@163.com"),
        ("bad", "****"),
        ("", ""),
        ("@163.com", "***@163.com"),
    ],
)
def test_email_is_covered(email, shown):
    assert masks.mask_email(email) == shown


@given(st.text(alphabet="0123456789", min_size=7, max_size=20))
def test_at_least_four_digits_of_any_number_are_covered(digits):
    for shown in (masks.mask_phone(digits), masks.mask_account(digits)):
        assert shown.count("*") >= 4
        assert digits not in shown


@pytest.mark.slow
@given(st.text(max_size=30))
def test_masks_take_any_text(text):
    for mask in (
        masks.mask_name,
        masks.mask_phone,
        masks.mask_account,
        masks.mask_address,
        masks.mask_email,
        masks.mask_wechat,
    ):
        assert isinstance(mask(text), str)

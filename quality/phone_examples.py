"""Two cells from the field for every reason that judging a phone can give, for the pages that explain them.

They are read as cells of a bureau in Foshan (area code 0757), one of whose offices has 0757-82340987, and where
13802570987 stands on too many customers.
"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, str]] = {
    "full_width": ("１３９２３１１２３４５", "0757－８３３３１２３４"),
    "letter_for_digit": ("139O3112345", "一三九2311二三四五"),
    "spreadsheet_number": ("13923112345.0", "1.3923112345E+10"),
    "digits_lost": ("1.38E+10", "1.39231E+10"),
    "label": ("手机:13923112345", "TEL 0757-83331234"),
    "note": ("13923112345(儿子)", "晚上打13923112345"),
    "noted_dead": ("13923112345 空号", "13923112345(已停机)"),
    "stray_characters": ("139.2311.2345", "'13923112345"),
    "several_numbers": ("13923112345/13923112346", "0757-83331234、83335678"),
    "bad_part": ("13923112345/1392311234", "0757-83331234/35"),
    "stray_zero": ("013923112345", "086-13923112345"),
    "missing_zero": ("757-83331234", "75783331234.0"),
    "missing_country_code": ("852-23456780", "澳门66123456"),
    "missing_area_code": ("83331234", "8333-1234转802"),
    "number_upgraded": ("0551-3312345", "0733-2812345"),
    "number_retired": ("0899-8812345", "0414-2812345"),
    "iot_segment": ("14612340987", "1440012409871"),
    "special_segment": ("17401230987", "13491230987"),
    "virtual_operator": ("17012340987", "16512340987"),
    "hotline_number": ("400-800-1299", "8008301299"),
    "foreign_number": ("+852 2345 6780", "+1 (212) 555-0100"),
    "rare_segment": ("15466012347", "17966012347"),
    "repeated_digits": ("13888888888", "0757-88888888"),
    "sequential_digits": ("13912345678", "0757-23456789"),
    "patterned_digits": ("13812121212", "13123123123"),
    "known_dummy": ("13800138000", "13123456789"),
    "office_number": ("82340987", "0757-82340987"),
    "shared_number": ("13802570987", "+86 138-0257-0987"),
    "segment_elsewhere": ("13800010987", "18900010987"),
    "service_number": ("95598", "028-95598"),
    "no_area_code": ("83331234", "87654321"),
    "bad_local_digit": ("010-12345678", "0816-1234567"),
    "unknown_area_code": ("0123-83331234", "0634-8812345"),
    "wrong_length": ("1392311234", "0757-8333123"),
    "masked": ("138****8000", "139xxxx2345"),
    "not_a_number": ("张三", "微信联系"),
    "other_kind": ("0757-83331234", "0757-83335678转2"),
}

# No area code is known where a customer file is judged without one.
WITHOUT_AREA = frozenset(("no_area_code",))
# The column that a cell stands in, where the reason is about it.
COLUMNS = {"other_kind": "mobile"}

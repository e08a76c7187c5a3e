"""Clean rows of the generated customer file."""

from collections import Counter
from datetime import date

import pytest
from stdnum.cn import ric, uscc

from seed.bureau import make_bureau
from seed.customers import FIELDS, customers

TODAY = date(2026, 10, 20)


@pytest.fixture(scope="module")
def rows():
    return list(customers(make_bureau(7), count=3000, seed=7, today=TODAY))


def test_rows_have_all_fields_and_accounts_differ(rows):
    assert all(tuple(row) == FIELDS for row in rows)
    assert len({row["户号"] for row in rows}) == 3000


def test_smaller_count_gives_the_same_first_rows(rows):
    assert list(customers(make_bureau(7), count=130, seed=7, today=TODAY)) == rows[:130]


def test_other_seed_gives_other_rows(rows):
    assert next(customers(make_bureau(7), count=1, seed=8, today=TODAY)) != rows[0]


def test_class_mix_is_that_of_a_town(rows):
    share = {name: number / 3000 for name, number in Counter(row["客户类别"] for row in rows).items()}
    assert 0.6 < share["低压居民"] < 0.92
    assert 0.07 < share["低压非居民"] < 0.35
    assert 0.001 < share["高压"] < 0.06


def test_some_customers_opened_in_the_running_month(rows):
    new = [row for row in rows if row["立户日期"] >= "2026-10-01"]
    late = [row for row in new if row["录入时间"][:10] > row["立户日期"] and int(row["录入时间"][8:10]) > 11]
    assert 60 < len(new) < 190
    assert late


def test_nothing_is_recorded_after_the_export(rows):
    assert max(row["录入时间"] for row in rows) < "2026-10-21"
    assert any(not row["录入时间"] for row in rows)


def test_large_customers_belong_to_the_county_bureau(rows):
    assert {row["供电单位"][-3:] for row in rows if row["客户类别"] == "高压"} == {"供电局"}


def test_some_numbers_serve_several_accounts(rows):
    numbers = Counter(row["手机"] for row in rows)
    assert 20 < sum(1 for count in numbers.values() if count > 1) < 300


def test_identity_numbers_have_right_check_digits(rows):
    assert all(ric.is_valid(row["身份证号"]) for row in rows if row["身份证号"])
    assert all(uscc.is_valid(row["统一社会信用代码"]) for row in rows if row["统一社会信用代码"])
    assert all(row["身份证号"][14:17] == "000" for row in rows if row["身份证号"])

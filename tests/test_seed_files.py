"""The generated customer file and its truth table on disk."""

import csv
import tracemalloc
from datetime import date

import pytest

from seed.bureau import make_bureau
from seed.files import HEADINGS, lines, write_file

TODAY = date(2026, 10, 20)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("seed")
    paths = folder / "customers.csv", folder / "truth.csv"
    number = write_file(*paths, lines(make_bureau(7), count=1500, seed=7, today=TODAY))
    return *paths, number


def test_file_is_gb18030_with_odd_headings(written):
    rows = list(csv.reader(written[0].read_text("gb18030").splitlines()))
    assert rows[0] == list(HEADINGS)
    assert len(rows) - 1 == written[2]
    assert rows[0][0] == "客户编号" and "移动电话" in rows[0]


def test_every_customer_stands_in_the_file_once_or_twice(written):
    with open(written[0], encoding="gb18030", newline="") as file:
        accounts = [row["客户编号"] for row in csv.DictReader(file)]
    assert len({account for account in accounts if account}) == 1500
    assert len(accounts) == written[2] > 1500


def test_truth_table_names_rows_as_a_spreadsheet_shows_them(written):
    rows = list(csv.reader(written[0].read_text("gb18030").splitlines()))
    with open(written[1], encoding="utf-8-sig", newline="") as file:
        truth = list(csv.DictReader(file))
    columns = {standard: at for at, standard in enumerate(HEADINGS.values())}
    for damage in truth:
        assert rows[int(damage["row"]) - 1][columns[damage["field"]]] == damage["written"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    bureau = make_bureau(7)
    tracemalloc.start()
    write_file(tmp_path / "a", tmp_path / "b", lines(bureau, count=6000, seed=1, today=TODAY))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 2**20

"""Customer files as bureaus have them: encodings, delimiters, headings, and what spreadsheets did to numbers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from services import Refused, workbooks
from services.headings import FIELDS, HEADINGS, field_of, recognise
from services.tables import UNREADABLE_ACCOUNT, UNREADABLE_COLUMNS, look_into, open_table, read_account_no

HEADS = ["户号", "户名", "手机", "用电地址"]
ROWS = [
    ["0310000000012345", "张伟", "13923112345", "佛山市禅城区汾江南路18号"],
    ["0310000000012346", "㛃䶮", "13800571238", '汾江路"老街"5号,后座'],
    ["0310000000012347", "李芳", "", "第一行\n第二行"],
]


def write_csv(path: Path, rows: list[list[str]], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    quoted = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_bytes(("\r\n".join(quoted) + "\r\n").encode(encoding))
    return path


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("客户")
        dates = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(number, place, cell, dates)
                else:
                    sheet.write(number, place, cell)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_any_encoding_and_delimiter_gives_the_same_rows(tmp_path: Path, encoding: str, delimiter: str) -> None:
    table = open_table(write_csv(tmp_path / "a.csv", [HEADS, *ROWS], encoding=encoding, delimiter=delimiter))
    rows = list(table.rows())
    assert [list(row.cells) for row in rows] == ROWS
    assert [row.number for row in rows] == [2, 3, 4]
    assert (table.delimiter, table.kind, table.damaged) == (delimiter, "csv", 0)


def test_gbk_characters_deep_in_the_file_are_found(tmp_path: Path) -> None:
    plain = [[f"{number:016d}", "A", "", ""] for number in range(6_000)]
    heads = ["account", "name", "mobile", "address"]
    path = write_csv(tmp_path / "a.csv", [heads, *plain, ROWS[0]], encoding="gb18030")
    table = open_table(path)
    assert table.encoding == "gb18030"
    assert [row.fields["name"] for row in table.rows()][-1] == "张伟"


def test_a_few_damaged_characters_do_not_stop_the_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [HEADS, *ROWS * 300], encoding="utf-8")
    path.write_bytes(path.read_bytes().replace("伟".encode(), b"\xe4\xbc", 1))
    table = open_table(path)
    assert (table.encoding, table.damaged) == ("utf-8", 1)
    assert "\ufffd" in next(table.rows()).fields["name"]


def test_titles_above_the_heading_are_passed_over(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["佛山供电局客户清单", "", "", ""], ["", "", "", ""], HEADS, *ROWS])
    table = open_table(path)
    assert (table.heading_row, table.headings) == (3, tuple(HEADS))
    assert [row.number for row in table.rows()] == [4, 5, 6]


def test_blank_rows_count_but_are_not_given(tmp_path: Path) -> None:
    table = open_table(write_csv(tmp_path / "a.csv", [HEADS, ["", "", "", ""], ROWS[0], [" ", "", "", ""], ROWS[1]]))
    assert [row.number for row in table.rows()] == [3, 5]


def test_headings_come_in_any_order_and_by_synonyms(tmp_path: Path) -> None:
    heads = ["备注", "移动电话（必填）", "用户 名称", "客户编号*", "装表地址:"]
    table = open_table(write_csv(tmp_path / "a.csv", [heads, ["x", "13923112345", "张伟", "00123", "汾江路1号"]]))
    row = next(table.rows())
    assert row.fields == {
        "mobile": "13923112345", "name": "张伟", "account_no": "00123", "supply_address": "汾江路1号",
    }  # fmt: skip
    assert table.unmapped == ("备注",)


def test_mapping_by_hand_goes_before_recognition(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["编号", "手机", "备用"], ["123", "13923112345", "13800571238"]])
    table = open_table(path, {"编号": "户号", "备用": "mobile", "手机": ""})
    assert next(table.rows()).fields == {"account_no": "123", "mobile": "13800571238"}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"没有的列": "户号"}, "没有这些标题"),
        ({"编号": "血型"}, "没有“血型”这一项"),
        ({"编号": "户号", "手机": "户号"}, "对应到了同一项"),
    ],
)
def test_impossible_mapping_is_refused(tmp_path: Path, mapping: dict[str, str], words: str) -> None:
    path = write_csv(tmp_path / "a.csv", [["编号", "手机"], ["123", "13923112345"]])
    with pytest.raises(Refused, match=words):
        open_table(path, mapping)


def test_rows_with_other_columns_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("户号,手机\n1,13923112345\n2\n3,13800571238,extra\n4,13800571239,,\n", "utf-8")
    rows = list(open_table(path).rows())
    assert [row.error for row in rows] == ["", UNREADABLE_COLUMNS, UNREADABLE_COLUMNS, ""]
    assert rows[2].cells == ("3", "13800571238", "extra")
    assert (rows[1].number, rows[1].fields) == (3, {})


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("0310000000012345", "0310000000012345"),
        (" 0310 0000 0001 ", "031000000001"),
        ("０３１０", "0310"),
        ("'0310", "0310"),
        ('="0310"', "0310"),
        ("310012345.0", "310012345"),
        ("4.40001234567E+11", "440001234567"),
        ("4.40001E+11", ""),
        ("4.4000123456789012E+16", ""),
        ("A-0310/2", "A-0310/2"),
        ("", ""),
    ],
)
def test_account_number_survives_the_spreadsheet(text: str, account: str) -> None:
    assert read_account_no(text) == account


def test_lost_account_number_is_marked(tmp_path: Path) -> None:
    row = next(open_table(write_csv(tmp_path / "a.csv", [["户号", "手机"], ["4.40001E+11", "13923112345"]])).rows())
    assert (row.error, row.fields["account_no"], row.cells[0]) == (UNREADABLE_ACCOUNT, "", "4.40001E+11")


def test_workbook_numbers_become_text(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["户号", "手机", "户名", "立户日期", "固定电话"],
        [440001000012345, 13923112345, "张伟", datetime(2026, 1, 5), "0757-83331234"],  # noqa: DTZ001
        ["0310000000012345", 13923112345.5, True, "2026/1/5", 75783331234],
    ]
    first, second = open_table(write_xlsx(tmp_path / "a.xlsx", rows)).rows()
    assert first.cells == ("440001000012345", "13923112345", "张伟", "2026-01-05", "0757-83331234")
    assert second.cells == ("0310000000012345", "13923112345.5", "TRUE", "2026/1/5", "75783331234")


def test_workbook_number_of_sixteen_digits_is_marked(tmp_path: Path) -> None:
    row = next(open_table(write_xlsx(tmp_path / "a.xlsx", [["户号", "户名"], [4400010000123456, "张伟"]])).rows())
    assert row.error == UNREADABLE_ACCOUNT


def test_workbook_heading_is_found_below_titles(tmp_path: Path) -> None:
    table = open_table(write_xlsx(tmp_path / "a.xlsx", [["客户清单"], [], list(HEADS), list(ROWS[0])]))
    assert (table.kind, table.sheet, table.heading_row) == ("xlsx", "客户", 3)
    assert [row.number for row in table.rows()] == [4]


def test_first_filled_sheet_is_read(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet("空")
        sheet = book.add_worksheet("数据")
        sheet.write_row(0, 0, ["户号", "户名"])
        sheet.write_row(1, 0, ["1", "张伟"])
    assert open_table(tmp_path / "a.xlsx").sheet == "数据"


def test_file_without_account_column_says_what_it_has(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [["编码", "手机"], ["1", "13923112345"]])
    with pytest.raises(Refused, match="没有找到户号一列.*编码、手机"):
        open_table(path)
    assert look_into(path).unmapped == ("编码",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "是空的"),
        (b"\r\n\r\n", "没有内容"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\x89PNG\r\n", "图片"),
        (b"<html><table>", "网页"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "旧版 Excel"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "密码"),
        (b"PK\x03\x04broken", "损坏"),
        (b"\x00\x01\x02\x03" * 300, "不是文本"),
        (bytes(range(128, 256)) * 40, "编码认不出来"),
        ("户号,手机,手机\n1,2,3\n".encode(), "标题重复"),
    ],
)
def test_what_is_no_customer_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(Refused, match=words):
        open_table(path)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="找不到文件"):
        open_table(tmp_path / "nowhere.csv")


def test_open_quote_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('户号,手机\n1,2\n2,"开口\n' + "3,4\n" * 60_000, "utf-8")
    with pytest.raises(Refused, match="第 3 行.*引号"):
        list(open_table(path).rows())


def test_zip_without_workbook_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as parts:
        parts.writestr("readme.txt", "x")
    with pytest.raises(Refused, match="不是电子表格"):
        open_table(tmp_path / "a.xlsx")


def test_bomb_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["户号"], ["1"]])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/big.xml", b"\0" * 10_000_000)
    monkeypatch.setattr(workbooks, "MAX_UNPACKED", 9_000_000)
    with pytest.raises(Refused, match="太大"):
        open_table(path)


@pytest.mark.slow
def test_sheet_that_eats_all_memory_is_refused(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "户号")
        sheet.write(1_048_575, 16_383, "1")
    with pytest.raises(Refused, match="太大|500"):
        open_table(tmp_path / "a.xlsx")


def test_oversized_workbook_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["户号"], ["1"]])
    monkeypatch.setattr(workbooks, "MAX_BYTES", 100)
    with pytest.raises(Refused, match="100 MB"):
        open_table(path)


@pytest.mark.slow
def test_reader_dies_with_its_parent(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [["户号", "户名"], *[[f"{n:030d}", "张" * 60] for n in range(3000)]])
    code = (
        "import sys, time, pathlib; from services.workbooks import records\n"
        "rows = records(pathlib.Path(sys.argv[1])); next(rows); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout and parent.stdout.readline() == b"ready\n"
        child = int(Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()[0])
        os.kill(parent.pid, signal.SIGKILL)
    assert _ends(child)


def test_workbook_is_opened_once_for_heading_and_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = _watch_children(monkeypatch)
    table = open_table(write_xlsx(tmp_path / "a.xlsx", [list(HEADS), *([list(ROWS[0])] * 450)]))
    assert [row.number for row in table.rows()] == list(range(2, 452))
    assert len(started) == 1 and started[0].returncode is not None


@pytest.mark.parametrize("cell", ["甲\n乙", "甲\x1f乙", "甲\x1e乙", "\x1f", "[甲]", '{"n":1}'])
def test_cells_of_a_workbook_come_as_they_are(tmp_path: Path, cell: str) -> None:
    rows = [["户号", "户名"], *[[str(number), cell if number == 250 else "张"] for number in range(1, 451)]]
    found = list(workbooks.records(write_xlsx(tmp_path / "a.xlsx", [list(row) for row in rows])))
    assert found == list(enumerate(map(tuple, rows), start=1))


def test_workbook_may_be_gone_through_again(tmp_path: Path) -> None:
    table = open_table(write_xlsx(tmp_path / "a.xlsx", [list(HEADS), *map(list, ROWS)]))
    next(table.rows())
    assert list(table.rows()) == list(table.rows()) and len(list(table.rows())) == len(ROWS)


@pytest.mark.slow
def test_reader_ends_when_its_rows_are_not_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = _watch_children(monkeypatch)
    table = open_table(write_xlsx(tmp_path / "a.xlsx", [list(HEADS), *([list(ROWS[0])] * 9000)]))
    assert started[0].poll() is None
    del table
    assert started[0].returncode == -signal.SIGKILL


def _watch_children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    started: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(workbooks.subprocess, "Popen", Watched)
    return started


def _ends(process: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_no_word_names_two_fields() -> None:
    for heading in HEADINGS.values():
        assert {field_of(word) for word in (heading.heading, *heading.synonyms)} == {heading.field}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("客户编号", "account_no"), ("用户名称", "name"), ("移动电话", "mobile"), ("固话", "landline"),
        ("装表地址", "supply_address"), ("邮编", "postcode"), ("E-mail", "email"), ("开户日期", "opened_on"),
        ("录入员", "recorder"), ("录入日期", "recorded_at"), ("供电所", "unit"), ("户　号", "account_no"),
        ("手机号码（11位）", "mobile"), ("【手机】", "mobile"), ("户号*", "account_no"), ("抄表段", "meter_book"),
        ("大客户经理", "manager"), ("台区名称", "transformer_area"), ("血型", ""), ("", ""),
    ],
)  # fmt: skip
def test_heading_is_recognised(text: str, field: str) -> None:
    assert field_of(text) == field


def test_standard_headings_are_those_of_the_contract() -> None:
    assert list(HEADINGS) == (
        "户号 户名 用电类别 客户类别 供电单位 联系人 手机 固定电话 联系电话 用电地址 通讯地址 邮政编码 电子邮箱 微信"
        " 客户经理 敏感客户 立户日期 录入人 录入时间 身份证号 统一社会信用代码 台区 抄表册 电能表号"
    ).split()
    assert len(FIELDS) == len(HEADINGS)


def test_standard_heading_goes_before_its_synonym() -> None:
    assert recognise(["移动电话", "手机", "户号"]) == {"手机": "mobile", "户号": "account_no"}

"""The `check` command: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from flask import Flask

from quality.verdicts import REASONS
from screens.commands import main
from services.checks import COLUMNS, VERDICTS
from services.table_files import safe_text

HEADS = "客户编号,户名,手机,固定电话,装表地址,邮编,备注"
ROWS = [
    "0310000000012345,张伟,13923112345,83331234,汾江南路18号,528000,a",
    "0310000000012346,张先生,１３９２３１１２３４５/13800571238,95598,城南花园3栋,528000,b",
    "0310000000012347,李芳,无,,湖南省佛山市禅城区汾江南路18号,,c",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "客户.csv"
    path.write_bytes(("\r\n".join([HEADS, *ROWS]) + "\r\n").encode("gb18030"))
    return path


def never(**_overrides: object) -> Flask:
    raise AssertionError("check needs no app and no database")


def run(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> tuple[int, str, str]:
    code = main(["check", *map(str, argv)], never)
    return code, *capsys.readouterr()


@pytest.mark.slow
def test_json_counts_every_verdict_of_every_column(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, file, "--json", "--area-code", "0757", "--region", "广东省佛山市")
    result = json.loads(out)
    assert (code, result["rows"], result["unmapped"], result["encoding"]) == (0, 3, ["备注"], "gb18030")
    assert result["fields"]["手机"] == {"valid": 1, "repairable": 1, "suspect": 0, "invalid": 0, "missing": 1}
    assert result["fields"]["固定电话"] == {"valid": 0, "repairable": 1, "suspect": 0, "invalid": 1, "missing": 1}
    assert result["fields"]["用电地址"] == {"valid": 0, "repairable": 1, "suspect": 1, "invalid": 1, "missing": 0}
    assert result["seconds"] >= 0
    assert "备注" in err


def test_output_has_one_line_per_judged_cell(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    assert run(capsys, file, "-o", out, "--area-code", "757", "--region", "佛山")[0] == 0
    with out.open(encoding="utf-8-sig", newline="") as lines:
        cells = list(csv.DictReader(lines))
    assert tuple(cells[0]) == COLUMNS
    assert len(cells) == 3 * 5
    assert cells[1] == {
        "row": "2", "account": "0310000000012345", "field": "手机", "raw": "13923112345", "kind": "mobile",
        "verdict": "valid", "values": "+8613923112345", "reasons": "",
    }  # fmt: skip
    assert cells[6]["values"] == "+8613923112345;+8613800571238"
    assert {cell["verdict"] for cell in cells} <= set(VERDICTS)
    assert all(reason in REASONS for cell in cells for reason in cell["reasons"].split(";") if reason)


def test_without_region_locals_cannot_be_placed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fields = json.loads(run(capsys, file, "--json")[1])["fields"]
    assert fields["固定电话"]["invalid"] == 2
    assert fields["用电地址"]["repairable"] == 0


def test_people_get_a_table(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = run(capsys, file)
    assert code == 0
    assert "3 行" in out
    assert "手机: 1  1  0  0  1" in out


def test_unreadable_rows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("户号,手机\n1,13923112345\n2\n", "utf-8")
    _code, out, err = run(capsys, path, "--json")
    assert (json.loads(out)["rows"], json.loads(out)["unreadable"]) == (2, 1)
    assert "第 3 行" in err


def test_file_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, tmp_path / "nowhere.csv", "--json")
    assert code == 1
    assert "找不到文件" in err
    assert "找不到文件" in json.loads(out)["error"]


@pytest.mark.parametrize("option", [["--area-code", "0123"], ["--region", "乌有乡"], ["--no-such-option"]])
def test_wrong_option_is_wrong_usage(file: Path, capsys: pytest.CaptureFixture[str], option: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(capsys, file, *option)
    assert stop.value.code == 2


def test_input_is_never_overwritten(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = file.read_bytes()
    assert run(capsys, file, "-o", file)[0] == 1
    assert file.read_bytes() == before


def test_nothing_half_written_is_left(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes() + b'9,"' + b"x,y\r\n" * 60_000)
    assert run(capsys, file, "-o", tmp_path / "out.csv")[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_folder_that_is_none_is_refused(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = run(capsys, file, "-o", tmp_path / "none" / "out.csv")
    assert (code, "写不了文件" in err) == (1, True)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd|x", "'-2+3+cmd|x"),
        ("\t=1", "'\t=1"),
        ("  =1+1", "'  =1+1"),
        ("＝1+1", "'＝1+1"),
        ("+8613923112345", "+8613923112345"),
        ("+8613923112345;+8675783331234", "+8613923112345;+8675783331234"),
        ("-", "-"),
        ("张伟", "张伟"),
    ],
)
def test_no_cell_becomes_a_formula(text: str, safe: str) -> None:
    assert safe_text(text) == safe

"""The generated bureau's customer file as an old marketing system writes it, and the truth about it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import IO

from seed.bureau import Bureau
from seed.customers import Row, customers
from seed.damage import Damage, Misfortune
from seed.streets import AREA_SIZE

ENCODING = "gb18030"
# Heading in the file: the standard heading it stands for. An order nobody chose, the words of two systems.
HEADINGS = {
    "客户编号": "户号",
    "供电所": "供电单位",
    "用户名称": "户名",
    "客户类别": "客户类别",
    "用电类别": "用电类别",
    "固话": "固定电话",
    "移动电话": "手机",
    "联系人": "联系人",
    "装表地址": "用电地址",
    "邮编": "邮政编码",
    "通讯地址": "通讯地址",
    "联系电话": "联系电话",
    "E-mail": "电子邮箱",
    "微信": "微信",
    "开户日期": "立户日期",
    "抄表册": "抄表册",
    "台区": "台区",
    "客户经理": "客户经理",
    "敏感客户": "敏感客户",
    "身份证号": "身份证号",
    "统一社会信用代码": "统一社会信用代码",
    "录入员": "录入人",
    "录入日期": "录入时间",
}
REPEAT_EVERY = 400
NAMELESS_EVERY = 1000


@dataclass(frozen=True)
class Line:
    """One line of the file: its number as a spreadsheet shows it, clean row, row as written, the truth."""

    number: int
    clean: Row
    written: Row
    damages: tuple[Damage, ...]


def lines(bureau: Bureau, *, count: int, seed: int, today: date) -> Iterator[Line]:
    """The file's lines for `count` customers; some have a second line, some lines have no account."""
    misfortune = Misfortune(who.phone for who in bureau.staff if who.role != "account_manager")
    number = 1
    for place, clean in enumerate(customers(bureau, count=count, seed=seed, today=today)):
        if place % AREA_SIZE == 0:
            rng = Random(f"{seed}|damage|{place // AREA_SIZE}")
        number += 1
        written, damages = misfortune.strike(rng, number, clean)
        yield Line(number, clean, written, tuple(damages))
        for extra in _extra_rows(place, clean):
            number += 1
            yield Line(number, extra, extra, _truth_of_extra(number, extra))


def write_file(path: Path, truth: Path, found: Iterator[Line]) -> int:
    """Write the customer file and its truth table, line by line; returns the rows without the heading."""
    number = 0
    with _writer(path, ENCODING) as file, _writer(truth, "utf-8-sig") as answers:
        rows, damages = csv.writer(file), csv.writer(answers)
        rows.writerow(HEADINGS)
        damages.writerow(Damage._fields)
        for line in found:
            written = line.written
            rows.writerow([written[standard] for standard in HEADINGS.values()])
            damages.writerows(line.damages)
            number += 1
    return number


def _writer(path: Path, encoding: str) -> IO[str]:
    return open(path, "w", encoding=encoding, newline="")


def _extra_rows(place: int, clean: Row) -> Iterator[Row]:
    """What else stands in such files: a second number of the same account, a row that belongs to nobody."""
    if place % REPEAT_EVERY == REPEAT_EVERY - 1:
        second = f"{clean['手机'][:7]}{(int(clean['手机'][7:]) + 2468) % 10000:04d}"
        yield dict.fromkeys(clean, "") | {"户号": clean["户号"], "联系电话": second}
    if place % NAMELESS_EVERY == NAMELESS_EVERY - 1:
        yield dict.fromkeys(clean, "") | {"户名": "（新装待建档）", "供电单位": clean["供电单位"]}


def _truth_of_extra(number: int, row: Row) -> tuple[Damage, ...]:
    if row["户号"]:
        return ()
    return (Damage(number, "", "户号", "no_account", "", "", "rejected", "", True),)

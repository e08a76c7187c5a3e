"""The audit worksheet (抽样核查工作底稿): a row a value, the script on the back of each sheet, then a summary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from models.words import N_
from paper.figures import Rate, interval_note
from paper.letterheads import Letterhead
from paper.lines import SetText, fitting_size, set_text
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected
from paper.single import joined

Row = TypeVar("Row")

ROWS_A_PAGE, ROW_HEIGHT, ROWS_TOP = 10, 15.6, 32.0  # mm
PAGES_A_PART = 20  # what one child lays out in some seconds
LINES_A_PAGE = 22
COLUMNS = (
    ("no", N_("序号")),
    ("stratum", N_("层")),
    ("who", N_("户号　户名")),
    ("kind", N_("项目")),
    ("value", N_("登记值")),
    ("mode", N_("核查方式")),
    ("times", N_("时间")),
    ("verdict", N_("结论")),
    ("correct", N_("正确值")),
    ("evidence", N_("佐证")),
    ("people", N_("核查／复核")),
)
MODES = ((N_("致电"), 1.4, 1.6), (N_("面访"), 1.4, 6.2), (N_("现场"), 1.4, 10.8))
VERDICTS = (
    (N_("准确"), 1.4, 1.6),
    (N_("不准确"), 17.4, 1.6),
    (N_("未联系上"), 1.4, 6.2),
    (N_("拒绝"), 21.4, 6.2),
    (N_("无法核实"), 1.4, 10.8),
)
TIMES = (("1", 1.6), ("2", 6.2), ("3", 10.8))
SETTINGS = {  # column: width in mm, (size in pt, lines), face
    "stratum": (20.6, ((8.0, 2), (7.0, 3), (6.0, 4), (5.0, 5)), "fangsong"),
    "account": (29.6, ((9.0, 1), (8.0, 1), (7.0, 1), (6.0, 1), (5.0, 2)), "fangsong"),
    "name": (29.6, ((9.0, 1), (8.0, 2), (7.0, 2), (6.0, 3), (5.0, 3)), "heiti"),
    "kind": (15.6, ((9.0, 2), (8.0, 3), (7.0, 3)), "fangsong"),
    "value": (42.6, ((9.5, 2), (9.0, 3), (8.0, 4), (7.0, 4), (6.0, 5), (5.0, 6)), "fangsong"),
}
SCRIPT = (
    "您好，我是%(organ)s的核查人员，工号和姓名可拨打 %(hotline)s 核实。耽误您一两分钟，核对一下用电联系资料。",
    "请问您怎么称呼？先问姓名，由客户自己说；与户名或联系人对得上，再往下问。",
    "请问您现在接停电、电费通知用哪个手机号码？收信用哪个地址？由客户自己说出，记下原话再与登记值对照。",
    "任何时候都不要把登记的号码、地址、姓名念给对方听，也不要用“是不是尾号几几”这样的话提示。",
    "对方说的与登记值一致：准确；不一致：不准确，记下正确值和佐证（录音号、照片号）。",
    "无人接听、关机、敲门无人：记下时间，换时段再联系，满三次仍联系不上：未联系上。不换户，不找人代答。",
    "客户不愿意回答：拒绝，道谢后结束。接听的人说不清、证明不了是客户本人：无法核实。",
    "谢谢您的配合，打扰了。资料有变化可随时拨打 %(hotline)s 更改。",
)


@dataclass(frozen=True)
class Item:
    """One value to be checked. The sheet stays in the house and shows what the task needs, unmasked."""

    stratum: str
    account_no: str
    name: str
    kind: str
    value: str


@dataclass(frozen=True)
class Line:
    """A stratum in the summary: customers drawn, items, and how they ended."""

    name: str
    drawn: int
    items: int
    right: int
    wrong: int
    not_reached: int
    refused: int
    unverifiable: int
    rate: Rate


@dataclass(frozen=True)
class Worksheet:
    number: str
    unit: str
    period: str
    auditor: str
    printed_on: dt.date
    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    copy: int = 1
    fingerprint: str = ""


@dataclass(frozen=True)
class Page:
    """One page of rows; `first` is the number of its first row."""

    number: int
    first: int
    items: tuple[Item, ...]


def audit_worksheet(facts: Worksheet, letterhead: Letterhead) -> bytes:
    """Ten values a sheet with the script on its back, then the summary of the strata with both signatures."""
    if not facts.items:
        raise PaperError(f"工作底稿{facts.number}没有核查项。请先抽取样本、分派核查项再打印。")
    pages, summaries = paged(facts.items), _chunks(facts.lines, LINES_A_PAGE)
    title = f"抽样核查工作底稿 {facts.number}"
    total = 2 * len(pages) + len(summaries)
    expected = [
        Expected(title, 2 * place, [("户号", printable(item.account_no)) for item in page.items])
        for place, page in enumerate(pages)
    ]
    htmls = _htmls(facts, letterhead, title=title, pages=pages, total=total)
    about = About(title, facts.printed_on)
    return joined(htmls, about, letterhead=letterhead, expected=expected, pages=total)


def _htmls(
    facts: Worksheet, letterhead: Letterhead, *, title: str, pages: Sequence[Page], total: int
) -> Iterator[str]:
    """The sheet in parts of so many pages, so that any number of values prints; the last one ends with the summary."""
    summaries = _chunks(facts.lines, LINES_A_PAGE)
    script = [text % {"organ": letterhead.organ_short, "hotline": letterhead.hotline} for text in SCRIPT]
    parts, set_column = _chunks(pages, PAGES_A_PART), _set_column(letterhead.font_folder)
    note, head = interval_note(line.rate for line in facts.lines), _head(facts)
    for part in parts:
        yield compose(
            "audit_worksheet.html", letterhead, title=title, facts=facts, pages=part, total=total, sheets=len(pages),
            summaries=summaries if part is parts[-1] else [], columns=COLUMNS, modes=MODES, verdicts=VERDICTS,
            times=TIMES, script=script, middle=ROW_HEIGHT / 2, top=ROWS_TOP, height=ROW_HEIGHT, head=head, note=note,
            set_column=set_column,
        )  # fmt: skip


def paged(items: Sequence[Item]) -> list[Page]:
    """Rows on pages, ten each."""
    chunks = _chunks(items, ROWS_A_PAGE)
    return [Page(number + 1, number * ROWS_A_PAGE + 1, tuple(found)) for number, found in enumerate(chunks)]


def _chunks(rows: Sequence[Row], size: int) -> list[Sequence[Row]]:
    return [rows[place : place + size] for place in range(0, len(rows), size)]


def _head(facts: Worksheet) -> list[tuple[str, str, float]]:
    values = (
        ("单位", facts.unit, 60.0),
        ("考核期", facts.period, 24.0),
        ("批次", facts.number, 50.0),
        ("核查人", facts.auditor or "　　　　", 26.0),
        ("项数", f"{len(facts.items)}项", 16.0),
    )
    return [
        (label, text, fitting_size(text, width, largest=10, smallest=5, face="fangsong"))
        for label, text, width in values
    ]


def _set_column(folder: str) -> Callable[[str, str], SetText]:
    """How the template sets a value in a column of the sheet."""

    def set_column(column: str, text: str) -> SetText:
        width, sizes, face = SETTINGS[column]
        return set_text(printable(text, folder=folder), width, sizes=sizes, face=face, folder=folder)

    return set_column

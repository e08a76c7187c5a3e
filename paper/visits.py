"""The walk list (走访清单): a day's doors in order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from models.words import N_
from paper.figures import long_date
from paper.letterheads import Letterhead
from paper.lines import SetText, fitting_size, set_text
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected
from paper.single import single

ROWS_A_PAGE = 11
NO_PLACE = "未写明道路或小区"
ROW_HEIGHT, GROUP_HEIGHT, ROWS_TOP, ROWS_ROOM = 13.5, 6.0, 30.5, 161.5  # mm
COLUMNS = (
    ("no", N_("序号")),
    ("square", N_("扫码")),
    ("who", N_("户号　户名")),
    ("where", N_("用电地址")),
    ("why", N_("走访原因")),
    ("phone", N_("现登记电话")),
    ("hint", N_("特别提示")),
    ("result", N_("走访结果")),
    ("mobile", N_("新手机号码")),
    ("note", N_("备注")),
)
RESULTS = (  # the box to tick, and where it stands in its column
    (N_("见面"), 1.4, 2.4),
    (N_("未遇"), 14.6, 2.4),
    (N_("拒"), 27.8, 2.4),
    (N_("空"), 1.4, 7.9),
    (N_("迁"), 10.2, 7.9),
    (N_("拆"), 19.0, 7.9),
    (N_("无此址"), 27.8, 7.9),
)
CELLS = (1.2, 6.2, 11.2, 17.6, 22.6, 27.6, 32.6, 39.0, 44.0, 49.0, 54.0)  # mm: 11 cells in groups 3-4-4
SETTINGS = {  # column: width in mm, (size in pt, lines), face
    "account": (29.0, ((9.0, 1), (8.0, 1), (7.0, 1), (6.0, 1), (5.0, 2)), "fangsong"),
    "name": (29.0, ((9.0, 1), (8.0, 2), (7.0, 2), (6.0, 3), (5.0, 3)), "heiti"),
    "where": (48.4, ((9.5, 2), (9.0, 3), (8.0, 4), (7.0, 4), (6.0, 5), (5.0, 6)), "fangsong"),
    "why": (16.6, ((9.0, 2), (8.0, 3), (7.0, 4), (6.0, 5)), "fangsong"),
    "phone": (22.4, ((9.0, 2), (8.0, 3), (7.0, 4), (6.0, 5)), "fangsong"),
    "hint": (19.4, ((9.0, 2), (8.0, 3), (7.0, 4), (6.0, 5)), "heiti"),
    "note": (7.4, ((7.0, 4), (6.0, 5), (5.0, 6)), "fangsong"),
}


@dataclass(frozen=True)
class WalkRow:
    """One door. The list stays in the house and shows what the task needs, unmasked."""

    token: str
    account_no: str
    name: str
    address: str
    reason: str
    phone: str = ""
    hints: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class WalkGroup:
    """An estate, road or meter book with its doors in walking order."""

    title: str
    rows: tuple[WalkRow, ...]


@dataclass(frozen=True)
class WalkList:
    number: str
    territory: str
    manager: str
    day: dt.date
    groups: tuple[WalkGroup, ...]
    unit: str = ""
    start: str = ""
    copy: int = 1


@dataclass(frozen=True)
class Item:
    """A group heading or a door, with its place on the page in mm."""

    top: float
    heading: str = ""
    note: str = ""
    number: int = 0
    row: WalkRow | None = None


@dataclass
class Page:
    """One page of the list; `used` is how far down its doors reach."""

    number: int
    items: list[Item] = field(default_factory=list)
    doors: int = 0
    used: float = 0.0


def walk_list(facts: WalkList, letterhead: Letterhead) -> bytes:
    """A day's doors in the order given, 11 a page at most, with room for what is found there."""
    if not any(group.rows for group in facts.groups):
        raise PaperError(f"走访清单{facts.number}没有走访任务。请先分派任务再打印。")
    pages = paged(facts.groups)
    title = f"走访清单 {facts.number}"
    html = compose(
        "walk_list.html",
        letterhead,
        title=title,
        walk=facts,
        pages=pages,
        facts=_head(facts),
        totals=_totals(facts),
        columns=COLUMNS,
        results=RESULTS,
        cells=CELLS,
        set_column=_set_column(letterhead.font_folder),
        middle=ROW_HEIGHT / 2,
    )
    expected = [Expected(f"走访清单{facts.number}", page.number - 1, _texts(page)) for page in pages]
    return single(html, About(title, facts.day), letterhead=letterhead, pages=len(pages), expected=expected)


def paged(groups: Iterable[WalkGroup]) -> list[Page]:
    """Doors on pages: a heading never stands alone at the foot, and is repeated where its group goes on."""
    pages, number = [Page(1)], 0
    for group in groups:
        for place, row in enumerate(group.rows):
            page, number = pages[-1], number + 1
            needs_heading = place == 0 or not page.items
            if not _has_room(page, ROW_HEIGHT + (GROUP_HEIGHT if needs_heading else 0)):
                page = Page(len(pages) + 1)
                pages.append(page)
                needs_heading = True
            if needs_heading:
                _add_heading(page, group, goes_on=place > 0)
            page.items.append(Item(ROWS_TOP + page.used, number=number, row=row))
            page.used, page.doors = page.used + ROW_HEIGHT, page.doors + 1
    return pages


def _has_room(page: Page, height: float) -> bool:
    return page.doors < ROWS_A_PAGE and page.used + height <= ROWS_ROOM


def _add_heading(page: Page, group: WalkGroup, *, goes_on: bool) -> None:
    title = group.title or NO_PLACE
    heading = f"{title}（续）" if goes_on else title
    page.items.append(Item(ROWS_TOP + page.used, heading=heading, note=f"{len(group.rows)}户"))
    page.used += GROUP_HEIGHT


def _set_column(folder: str) -> Callable[[str, str], SetText]:
    """How the template sets a value in a column of the list."""

    def set_column(column: str, text: str) -> SetText:
        width, sizes, face = SETTINGS[column]
        return set_text(printable(text, folder=folder), width, sizes=sizes, face=face, folder=folder)

    return set_column


def _head(facts: WalkList) -> list[tuple[str, str, float]]:
    doors = sum(len(group.rows) for group in facts.groups)
    values = (
        ("单位", facts.unit, 44.0),
        ("责任区", facts.territory, 44.0),
        ("客户经理", facts.manager, 24.0),
        ("日期", long_date(facts.day), 32.0),
        ("单号", facts.number, 34.0),
        ("户数", f"{doors}户", 12.0),
        ("起点", facts.start, 36.0),
    )
    return [
        (label, text, fitting_size(text, width, largest=10, smallest=5, face="fangsong"))
        for label, text, width in values
        if text
    ]


def _totals(facts: WalkList) -> str:
    doors = sum(len(group.rows) for group in facts.groups)
    return f"共{doors}户：见面　　户　未遇　　户　其他　　户"


def _texts(page: Page) -> list[tuple[str, str]]:
    rows = [item.row for item in page.items if item.row]
    return [("户号", printable(row.account_no)) for row in rows]

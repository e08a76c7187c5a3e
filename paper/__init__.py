"""What goes on paper: plain values in, PDF bytes out. No query, no request, no network address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from models.words import N_
from paper.audits import audit_worksheet
from paper.batch_changes import batch_change_sheet
from paper.bulletins import bulletin
from paper.competitions import board
from paper.launch_sheets import launch_sheet
from paper.letterheads import Letterhead
from paper.notices import assessment_notice
from paper.pdf import CHILDREN, PaperError
from paper.print_runs import survey_letter
from paper.reports import quality_report
from paper.samples import sample_announcement
from paper.visits import walk_list

__all__ = ["DOCUMENTS", "Document", "PaperError", "compose_all"]


@dataclass(frozen=True)
class Document:
    """A kind of sheet: its name, and the function that makes it from facts and a letterhead."""

    label: str
    compose: Callable[[Any, Letterhead], bytes]


DOCUMENTS = {
    "survey_letter": Document(N_("客户联系信息核对函"), survey_letter),
    "walk_list": Document(N_("走访清单"), walk_list),
    "bulletin": Document(N_("考核通报"), bulletin),
    "assessment_notice": Document(N_("考核通知单"), assessment_notice),
    "batch_change_sheet": Document(N_("批量变更审批单"), batch_change_sheet),
    "launch_sheet": Document(N_("启动预估单"), launch_sheet),
    "board": Document(N_("竞赛排行榜"), board),
    "sample_announcement": Document(N_("抽样公告"), sample_announcement),
    "audit_worksheet": Document(N_("抽样核查工作底稿"), audit_worksheet),
    "quality_report": Document(N_("客户联系信息质量月报"), quality_report),
}


def compose_all(key: str, many: Iterable[Any], letterhead: Letterhead) -> Iterator[bytes]:
    """Many sheets of one kind in order, two at a time: each waits for its own layout process."""
    with ThreadPoolExecutor(CHILDREN) as pool:
        yield from pool.map(lambda facts: DOCUMENTS[key].compose(facts, letterhead), many)

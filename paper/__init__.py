"""What goes on paper: plain values in, PDF bytes out. No query, no request, no network address."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from models.words import N_
from paper.address_labels import address_labels
from paper.audits import audit_worksheet
from paper.batch_changes import batch_change_sheet
from paper.bulletins import bulletin
from paper.calibrations import calibration_page
from paper.competitions import board
from paper.envelopes import outer_envelope, return_envelope
from paper.launch_sheets import launch_sheet
from paper.letterheads import Letterhead
from paper.notices import assessment_notice
from paper.pdf import CHILDREN, PaperError
from paper.postings import posting_list, tray_labels
from paper.print_registers import print_register
from paper.print_runs import survey_letter
from paper.reports import quality_report
from paper.samples import sample_announcement
from paper.undelivered_registers import undelivered_register
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
    "posting_list": Document(N_("交寄清单"), posting_list),
    "tray_labels": Document(N_("盘签和把签"), tray_labels),
    "print_register": Document(N_("打印台账"), print_register),
    "undelivered_register": Document(N_("退信登记表"), undelivered_register),
    "address_labels": Document(N_("地址标签"), address_labels),
    "outer_envelope": Document(N_("外封（ZL）"), outer_envelope),
    "return_envelope": Document(N_("回邮信封（DL）"), return_envelope),
    "calibration_page": Document(N_("套打校准页"), calibration_page),
    "quality_report": Document(N_("客户联系信息质量月报"), quality_report),
}


def compose_all(key: str, many: Iterable[Any], letterhead: Letterhead) -> Iterator[bytes]:
    """Many sheets of one kind in order, two at a time: each waits for its own layout process."""
    with ThreadPoolExecutor(CHILDREN) as pool:
        yield from pool.map(lambda facts: DOCUMENTS[key].compose(facts, letterhead), many)

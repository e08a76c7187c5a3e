"""The launch sheet: its tables break between pages without leaving a head behind."""

import datetime as dt
import re

import pytest
from paper_samples import HEAD, page_texts

from paper.launch_sheets import Assumed, Count, LaunchNode, LaunchSheet, UnitLine, launch_sheet

DAY = dt.date(2026, 11, 1)
HEADS = r"(单位客户类别函件走访任务|原因户数|序号步骤会产生剔除时间|事项取值依据|日期事项)$"


def facts(reasons):
    made = (Count("函件", "1"),)
    nodes = [LaunchNode(str(at), str(at), f"步骤{at}", "", "2026-11-01", made=made) for at in range(12)]
    return LaunchSheet(
        number="SY-1", title="核对", workflow="流程", version="第 1 版", unit="供电局", owner="张三", made_on=DAY,
        ends_on=DAY, subjects=(), totals=(Count("函件", "12"), Count("邮资（元）", "0.00")),
        exclusions=tuple(Count(f"原因{at}", "1") for at in range(reasons)), nodes=tuple(nodes),
        columns=("函件", "走访任务"), units=tuple(UnitLine(f"单位{at}", "居民", ("1", "2")) for at in range(25)),
        assumptions=(Assumed("answered", "回函率", "20%", "默认"),), calendar=(Count("发起", "2026-11-01"),),
        risks=("风险",), notes=("说明",), printed_on=DAY, drafted_by="张三",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("reasons", [9, 10])
def test_no_head_of_a_table_stands_alone_at_the_end_of_a_page(reasons):
    pages = page_texts(launch_sheet(facts(reasons), HEAD))
    ends = [re.sub(r"KF-15SY-1第.*$", "", text) for text in pages]
    assert len(pages) > 1 and not [end[-20:] for end in ends if re.search(HEADS, end)]

"""The sheet on which a batch change is approved."""

import datetime as dt

import pytest
from paper_samples import HEAD, page_texts

from paper.batch_changes import Acceptance, BatchChangeSheet, Decision, Example, Tally, batch_change_sheet

pytestmark = pytest.mark.slow
SHEET = BatchChangeSheet(
    number="PB-2026-00012",
    kind="门牌变更",
    title="石湾门牌变更",
    unit="石湾供电所",
    document="佛公〔2026〕5号",
    file_name="门牌.csv",
    effective_on=dt.date(2026, 3, 1),
    printed_on=dt.date(2026, 12, 3),
    total=1280,
    causes=(Tally("汾江南路 → 文昌路", 1280),),
    conflicts=(Tally("这个值是生效日期之后录入的，不改动。", 7),),
    states=(Tally("待审核", 1280), Tally("冲突", 7)),
    examples=(Example("0600000001", "用电地址", "汾江南路18号<3座>", "文昌路20号\u202e3座"),),
    decisions=(Decision("提出", "林淑仪", dt.date(2026, 12, 2)), Decision("审核"), Decision("生效")),
    acceptance=Acceptance(125, 5, 1.5),
    printed_by="林淑仪",
)


def test_the_sheet_says_what_changes_on_what_basis_and_who_decides():
    text = "".join(page_texts(batch_change_sheet(SHEET, HEAD)))
    for part in (
        "内部资料用后销毁", "PB-2026-00012", "佛公〔2026〕5号", "2026年3月1日", "共1280条", "汾江南路→文昌路",
        "不改动", "汾江南路18号<3座>", "文昌路20号3座", "抽125条", "错误不超过5条", "林淑仪", "2026年12月2日", "审核",
    ):  # fmt: skip
        assert part in text


def test_without_lines_the_sheet_says_so():
    empty = BatchChangeSheet(**SHEET.__dict__ | {"causes": (), "examples": (), "conflicts": (), "acceptance": None})
    text = "".join(page_texts(batch_change_sheet(empty, HEAD)))
    assert "没有冲突" in text and "没有要变更的值" in text and "全部核对" in text

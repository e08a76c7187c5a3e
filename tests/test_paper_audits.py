"""The announcement of a sample and the audit worksheet: what stands on them, and what never leaves its place."""

import datetime as dt
from dataclasses import replace

import pytest
from paper_samples import HEAD, HOSTILE_NAMES, LONG_ADDRESS, MOMENT, page_texts

from paper import audits, samples
from paper.figures import Rate
from paper.pdf import PaperError

STRATA = tuple(
    samples.Stratum(f"第{place}供电所", "新装客户", "低压居民", 100 * place, place) for place in range(1, 40)
)
PROMISE = samples.Announcement(
    "南海供电局", "NH01", "2026-11", 78_000, 780, "分层比例抽样", "按项", "威尔逊", STRATA, "ab" * 32, "cd" * 32,
    MOMENT + dt.timedelta(minutes=1), "赵稽查", MOMENT, "福彩双色球第2026140期开奖号码", "0F9E8D7C",
)  # fmt: skip
REVEALED = replace(
    PROMISE,
    seed="12" * 32,
    public_number="03 11 17+09",
    drawn_by="钱稽查",
    drawn_at=MOMENT + dt.timedelta(days=1),
)
ITEM = audits.Item("东所 新装客户 低压居民", "0301234567890123", "张三丰", "手机", "13812345678")
LINE = audits.Line("东所 新装客户 低压居民", 12, 24, 20, 2, 1, 1, 0, Rate(20, 22, 0.72, 0.97))


def sheet(number, **changes):
    facts = audits.Worksheet(
        "2026-11-NH01",
        "南海供电局",
        "2026年11月",
        "赵稽查",
        dt.date(2026, 12, 1),
        (ITEM,) * number,
        (LINE,) * 3,
    )
    return replace(facts, **changes)


@pytest.mark.parametrize(("items", "pages"), [(1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_rows_are_paged_and_numbered_on(items, pages):
    found = audits.paged((ITEM,) * items)
    assert [len(page.items) for page in found] == pages
    assert [page.first for page in found] == [1 + 10 * place for place in range(len(pages))]


def test_sheet_without_items_is_refused():
    with pytest.raises(PaperError, match="没有核查项"):
        audits.audit_worksheet(sheet(0), HEAD)


@pytest.mark.slow
def test_announcement_promises_and_tells_no_seed():
    texts = "".join(page_texts(samples.sample_announcement(PROMISE, HEAD)))
    for text in (
        "抽样核查公告",
        "截止前公布",
        PROMISE.seed_sha256,
        PROMISE.frame_sha256,
        "2026-12-01",
        "第39供电所",
        "0F9E8D7C",
    ):
        assert text in texts
    assert "抽取结果" not in texts


@pytest.mark.slow
def test_announcement_after_the_draw_reveals():
    texts = "".join(page_texts(samples.sample_announcement(REVEALED, HEAD)))
    for text in ("抽取结果", REVEALED.seed, "031117+09", "钱稽查", REVEALED.seed_sha256):
        assert text in texts


@pytest.mark.slow
def test_worksheet_has_its_script_on_every_back_and_a_summary():
    hostile = tuple(
        replace(ITEM, name=name, value=LONG_ADDRESS * 2, stratum=name * 2) for name in HOSTILE_NAMES
    )
    texts = page_texts(audits.audit_worksheet(sheet(11, items=(ITEM,) * 11 + hostile, copy=2), HEAD))
    assert len(texts) == 5
    assert [("核查用语" in text, "汇总表" in text) for text in texts] == [
        (False, False), (True, False), (False, False), (True, False), (False, True),
    ]  # fmt: skip
    for text in ("内部资料用后销毁", "第2次打印", "13812345678", "未联系上", "核查／复核", "共5页"):
        assert text in texts[0]
    assert "复核人" in texts[4]
    assert "90.91%" in texts[4] and "72.0～97.0" in texts[4]


@pytest.mark.slow
def test_long_worksheet_is_laid_out_in_parts_and_numbered_on(monkeypatch):
    monkeypatch.setattr(audits, "PAGES_A_PART", 2)
    items = tuple(replace(ITEM, account_no=f"{number:010}") for number in range(45))
    texts = page_texts(audits.audit_worksheet(sheet(45, items=items), HEAD))
    assert len(texts) == 11
    assert all(f"第{at}页共11页" in text for at, text in enumerate(texts, 1))
    assert all(one.account_no in texts[2 * (at // 10)] for at, one in enumerate(items))
    assert ["抽样核查汇总表" in text for text in texts] == [False] * 10 + [True]

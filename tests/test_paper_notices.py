"""The assessment notice with its receipt."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
import pytest
import zxingcpp
from paper_samples import HEAD, PRINT, page_texts, picture, token

from paper import DOCUMENTS, compose_all, scans, sides
from paper.codes import parse_code
from paper.figures import Rate
from paper.notices import AssessmentNotice, MeasureResult, Signature, assessment_notice
from paper.pdf import PaperError
from paper.receipts import ACCEPT, OBJECT, receipt_map
from seed import scanner
from seed.scanner import Damage, Filled

pytestmark = pytest.mark.slow
NOTICE = AssessmentNotice(
    number="KH-2026-11-003",
    token=token(500),
    unit="南庄供电所",
    period="2026-11",
    cutoff=dt.date(2026, 11, 30),
    run="K-2026-11-0007",
    issued_on=dt.date(2026, 12, 3),
    measures=(
        MeasureResult("完整率", "已录项／应录项", Rate(1230, 1250), 0.95, 0.98, "第六条", 0.0),
        MeasureResult("及时率", "按时录入项／到期项", Rate(118, 140), 0.90, 0.95, "第七条", -1.5),
    ),
    findings=("问题清单共46条。",),
    examples=("0301****4567 手机138****8000位数不足",),
    opinion="按办法第七条予以考核。",
    points=-1.5,
    amount=Decimal("800"),
    grade="良好",
    requirement="核实并补录。",
    rectify_by=dt.date(2026, 12, 15),
    appeal_to="向市场营销部书面申诉。",
    appeal_by=dt.date(2026, 12, 8),
    drafted=Signature("李明华", dt.date(2026, 12, 1)),
    fingerprint=PRINT,
)


@pytest.fixture(scope="session")
def printed():
    return assessment_notice(NOTICE, HEAD)


def test_notice_holds_its_fields(printed):
    (page,) = page_texts(printed)
    for text in (
        "客户联系信息质量考核通知单",
        "KH-2026-11-003",
        "南庄供电所",
        "2026年11月",
        "2026-11-3024时",
        "K-2026-11-0007",
        "98.40%",
        "+0.40",
        "−10.71",
        "−1.50",
        "问题清单共46条",
        "138****8000",
        "800.00元",
        "良好",
        "2026年12月15日",
        "2026年12月8日",
        "李明华",
        "审核",
        "批准",
        "校验a1b2c3d4",
        "签收回执",
        "无异议",
        "签收人",
    ):
        assert text in page


def test_receipt_lies_below_the_cut_with_the_code(printed):
    pixels = picture(printed, 0)
    one = 200 / 25.4
    assert (pixels[round(209.9 * one) - 1 : round(209.9 * one) + 3, :].min(axis=0) < 160).mean() > 0.3
    (found,) = zxingcpp.read_barcodes(np.ascontiguousarray(pixels[round(211 * one) :]))
    code = parse_code(found.text)
    assert (code.kind, code.token, code.page, code.place) == ("N", NOTICE.token, 1, "4")


def test_a_receipt_is_read_back_from_the_paper_it_was_printed_on(printed):
    (page,) = receipt_map()["pages"]
    (sheet,), dice = scanner.printed(printed), Random(3)
    filled = Filled({OBJECT: "cross"}, {"statement.1": "", "received_by": ""}, signed=False)
    scanned = scanner.scan(scanner.fill_in(sheet, page["boxes"], filled, dice), Damage(angle=2, turns=2), dice)
    for seen in (scanned, scanned.crop((0, 0, scanned.width, round(scanned.height * 0.29)))):  # whole, cut off
        reading = sides.read(sides.look_at(scans.Side(1, seen)), page)
        assert reading.residual < 0.3
        marked = {name for name, mark in reading.marks.items() if mark.value}
        assert marked == {OBJECT, "statement.1", "received_by"}
        assert all(reading.marks[name].sure for name in (ACCEPT, OBJECT))


def test_place_of_the_seal_is_free(printed):
    one = 200 / 25.4
    corner = picture(printed, 0)[round(176 * one) : round(202 * one), round(20 * one) : round(110 * one)]
    assert (corner > 250).all()


def test_draft_is_marked_and_long_texts_shrink():
    facts = replace(
        NOTICE, draft=True, copy=2, unit="某某" * 20, findings=("问题较多，涉及面广；" * 12,) * 2, points=None
    )
    (page,) = page_texts(assessment_notice(facts, HEAD))
    assert "草稿" in page
    assert "第2次打印" in page
    assert page.count("问题较多，涉及面广；") == 24


def test_what_one_page_cannot_hold_is_refused():
    with pytest.raises(PaperError, match="KH-2026-11-003：内容过长，一页排不下"):
        assessment_notice(replace(NOTICE, findings=("很长的事实。" * 300,)), HEAD)


def test_many_notices_come_back_in_order():
    units = ("甲供电所", "乙供电所", "丙供电所")
    many = compose_all("assessment_notice", (replace(NOTICE, unit=unit) for unit in units), HEAD)
    assert [unit in page_texts(pdf)[0] for unit, pdf in zip(units, many, strict=True)] == [True] * 3


def test_documents_are_registered_by_their_function():
    assert all(key == document.compose.__name__ for key, document in DOCUMENTS.items())
    assert {"survey_letter", "walk_list", "bulletin", "assessment_notice", "board"} <= set(DOCUMENTS)

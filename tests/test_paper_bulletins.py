"""The bulletin: sections, tables, titles."""

from dataclasses import replace

import pikepdf
import pypdfium2
import pytest
from paper_samples import HEAD, bulletin_facts, page_texts, unit_result

from paper.bulletins import _annexes, _sections, bulletin, title_lines
from paper.figures import Rate
from paper.notices import Annex


def headings(facts):
    return [section.heading for section in _sections(facts) if section.heading]


def test_sections_without_content_are_left_out_and_numbers_close_up():
    assert headings(bulletin_facts()) == [
        "一、总体情况",
        "二、各单位考核结果",
        "（一）新装客户",
        "（二）存量客户",
        "三、人员考核结果",
        "（一）成绩突出人员",
        "四、存在问题",
    ]


def test_columns_without_any_value_are_left_out():
    plain, sampled = (
        bulletin_facts(),
        bulletin_facts(new=(unit_result(1, accuracy=Rate(47, 50, 0.851, 0.983)),)),
    )
    tables = [[column.label for column in part.table.columns] for part in _sections(plain) if part.table]
    assert "准确率" not in tables[0]
    tables = [[column.label for column in part.table.columns] for part in _sections(sampled) if part.table]
    assert "准确率" in tables[0]
    labels = [column.label for column in _annexes(sampled)[0].columns]
    assert labels[9:13] == ["抽查项", "准确项", "准确率", "区间\n（%）"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (0.0052, "较上期上升0.52个百分点"),
        (-0.0012, "较上期下降0.12个百分点"),
        (0.0, "与上期持平"),
        (None, "97.10%（971/1000）；及时率"),
    ],
)
def test_totals_are_told_with_both_numbers(change, words):
    total = replace(bulletin_facts().totals[0], change=change)
    sentence = _sections(bulletin_facts(totals=(total,)))[1].paragraphs[0]
    assert words in sentence
    assert "完整率97.10%（971/1000）" in sentence


@pytest.mark.slow
def test_title_is_broken_by_meaning():
    assert title_lines("关于2026年11月客户联系信息质量考核情况的通报") == [
        "关于2026年11月客户联系信息",
        "质量考核情况的通报",
    ]
    assert title_lines("考核通报") == ["考核通报"]
    assert min(map(len, title_lines("关于" + "某" * 40 + "的通报"))) > 3


@pytest.mark.slow
def test_bulletin_holds_what_an_official_document_holds():
    facts = bulletin_facts(annexes=(Annex("问题清单", ("序号", "单位"), (("1", "第1供电所"),)),))
    whole = "".join(page_texts(bulletin(facts, HEAD)))
    for text in (
        "佛山供电局市场营销部",
        "客服通报〔2026〕11号",
        "各区县局、各供电所：",
        "根据《客户联系信息质量考核办法》",
        "截至11月30日24时",
        "如有异议，请于收到本通报之日起3个工作日内提出书面申诉，逾期视为无异议。",
        "特此通报。",
        "附件",
        "问题清单",
        "抄送：局领导，办公室。",
        "2026年12月3日印发",
        "校验a1b2c3d4",
        "痕迹0f9e8d7c",
        "欧阳𠮷㛃",
    ):
        assert text in whole
    assert "草稿" not in whole


@pytest.mark.slow
def test_draft_and_second_copy_are_marked_on_every_page():
    pages = page_texts(bulletin(bulletin_facts(draft=True, copy=2), HEAD))
    assert all("草稿" in page and "第2次打印" in page for page in pages)


@pytest.mark.slow
def test_300_units_do_not_break_a_page():
    pdf = bulletin(bulletin_facts(300), HEAD)
    pages = page_texts(pdf)
    assert all("应录项" in page for page in pages[3:8])
    whole = "".join(pages)
    assert all(f"第{number}供电所" in whole for number in range(1, 301))
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            boxes = [item.get_bounds() for item in page.get_objects(max_depth=1)]
            assert all(left >= -1 and right <= page.get_width() + 1 for left, _, right, _ in boxes)


@pytest.mark.slow
def test_bulletin_is_the_same_when_made_again():
    made = bulletin(bulletin_facts(), HEAD)
    assert made == bulletin(bulletin_facts(), HEAD)
    assert made.startswith(b"%PDF")


@pytest.mark.slow
def test_bulletin_has_title_and_language(tmp_path):
    (tmp_path / "b.pdf").write_bytes(bulletin(bulletin_facts(), HEAD))
    with pikepdf.open(tmp_path / "b.pdf") as pdf:
        assert str(pdf.docinfo.Title) == bulletin_facts().title
        assert str(pdf.Root.Lang) == "zh-CN"

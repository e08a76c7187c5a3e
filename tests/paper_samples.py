"""Facts that the tests of paper print: one bureau, and sheets with and without hostile values."""

import datetime as dt
import random
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pypdfium2

from paper.codes import CROCKFORD
from paper.figures import Fingerprint, Rate
from paper.letterheads import Letterhead
from paper.letters import LetterFacts, Recorded
from paper.notices import Bulletin, PersonResult, Total, UnitResult
from paper.visits import WalkGroup, WalkList, WalkRow

HEAD = Letterhead(
    "广东电网有限责任公司佛山供电局",
    "佛山供电局",
    website="95598.example.cn",
    wechat="佛山供电",
    province_city="广东省佛山市",
    copy_to=("局领导", "办公室"),
)
MOMENT = dt.datetime(2026, 11, 30, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
PRINT = Fingerprint("K-2026-11-0007", MOMENT, "a1b2c3d4e5f6", "0f9e8d7c6b")
HOSTILE_NAMES = (
    "张\x00三\u202e丰",
    "欧阳𠮷㛃䶮暠",
    "🙂王小明",
    "محمد بن سلمان",
    "<b>李&四</b>",
    "阿不都热合曼·买买提江·吐尔逊",
    "佛山市南海区宏达金属制品有限责任公司第三分公司",
    "名\ue000字",
)
LONG_ADDRESS = (
    "南海区桂城街道南海大道北路与某某特别长的路名交叉口东南角"
    "国际创智园科技工业中心A区12号楼3单元1205室门卫代收"
)


def token(number: int) -> str:
    dice = random.Random(number)
    return "".join(dice.choice(CROCKFORD) for _ in range(10))


RECORDED = Recorded(
    person="张三丰",
    mobile="+8613812345678",
    landline="0757-85551234转801",
    outage_person="李四光",
    outage_mobile="13900002222",
    postal_address="广东省佛山市禅城区祖庙街道建新路12号3座501室",
    postcode="528000",
    email="zhangsanfeng@example.com",
    wechat="wx_zhang",
)
LETTER = LetterFacts(
    serial="HD-2026-11-000001",
    token=token(1),
    address="广东省佛山市禅城区祖庙街道建新路12号恒福花园3座501室",
    addressee="张三丰",
    account_no="0301234567890123",
    name="张三丰",
    unit="禅城供电所",
    supply_address="广东省佛山市禅城区祖庙街道建新路12号恒福花园3座501室",
    sent_on=dt.date(2026, 11, 21),
    reply_by=dt.date(2026, 12, 20),
    postcode="528000",
    recorded=RECORDED,
    reply_url="HTTPS://KEFU.EXAMPLE.CN/R/0123456789",
)


def letter(number: int, **changes: object) -> LetterFacts:
    return replace(LETTER, serial=f"HD-2026-11-{number:06d}", token=token(number), **changes)


def hostile_letters() -> list[LetterFacts]:
    """A plain letter, one without anything recorded, then one for each hostile name."""
    plain = [letter(1), letter(2, recorded=Recorded(), reply_url="", copy=2)]
    return plain + [
        letter(number, addressee=name, name=name, recorded=replace(RECORDED, person=name, outage_person=name))
        for number, name in enumerate(HOSTILE_NAMES, start=3)
    ]


def walk_row(number: int, **changes: object) -> WalkRow:
    row = WalkRow(
        token(100 + number), f"03012345{number:04d}", "张三丰", f"{number}座101室", "退信", "13812345678"
    )
    return replace(row, **changes)


def walk(*groups: WalkGroup, copy: int = 1) -> WalkList:
    day = dt.date(2026, 11, 21)
    return WalkList(
        "ZF-20261121-07", "禅城一区", "李明华", day, groups, unit="禅城供电所", start="营业厅", copy=copy
    )


def unit_result(number: int, *, accuracy: Rate | None = None) -> UnitResult:
    return UnitResult(
        f"第{number}供电所",
        Rate(970 + number % 30, 1000),
        Rate(90, 100),
        Rate(960, 970),
        accuracy,
        target=0.98,
        score=90 - number / 10,
        rank=number,
    )


def bulletin_facts(units: int = 12, **changes: object) -> Bulletin:
    lines = tuple(unit_result(number) for number in range(1, units + 1))
    facts = Bulletin(
        number="客服通报〔2026〕11号",
        title="关于2026年11月客户联系信息质量考核情况的通报",
        period="2026-11",
        cutoff=dt.date(2026, 11, 30),
        issued_on=dt.date(2026, 12, 3),
        basis="《客户联系信息质量考核办法》",
        addressees=("各区县局", "各供电所"),
        totals=(Total("新装客户", lines[0], 0.0052), Total("存量客户", lines[-1], -0.0012)),
        new=lines[:2],
        existing=lines,
        best_persons=(PersonResult("欧阳𠮷㛃", "第1供电所", Rate(98, 98)),),
        problems=("手机号码位数不足，涉及132条。", "一号多户，涉及118户。"),
        fingerprint=PRINT,
    )
    return replace(facts, **changes)


def page_texts(pdf: bytes | Path) -> list[str]:
    """The text of each page without blanks."""
    with pypdfium2.PdfDocument(pdf) as document:
        return ["".join(page.get_textpage().get_text_range().split()) for page in document]


def picture(pdf: bytes | Path, page: int, *, dpi: int = 200) -> np.ndarray:
    """A page as grey pixels."""
    with pypdfium2.PdfDocument(pdf) as document:
        return document[page].render(scale=dpi / 72, grayscale=True).to_numpy().squeeze().copy()

"""What the judge says about the generated file, held against its truth table: recall and precision."""

from collections import Counter
from datetime import date

import pytest

from quality import judge
from quality.verdicts import Context
from seed.bureau import make_bureau
from seed.damage import KINDS
from seed.files import lines

TODAY = date(2026, 10, 20)
JUDGED = {
    "手机": "mobile",
    "固定电话": "landline",
    "用电地址": "supply_address",
    "邮政编码": "postcode",
    "联系人": "person",
    "电子邮箱": "email",
    "身份证号": "id_number",
    "户名": "name",
    "通讯地址": "postal_address",
    "联系电话": "phone",
    "微信": "wechat",
    "统一社会信用代码": "uscc",
}
# One wrong resident number in 31 happens to pass as a credit code: both have eighteen characters.
LEAST_RECALL = {"wrong_id": 0.85}


def _judge_all(count):
    """(kind of damage or none, told right, verdict given, verdict true) of every judged cell."""
    bureau = make_bureau(7)
    contexts = {unit.name: Context(unit.area_code, unit.region) for unit in bureau.units}
    for line in lines(bureau, count=count, seed=7, today=TODAY):
        damages = {damage.field: damage for damage in line.damages}
        for field, kind in JUDGED.items():
            damage, text = damages.get(field), line.written[field]
            if damage is None and (not text or not line.written["户号"]):
                continue
            given = judge(kind, text, contexts.get(line.written["供电单位"], Context()))
            true = damage.verdict if damage else "valid"
            reason = damage.reason if damage else ""
            right = given.verdict == true and (not reason or reason in given.reasons)
            yield damage.kind if damage else "", right, given.verdict, true


def _recall(cells):
    told = Counter((kind, right) for kind, right, _given, _true in cells)
    kinds = {kind for kind, _right in told}
    return {kind: told[kind, True] / (told[kind, True] + told[kind, False]) for kind in kinds}


def _precision(cells):
    given = Counter(verdict for _kind, _right, verdict, _true in cells)
    right = Counter(verdict for _kind, _right, verdict, true in cells if verdict == true)
    return {verdict: right[verdict] / number for verdict, number in given.items()}


@pytest.fixture(scope="module")
def cells():
    return list(_judge_all(1200))


def test_undamaged_values_are_valid(cells):
    assert _recall(cells)[""] > 0.999


def test_judge_finds_what_befell_the_values(cells):
    told = _recall(cells)
    missed = {kind: share for kind, share in told.items() if share < LEAST_RECALL.get(kind, 1.0)}
    assert not missed and len(told) > 25


def test_what_the_judge_objects_to_is_really_damaged(cells):
    assert all(share > 0.99 for share in _precision(cells).values())


@pytest.mark.slow
def test_precision_and_recall_hold_on_a_large_file(capsys):
    found = list(_judge_all(12_000))
    recall, precision = _recall(found), _precision(found)
    with capsys.disabled():
        for name, share in sorted(recall.items()):
            print(f"  recall    {name or '(undamaged)':<26} {share:7.2%}")  # noqa: T201 the table is the point
        for name, share in sorted(precision.items()):
            print(f"  precision {name:<26} {share:7.2%}")  # noqa: T201
    assert {kind.key for kind in KINDS} < set(recall)
    assert all(share >= LEAST_RECALL.get(kind, 0.99) for kind, share in recall.items())
    assert all(share > 0.99 for share in precision.values())

"""Damage at known rates, with the truth about it."""

from collections import Counter
from datetime import date

import pytest

from quality.number_upgrades import find_upgrade
from seed.bureau import make_bureau
from seed.damage import KINDS, Misfortune
from seed.files import lines

TODAY = date(2026, 10, 20)
COUNT = 12000


@pytest.fixture(scope="module")
def found():
    return list(lines(make_bureau(7), count=COUNT, seed=7, today=TODAY))


def test_there_are_dozens_of_kinds():
    assert len({kind.key for kind in KINDS}) >= 40


def test_same_seed_does_the_same_damage(found):
    again = list(lines(make_bureau(7), count=200, seed=7, today=TODAY))
    assert again == found[: len(again)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_damage_comes_at_about_its_rate(found, kind):
    rows = [line.clean for line in found if line.clean["供电单位"]]
    can = sum(1 for row in rows if row[kind.field] and kind.befalls(row))
    did = sum(1 for line in found for d in line.damages if (d.kind, d.field) == (kind.key, kind.field))
    spread = 5 * (can * kind.rate) ** 0.5 + 1
    assert abs(did - can * kind.rate) <= spread


def test_truth_tells_what_stood_there_and_what_was_written(found):
    for line in found:
        for damage in line.damages:
            if damage.kind != "no_account":
                assert damage.original == line.clean[damage.field]
                assert damage.written == line.written[damage.field] != damage.original


def test_what_truth_does_not_name_is_untouched(found):
    for line in found[:2000]:
        named = {damage.field for damage in line.damages}
        assert all(line.written[key] == value for key, value in line.clean.items() if key not in named)


def test_several_kinds_meet_in_one_file(found):
    kinds = Counter(damage.kind for line in found for damage in line.damages)
    assert set(kinds) == {kind.key for kind in KINDS} | {"staff_number", "no_account"}


def test_staff_numbers_are_seen_by_who_knows_them():
    kind = Misfortune(["13800000001"]).by_field["手机"][-1]
    assert (kind.key, kind.seen, kind.verdict, kind.reason) == ("staff_number", True, "suspect", "office_number")


def test_a_wrong_but_plausible_number_is_marked_as_unseen():
    assert [kind.key for kind in KINDS if not kind.seen] == ["turned_digits"]


def test_three_thousand_rows_hold_old_numbers_that_confirmed_upgrades_mend(found):
    old = [line for line in found[:3000] if any(d.kind == "number_before_upgrade" for d in line.damages)]
    for line in old:
        rule = find_upgrade(*line.written["固定电话"].split("-"))
        assert rule.confirmed and line.written["录入时间"][:10] < rule.since.isoformat()
    assert len(old) >= 10

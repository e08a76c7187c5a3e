"""The bureau's own places: files of divisions and renames, door plates, and what judging makes of them."""

from datetime import date

import pytest
from factories import make_staff, make_unit
from sqlalchemy import func, select

from models import DoorPlate, PlaceDivision, Trace
from models.clock import utcnow
from quality import judge
from services import Refused
from services.judging import contexts, judge_in
from services.people import acting
from services.place_imports import import_file
from services.places import known_places

DIVISIONS = "省,市,区县,乡镇,来源\n广东省,佛山市,云东新区,,粤府函1号\n广东省,佛山市,云东新区,云水街道,\n"
RENAMES = (
    "省,市,区县,原名称,现名称,变更日期,来源\n"
    "广东省,佛山市,,云东县,云东新区,2026-03-01,粤府函1号\n"
    "广东省,佛山市,南海区,桂城镇,桂城街道,2003-06-01,\n"
)


def _file(tmp_path, text, name="places.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def _hang(session, unit, old, new, *, on=date(2024, 5, 1)):
    plate = DoorPlate(
        unit_id=unit.id, old_road=old[0], old_number=old[1], new_road=new[0], new_number=new[1],
        changed_on=on, source="公安", created_at=utcnow(),
    )  # fmt: skip
    session.add(plate)
    session.flush()
    return plate


def _told(session, unit, text):
    """Verdict, value and reasons, the same for one keyed value as in a chunk of many."""
    verdict = judge_in(session, unit.id, "supply_address", text)
    assert verdict == judge("supply_address", text, contexts(session)[unit.id])
    return verdict.verdict, verdict.value, verdict.reasons


def test_imported_division_is_known_to_judging(session, tmp_path):
    unit = make_unit(session)
    done = import_file(session, _file(tmp_path, DIVISIONS))
    assert (done.created, done.updated, done.unchanged) == (2, 0, 0)
    verdict = judge_in(session, unit.id, "supply_address", "云水街道人民路1号")
    assert (verdict.value, verdict.code) == ("广东省佛山市云东新区云水街道人民路1号", "V5-T:云水街道")


def test_import_of_the_same_file_changes_nothing(session, tmp_path):
    path = _file(tmp_path, DIVISIONS)
    import_file(session, path)
    assert import_file(session, path).unchanged == 2
    changed = import_file(session, _file(tmp_path, DIVISIONS.replace("粤府函1号", "粤府函2号")))
    assert (changed.created, changed.updated, changed.unchanged) == (0, 1, 1)
    assert session.scalar(select(func.count()).select_from(PlaceDivision)) == 2


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("广东省佛山市云东县人民路1号", "广东省佛山市云东新区人民路1号", "district_renamed"),
        (
            "广东省佛山市南海区桂城镇南海大道北12号",
            "广东省佛山市南海区桂城街道南海大道北12号",
            "town_renamed",
        ),
        ("桂城镇南海大道北12号", "广东省佛山市南海区桂城街道南海大道北12号", "town_renamed"),
    ],
)
def test_imported_rename_repairs_addresses(session, tmp_path, text, value, reason):
    unit = make_unit(session)
    import_file(session, _file(tmp_path, DIVISIONS))
    import_file(session, _file(tmp_path, RENAMES, "renames.csv"))
    verdict, told, reasons = _told(session, unit, text)
    assert (verdict, told, reason in reasons) == ("repairable", value, True)
    assert _told(session, unit, value)[:2] == ("valid", value)


def test_import_needs_a_permission_and_leaves_a_trace(session, tmp_path):
    path = _file(tmp_path, DIVISIONS)
    import_file(session, path)
    assert session.scalars(select(Trace.action)).all()[-1] == "places.imported"
    acting(session, make_staff(session, "clerk").username)
    with pytest.raises(Refused):
        import_file(session, path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("省,市\n广东省,佛山市\n", "区县"),
        (DIVISIONS.replace("广东省,佛山市,云东新区,,", "广东,佛山市,云东新区,,"), "第 2 行"),
        (DIVISIONS.replace("佛山市,云东新区,云水", "长沙市,云东新区,云水"), "第 3 行"),
        (DIVISIONS.replace("云水街道", "3号街道"), "不带数字"),
        (DIVISIONS.replace("云水街道", ""), "同一个地方"),
        (RENAMES.replace("2026-03-01", "三月"), "变更日期"),
        (RENAMES.replace("云东县,云东新区", "云东县,"), "现名称"),
    ],
)
def test_wrong_place_file_is_refused_whole(session, tmp_path, text, said):
    with pytest.raises(Refused, match=said):
        import_file(session, _file(tmp_path, text))
    assert known_places(session) == {}


def test_old_plate_is_repaired_in_its_unit_and_below(session):
    unit, other = make_unit(session), make_unit(session)
    below = make_unit(session, unit)
    _hang(session, unit, ("汾江南路", "18号"), ("汾江南路", "36号"))
    text, value = "广东省佛山市禅城区汾江南路18号3栋502", "广东省佛山市禅城区汾江南路36号3栋502"
    for home in (unit, below):
        assert _told(session, home, text) == ("repairable", value, ("plate_changed",))
        assert _told(session, home, value) == ("valid", value, ())
    assert _told(session, other, text) == ("valid", text, ())


def test_plate_changed_twice_ends_at_the_last(session):
    unit = make_unit(session)
    _hang(session, unit, ("永安路", "3号"), ("建设路", "5号"), on=date(2020, 1, 1))
    _hang(session, unit, ("建设路", "5号"), ("和平路", "7号"), on=date(2024, 1, 1))
    value = "广东省佛山市禅城区和平路7号"
    assert _told(session, unit, "广东省佛山市禅城区永安路3号")[:2] == ("repairable", value)
    assert _told(session, unit, "广东省佛山市禅城区建设路5号")[:2] == ("repairable", value)


def test_street_numbered_anew_is_left_to_the_batch_change(session):
    unit = make_unit(session)
    for number in (1, 3, 5):
        _hang(session, unit, ("永安路", f"{number}号"), ("永安路", f"{number + 2}号"))
    assert _told(session, unit, "广东省佛山市禅城区永安路1号")[:2] == (
        "repairable",
        "广东省佛山市禅城区永安路3号",
    )
    assert _told(session, unit, "广东省佛山市禅城区永安路3号")[0] == "valid"


def test_withdrawn_plate_counts_no_longer(session):
    unit = make_unit(session)
    plate = _hang(session, unit, ("永安路", "3号"), ("永安路", "5号"))
    text = "广东省佛山市禅城区永安路3号"
    assert _told(session, unit, text)[0] == "repairable"
    plate.withdrawn_at = utcnow()
    session.flush()
    assert _told(session, unit, text)[0] == "valid"

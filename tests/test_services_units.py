"""The unit tree: moved with everything below, imported in any order, refused where it makes no sense."""

import pytest
from factories import make_staff, make_unit

from models import Trace, Unit
from models.scope import set_scope
from services import Refused, units
from services.people import scope_of

HEAD = "code,name,parent,kind,area_code,region,deadline_days\n"


def file_of(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "units.csv"
    path.write_bytes((HEAD + text).encode(encoding))
    return path


def test_moving_takes_everything_below_along(session, shell, root):
    old, new = make_unit(session), make_unit(session)
    station = make_unit(session, old)
    team = make_unit(session, station)
    assert units.move_unit(session, station, new) == 2
    assert station.parent_id == new.id and station.path == f"{new.path}{station.id}/"
    assert team.path == f"{new.path}{station.id}/{team.id}/" and old.path == f"{root.path}{old.id}/"
    moved = session.query(Trace).filter_by(action="unit.moved").one()
    assert moved.details == {"from": old.id, "to": new.id, "units": 2}


def test_ids_that_begin_alike_stay_where_they_are(session, shell, root):
    found = [make_unit(session) for _ in range(20)]
    alike = next(row for row in found[1:] if str(row.id).startswith(str(found[0].id)))
    before = alike.path
    units.move_unit(session, found[0], found[5])
    assert alike.path == before


def test_a_circle_is_refused(session, shell, root):
    above = make_unit(session)
    below = make_unit(session, above)
    for parent in (above, below):
        with pytest.raises(Refused, match="自己的下级"):
            units.move_unit(session, above, parent)
    with pytest.raises(Refused, match="最上级"):
        units.move_unit(session, root, above)


def test_a_unit_outside_is_neither_moved_nor_a_parent(session, root):
    own, foreign = make_unit(session), make_unit(session)
    inside = make_unit(session, own)
    set_scope(session, scope_of(session, make_staff(session, "administrator", own)))
    for unit, parent in ((inside, foreign), (foreign, own)):
        with pytest.raises(Refused, match="不在您的单位范围内"):
            units.move_unit(session, unit, parent)


def test_the_file_may_name_children_before_parents(session, shell, root, tmp_path):
    text = "FS0101,祖庙供电所,FS01,,,,3\nFS,佛山供电局,,bureau,0757,广东省佛山市,5\n"
    text += "FS01,禅城供电局,FS,,,广东省佛山市禅城区,\n"
    assert units.import_file(session, file_of(tmp_path, text)) == units.Imported(created=2, updated=1)
    found = {row.code: row for row in session.query(Unit)}
    assert found["FS"] is root and root.name == "佛山供电局"
    assert found["FS0101"].path == f"{root.path}{found['FS01'].id}/{found['FS0101'].id}/"
    assert [found[code].kind for code in ("FS", "FS01", "FS0101")] == [
        "bureau",
        "county_bureau",
        "supply_station",
    ]
    assert (found["FS0101"].area_code, found["FS0101"].region) == ("0757", "广东省佛山市禅城区")
    assert (found["FS01"].deadline_days, found["FS0101"].deadline_days) == (5, 3)


def test_the_same_file_again_changes_nothing(session, shell, root, tmp_path):
    path = file_of(tmp_path, "FS,佛山供电局,,bureau,0757,,\nA,甲所,FS,,,,\n", "gb18030")
    units.import_file(session, path)
    assert units.import_file(session, path) == units.Imported(created=0, updated=0)


def test_a_changed_parent_moves_the_unit(session, shell, root, tmp_path):
    units.import_file(session, file_of(tmp_path, "FS,局,,,,,\nA,甲,FS,,,,\nB,乙,FS,,,,\n"))
    assert units.import_file(session, file_of(tmp_path, "B,乙,A,,,,\n")) == units.Imported(
        created=0, updated=1
    )
    found = {row.code: row for row in session.query(Unit)}
    assert found["B"].path == f"{found['A'].path}{found['B'].id}/"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A,甲,NIX,,,,\n", "第 2 行: 上级单位「NIX」"),
        ("A,甲,B,,,,\nB,乙,A,,,,\n", "成了一个圈"),
        ("A,甲,,,,,\nA,乙,,,,,\n", "第 3 行: 单位代码「A」和第 2 行重复"),
        ("A,,,,,,\n", "code 和 name 都要填"),
        ("A,甲,,station,,,\n", "单位类型「station」不认识"),
        ("A,甲,,,,,五天\n", "1 到 365"),
        (f"{'A' * 41},甲,,,,,\n", "最长 40"),
    ],
)
def test_a_file_that_makes_no_sense_changes_nothing(session, shell, root, tmp_path, text, said):
    with pytest.raises(Refused, match=said):
        units.import_file(session, file_of(tmp_path, text))
    assert session.query(Unit).count() == 1 and root.code == "root"


def test_missing_columns_are_named(session, shell, tmp_path):
    path = tmp_path / "units.csv"
    path.write_text("编号,名称\n1,甲\n", encoding="utf-8")
    with pytest.raises(Refused, match="code、name、parent"):
        units.import_file(session, path)


def test_importing_needs_the_right(session, root, tmp_path):
    session.info["actor_id"] = make_staff(session, "clerk").id
    with pytest.raises(Refused, match="units.edit"):
        units.import_file(session, file_of(tmp_path, "A,甲,,,,,\n"))

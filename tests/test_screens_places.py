"""The page of the bureau's own places: tried with every fault named, then kept, listed, found."""

import re
from io import BytesIO

import pytest
from browsing import browse
from factories import make_staff
from sqlalchemy import func, select

from models import PlaceDivision, PlaceRename, Trace

DIVISIONS = "省,市,区县,乡镇,来源\n广东省,佛山市,云东新区,,粤府函1号\n广东省,佛山市,云东新区,云水街道,\n"
WRONG = DIVISIONS + "广东,佛山市,南海区,桂城街道,\n广东省,佛山市,云东新区,云水街道,\n广东省,长沙市,雨花区,3号街道,\n"


@pytest.fixture
def admin(app, session):
    return browse(app, session, make_staff(session, "administrator"))


def tried(browser, text, name="清单.csv"):
    answer = browser.post("/admin/places/try", {"file": (BytesIO(text.encode()), name)})
    return answer.status_code, answer.get_data(as_text=True)


def count(session, table):
    return session.scalar(select(func.count()).select_from(table))


def test_file_is_tried_then_kept_and_found(admin, session):
    status, page = tried(admin, DIVISIONS)
    assert status == 200
    assert "云水街道" in page and count(session, PlaceDivision) == 0
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)[1]
    kept = admin.post("/admin/places/keep", {"digest": digest}, follow_redirects=True)
    assert "新增 2 处，更新 0 处" in kept.get_data(as_text=True)
    assert count(session, PlaceDivision) == 2
    assert "places.imported" in session.scalars(select(Trace.action)).all()
    page = admin.get("/admin/places/?find=云水").get_data(as_text=True)
    assert "云水街道" in page and "粤府函1号" not in page


def test_every_fault_is_named_and_nothing_comes_in(admin, session):
    status, page = tried(admin, WRONG)
    assert status == 422
    assert "第 4 行：省「广东」要写全称" in page
    assert "第 5 行和第 3 行说的是同一个地方" in page and "第 6 行：广东省没有「长沙市」" in page
    assert 'name="digest"' not in page and count(session, PlaceDivision) == 0


@pytest.mark.parametrize(
    ("text", "why"), [("省,市\n广东省,佛山市\n", "清单.csv 第 1 行缺少列：区县"), ("", "清单.csv")]
)
def test_file_of_other_columns_shows_the_form_again(admin, session, text, why):
    status, page = tried(admin, text)
    assert status == 422
    assert why in page and 'type="file"' in page


def test_unknown_file_is_not_kept_and_others_may_only_look(app, admin, session):
    page = admin.post("/admin/places/keep", {"digest": "0" * 64}, follow_redirects=True).get_data(as_text=True)
    assert "请重新上传试算" in page and count(session, PlaceRename) == 0
    steward = browse(app, session, make_staff(session, "data_steward"))
    page = steward.get("/admin/places/").get_data(as_text=True)
    assert "还没有补过更名" in page and 'type="file"' not in page
    assert tried(steward, DIVISIONS)[0] == 403

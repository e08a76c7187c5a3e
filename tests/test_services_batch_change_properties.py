"""Whatever stands: applying a batch change and taking it back restores every current value, and later ones are left."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

import pytest
from changing import carry_out, current, submitted, taken_back, write_list
from factories import make_contact, make_customer, make_staff, make_unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import BatchChangeLine, Contact
from quality import judge
from quality.number_upgrades import UPGRADES
from quality.verdicts import Context
from services import batch_changes, contacts
from services.batch_changes import Choice
from services.contacts import Finding

pytestmark = pytest.mark.slow
BEFORE, AFTER = datetime(1994, 1, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)
ROAD = "广东省佛山市禅城区石湾镇街道汾江南路"
VALUES = st.tuples(
    st.one_of(
        st.tuples(st.just("mobile"), st.sampled_from(("手机：13827465109", "13926148037", "１３７５１９２０８４６"))),
        st.tuples(st.just("landline"), st.sampled_from(("0731-4187302", "0733-8187302", "4187302", "0731-84187302"))),
        st.tuples(st.just("supply_address"), st.integers(10, 20).map(lambda number: f"{ROAD}{number}号3座502房")),
        st.tuples(st.just("postcode"), st.sampled_from(("528000", "528051", "５２８０００"))),
    ),
    st.sampled_from((BEFORE, AFTER, None)),
    st.booleans(),
)
KINDS = st.sampled_from(("cleanup", "number_upgrade", "door_plate_change", "postcode_list"))
LISTS = {
    "door_plate_change": [
        {"原路名": "汾江南路", "原门牌号": str(number), "新路名": "文昌路", "新门牌号": str(number + 2)}
        for number in range(12, 19)
    ],
    "postcode_list": [{"路名": "汾江南路", "邮编": "528051"}],
}
_numbers = itertools.count(1)


def facts_of(kind, folder):
    if kind == "number_upgrade":
        return {"options": {"rules": [rule.key for rule in UPGRADES if rule.confirmed]}}
    if kind == "cleanup":
        return {}
    path = write_list(folder / f"{next(_numbers)}.csv", LISTS[kind])
    return {"path": path, "file_name": path.name, "effective_on": date(2010, 1, 1)}


def fill(session, unit, drawn):
    """Customers of a unit with the drawn values, some found right today."""
    for (kind, text), recorded, is_confirmed in drawn:
        found = judge(kind, text, Context(unit.area_code, unit.region))
        judged = {"raw": text, "value": found.value, "verdict": found.verdict, "reasons": ";".join(found.reasons)}
        row = make_contact(session, make_customer(session, unit), kind, **judged, recorded_at=recorded, preferred=True)
        if is_confirmed:
            contacts.confirm(session, [Finding(row.id, "confirmed", "call")])
    session.commit()


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(drawn=st.lists(VALUES, min_size=1, max_size=8), kind=KINDS, part=st.integers(1, 3))
def test_applying_a_part_and_taking_all_back_restores_every_current_value(session, tmp_path, drawn, kind, part):
    unit = make_unit(session, area_code="0731", region="广东省佛山市")
    steward, other = make_staff(session, "data_steward", unit), make_staff(session, "station_head", unit)
    fill(session, unit, drawn)
    before = current(session)
    later = set(session.scalars(select(Contact.id).where(Contact.recorded_at == AFTER, Contact.state == "current")))
    try:
        change = submitted(session, steward, kind, **facts_of(kind, tmp_path))
    except batch_changes.Refused:
        assert current(session) == before
        return
    mine = (BatchChangeLine.change_id == change.id) & (BatchChangeLine.state == "waiting")
    ids = session.scalars(select(BatchChangeLine.id).where(mine)).all()[::part]
    batch_changes.approve(session, change, Choice(ids=ids), other)
    carry_out(session, change)
    assert current(session) != before
    if kind in ("number_upgrade", "door_plate_change"):
        assert later <= set(session.scalars(select(Contact.id).where(Contact.state == "current")))
    taken_back(session, change, steward)
    assert current(session) == before

"""Clean-ups: proposed for what is certain but not clean, decided by a person, gone with an undone batch."""

from __future__ import annotations

import pytest
from changing import carry_out, lines_of, tried
from factories import make_contact, make_customer, make_staff, make_unit
from importing import bring_in, values, write_csv
from sqlalchemy import select

from models import Contact, Staff
from services import Refused, batch_changes, proposals, undo

GOOD = "13827465109"
E164 = f"+86{GOOD}"
ADDRESS = "禅城区祖庙街道建新路222号中海华庭3座1单元503室"


def clean(session, batch=None, *, unit=None, steward=None):
    """Propose the clean versions of what a batch brought, or of a unit; how many."""
    unit = unit or batch.unit
    options = {"batch": batch.id} if batch else {}
    change = tried(
        session, steward or make_staff(session, "data_steward", unit), "cleanup", unit=unit, options=options
    )
    number = len(lines_of(session, change))
    if number:
        batch_changes.submit(session, change, session.get_one(Staff, change.proposer_id))
        carry_out(session, change)
    return number


def import_of(session, tmp_path, *, unit=None, **cells):
    path = write_csv(tmp_path / "a.csv", [{"户号": "1", "户名": "张三", **cells}])
    return bring_in(session, path, unit=unit or make_unit(session))


@pytest.mark.slow
def test_a_repairable_value_gets_a_clean_proposal_that_replaces_it(session, tmp_path):
    batch = import_of(session, tmp_path, 手机=f"手机：{GOOD}", 录入时间="2024-03-05")
    assert clean(session, batch) == 1 and clean(session, batch) == 0
    old, new = session.scalars(select(Contact).order_by(Contact.id)).all()
    assert (new.raw, new.value, new.verdict, new.state) == (GOOD, E164, "valid", "proposed")
    assert (new.replaces_id, new.recorded_at, new.source) == (old.id, old.recorded_at, "cleanup")


def test_numbers_of_one_cell_are_cleaned_one_by_one(session, tmp_path):
    batch = import_of(session, tmp_path, 联系电话=f"{GOOD}/83991234转8")
    assert clean(session, batch) == 2
    proposed = session.scalars(select(Contact).where(Contact.state == "proposed").order_by(Contact.id)).all()
    assert [(one.kind, one.raw, one.extension) for one in proposed] == [
        ("mobile", GOOD, ""),
        ("landline", "+8675783991234", "8"),
    ]


def test_an_address_that_only_leaves_out_its_province_and_city_is_left_alone(session, tmp_path):
    unit = make_unit(session, region="广东省佛山市")
    batch = import_of(session, tmp_path, unit=unit, 用电地址=ADDRESS)
    assert session.scalars(select(Contact.reasons)).one() == "region_left_out"
    assert clean(session, batch) == 0
    full_width = import_of(session, tmp_path, unit=unit, 户号="2", 用电地址=ADDRESS.replace("222", "２２２"))
    assert clean(session, full_width) == 1


def test_what_is_not_certain_is_left_to_people(session, tmp_path):
    batch = import_of(session, tmp_path, 手机="13888888888", 电子邮箱="zhang@qq.con", 联系人="张先生")
    assert clean(session, batch) == 0


def test_whoever_proposed_a_clean_up_may_not_approve_it(session, tmp_path):
    batch = import_of(session, tmp_path, 手机=f"{GOOD}（儿子）")
    steward, other = (make_staff(session, "data_steward", batch.unit) for _both in range(2))
    clean(session, batch, steward=steward)
    session.info["actor_id"] = steward.id
    waiting = session.scalars(select(Contact.id).where(Contact.state == "proposed")).all()
    with pytest.raises(Refused, match="自己"):
        proposals.approve(session, waiting, staff=steward)
    proposals.approve(session, waiting, staff=other)
    assert session.scalars(select(Contact.verdict).where(Contact.state == "current")).all() == ["valid"]


def test_a_unit_is_cleaned_with_all_below_it(session):
    above = make_unit(session)
    below, beside = make_unit(session, above), make_unit(session)
    for unit in (above, below, beside):
        facts = {"raw": f"电话{GOOD}", "value": E164, "verdict": "repairable", "reasons": "label"}
        make_contact(session, make_customer(session, unit), **facts)
    assert clean(session, unit=above) == 2


def test_undo_withdraws_the_clean_ups_that_still_wait(session, tmp_path):
    batch = import_of(session, tmp_path, 手机=f"手机：{GOOD}")
    clean(session, batch)
    session.commit()
    undo.begin(session, batch, make_staff(session, "data_steward"))
    for _progress in undo.undo_batch(session, batch):
        session.commit()
    session.refresh(batch)
    assert (batch.removed, batch.kept) == (1, 0)
    assert values(session, "mobile", state="withdrawn") == [E164]


def test_undo_leaves_a_row_whose_clean_up_was_approved(session, tmp_path):
    batch = import_of(session, tmp_path, 手机=f"手机：{GOOD}")
    clean(session, batch)
    waiting = session.scalars(select(Contact.id).where(Contact.state == "proposed")).all()
    proposals.approve(session, waiting, staff=make_staff(session, "station_head"))
    session.commit()
    undo.begin(session, batch, make_staff(session, "data_steward"))
    for _progress in undo.undo_batch(session, batch):
        session.commit()
    assert [one["reason"] for one in undo.kept_rows(session, batch.id)] == ["changed_since"]

"""Contexts of units: what a unit leaves out comes from above, and the bureau's own numbers are known."""

from __future__ import annotations

from factories import make_staff, make_unit
from sqlalchemy.event import listen, remove

from models.scope import ALL
from services.judging import contexts, judge_in


def test_offices_staff_and_hotline_are_known_to_every_unit(session) -> None:
    station = make_unit(session, phones="82340987、0757-82340988转8")
    other = make_unit(session)
    make_staff(session, unit=station, phone="13802570987")
    make_staff(session, unit=station, phone="")
    known = contexts(session)
    assert known[other.id].offices == {"+8675782340987", "+8675782340988", "+8613802570987"}
    assert known[station.id].offices is known[other.id].offices


def test_number_of_the_bureau_is_suspect_for_a_customer(session) -> None:
    station = make_unit(session, phones="82340987")
    given = judge_in(session, station.id, "phone", "0757-82340987")
    assert (given.verdict, given.reasons) == ("suspect", ("office_number",))
    assert judge_in(session, station.id, "phone", "0757-82340986").verdict == "valid"


def test_area_code_and_region_come_from_above(session) -> None:
    above = make_unit(session, area_code="0757", region="广东省佛山市")
    below = make_unit(session, above, area_code="", region="")
    context = contexts(session)[below.id]
    assert (context.area_code, context.region) == ("0757", "广东省佛山市")


def test_judging_one_address_reads_only_the_units_above(session) -> None:
    above = make_unit(session, area_code="0757", region="广东省佛山市")
    below = make_unit(session, above, area_code="", region="")
    session.flush()
    read = []
    session.info["scope"] = ALL
    listen(session.get_bind(), "before_cursor_execute", note := lambda *args: read.append(args[2]))
    try:
        verdict = judge_in(session, below.id, "supply_address", "禅城区汾江中路2号301房")
    finally:
        remove(session.get_bind(), "before_cursor_execute", note)
    assert verdict.value.startswith("广东省佛山市")
    of_units = [statement for statement in read if "FROM units" in statement]
    assert len(of_units) == 2
    assert all("WHERE units.id" in statement for statement in of_units)

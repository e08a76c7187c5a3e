from datetime import date, datetime

import pypdfium2
import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import CustomerVersion, Notice, RequiredField, Target
from models.clock import ZONE, move_to, utcnow
from services import Refused, assessments, notice_facts, notice_papers, notices
from services.figures import lines

STAGES = (("reviewed", "team_leader"), ("approved", "department_head"), ("signed", "bureau_leader"))


@pytest.fixture
def assessed(session, root):
    """A bureau with one unit at its target and one far below, assessed for November."""
    move_to(session, datetime(2026, 12, 2, 9, tzinfo=ZONE))
    session.query(RequiredField).delete()
    session.query(Target).delete()
    session.add(RequiredField(customer_class="low_voltage_residential", kind="mobile"))
    session.add(
        Target(measure="completeness", cohort="existing", floor=0.8, target=0.9, stretch=1, clause="第六条")
    )
    good, bad = make_unit(session, name="石湾供电所"), make_unit(session, name="南庄供电所")
    for unit, missing in ((good, 0), (bad, 2)):
        for number in range(4):
            row = make_customer(session, unit)
            version = {
                "customer_class": row.customer_class,
                "opened_on": date(2020, 1, 1),
                "valid_from": utcnow(),
            }
            session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, **version))
            if number >= missing:
                make_contact(session, row, recorded_at=datetime(2026, 11, 3, tzinfo=ZONE))
    session.flush()
    counted = assessments.count(session, assessments.question(session, "2026-11", root))
    return assessments.keep(session, counted, staff_id=None), good, bad


def drafted(session, run):
    drafter = make_staff(session, "service_specialist")
    return notices.compose(session, run, drafted_by_id=drafter.id), drafter


def signed(session, rows):
    for stage, role in STAGES:
        notices.advance(session, rows, stage, staff=make_staff(session, role))
    return rows


def test_units_are_ranked_by_their_marks(session, assessed):
    run, good, bad = assessed
    assert [(line.code, line.rank, line.score) for line in lines(session, run, "existing")] == [
        (good.code, 1, 100.0),
        (bad.code, 2, 31.25),
    ]


def test_one_bulletin_and_a_notice_for_who_falls_short(session, assessed):
    run, _good, bad = assessed
    rows, _drafter = drafted(session, run)
    assert [(row.kind, row.unit_id) for row in rows] == [
        ("bulletin", run.unit_id),
        ("assessment_notice", bad.id),
    ]
    (measure,) = rows[1].facts["measures"]
    assert (measure["rate"][:2], measure["points"], measure["clause"]) == ([2, 4], -2, "第六条")
    assert rows[1].facts["findings"] == ["手机缺失 2 项"]


def test_everybody_can_be_given_a_notice(session, assessed):
    run, good, bad = assessed
    assert [unit.id for unit, _facts in notice_facts.notices(session, run, below="all")] == [good.id, bad.id]


def test_an_assessment_is_drafted_once(session, assessed):
    run, _good, _bad = assessed
    rows, _drafter = drafted(session, run)
    with pytest.raises(Refused, match="已经拟过"):
        drafted(session, run)
    notices.void(session, rows, reason="again")
    assert drafted(session, run)


def test_nobody_takes_two_stages(session, assessed):
    run, _good, _bad = assessed
    rows, _drafter = drafted(session, run)
    reviewer = make_staff(session, "team_leader")
    reviewer.roles += make_staff(session, "department_head").roles
    notices.advance(session, rows, "reviewed", staff=reviewer)
    with pytest.raises(Refused, match="不同的人"):
        notices.advance(session, rows, "approved", staff=reviewer)


def test_stages_need_their_permission_and_their_order(session, assessed):
    run, _good, _bad = assessed
    rows, drafter = drafted(session, run)
    with pytest.raises(Refused, match="权限"):
        notices.advance(session, rows, "reviewed", staff=drafter)
    with pytest.raises(Refused, match="不在可以办理"):
        notices.advance(session, rows, "signed", staff=make_staff(session, "bureau_leader"))


@pytest.mark.slow
def test_signing_gives_numbers_without_gaps(session, assessed):
    run, _good, _bad = assessed
    rows = signed(session, drafted(session, run)[0])
    assert [notices.number_of(row) for row in rows] == ["客服通报〔2026〕1号", "KH-2026-11-001"]
    notices.void(session, rows, reason="wrong")
    again = signed(session, drafted(session, run)[0])
    assert [row.number for row in again] == [2, 2]


def test_issued_documents_wait_for_their_signatures(session, assessed, tmp_path):
    run, good, bad = assessed
    rows = signed(session, drafted(session, run)[0])
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.7")
    for row in rows:
        row.run_id = 7
        notices.issue(session, row, path)
    assert rows[0].appeal_until == date(2026, 12, 7)
    assert notices.receipts_open(session, 7) == 3
    head = make_staff(session, "station_head", bad)
    notices.acknowledge(session, rows[1], staff=head, unit=bad, rebuttal="数据有误")
    assert rows[1].state == "rebutted"
    notices.acknowledge(session, rows[0], staff=head, unit=bad)
    assert notices.units_missing(session, rows[0]) == [good.name]
    with pytest.raises(Refused, match="已经签收"):
        notices.acknowledge(session, rows[0], staff=head, unit=bad)
    notices.acknowledge(session, rows[0], staff=make_staff(session, "station_head", good), unit=good)
    assert notices.receipts_open(session, 7) == 0


def test_nobody_signs_in_the_name_of_another_unit(session, assessed):
    run, good, bad = assessed
    rows, _drafter = drafted(session, run)
    for row in rows:
        row.state = "issued"
    head = make_staff(session, "station_head", run.unit)
    for row, unit in ((rows[1], good), (rows[1], run.unit), (rows[0], run.unit)):
        with pytest.raises(Refused, match="不是发给"):
            notices.acknowledge(session, row, staff=head, unit=unit)
    assert rows[1].unit_id == bad.id and rows[1].state == "issued"


def test_what_is_not_signed_cannot_be_issued(session, assessed, tmp_path):
    run, _good, _bad = assessed
    rows, _drafter = drafted(session, run)
    with pytest.raises(Refused, match="没有签发"):
        notices.issue(session, rows[0], tmp_path / "x.pdf")
    assert session.scalars(select(Notice.state).distinct()).all() == ["draft"]


@pytest.mark.slow
def test_printed_documents_say_what_was_decided(session, assessed):
    run, _good, bad = assessed
    rows = signed(session, drafted(session, run)[0])
    texts = []
    for row in rows:
        pdf = pypdfium2.PdfDocument(notice_papers.lay_out(notice_papers.printed_facts(session, row)))
        texts.append("".join(page.get_textpage().get_text_range() for page in pdf).replace("\r\n", ""))
    assert "客服通报〔2026〕1号" in texts[0] and bad.name in texts[0] and "草稿" not in texts[0]
    assert "KH-2026-11-001" in texts[1] and "50.00%" in texts[1] and "第六条" in texts[1]

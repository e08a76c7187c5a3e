"""Audits: nobody checks their own records, nothing found is lost, a second person checks, and accuracy follows."""

import pytest
from factories import make_contact, make_staff
from sampling import NUMBER, PERIOD, commit, draw, make_bureau
from sqlalchemy import select

from models import AssessmentResult, AuditEntry, AuditItem, Contact, Customer, Trace, Unit
from services import Refused, accuracy, assessments, audit_facts, audits, sample_papers, samples
from services.audits import Finding
from services.people import scope_of

RIGHT, WRONG = Finding("call", "right"), Finding("call", "wrong")


@pytest.fixture
def auditor(session):
    return make_staff(session, "auditor", name="甲")


@pytest.fixture
def sample(session, auditor):
    return draw(session, make_bureau(session), 8, staff=auditor)


def items(session, sample):
    return list(audits.items_of(session, sample))


def key(session, sample, verdicts, auditor):
    """Key verdicts in the order of the items; what is left stays open."""
    found = zip(items(session, sample), verdicts, strict=False)
    return audits.key(session, {item.id: Finding("call", verdict) for item, verdict in found}, staff=auditor)


def test_each_required_value_becomes_an_item_of_its_version(session, sample):
    found = items(session, sample)
    assert len(found) == 16
    for item in found:
        version = session.get_one(Contact, item.contact_id)
        assert (item.kind, item.value) == (version.kind, version.value)


@pytest.mark.slow
def test_value_entered_after_the_deadline_is_not_audited(session, auditor):
    county = make_bureau(session)
    for customer in session.scalars(select(Customer)):
        make_contact(
            session, customer, raw="13911112222", value="+8613911112222", recorded_at=None, preferred=True
        )
    late = session.scalars(select(Contact).where(Contact.value == "+8613911112222")).all()
    for version in late:
        version.recorded_at = version.created_at.replace(year=2027)
    found = items(session, draw(session, county, 5, staff=auditor))
    assert {item.value for item in found if item.kind == "mobile"} == {"+8613800001111"}


@pytest.mark.parametrize("whose", ["recorder_id", "proposer_id", "manager"])
def test_nobody_audits_or_checks_own_records(session, sample, auditor, whose):
    item, other = items(session, sample)[0], make_staff(session, "auditor")
    if whose == "manager":
        item.customer.manager_id = auditor.id
    else:
        setattr(item, whose, auditor.id)
    with pytest.raises(Refused, match="不能由本人核查"):
        audits.assign(session, [item], auditor, staff=other)
    with pytest.raises(Refused, match="不能由本人核查"):
        audits.key(session, {item.id: RIGHT}, staff=auditor)
    audits.key(session, {item.id: RIGHT}, staff=other)
    with pytest.raises(Refused, match="另一人复核"):
        audits.check(session, [item.id], staff=auditor)


def test_items_are_shared_out_around_own_records(session, sample, auditor):
    other, found = make_staff(session, "auditor"), items(session, sample)
    mine = found[0].customer
    mine.manager_id = auditor.id
    assert audits.share_out(session, sample, [auditor, other], staff=auditor) == (16, 0)
    assert {item.auditor_id for item in found if item.customer_id == mine.id} == {other.id}
    assert {item.auditor_id for item in found} == {auditor.id, other.id}


def test_items_that_fit_nobody_stay_and_are_counted(session, sample, auditor):
    for item in items(session, sample)[:2]:
        item.recorder_id = auditor.id
    assert audits.share_out(session, sample, [auditor], staff=auditor) == (14, 2)


def test_changed_verdict_needs_a_reason_and_keeps_the_earlier_one(session, sample, auditor):
    item = items(session, sample)[0]
    audits.key(session, {item.id: Finding("call")}, staff=auditor)
    audits.key(session, {item.id: WRONG}, staff=auditor)
    with pytest.raises(Refused, match="改判要写明原因"):
        audits.key(session, {item.id: RIGHT}, staff=auditor)
    audits.key(session, {item.id: Finding("interview", "right", reason="听错了")}, staff=auditor)
    kept = session.scalars(
        select(AuditEntry).where(AuditEntry.item_id == item.id).order_by(AuditEntry.id)
    ).all()
    assert [(one.mode, one.verdict, one.reason) for one in kept] == [
        ("call", "", ""), ("call", "wrong", ""), ("interview", "right", "听错了"),
    ]  # fmt: skip
    assert (item.verdict, item.attempts, kept[-1].staff_id) == ("right", 3, auditor.id)


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        (Finding("letter", "right"), "核查方式或结论不对"),
        (Finding("call", "perhaps"), "核查方式或结论不对"),
        (Finding("call", "right", correct="13911112222"), "结论不是"),
        (Finding("call", "wrong", correct="13911112222"), "佐证"),
        (Finding("call", "wrong", correct="123", evidence="录音 7"), "不能用"),
    ],
)
def test_finding_is_refused_whole(session, sample, auditor, finding, why):
    one, two = items(session, sample)[:2]
    with pytest.raises(Refused, match=why):
        audits.key(session, {one.id: RIGHT, two.id: finding}, staff=auditor)
    session.rollback()
    assert session.scalar(select(AuditEntry.id)) is None


def test_right_value_becomes_a_proposal_with_its_evidence(session, sample, auditor):
    item = next(item for item in items(session, sample) if item.kind == "mobile")
    audits.key(session, {item.id: Finding("call", "wrong", "13911112222", "录音 7")}, staff=auditor)
    made = session.get_one(Contact, item.correct_id)
    assert (made.state, made.source, made.value, made.evidence) == (
        "proposed",
        "audit",
        "+8613911112222",
        "录音 7",
    )
    assert made.replaces_id == item.contact_id
    audits.key(session, {item.id: Finding("call", "right", reason="错户")}, staff=auditor)
    session.refresh(made)
    assert (made.state, item.correct_id) == ("withdrawn", None)


def test_second_person_checks_and_a_change_asks_for_it_again(session, sample, auditor):
    item, other = items(session, sample)[0], make_staff(session, "auditor")
    with pytest.raises(Refused, match="还没有核查结论"):
        audits.check(session, [item.id], staff=other)
    audits.key(session, {item.id: RIGHT}, staff=auditor)
    with pytest.raises(Refused, match="另一人复核"):
        audits.check(session, [item.id], staff=auditor)
    audits.check(session, [item.id], staff=other)
    audits.key(session, {item.id: Finding("call", "wrong", reason="重听录音")}, staff=auditor)
    assert item.checked_by_id is None


def test_audit_ends_when_all_is_checked_and_then_stands(session, sample, auditor):
    other, found = make_staff(session, "auditor"), items(session, sample)
    with pytest.raises(Refused, match="16 项没有结论"):
        audits.close(session, sample, staff=auditor)
    key(session, sample, ["right"] * 16, auditor)
    audits.check(session, [item.id for item in found], staff=other)
    audits.close(session, sample, staff=other)
    with pytest.raises(Refused, match="已经结束"):
        audits.key(session, {found[0].id: Finding("call", "wrong", reason="x")}, staff=auditor)


def test_station_does_not_end_the_audit_of_its_bureau(session, sample, auditor):
    station = session.scalars(select(Unit).where(Unit.parent_id == sample.unit_id)).first()
    narrow = make_staff(session, "auditor", station)
    session.flush()
    session.info["scope"] = scope_of(session, narrow)
    with pytest.raises(Refused, match="作出承诺的单位"):
        audits.close(session, sample, staff=narrow)


def test_traces_name_items_and_never_values(session, sample, auditor):
    key(session, sample, ["right", "wrong"], auditor)
    details = session.scalars(select(Trace.details).where(Trace.action == "audit.keyed")).one()
    assert len(details["items"]) == 2
    assert "13800001111" not in str(details)


@pytest.mark.parametrize(("permission", "deed"), [("audits.key", "key"), ("audits.review", "check")])
def test_roles_without_the_permission_are_refused(session, sample, permission, deed):
    item, clerk = items(session, sample)[0], make_staff(session, "clerk")
    with pytest.raises(Refused, match=permission):
        getattr(audits, deed)(session, {item.id: RIGHT}, staff=clerk)


def run_of(session, sample):
    asked = assessments.question(session, PERIOD, sample.unit, allow_empty=True)
    return assessments.keep(session, assessments.count(session, asked), staff_id=None)


def figures_of(session, run):
    rows = session.scalars(select(AssessmentResult).where(AssessmentResult.assessment_id == run.id))
    return {(row.level, row.unit.code, row.cohort): row for row in rows if row.measure == "accuracy"}


def test_accuracy_of_a_run_is_what_the_audit_found(session, sample, auditor):
    key(session, sample, ["right"] * 10 + ["wrong"] * 2 + ["not_reached", "refused"], auditor)
    run = run_of(session, sample)
    row = figures_of(session, run)["unit", "C1", "all"]
    assert (row.numerator, row.denominator) == (10, 12)
    assert {"unreached": 2, "open": 2, "counted_by": "item"}.items() <= row.extra.items()
    assert 0 < row.extra["low"] < 10 / 12 < row.extra["high"] < 1
    stations = [figures_of(session, run)["unit", code, "all"] for code in ("S1", "S2")]
    assert sum(one.denominator for one in stations) == 12


def test_run_counts_the_same_again_after_the_audit_went_on(session, sample, auditor):
    key(session, sample, ["right"] * 6, auditor)
    run = run_of(session, sample)
    key(session, sample, ["right"] * 6 + ["wrong"] * 10, auditor)
    again = {(one.level, one.unit_id, one.staff_id, one.cohort): one for one in assessments.recount(session, run)
             if one.measure == "accuracy"}  # fmt: skip
    rows = session.scalars(select(AssessmentResult).where(AssessmentResult.assessment_id == run.id))
    for row in (row for row in rows if row.measure == "accuracy"):
        other = again[row.level, row.unit_id, row.staff_id, row.cohort]
        assert (other.numerator, other.denominator, other.extra) == (
            row.numerator,
            row.denominator,
            row.extra,
        )


def test_account_is_right_when_nothing_in_it_is_wrong(session, auditor):
    sample = draw(session, make_bureau(session), 1000, staff=auditor, counted_by="account")
    key(session, sample, ["right", "right", "right", "wrong"] * 12, auditor)
    row = figures_of(session, run_of(session, sample))["unit", "C1", "all"]
    assert (row.numerator, row.denominator) == (12, 24)
    assert (row.extra["low"], row.extra["high"]) == (0.5, 0.5)


def test_nearest_sample_of_its_own_or_above_speaks_for_a_unit(session, auditor):
    county = make_bureau(session)
    station, other = session.scalars(select(Unit).where(Unit.parent_id == county.id).order_by(Unit.code))
    own, whole = commit(session, station, 3, staff=auditor), draw(session, county, 8, staff=auditor)
    samples.draw(session, own, NUMBER, staff=auditor)
    key(session, own, ["wrong"] * 6, auditor)
    key(session, whole, ["right"] * 16, auditor)
    units = [(one.id, one.path) for one in (county, station, other)]
    found = accuracy.audited(audit_facts.facts(session, PERIOD, county.path), units)
    counted = {unit.code: found["unit", unit.id, None, "all"] for unit in (county, station, other)}
    assert [(one["numerator"], one["denominator"]) for one in counted.values()] == [(16, 16), (0, 6), (8, 8)]


def test_books_count_as_what_was_drawn(session, auditor):
    sample = draw(session, make_bureau(session), 6, staff=auditor, method="pps", clusters=3)
    key(session, sample, ["right"] * 4 + ["wrong"] * 8, auditor)
    row = figures_of(session, run_of(session, sample))["unit", "C1", "all"]
    assert (row.numerator, row.denominator, round(row.extra["weighted"], 6)) == (4, 12, round(1 / 3, 6))
    assert row.extra["high"] > 0.6


def test_public_number_is_kept_as_typed(session, sample):
    assert sample.public_number == NUMBER
    assert session.scalar(select(AuditItem.verdict).limit(1)) == ""


def test_worksheet_is_traced_and_numbered_each_time_it_is_printed(session, sample):
    copies = [sample_papers.worksheet(session, sample, None) for _time in range(2)]
    assert [(len(one.items), one.copy) for one in copies] == [(16, 1), (16, 2)]
    assert {item.value for item in copies[0].items} == {"13800001111", "南海大道12号"}
    printed = session.scalars(select(Trace).where(Trace.action == "audit.printed")).all()
    assert [row.details["items"] for row in printed] == [16, 16]


def test_printed_rate_is_the_estimate_that_its_interval_belongs_to(session, auditor):
    sample = draw(session, make_bureau(session), 6, staff=auditor, interval="exact")
    items = audits.items_of(session, sample)
    small = {item.id for item in items if item.sampled.weight == min(one.sampled.weight for one in items)}
    verdicts = {item.id: WRONG if item.id in small else RIGHT for item in items}
    audits.key(session, verdicts, staff=auditor)
    whole = sample_papers.results(session, sample)[0].rate
    assert whole.method == "exact"
    assert whole.low < whole.value < whole.high
    assert whole.value > whole.numerator / whole.denominator
    strata = {one.name: one.rate for one in sample_papers.results(session, sample)[1:]}
    assert all(rate.method in ("exact", "census") for rate in strata.values())


def test_interval_of_no_kind_is_refused(session, auditor):
    with pytest.raises(Refused, match="区间算法"):
        commit(session, make_bureau(session), 5, staff=auditor, interval="wald")

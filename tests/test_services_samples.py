"""Samples: committed once before the deadline, drawn once after it, and drawn again by anybody from what is public."""

import csv
import hashlib
import hmac
import re
import subprocess
import sys

import pytest
from factories import make_staff, make_unit
from sampling import AFTER, BEFORE, NUMBER, PERIOD, commit, draw, make_bureau
from sqlalchemy import select

from models import Customer, SampledCustomer, Trace
from models.clock import move_to
from models.home import CHECKOUT
from quality.sampling import draw_key, token
from services import Refused, files, samples
from services.people import scope_of


@pytest.fixture
def county(session):
    return make_bureau(session)


def accounts_of(session, sample):
    query = select(SampledCustomer.stratum, SampledCustomer.rank, Customer.account_no, SampledCustomer.weight)
    query = query.join(Customer).where(SampledCustomer.sample_id == sample.id).order_by(SampledCustomer.id)
    return session.execute(query).all()


def test_frame_is_frozen_line_by_line(session, county):
    sample = commit(session, county)
    frame = files.location(sample.frame_sha256).read_bytes()
    lines = frame.decode().splitlines()
    assert frame.endswith(b"\n") and lines == sorted(lines)
    assert lines[:2] == ["100000|new|low_voltage_residential", "100001|existing|low_voltage_residential"]
    assert hashlib.sha256(frame).hexdigest() == sample.frame_sha256
    assert (sample.population, sample.size, sum(row["size"] for row in sample.strata)) == (24, 8, 8)


def test_nobody_reads_the_seed_before_the_draw(session, county):
    sample = commit(session, county)
    session.flush()
    seed = samples._opened(sample)
    assert hashlib.sha256(seed.encode()).hexdigest() == sample.seed_sha256
    assert (len(seed), sample.seed) == (64, "")
    kept = [sample.sealed_seed, *(str(trace.details) for trace in session.scalars(select(Trace)))]
    assert not any(seed in text for text in kept)


def test_second_commitment_says_who_and_when(session, county):
    auditor = make_staff(session, "auditor", name="赵稽查")
    commit(session, county, staff=auditor)
    with pytest.raises(Refused, match="赵稽查于 2026-11-20 12:00"):
        commit(session, county, 9)


@pytest.mark.parametrize(
    ("moment", "size", "more", "why"),
    [
        (AFTER, 8, {}, "已经截止"),
        (BEFORE.replace(month=10), 8, {}, "还没有开始"),
        (BEFORE, 0, {}, "至少为 1"),
        (BEFORE, 8, {"method": "best"}, "没有这种抽样方法"),
        (BEFORE, 8, {"method": "pps"}, "先定抽几册"),
    ],
)
def test_commitment_is_refused(session, county, moment, size, more, why):
    move_to(session, moment)
    with pytest.raises(Refused, match=why):
        commit(session, county, size, **more)


def test_only_an_auditor_within_reach_commits(session, county):
    with pytest.raises(Refused, match="samples.run"):
        commit(session, county, staff=make_staff(session, "clerk"))
    auditor = make_staff(session, "auditor", make_unit(session))
    session.info["scope"] = scope_of(session, auditor)
    with pytest.raises(Refused, match="管辖范围"):
        commit(session, county, staff=auditor)


@pytest.mark.parametrize(
    ("moment", "number", "why"),
    [
        (BEFORE, NUMBER, "还没有到"),
        (AFTER, "", "公开号码"),
        (AFTER, " 7", "首尾没有空格"),
        (AFTER, "7\n8", "只有一行"),
    ],
)
def test_draw_is_refused(session, county, moment, number, why):
    sample = commit(session, county)
    move_to(session, moment)
    with pytest.raises(Refused, match=why):
        samples.draw(session, sample, number, staff=make_staff(session, "auditor"))
    assert (sample.state, sample.seed) == ("committed", "")


def test_draw_takes_the_lowest_tokens_of_each_stratum(session, county):
    sample = draw(session, county)
    key, lines = draw_key(sample.seed, NUMBER), files.location(sample.members_sha256).read_text().splitlines()
    for row in sample.strata:
        held = [
            one.split("|", 1)[0] for one in lines if one.split("|", 1)[1].rsplit("|", 1)[0] == row["stratum"]
        ]
        ordered = sorted(
            held, key=lambda one: hmac.new(key, f"{PERIOD}|C1|{one}".encode(), "sha256").hexdigest()
        )
        found = [one for one in accounts_of(session, sample) if one.stratum == row["stratum"]]
        assert [(one.rank, one.account_no) for one in found] == list(enumerate(ordered[: row["size"]], 1))
        assert {one.weight for one in found} == {row["population"] / row["size"]}


def test_drawn_once_and_revealed(session, county):
    sample = draw(session, county)
    session.flush()
    assert hashlib.sha256(sample.seed.encode()).hexdigest() == sample.seed_sha256
    trace = session.scalars(select(Trace).where(Trace.action == "sample.drawn")).one()
    assert trace.details["public_number"] == NUMBER
    with pytest.raises(Refused, match="只抽一次"):
        samples.draw(session, sample, NUMBER, staff=make_staff(session, "auditor"))


def test_what_changes_after_the_commitment_changes_no_draw(session, county):
    auditor, sample = make_staff(session, "auditor"), commit(session, county)
    elsewhere = make_unit(session)
    for customer in session.scalars(select(Customer)):
        customer.unit_id, customer.customer_class = elsewhere.id, "high_voltage"
    move_to(session, AFTER)
    samples.draw(session, sample, NUMBER, staff=auditor)
    found = accounts_of(session, sample)
    assert {one.stratum.split("|")[0] for one in found} == {"S1", "S2"}
    assert len(found) == 8


def test_frame_that_was_touched_is_not_drawn_from(session, county):
    sample = commit(session, county, 3)
    sample.members_sha256 = "0" * 64
    move_to(session, AFTER)
    with pytest.raises(Refused, match="缺失或被改动"):
        samples.draw(session, sample, NUMBER, staff=make_staff(session, "auditor"))


def test_census_draws_everybody(session, county):
    sample = draw(session, county, 1000)
    assert (sample.size, len(accounts_of(session, sample))) == (24, 24)


def test_systematic_draw_walks_the_books(session, county):
    sample = draw(session, county, 6, method="systematic")
    lines = [one.split("|") for one in files.location(sample.members_sha256).read_text().splitlines()]
    route = [one[0] for one in sorted(lines, key=lambda one: (one[1], one[4], one[0]))]
    start = int(token(draw_key(sample.seed, NUMBER), f"{PERIOD}|C1|start"), 16) / 2**256
    expected = [route[int((start + place) * 24 / 6)] for place in range(6)]
    assert [one.account_no for one in accounts_of(session, sample)] == expected


def test_books_by_size_give_every_customer_the_same_weight(session, county):
    sample = draw(session, county, 6, method="pps", clusters=3)
    found = accounts_of(session, sample)
    assert len(found) == 6
    assert len({one.stratum for one in found}) == 3
    assert {round(one.weight, 6) for one in found} == {4.0}


def test_script_of_the_manual_draws_the_same(session, county, tmp_path):
    sample = draw(session, county)
    manual = (CHECKOUT / "docs" / "manual.zh.md").read_text("utf-8")
    script, strata = tmp_path / "redraw.py", tmp_path / "strata.csv"
    script.write_text(re.search(r"```python\n(import csv, hashlib.*?)```", manual, re.S)[1], "utf-8")
    with open(strata, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(
            [("stratum", "population", "size"), *(row.values() for row in sample.strata)]
        )
    words = [PERIOD, "C1", sample.seed, NUMBER, str(files.location(sample.members_sha256)), str(strata)]
    done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True, check=True)
    seed_line, frame_line, *drawn = done.stdout.splitlines()
    assert (seed_line, frame_line) == (sample.seed_sha256, sample.frame_sha256)
    assert drawn == [f"{one.account_no},{one.stratum},{one.rank}" for one in accounts_of(session, sample)]

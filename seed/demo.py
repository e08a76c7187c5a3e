"""The whole loop on the generated bureau, in the order in which a bureau goes through it, within one month.

Everything runs for real: the import, the workflows on the workers, the desks' services. Only time is moved, by the
clock's offset, so that the loop begins on the tenth of a month that is over and ends before today.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models import (
    Competition,
    Setting,
    Unit,
    clock,
)
from models.clock import period_days, period_of
from models.people import root_unit
from models.scope import ALL, working_as
from models.words import IMPORT_OUTCOMES
from seed import desks, files, papers, scanned_mail, staffing
from seed.results import Played
from seed.stage import Stage, acting_as
from services import (
    assessments,
    competitions,
    import_errors,
    import_spools,
    imports,
    issues,
    saved_segments,
    tables,
    units,
)
from workflows import runs
from workflows.sessions import reading, writing

FIRST_DAY = 10
LONGEST = 36
REPLY_DAYS = 11
REMINDED_AFTER = 4
GRACE_DAYS = 1
MAIL_DAYS = (range(0, 5), range(5, 8), range(8, 10), range(10, 40))
DOOR_ROUNDS = 3
DOORS = 40
DIVISIONS = {"城区组": ("FS0101", "FS0201", "FS0301"), "镇街组": ("FS0102", "FS0202", "FS0401")}
POINTS = {"mobile": 2.0, "landline": 1.0, "person": 1.0, "postal_address": 1.0, "email": 1.0}
DECIDERS = {"review": "team_leader", "approve": "department_head", "sign": "bureau_leader"}
RACE = "客户联系信息质量劳动竞赛"
CAMPAIGN = "客户联系信息核对"
EVERYBODY = "全部客户"
MARK = "demo"
BELIEVABLE = 1000  # fewer customers than this leave no unit below its target: then every unit gets its notice


def first_day(today: date) -> date:
    """The tenth of the latest month from which the whole loop fits before today."""
    day = today.replace(day=FIRST_DAY)
    while day + timedelta(days=LONGEST) > today:
        day = (day.replace(day=1) - timedelta(days=1)).replace(day=FIRST_DAY)
    return day


def play(stage: Stage, *, password: str) -> Played:
    """Go once through everything; each act says what it did. Afterwards the business clock shows real time again."""
    stage.move_to(stage.first_day)
    raise_bureau(stage, password)
    bring_in(stage)
    assess(stage)
    race = open_race(stage)
    survey, campaign_id = send_letters(stage)
    returned = take_in_mail(stage, campaign_id)
    stage.wait_for_run(survey, "done")
    go_round(stage)
    final_day = close_race(stage, race)
    assessment_id = publish(stage)
    stage.move_to(final_day)
    stage.wait_for_run(race, "done")
    with writing() as session:
        clock.move_to(session, clock.utcnow())
    desks.leave_doors(stage)
    return Played(campaign_id, race_code(stage), assessment_id, returned)


def raise_bureau(stage: Stage, password: str) -> None:
    """Units from a file, staff and letterhead; the home is marked as the demo's own."""
    path = stage.out / "units.csv"
    staffing.write_units(stage.bureau, path)
    with writing() as session:
        session.add(Setting(key=MARK, value={"seed": stage.seed}))
        units.import_file(session, path)
        staffing.set_up_staff(session, stage.bureau, password=password)
    stage.artifacts["units"] = path
    stage.say(f"单位 {len(stage.bureau.units)} 个，人员 {len(stage.bureau.staff)} 名。")


def bring_in(stage: Stage) -> None:
    """Write the customer file with its truth table, and import it as the data steward does."""
    path, truth = stage.out / "customers.csv", stage.out / "truth.csv"
    files.write_file(path, truth, stage.made())
    with acting_as(stage.login("FS", "data_steward")) as (session, staff):
        plan = imports.Plan("insert", root_unit(session), {})
        table = tables.open_table(path)
        batch = imports.start_batch(session, path.name, plan, recorder=staff)
        session.commit()
        for _progress in imports.import_file(session, batch, table):
            session.commit()
        imports.finish(
            session, batch, import_errors.write(session, batch, import_spools.spool_path(batch.id))
        )
        figures = [f"{label} {getattr(batch, name)}" for name, label in IMPORT_OUTCOMES.items()]
        stage.say(f"导入客户资料 {batch.rows} 行：{'，'.join(figures)}。")
        session.commit()
        imports.forget(session, batch)
    with writing() as session:
        staffing.share_out_books(session, stage.bureau)
    stage.artifacts |= {"customers": path, "truth": truth}


def assess(stage: Stage) -> None:
    """The data steward looks at where the bureau stands before anything is mended."""
    with acting_as(stage.login("FS", "data_steward")) as (session, staff):
        question = assessments.question(session, period_of(stage.first_day), root_unit(session))
        kept = assessments.keep(session, assessments.count(session, question), staff_id=staff.id)
        session.commit()
        opened = 0
        for chunk in issues.follow(session, kept):
            opened += chunk.get("opened", 0)
            session.commit()
        stage.say(f"质量评价 {kept.period}（期初）：{kept.customers} 户，问题清单 {opened} 条。")


def open_race(stage: Stage) -> int:
    """The union organiser sets a competition up and starts its workflow; returns the run."""
    _first, last = period_days(period_of(stage.first_day))
    code = race_code(stage)
    with acting_as(stage.login("FS", "union_organiser")) as (session, _staff):
        ids = {unit.code: unit.id for unit in session.scalars(select(Unit))}
        divisions = {name: [ids[one] for one in members] for name, members in DIVISIONS.items()}
        plan = competitions.Plan(code, RACE, stage.first_day, last, POINTS, divisions)
        with working_as(session, ALL):
            competitions.create(session, plan, unit=root_unit(session))
    run_id = start(
        stage, "labour_competition", {"open.competition": code}, stage.login("FS", "union_organiser")
    )
    stage.wait_for_node(run_id, "last_day")
    stage.say(f"劳动竞赛 {code} 已开赛，到 {last} 为止。")
    return run_id


def send_letters(stage: Stage) -> tuple[int, int]:
    """Select everybody, freeze, print and post; returns the run and its campaign."""
    specialist = stage.login("FS", "service_specialist")
    options = {"name": CAMPAIGN, "reply_days": REPLY_DAYS, "conditions": [], "segment": everybody(specialist)}
    values = {f"select.{name}": value for name, value in options.items()} | {
        "mark_posted.grace_days": GRACE_DAYS,
        "reminder_day.days": REMINDED_AFTER,
        "remind.ways": ["sms", "email"],
        "visits.limit": desks.answering(stage),
    }
    run_id = start(stage, "contact_survey", values, specialist)
    stage.wait_for_task(run_id, "post")
    campaign_id = int(stage.facts(run_id)["campaign_id"])
    papers.print_letters(stage, campaign_id, specialist)
    stage.decide(run_id, "post", "posted", specialist)
    for node in ("returns", "reminder_day"):
        stage.wait_for_node(run_id, node)
    return run_id, campaign_id


def everybody(login: str) -> str:
    """A segment of all customers, kept under this person's name; returns its code."""
    with acting_as(login) as (session, staff):
        condition = {"field": "unit", "op": "eq", "value": root_unit(session).code}
        values = {"name": EVERYBODY, "condition": condition}
        return saved_segments.keep(session, None, values, staff).code


def take_in_mail(stage: Stage, campaign_id: int) -> int:
    """The post of some days at a time: forms scanned, read and keyed, letters that came back recorded; then what
    waits is decided."""
    returned = back = sides = 0
    for number, days in enumerate(MAIL_DAYS, start=1):
        stage.move_to(stage.first_day + timedelta(days=min(days[-1], REPLY_DAYS)))
        answered, recorded = desks.open_mail(stage, campaign_id, days=days)
        sides += scanned_mail.take_in(stage, campaign_id, answered, bag=f"{number}")
        returned, back = returned + len(answered), back + recorded
    approved, refused = desks.decide_proposals(stage)
    stage.say(
        f"回函 {returned} 份，扫描 {sides} 面，退信 {back} 封；审核通过 {approved} 项，驳回 {refused} 项。"
    )
    stage.move_to(stage.first_day + timedelta(days=REPLY_DAYS + GRACE_DAYS + 1))
    return returned


def go_round(stage: Stage) -> None:
    """Doors are collected, assigned and put on walk lists; the account managers go, and come again where needed."""
    run_id = start(stage, "door_to_door", {"collect.limit": DOORS}, stage.login("FS", "service_specialist"))
    stage.wait_for_node(run_id, "results")
    papers.copy_walk_lists(stage)
    _first, last = period_days(period_of(stage.first_day))
    begins = stage.first_day + timedelta(days=REPLY_DAYS + GRACE_DAYS + 2)
    doors = 0
    for again in range(DOOR_ROUNDS):
        stage.move_to(min(begins + timedelta(days=3 * again), last))
        doors += desks.walk(stage)
    stage.say(f"上门 {doors} 次。")
    stage.wait_for_run(run_id, "done")


def close_race(stage: Stage, run_id: int) -> date:
    """The last day passes, the standings are counted, frozen and made public; returns the day they become final."""
    _first, last = period_days(period_of(stage.first_day))
    stage.move_to(last + timedelta(days=1))
    stage.wait_for_node(run_id, "publicity")
    with reading() as session:
        until = session.scalars(select(Competition.publicity_until).where(Competition.run_id == run_id)).one()
    papers.print_board(stage, race_code(stage))
    return until + timedelta(days=1)


def publish(stage: Stage) -> int:
    """The month is assessed; bulletin and notices are drafted, reviewed, approved, signed, issued and signed for."""
    _first, last = period_days(period_of(stage.first_day))
    stage.move_to(last + timedelta(days=3))
    below = "target" if stage.customers >= BELIEVABLE else "all"
    values = {"assess.period": period_of(stage.first_day), "compose.below": below}
    run_id = start(stage, "assessment_notice", values, stage.login("FS", "service_specialist"))
    for day, (node, role) in enumerate(DECIDERS.items(), 4):
        stage.wait_for_task(run_id, node)
        stage.move_to(last + timedelta(days=day))
        stage.decide(run_id, node, "agree", stage.login("FS", role))
    stage.wait_for_node(run_id, "receipts")
    assessment_id = int(stage.facts(run_id)["assessment_id"])
    papers.copy_notices(stage, assessment_id)
    desks.sign_for_notices(stage, run_id)
    stage.wait_for_run(run_id, "done")
    return assessment_id


def race_code(stage: Stage) -> str:
    """The code of the month's competition."""
    return f"JS{stage.first_day:%Y%m}"


def start(stage: Stage, key: str, values: Mapping[str, Any], login: str) -> int:
    """Start a workflow in a person's name; returns the run."""
    with acting_as(login) as (session, staff):
        return runs.start(session, key, values, staff).id

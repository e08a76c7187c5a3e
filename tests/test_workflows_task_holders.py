"""In whose hand a task lies: claimed, handed over, signed by others, given away when an account is switched off."""

from __future__ import annotations

import pytest
from deciding import ASKED, acts, person, sees, task_of
from factories import make_staff, make_unit
from running import begin, go_on
from sqlalchemy.orm import Session

from models import Staff
from services import Refused, task_acts, task_holders, tasks
from workflows import task_units
from workflows.tasks import decide_task, earlier_persons, send_back
from workflows.workflow_drafts import obstacles


def test_a_claimed_task_waits_for_one_person_only(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    task = task_of(session, begin(session, shell, person("p")))
    task_acts.claim(session, task, leaders[0])
    assert (sees(session, leaders[0]), sees(session, leaders[1])) == ([task.id], [])
    with pytest.raises(Refused, match="由别人办理"):
        decide_task(session, task, leaders[1], "agree")
    task_acts.give_back(session, task, leaders[0], "要开会")
    assert sees(session, leaders[1]) == [task.id] and acts(session, task) == ["claimed", "given_back"]
    with pytest.raises(Refused, match="不能退还"):
        task_acts.give_back(session, task, leaders[0], "")


def test_a_task_is_handed_over_with_a_reason(session: Session, shell: Staff, leaders: list[Staff]) -> None:
    task, head = task_of(session, begin(session, shell, person("p"))), make_staff(session, "station_head")
    barred = make_staff(session, "auditor")
    for to_id, note, reason in (
        (head.id, " ", "原因"),
        (barred.id, "请看", "请选择"),
        (leaders[0].id, "x", "请选择"),
        (head.id, "归您管", "要由「班组长」办理"),
    ):
        with pytest.raises(Refused, match=reason):
            task_acts.hand_over(session, task, leaders[0], to_id, note)
    with pytest.raises(Refused, match="可以请他先看"):
        task_acts.ask_after(session, task, leaders[0], head.id, "")
    task_acts.ask_before(session, task, leaders[0], head.id, "请看")
    task_acts.give_back(session, task, head, "")
    task_acts.hand_over(session, task, leaders[0], leaders[1].id, "归您管")
    assert (sees(session, leaders[1]), sees(session, leaders[0])) == ([task.id], [])
    decide_task(session, task, leaders[1], "agree")
    assert "归您管" in [act.note for act in tasks.acts_of(session, task)]


def test_a_signer_before_gives_an_opinion_and_one_after_has_the_last_word(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    run = begin(session, shell, person("p"))
    task = task_of(session, run)
    task_acts.ask_before(session, task, leaders[0], leaders[1].id, "您先看")
    decide_task(session, task, leaders[1], "return", note="号码不全")
    assert (task.state, task.staff_id) == ("open", leaders[0].id)
    task_acts.ask_after(session, task, leaders[0], leaders[2].id, "")
    decide_task(session, task, leaders[0], "agree")
    decide_task(session, task, leaders[2], "return")
    made = go_on(session, run).facts["p"]
    assert (made["choice"], made["by"], len(made["persons"])) == ("return", leaders[2].id, 3)
    assert acts(session, task) == ["signer_before", "signed", "signer_after", "signed", "decided"]


def test_who_was_only_asked_to_sign_sends_nothing_back(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    run = begin(session, shell, person("first"), person("second"))
    decide_task(session, task_of(session, run), leaders[0], "agree")
    task = task_of(session, go_on(session, run))
    first = earlier_persons(session, task)[0]
    task_acts.ask_before(session, task, leaders[0], leaders[1].id, "")
    task_acts.hand_over(session, task, leaders[1], leaders[2].id, "我不在")
    with pytest.raises(Refused, match="加签"):
        send_back(session, task, leaders[2], first.id, "不对")
    decide_task(session, task, leaders[2], "return", note="不对")
    send_back(session, task, leaders[0], first.id, "不对")
    assert task.state == "sent_back"


@pytest.mark.parametrize(("rule", "number"), [("any", 1), ("any", 2), ("all", 2)])
def test_the_task_of_a_switched_off_account_is_given_to_another(
    session: Session, shell: Staff, rule: str, number: int
) -> None:
    unit = make_unit(session)
    holder, second, other = (make_staff(session, "clerk", unit) for _number in range(3))
    head, stranger = make_staff(session, "station_head", unit), make_staff(session, "station_head", make_unit(session))
    asked = {"to": "staff", "staff": [holder.username, *([second.username] if number > 1 else [])], "rule": rule}
    run = begin(session, shell, {"id": "p", "person": {**ASKED, "role": "", **asked}})
    run.unit_id = unit.id
    task = task_of(session, run)
    task.unit_id = unit.id
    with pytest.raises(Refused, match="不能改派"):
        task_holders.reassign(session, task, head, other.id, "调走了")
    holder.active = False
    session.flush()
    if (rule, number) == ("any", 2):  # the second decides alone, until that account is switched off too
        assert not task_holders.gone(session, task) and sees(session, head) == []
        second.active = False
        session.flush()
    assert (sees(session, head), sees(session, stranger), sees(session, other)) == ([task.id], [], [])
    with pytest.raises(Refused, match="不能改派"):
        task_holders.reassign(session, task, stranger, other.id, "调走了")
    task_holders.reassign(session, task, head, other.id, "调走了")
    assert (sees(session, head), sees(session, other)) == ([], [task.id])
    for one in (other, *([second] if rule == "all" else [])):
        decide_task(session, task, one, "agree")
    assert (task.state, acts(session, task)[0]) == ("done", "reassigned")


def test_a_task_that_nobody_there_could_do_is_told_before_the_start(session: Session, shell: Staff) -> None:
    station = make_unit(session)
    root = shell.unit_id
    asked = {"title": "审批", "role": "station_head", "choices": ASKED["choices"]}
    make_staff(session, "station_head", station)
    there = {**asked, "unit": f"unit:{station.code}"}
    assert "没有人能办理" in task_units.unable(session, asked, root)
    assert not task_units.unable(session, asked, station.id) and not task_units.unable(session, there, root)
    assert "撤并" in task_units.unable(session, {**asked, "unit": "unit:gone"}, root)
    run = begin(session, shell, {"id": "p", "person": there})
    assert task_of(session, run).unit_id == station.id
    told = [one.text for one in obstacles(session, [{"id": "p", "person": {**asked, "unit": "root"}}])]
    assert len(told) == 1 and "没有人能办理" in told[0]

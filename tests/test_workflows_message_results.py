"""Result files: what the network made of messages, told afterwards, once however often the file comes in."""

import io
import json
from collections import Counter

import pytest
from browsing import browse
from factories import make_staff
from mailing import begin, reachable
from running import go_on
from sqlalchemy import select

import screens.commands as commands
from models import Confirmation, Message, Outgoing
from services import Refused
from workflows import channels
from workflows.channels import Driver
from workflows.message_results import COUNTED, take_in

pytestmark = pytest.mark.usefixtures("by_day")
TELL = {"id": "tell", "step": "send_sms"}


@pytest.fixture
def report(session, shell, tmp_path):
    """Three messages that went out, and a file that tells of them."""
    for _number in range(3):
        reachable(session)
    begin(session, shell, TELL)
    keys = session.scalars(select(Message.key).order_by(Message.id)).all()
    path = tmp_path / "report.csv"
    lines = (f"{keys[0]},送达,", f"{keys[1]},失败,空号", f"{keys[2]},FAILED,busy", "sms-x,送达,", f"{keys[0]},?,", "")
    path.write_text("\n".join(("编号,结果,原因", *lines)), "gb18030")
    return path


def taken(session, path):
    whole = Counter()
    for more in take_in(session, path):
        session.commit()
        whole += more
    return {name: whole[name] for name in COUNTED}


@pytest.mark.slow
def test_a_report_says_what_was_delivered_and_refutes_dead_numbers(session, report):
    assert taken(session, report) == {"delivered": 1, "failed": 2, "known": 0, "foreign": 1, "unreadable": 1}
    rows = session.scalars(select(Message).order_by(Message.id)).all()
    assert [(row.state, row.reason, bool(row.delivered_at)) for row in rows] == [
        ("sent", "", True), ("failed", "dead_number", False), ("failed", "busy", False),
    ]  # fmt: skip
    refuted = select(Confirmation.contact_id).where(Confirmation.result == "refuted")
    assert session.scalars(refuted).all() == [rows[1].contact_id]
    assert taken(session, report)["known"] == 3


def test_what_nobody_knew_of_went_out_when_the_network_tells_of_it(session, shell, tmp_path, monkeypatch):
    reachable(session)
    monkeypatch.setitem(channels.DRIVERS, "sms_file", Driver("试验", lambda _payload: 1 / 0, repeatable=False))
    run = begin(session, shell, TELL)
    assert run.state == "waiting"
    path = tmp_path / "report.csv"
    path.write_text(f"key,state\n{session.scalar(select(Outgoing.key))},delivered\n")
    taken(session, path)
    assert (go_on(session, run).state, session.scalar(select(Outgoing.state))) == ("done", "done")
    assert session.scalar(select(Message.state)) == "sent"


def test_a_file_without_numbers_is_refused(session, tmp_path):
    path = tmp_path / "report.csv"
    path.write_text("手机,结果\n13800001111,送达\n")
    with pytest.raises(Refused, match="编号"):
        list(take_in(session, path))


@pytest.mark.slow
def test_reports_come_in_by_page_and_by_shell(app, session, report, capsys):
    session.commit()
    staff = make_staff(session, "service_specialist")
    page = browse(app, session, staff)
    answer = page.post("/admin/messages/results", {"file": (io.BytesIO(report.read_bytes()), "r.csv")})
    assert answer.status_code == 303 and "已送达 1" in page.get("/admin/messages/").text
    stranger = browse(app, session, make_staff(session, "clerk"))
    assert stranger.post("/admin/messages/results", {}).status_code == 403
    assert commands.main(["messages", "results", str(report), "--json"], lambda: app) == 0
    assert json.loads(capsys.readouterr().out)["known"] == 3

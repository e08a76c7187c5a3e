"""The print room on the screen: handed out, printed and posted; trays, papers, spoils and reprints; who may come."""

import io
import re
import struct
import zlib
from dataclasses import replace

import pikepdf
import pytest
from browsing import browse
from factories import make_campaign, make_customer, make_letter, make_staff, make_unit
from PIL import Image
from pypdfium2 import PdfDocument as pdfium
from sqlalchemy import select

from models import Letter, Printer, PrintRun, Run, Step, Trace
from models.clock import utcnow
from paper import DOCUMENTS
from screens import downloads, postings, print_campaigns
from services import files, tasks, trays

PLACE = "/admin/print_room"


@pytest.fixture
def clerk(app, session):
    return browse(app, session, make_staff(session, "clerk"))


@pytest.fixture
def letters(session):
    campaign = make_campaign(session)
    return [make_letter(session, make_customer(session, name="欧阳建国"), campaign) for _ in range(3)]


@pytest.fixture
def stack(session, letters, tmp_path):
    """Three letters as a print run of two trays, with a file of six pages, each of which draws a shared layer."""
    path, run = tmp_path / "letters.pdf", session.get_one(PrintRun, letters[0].print_run_id)
    with pikepdf.new() as pdf:
        form = pdf.make_stream(b"0 0 1 1 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 9, 9])
        for _ in range(6):
            pdf.add_blank_page(page_size=(595, 842))
            pdf.pages[-1].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary({"/Shared0": form}))
            pdf.pages[-1].Contents = pdf.make_stream(b"q /Shared0 Do Q")
        pdf.save(path)
    run.sha256, run.state = files.store(session, path, "letters.pdf", "application/pdf").sha256, "composed"
    run.serial_to, run.letters, run.pages = 3, 3, 6
    for at, letter in enumerate(letters):
        letter.print_run_id, letter.state, letter.posted_at = run.id, "composed", None
        letter.facts = {**letter.facts, "letter": {**letter.facts["letter"], "postcode": f"528{at // 2}00"}}
    session.flush()
    trays.keep(session, run, trays.pieces_of(session, run), sheets=2)
    session.commit()
    return run


def pages_in(answer):
    with answer, pikepdf.open(io.BytesIO(answer.data)) as pdf:
        return len(pdf.pages)


def test_a_stack_is_handed_out_printed_and_posted(session, clerk, letters, stack):
    place = f"{PLACE}/run/{stack.id}"
    assert pages_in(clerk.post(f"{place}/file")) == 6
    for step, state in (("printed", "printed"), ("posted", "posted")):
        assert clerk.post(f"{place}/{step}").status_code == 303
        session.expire_all()
        assert (stack.state, letters[0].state) == (state, state)
    assert f"{place}/file" not in clerk.get(f"{PLACE}/").text
    assert f'"{place}"' in clerk.get(f"{PLACE}/?state=posted").text
    assert "还没有这样的批次" in clerk.get(f"{PLACE}/?state=spoiled").text
    posted = select(Trace.customer_id).where(Trace.action == "letter.posted")
    assert set(session.scalars(posted)) == {letter.customer_id for letter in letters}


def test_the_last_stack_posted_decides_the_task(session, clerk, letters, stack):
    run = Run(workflow_key="w", version=1, title="核对", tree=[{"id": "post"}], state="waiting", unit_id=stack.unit_id)
    run.started_at = utcnow()
    session.add(run)
    session.flush()
    step = Step(run_id=run.id, path="1", node="post", kind="person", state="waiting", created_at=utcnow())
    session.add(step)
    session.flush()
    choices = [{"code": "posted", "label": "已全部交寄"}]
    facts = {"run_id": run.id, "step_id": step.id, "permission": "letters.run", "choices": choices}
    task = tasks.open_task(session, "workflow", "打印并交寄", unit_id=stack.unit_id, **facts)
    stack.campaign.run_id = run.id
    for other in session.scalars(select(PrintRun).where(PrintRun.id != stack.id)):
        other.state = "spoiled"
    session.commit()
    clerk.post(f"{PLACE}/run/{stack.id}/posted")
    session.expire_all()
    assert (task.state, task.decision, step.state) == ("done", "posted", "ready")


@pytest.mark.parametrize("tray", ["", "2"])
def test_a_file_taken_once_needs_a_reason_to_be_taken_again(session, clerk, stack, tray):
    place = f"{PLACE}/run/{stack.id}/file"
    assert pages_in(clerk.post(place, {"tray": tray})) == (2 if tray else 6)
    assert clerk.post(place, {"tray": tray}).status_code == 303
    with clerk.post(place, {"tray": tray, "reason": "卡纸"}) as got:
        assert got.status_code == 200
    details = session.scalars(select(Trace.details).where(Trace.action == "print_run.handed_out")).all()
    assert [row["reason"] for row in details] == ["", "卡纸"]


@pytest.mark.slow
def test_an_overprint_asks_for_the_printer_and_keeps_it(session, clerk, stack):
    session.add(Printer(name="奔图", offset_x=4, offset_y=-6))
    session.commit()
    place, printer = f"{PLACE}/run/{stack.id}/file", session.scalars(select(Printer)).one()
    assert clerk.post(place, {"layer": "own"}).status_code == 303
    with clerk.post(place, {"layer": "own", "printer": printer.id}) as got, pikepdf.open(io.BytesIO(got.data)) as pdf:
        assert pdf.pages[0].Resources.XObject["/Shared0"].read_bytes() == b""
        assert b"1 0 0 1 1.1339 1.7008 cm" in pdf.pages[0].Contents[0].read_bytes()
    session.expire_all()
    assert (stack.printer_id, stack.state) == (printer.id, "printing")


@pytest.mark.slow
def test_what_is_spoiled_is_not_printed_again_and_waits_for_its_reprint(session, clerk, letters, stack):
    place = f"{PLACE}/run/{stack.id}"
    clerk.post(f"{place}/spoil", {"numbers": "2", "reason": "卡纸"})
    session.expire_all()
    assert letters[1].state == "spoiled" and pages_in(clerk.post(f"{place}/file")) == 4
    page = clerk.get(f"{PLACE}/campaign/{stack.campaign_id}").text
    assert re.search('name="numbers"[^>]*value="2"', page) and re.search('name="reason"[^>]*value="卡纸"', page)
    assert letters[1].facts["letter"]["serial"] in clerk.get(f"{PLACE}/campaign/{stack.campaign_id}/spoiled").text
    assert "卡纸" in clerk.get(f"{place}/letters?state=spoiled").text
    assert '<span class="number">2</span> 封函件待打印、交寄' in clerk.get("/admin/").text
    assert re.search(r"待打印.*?>2</a>.*?作废待补打.*?>1</a>", clerk.get(f"{PLACE}/").text, re.DOTALL)


def test_a_whole_run_is_spoiled_only_where_that_was_asked_for(session, clerk, letters, stack):
    place = f"{PLACE}/run/{stack.id}/spoil"
    clerk.post(place, {"numbers": " ", "reason": "卡纸"})
    session.expire_all()
    assert stack.state == "composed" and {letter.state for letter in letters} == {"composed"}
    clerk.post(place, {"numbers": "", "reason": "卡纸", "whole": "1"})
    session.expire_all()
    assert stack.state == "spoiled" and {letter.state for letter in letters} == {"spoiled"}


def test_the_page_of_a_run_divides_it_and_lists_its_letters(session, clerk, stack):
    place = f"{PLACE}/run/{stack.id}"
    clerk.post(f"{place}/divide", {"sheets": "10"})
    session.expire_all()
    assert [tray.letters for tray in trays.trays_of(session, stack)] == [3]
    page = clerk.get(f"{place}/letters").text
    assert page.count("已生成</span>") == 3 and "欧阳*" in page and "欧阳建国" not in page


@pytest.fixture
def second(session, stack):
    """A second run of the campaign that lies printed: one letter, of another postcode, without trays."""
    letter = make_letter(session, make_customer(session), stack.campaign)
    run = session.get_one(PrintRun, letter.print_run_id)
    letter.state, letter.posted_at, run.state = "printed", None, "printed"
    letter.facts = {**letter.facts, "letter": {**letter.facts["letter"], "postcode": "510000"}}
    for other in session.scalars(select(PrintRun).where(PrintRun.id.not_in([run.id, stack.id]))):
        other.state = "spoiled"
    stack.state = "printed"
    for other in session.scalars(select(Letter).where(Letter.state == "composed")):
        other.state = "printed"
    session.commit()
    return run


@pytest.mark.slow
def test_one_posting_list_counts_weighs_and_costs_all_runs_of_the_day(session, clerk, stack, second):
    page = clerk.get(f"{PLACE}/posting").text
    assert re.search(r">528</td>.*?>本埠</td>.*?>3</a></td>.*?>41.7</td>", page, re.DOTALL)
    assert page.count("checked") == 2
    form = {"run": [stack.id, second.id]}
    rows = clerk.post(f"{PLACE}/posting/list.csv", data=form).data.decode("utf-8-sig").splitlines()
    assert rows[0] == "邮编(前三位),寄达,件数,单重(克),总重(克),单价(元),资费(元),盘"
    assert rows[1:] == ["510,本埠,1,13.9,13.9,0.80,0.80,", f"528,本埠,3,13.9,41.7,0.80,2.40,{stack.number}/1–2"]
    assert clerk.post(f"{PLACE}/posting/posted", data=form).status_code == 303
    session.expire_all()
    assert (stack.state, second.state, stack.posted_at) == ("posted", "posted", second.posted_at)
    assert f'name="run" value="{second.id}"' in clerk.get(f"{PLACE}/posting").text


def listed(clerk, path):
    """How many letters a list shows on all its pages."""
    page = clerk.get(path.replace("&amp;", "&")).text
    following = re.search(r'href="([^"]*after=[^"]*)">下一页', page)
    return page.count('<td class="nowrap"') + (listed(clerk, following[1]) if following else 0)


def test_each_figure_of_a_posting_opens_as_many_letters_as_it_says(session, clerk, letters, stack, second, monkeypatch):
    monkeypatch.setattr(postings, "LISTED", 1)
    letters[0].state = "spoiled"
    session.commit()
    page = clerk.get(f"{PLACE}/posting").text
    links = re.findall(r'href="([^"]*posting/letters[^"]*)">(\d+)<', page)
    assert [number for _link, number in links] == ["1", "2", "3"]
    assert [listed(clerk, link) for link, _number in links] == [1, 2, 3]


def test_each_figure_of_the_room_opens_as_many_letters_as_it_says(session, clerk, letters, stack, second, monkeypatch):
    monkeypatch.setattr(print_campaigns, "LISTED", 1)
    stack.state, letters[0].state, letters[0].spoiled_at = "printing", "spoiled", utcnow()
    letters[1].state = letters[2].state = "composed"
    session.commit()
    links = re.findall(r'href="([^"]*/(?:to_print|to_post|spoiled))">(\d+)<', clerk.get(f"{PLACE}/").text)
    assert [(link.rpartition("/")[2], number) for link, number in links] == [
        ("to_print", "2"), ("to_post", "1"), ("spoiled", "1"),
    ]  # fmt: skip
    assert [listed(clerk, link) for link, _number in links] == [2, 1, 1]


def test_what_was_posted_stays_on_its_list_when_it_is_printed_again(session, clerk, letters, stack, second):
    clerk.post(f"{PLACE}/posting/posted", data={"run": [stack.id]})
    session.expire_all()
    letters[1].state = "reprinted"
    session.commit()
    rows = clerk.post(f"{PLACE}/posting/list.csv", data={"run": [stack.id]}).data.decode("utf-8-sig").splitlines()
    assert rows[1].startswith("528,本埠,3,")


def test_a_posting_list_is_of_one_unit_and_of_something(session, clerk, stack, second):
    second.unit_id = make_unit(session, name="另一个所").id
    session.commit()
    for form in ({}, {"run": [stack.id, second.id]}):
        assert clerk.post(f"{PLACE}/posting/posted", data=form).status_code == 303
    session.expire_all()
    assert (stack.state, second.state) == ("printed", "printed")


def test_the_number_of_a_tray_opens_the_letters_of_that_tray(clerk, stack):
    page = clerk.get(f"{PLACE}/run/{stack.id}").text
    assert f"/run/{stack.id}/letters?tray=1" in page
    counts = [clerk.get(f"{PLACE}/run/{stack.id}/letters?tray={tray}").text.count("已生成</span>") for tray in (1, 2)]
    assert counts == [2, 1] and clerk.get(f"{PLACE}/run/{stack.id}/letters?tray=9").status_code == 404


def test_every_paper_of_the_room_gets_its_facts(session, clerk, stack, monkeypatch):
    papers = {
        key: replace(one, compose=lambda facts, head: f"%PDF {facts!r}".encode()) for key, one in DOCUMENTS.items()
    }
    monkeypatch.setattr(downloads, "DOCUMENTS", papers)
    session.add(Printer(name="奔图", offset_x=4))
    session.commit()
    printer, number = session.scalars(select(Printer.id)).one(), f"{stack.campaign.code}-{stack.number}"
    expected = {
        f"run/{stack.id}/labels.pdf": ("TrayLabels", f"number='{number}'", "serials='00001 – 00002'"),
        f"run/{stack.id}/addresses.pdf": ("Labels", "skip=5", "欧阳建国"),
        "posting/list.pdf": ("PostingList", "pieces=3"),
        f"campaign/{stack.campaign_id}/register.pdf": ("PrintRegister", "letters=3"),
        f"campaign/{stack.campaign_id}/return_envelope.pdf": ("Envelope", stack.campaign.code),
        f"printer/{printer}/calibration.pdf": ("Calibration", "offset_x=4"),
    }
    for path, parts in expected.items():
        with clerk.post(f"{PLACE}/{path}", {"skip": "5", "run": stack.id}) as got:
            assert all(part in got.data.decode() for part in parts), path
    assert session.scalars(select(Trace).where(Trace.action == "print_run.labels")).one()


@pytest.mark.slow
def test_test_prints_show_the_strangest_and_leave_nothing_behind(session, clerk, letters, stack):
    letters[1].customer.name = "欧阳𠮷建国有限责任公司"
    session.commit()
    with clerk.post(f"{PLACE}/campaign/{stack.campaign_id}/specimens.pdf") as got, pdfium(got.data) as pdf:
        shown = "".join(page.get_textpage().get_text_range() for page in pdf)
    assert "欧阳𠮷建国" in shown.replace("\r\n", "") and "样张-1" in shown and letters[1].token not in shown
    assert len(session.scalars(select(Letter)).all()) == 3


@pytest.mark.slow
def test_numbers_are_reprinted_as_a_run_of_their_own(session, clerk, letters, stack):
    place = f"{PLACE}/campaign/{stack.campaign_id}/reprint"
    assert clerk.post(place, {"numbers": "1-2", "reason": "卡纸"}).status_code == 303
    session.expire_all()
    copies = session.scalars(select(Letter).where(Letter.copy == 2).order_by(Letter.serial)).all()
    assert [copy.serial for copy in copies] == [1, 2] and letters[0].state == "reprinted"
    run = session.get_one(PrintRun, copies[0].print_run_id)
    assert (run.kind, run.pages, run.letters) == ("reprint", 4, 2) and pages_in(
        clerk.post(f"{PLACE}/run/{run.id}/file")
    ) == 4
    assert clerk.post(place, {"numbers": "1", "reason": ""}).status_code == 303
    assert len(session.scalars(select(Letter).where(Letter.serial == 1)).all()) == 2


def test_the_postage_mark_takes_a_small_picture_and_nothing_else(session, clerk, stack):
    place, picture = f"{PLACE}/campaign/{stack.campaign_id}/mark", io.BytesIO()
    Image.new("RGB", (40, 20)).save(picture, "PNG")
    form = {"text": "国内邮资已付", "permit": "018", "image": (io.BytesIO(picture.getvalue()), "a.png")}
    clerk.post(place, form)
    session.expire_all()
    kept = stack.campaign.options["postage"]
    assert kept["text"] == "国内邮资已付" and files.location(kept["sha256"]).read_bytes() == picture.getvalue()
    for content in (b"<svg/>", b"\x89PNG broken", b"x" * 500_001):
        clerk.post(place, {"text": "", "image": (io.BytesIO(content), "a.png")})
    session.expire_all()
    assert stack.campaign.options["postage"] == kept


def test_a_picture_that_claims_to_be_huge_is_refused_unopened(session, clerk, stack):
    picture = io.BytesIO()
    Image.new("RGB", (1, 1)).save(picture, "PNG")
    head = b"IHDR" + struct.pack(">II", 60_000, 60_000) + picture.getvalue()[24:29]
    claimed = picture.getvalue()[:12] + head + struct.pack(">I", zlib.crc32(head)) + picture.getvalue()[33:]
    place = f"{PLACE}/campaign/{stack.campaign_id}"
    answer = clerk.post(f"{place}/mark", {"image": (io.BytesIO(claimed), "a.png")}, headers={"Referer": place})
    assert answer.status_code == 303 and "每边不能超过 3000 像素" in clerk.get(place).text
    session.expire_all()
    assert "postage" not in stack.campaign.options


@pytest.mark.parametrize("role", ["account_manager", "viewer", "auditor"])
def test_others_do_not_come_into_the_print_room(app, session, stack, role):
    other = browse(app, session, make_staff(session, role))
    for path in ("", "posting", f"run/{stack.id}", f"campaign/{stack.campaign_id}", f"run/{stack.id}/letters"):
        assert other.get(f"{PLACE}/{path}").status_code == 403
    assert other.post(f"{PLACE}/run/{stack.id}/file").status_code == 403

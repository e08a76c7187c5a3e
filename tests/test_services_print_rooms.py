"""The print room: presort, trays, what is handed out twice, spoiled, printed again; and two copies that come back."""

import pytest
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff
from sqlalchemy import select
from test_services_letters import targeted

from models import Contact, Letter, PrintRun, PrintTray, Recipient, Trace
from models.clock import utcnow
from services import Refused, campaigns, ended_runs, print_runs, reprints, specimens, spoils, trays
from services.balances import balance
from services.campaigns import close_campaign
from services.letters import letter_by_code, plan_letters, plan_reprint, plan_second_letters, write_letters
from services.presorting import sort_key
from services.print_runs import Made
from services.returns import Form, key_return
from services.trays import Piece
from services.undelivered import record_undelivered, undo_last_undelivered


@pytest.fixture
def clerk(session):
    staff = make_staff(session, "clerk")
    session.info["actor_id"] = staff.id
    return staff


@pytest.fixture
def letters(session):
    campaign = make_campaign(session)
    return [make_letter(session, make_customer(session), campaign) for _ in range(3)]


@pytest.fixture
def run(session, letters):
    """One print run of three letters that nobody has printed."""
    found = session.get_one(PrintRun, letters[0].print_run_id)
    for letter in letters:
        letter.print_run_id, letter.state, letter.posted_at = found.id, "composed", None
    found.serial_to, found.letters, found.pages, found.state = 3, 3, 6, "composed"
    session.flush()
    trays.keep(session, found, trays.pieces_of(session, found), sheets=2)
    return found


def copied(session, letter):
    plan = plan_reprint(session, letter, form_version=1, reason="污损")
    run = {"form_version_id": letter.form_version_id, "print_run_id": letter.print_run_id}
    return session.get_one(Letter, write_letters(session, letter.campaign_id, [plan], **run)[0])


def test_letters_are_sorted_by_postcode_then_street_and_number():
    rows = [
        ("", "a路1号"),
        ("528200", "海三路12号"),
        ("528200", "海三路9号"),
        ("510000", "z路1号"),
        ("528200", "桂城路1号"),
    ]
    ordered = sorted(rows, key=lambda row: sort_key(*row))
    assert [row[0] for row in ordered] == ["510000", "528200", "528200", "528200", ""]
    assert ordered[2:4] == [("528200", "海三路9号"), ("528200", "海三路12号")]


def test_a_postcode_that_belongs_elsewhere_neither_sorts_a_letter_nor_stands_on_it(session):
    campaign, customer = make_campaign(session), make_customer(session)
    targeted(session, campaign, customer)
    make_contact(session, customer, "postcode", raw="610041", value="610041", verdict="suspect")
    second = make_contact(session, customer, "postcode", raw="528231", value="528231")
    (plan,) = plan_letters(session, campaign, form_version=1)
    assert plan["facts"]["postcode"] == "528231"
    second.verdict = "suspect"
    session.flush()
    (plan,) = plan_letters(session, campaign, form_version=1)
    assert plan["facts"]["postcode"] == "" and plan["facts"]["recorded"]["postcode"] == "610041"


def test_serials_follow_the_postcodes(session):
    campaign, customers = make_campaign(session), [make_customer(session) for _ in range(3)]
    targeted(session, campaign, *customers)
    for customer, postcode in zip(customers, ("528300", "", "528200"), strict=True):
        if postcode:
            make_contact(session, customer, "postcode", raw=postcode, value=postcode)
    plans = list(plan_letters(session, campaign, form_version=1))
    assert [plan["facts"]["postcode"] for plan in plans] == ["528200", "528300", ""]


def test_trays_end_at_the_prefix_and_at_their_size_and_bundles_at_the_post_office():
    pieces = [Piece(at, "510000" if at < 3 else "528200" if at < 6 else "528500") for at in range(8)]
    cut = [(prefix, len(kept)) for prefix, kept in trays.split(pieces, 4)]
    assert cut == [("510", 3), ("528", 4), ("528", 1)]
    assert [(one.prefix, one.pieces) for one in trays.bundles(pieces, 2)] == [
        ("5100", 2), ("5100", 1), ("5282", 2), ("5282", 1), ("5285", 2),
    ]  # fmt: skip


def test_a_recorded_run_keeps_form_kind_and_trays(session, clerk):
    campaign, customers = make_campaign(session), [make_customer(session) for _ in range(3)]
    campaign.options = {"tray_sheets": 2}
    targeted(session, campaign, *customers)
    plans = list(plan_letters(session, campaign, form_version=1))
    form = print_runs.Form("survey_letter", 1, "0" * 64, {})
    path = print_runs.files.location("ab" * 32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"%PDF-1.7 made up")
    print_runs.record_run(
        session, campaign.id, plans, made=Made("ab" * 32, 6, tuple(p["token"] for p in plans), (), 1, form)
    )
    found = session.scalars(select(PrintRun)).one()
    assert (found.kind, found.form_version.version, found.tray_sheets) == ("first", 1, 2)
    spans = [(one.first, one.letters) for one in trays.trays_of(session, found)]
    assert spans == [(0, 2), (2, 1)] and trays.pages_of(session, found, trays.trays_of(session, found)[1]) == [4, 5]


def test_a_tray_is_handed_out_once_without_a_reason_and_is_traced(session, clerk, run):
    tray = trays.trays_of(session, run)[0]
    trays.hand_out(session, tray)
    with pytest.raises(Refused, match="请填写原因"):
        trays.hand_out(session, tray)
    trays.hand_out(session, tray, reason="卡纸")
    rows = session.scalars(select(Trace.details).where(Trace.action == "print_run.handed_out")).all()
    assert [(row["tray"], row["reason"]) for row in rows] == [(1, ""), (1, "卡纸")] and run.state == "printing"
    with pytest.raises(Refused, match="不能再改分盘"):
        trays.divide(session, run, 10)


def test_a_run_is_divided_anew_while_nothing_was_handed_out(session, clerk, run):
    assert trays.divide(session, run, 10) == 1 and run.tray_sheets == 10
    assert len(session.scalars(select(PrintTray)).all()) == 1


def test_a_run_handed_out_once_asks_why_before_it_is_handed_out_again(session, clerk, run):
    run.state = "printing"
    with pytest.raises(Refused, match="请填写原因"):
        print_runs.hand_out(session, run)


def test_spoiled_letters_wait_for_a_reprint_and_the_balance_goes_on_counting(session, clerk, run, letters):
    assert spoils.spoil_letters(session, run, [2], "卡纸") == 1
    campaign = letters[0].campaign
    assert [letter.serial for letter in session.scalars(spoils.waiting(campaign.id))] == [2]
    assert balance(session, campaign.id).to_post == 3 and run.state == "composed"
    with pytest.raises(Refused, match="已作废"):
        letter_by_code(session, letters[1].token)
    copy = copied(session, letters[1])
    assert (copy.copy, copy.state) == (2, "composed") and not session.scalars(spoils.waiting(campaign.id)).all()
    assert balance(session, campaign.id).targeted == 3


def test_a_spoiled_run_leaves_nothing_behind(session, clerk, run):
    assert spoils.spoil_run(session, run, "整批受潮") == 3
    assert (run.state, run.spoiled_reason, run.spoiled_by_id) == ("spoiled", "整批受潮", clerk.id)
    for act in (print_runs.hand_out, print_runs.mark_posted):
        with pytest.raises(Refused, match="作废"):
            act(session, run)


def test_without_a_reason_or_with_a_strange_number_nothing_is_spoiled(session, clerk, run, letters):
    for serials, reason, said in (([1], " ", "原因"), ([1, 9], "卡纸", "没有编号 9")):
        with pytest.raises(Refused, match=said):
            spoils.spoil_letters(session, run, serials, reason)
    assert {letter.state for letter in letters} == {"composed"}


def test_a_spoiled_copy_gives_the_posted_one_its_place_back(session, clerk, letters):
    copy, run = copied(session, letters[0]), session.get_one(PrintRun, letters[1].print_run_id)
    copy.print_run_id = run.id
    spoils.spoil_letters(session, run, [copy.serial], "卡纸")
    assert (letters[0].state, copy.state) == ("posted", "spoiled")
    assert balance(session, letters[0].campaign_id).open == 3


def test_of_several_copies_the_one_that_went_to_the_post_counts_again(session, clerk, letters):
    second, run = copied(session, letters[0]), session.get_one(PrintRun, letters[1].print_run_id)
    third = copied(session, second)
    third.print_run_id = run.id
    spoils.spoil_letters(session, run, [third.serial], "卡纸")
    assert (letters[0].state, second.state, third.state) == ("posted", "reprinted", "spoiled")


def test_a_copy_that_came_back_is_still_undelivered_when_its_reprint_is_spoiled(session, clerk, letters):
    record_undelivered(session, letters[0].token, "other", staff=clerk)
    copy, run = copied(session, letters[0]), session.get_one(PrintRun, letters[1].print_run_id)
    copy.print_run_id = run.id
    spoils.spoil_letters(session, run, [copy.serial], "卡纸")
    assert letters[0].state == "undelivered" and balance(session, letters[0].campaign_id).undelivered == 1


@pytest.mark.parametrize("how", ["reprinted", "withdrawn"])
def test_a_run_of_which_nothing_is_left_to_post_ends(session, clerk, run, letters, how):
    campaign, other = letters[0].campaign, session.get_one(PrintRun, letters[1].print_run_id)
    if how == "withdrawn":
        campaigns.withdraw(session, campaign.id, [letter.id for letter in letters[:2]])
        assert run.state == "composed"
        campaigns.withdraw(session, campaign.id, [letters[2].id])
    else:
        plans = reprints.plan(session, campaign, "1-3", form_version=1, reason="卡纸")
        facts = {"campaign_id": campaign.id, "unit_id": run.unit_id, "number": 9, "letters": 3, "pages": 6}
        other = PrintRun(**facts, serial_from=1, serial_to=3, state="composed", composed_at=utcnow())
        session.add(other)
        session.flush()
        write_letters(session, campaign.id, plans, form_version_id=letters[0].form_version_id, print_run_id=other.id)
        assert other.state == "composed"
    assert (run.state, run.spoiled_by_id, run.spoiled_reason) == ("spoiled", clerk.id, ended_runs.NOTHING_LEFT)


def test_what_is_left_after_an_answer_does_not_keep_a_run_waiting(session, clerk, run, letters):
    letters[0].state = "answered"
    assert trays.pages_of(session, run) == [2, 3, 4, 5]
    assert spoils.spoil_run(session, run, "整批受潮") == 2 and run.state == "spoiled"
    assert letters[0].state == "answered"


@pytest.fixture
def revived(session, clerk, letters):
    """A posted letter whose second copy was spoiled: the first counts again."""
    copy, run = copied(session, letters[0]), session.get_one(PrintRun, letters[1].print_run_id)
    copy.print_run_id = run.id
    spoils.spoil_letters(session, run, [copy.serial], "卡纸")
    return letters[0]


@pytest.mark.parametrize("by_number", [True, False])
def test_after_a_spoiled_copy_the_next_one_replaces_the_posted_letter(session, letters, revived, by_number):
    campaign, facts = revived.campaign, {"form_version": 1, "reason": "污损"}
    one = [plan_reprint(session, revived, **facts)]
    plans = reprints.plan(session, campaign, "1", **facts) if by_number else one
    run = {"form_version_id": revived.form_version_id, "print_run_id": letters[2].print_run_id}
    copy = session.get_one(Letter, write_letters(session, campaign.id, plans, **run)[0])
    assert (copy.copy, copy.posted_at, revived.state) == (3, revived.posted_at, "reprinted")
    assert (balance(session, campaign.id).open, balance(session, campaign.id).targeted) == (3, 3)
    spoils.spoil_letters(session, session.get_one(PrintRun, copy.print_run_id), [1], "卡纸")
    assert (copy.state, revived.state) == ("spoiled", "posted")


def test_in_a_closed_campaign_nothing_is_printed_again(session, clerk, letters):
    close_campaign(session, letters[0].campaign_id)
    with pytest.raises(Refused, match="已结束，不能再补打"):
        reprints.plan(session, letters[0].campaign, "1", form_version=1, reason="污损")


def test_second_letters_take_the_next_number_after_a_spoiled_copy(session, revived):
    plans = plan_second_letters(session, revived.campaign, form_version=1, posted_before=utcnow())
    assert [(plan["serial"], plan["copy"]) for plan in plans] == [(1, 3), (2, 2), (3, 2)]


def test_a_range_is_reprinted_with_new_tokens_all_or_none(session, clerk, run, letters):
    plans = reprints.plan(session, letters[0].campaign, "1-2、3", form_version=1, reason="卡纸")
    assert [(plan["serial"], plan["copy"]) for plan in plans] == [(1, 2), (2, 2), (3, 2)]
    assert not {plan["token"] for plan in plans} & {letter.token for letter in letters}
    letters[1].state = "answered"
    with pytest.raises(Refused, match="-00002 客户已经回复"):
        reprints.plan(session, letters[0].campaign, "1-3", form_version=1, reason="卡纸")


@pytest.mark.parametrize("text", ["", "一", "3-1", "1-", "7-9", "1-9999"])
def test_numbers_that_cannot_be_are_told(session, clerk, run, letters, text):
    with pytest.raises(Refused):
        reprints.plan(session, letters[0].campaign, text, form_version=1, reason="卡纸")


def test_numbers_are_named_as_they_are_read():
    assert reprints.named([1, 2, 3, 7, 9, 10]) == "1-3、7、9-10" and reprints.named([]) == ""
    assert reprints.serials_in(reprints.named([1, 2, 3, 7, 9, 10])) == [1, 2, 3, 7, 9, 10]


@pytest.mark.parametrize("text", ["1-501", "1-300、400-700"])
def test_more_numbers_than_one_goes_are_told_as_such(text):
    assert len(reprints.serials_in("1-500")) == reprints.MOST
    with pytest.raises(Refused, match="一次最多写 500 封"):
        reprints.serials_in(text)


def test_two_people_do_not_reprint_the_same_letter(session, clerk, letters):
    plan = plan_reprint(session, letters[0], form_version=1, reason="污损")
    copied(session, letters[0])
    with pytest.raises(Refused, match="刚刚已经补打过"):
        print_runs.record_run(session, letters[0].campaign_id, [plan], made=Made("", 2, (plan["token"],), (), 1))


def test_an_answer_while_the_copy_was_made_stands(session, clerk, letters):
    plan = plan_reprint(session, letters[0], form_version=1, reason="污损")
    key_return(session, letters[0].token, Form(all_same=True), staff=clerk)
    run = {"form_version_id": letters[0].form_version_id, "print_run_id": letters[0].print_run_id}
    copy = session.get_one(Letter, write_letters(session, letters[0].campaign_id, [plan], **run)[0])
    assert (letters[0].state, copy.state) == ("answered", "spoiled")
    assert balance(session, letters[0].campaign_id).answered == 1


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_forms_that_come_back_the_first_counts(session, clerk, letters, first):
    both = [letters[0], copied(session, letters[0])]
    assert not key_return(session, both[first].token, Form(all_same=True), staff=clerk).duplicate
    assert key_return(session, both[1 - first].token, Form(blank=True), staff=clerk).duplicate
    sheet = balance(session, letters[0].campaign_id)
    assert (sheet.paper, sheet.open, sheet.outcomes["confirmed"]) == (1, 2, 1)


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_copies_that_come_back_undelivered_the_first_counts(session, clerk, letters, first):
    both = [letters[0], copied(session, letters[0])]
    both[1].state = "posted"
    done = record_undelivered(session, both[first].token, "other", staff=clerk)
    assert done.next == "visit" and balance(session, letters[0].campaign_id).undelivered == 1
    other = record_undelivered(session, both[1 - first].token, "other", staff=clerk)
    assert (other.next, other.visit) == ("duplicate", None)
    for _ in both:
        undo_last_undelivered(session, staff=clerk)
    sheet = balance(session, letters[0].campaign_id)
    assert (sheet.undelivered, sheet.open, both[1].state) == (0, 3, "posted")


def test_a_copy_in_the_house_is_not_sent_where_the_earlier_one_came_back_from(session, clerk, letters):
    copy = copied(session, letters[0])
    done = record_undelivered(session, letters[0].token, "other", staff=clerk)
    assert (done.next, copy.state, balance(session, copy.campaign_id).undelivered) == ("visit", "undelivered", 1)
    undo_last_undelivered(session, staff=clerk)
    assert (copy.state, letters[0].state, balance(session, copy.campaign_id).open) == ("composed", "reprinted", 3)


def test_the_first_of_two_returns_is_not_taken_back_before_its_duplicate(session, clerk, letters):
    copy, other = copied(session, letters[0]), make_staff(session, "clerk")
    copy.state = "posted"
    record_undelivered(session, letters[0].token, "other", staff=clerk)
    session.info["actor_id"] = other.id
    assert record_undelivered(session, copy.token, "other", staff=other).duplicate
    with pytest.raises(Refused, match="第 2 次打印后来也登记了退信"):
        undo_last_undelivered(session, staff=clerk)
    for staff in (other, clerk):
        undo_last_undelivered(session, staff=staff)
    assert (copy.state, letters[0].state, copy.undelivered_at) == ("posted", "reprinted", None)


def test_an_old_copy_undelivered_says_nothing_once_the_new_one_was_answered(session, clerk, letters):
    copy = copied(session, letters[0])
    key_return(session, copy.token, Form(all_same=True), staff=clerk)
    done = record_undelivered(session, letters[0].token, "moved", staff=clerk)
    assert (done.next, done.refuted) == ("answered", False)


def test_test_prints_pick_the_longest_the_rarest_and_the_least_and_most_on_record(session, monkeypatch):
    monkeypatch.setattr(specimens, "BATCH", 3)
    monkeypatch.setattr(specimens, "EACH", 1)
    campaign, customers = make_campaign(session), [make_customer(session, name=f"客户{at}") for at in range(10)]
    targeted(session, campaign, *customers)
    customers[2].name, customers[5].name = "欧阳𠮷", "很长的名字" * 9
    for at in (7, 8):
        make_contact(session, customers[at], "postcode", raw="528200", value="528200")
    make_contact(session, customers[8], "mobile")
    longest, left_out = (session.scalars(select(Recipient).order_by(Recipient.id)).all()[at] for at in (4, 9))
    address = session.get_one(Contact, longest.address_id)
    address.value, left_out.exclusion, customers[9].name = address.value * 3, "doubtful_address", "𠮷" * 90
    session.flush()
    chosen = [session.get_one(Recipient, key).customer_id for key in specimens.strangest(session, campaign.id)]
    assert chosen == [customers[at].id for at in (0, 2, 4, 5, 8)]

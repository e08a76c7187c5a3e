"""Duplicates of customers: found among planted ones, decided once, never asked again."""

import random

import pytest
from factories import draft_of, make_contacts, make_customer, make_staff
from sqlalchemy import func, select, update

from models import Customer, DuplicatePair, MatchKey
from models.clock import today, utcnow
from services import Refused, customers, duplicates, shared_numbers

SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", "伟芳娜敏静丽强磊军洋"
ROADS = ("南海大道", "桂澜路", "佛平路", "海八路", "季华路")


def person(chance):
    return chance.choice(SURNAMES) + chance.choice(GIVEN) + chance.choice(GIVEN)


def flat(chance, number):
    road = ROADS[number % len(ROADS)]
    door = f"{chance.randint(1, 9)}栋{chance.randint(1, 4)}单元{chance.randint(1, 20)}01室"
    return f"广东省佛山市南海区桂城街道{road}{number}号{door}"


def written_otherwise(chance, address):
    short = address.removeprefix("广东省佛山市南海区")
    forms = [short, short.replace("栋", "幢"), short.replace("室", "房"), address.replace("号", "號")]
    return chance.choice(forms)


def heard(chance, name):
    return chance.choice([name, name + "先生", name.replace("陈", "陳"), name.replace("伟", "玮").replace("丽", "莉")])


def drafts_of(session, row, address, phone):
    """The values of one customer."""
    drafts = [draft_of(session, row, "supply_address", raw=address, value=address)]
    return drafts + [draft_of(session, row, raw=phone, value=f"+86{phone}")] if phone else drafts


def customer(session, name, address, phone=""):
    row = make_customer(session, name=name)
    make_contacts(session, drafts_of(session, row, address, phone))
    return row.id


def planted(session, bases):
    """Customers with what is known of some pairs of them: (first, second) -> kind."""
    chance, truth, drafts = random.Random(7), {}, []

    def added(name, address, phone=""):
        row = make_customer(session, name=name)
        drafts.extend(drafts_of(session, row, address, phone))
        return row.id

    for number in range(bases):
        name, address, phone = person(chance), flat(chance, number + 1), f"139{number:08}"
        first = added(name, address, phone)
        case = number % 8
        if case == 0:
            phone = chance.choice([phone, ""])
            second = added(heard(chance, name), written_otherwise(chance, address), phone)
            truth[first, second] = "duplicate"
        elif case == 1:
            truth[first, added(name[0] + "小宝", address, phone)] = "family"
        elif case == 2:
            truth[first, added("欧阳" + name[1:], address)] = "tenancy"
        elif case == 3:
            other = flat(chance, bases + number + 1)
            truth[first, added(name, other, phone)] = "same_owner"
    make_contacts(session, drafts)
    return truth


def run(session):
    found = sum(duplicates.find(session))
    rows = session.scalars(select(DuplicatePair)).all()
    return found, {(row.first_id, row.second_id): row for row in rows}


@pytest.mark.slow
def test_planted_pairs_are_found_as_what_they_are(session, shell):
    truth = planted(session, 160)
    _number, rows = run(session)
    found = {key: row.suggested for key, row in rows.items()}
    for kind in ("duplicate", "same_owner", "family", "tenancy"):
        right = {key for key, one in truth.items() if one == kind}
        said = {key for key, one in found.items() if one == kind}
        precision, recall = len(right & said) / max(len(said), 1), len(right & said) / len(right)
        print(f"{kind}: precision {precision:.3f}, recall {recall:.3f} of {len(right)}")  # noqa: T201
        assert (precision, recall) >= (0.95, 0.95)


def test_a_decision_is_not_asked_for_again(session, shell):
    planted(session, 9)
    _number, rows = run(session)
    pair = next(row for row in rows.values() if row.suggested == "duplicate")
    duplicates.decide(session, pair, "different", staff=shell, note="两套房")
    again, rows = run(session)
    assert rows[pair.first_id, pair.second_id].decision == "different"
    assert again == len(rows) - 1


def test_what_no_longer_looks_alike_is_no_longer_asked(session, shell):
    planted(session, 1)
    _number, rows = run(session)
    ((_first, second),) = rows
    customers.change(session, {second: {"closed_on": today(session)}})
    assert run(session) == (0, {})
    assert second not in set(session.scalars(select(MatchKey.customer_id)))


@pytest.mark.slow
def test_a_crowded_block_says_nothing(session, shell):
    drafts = []
    for number in range(duplicates.MOST + 1):
        row = make_customer(session, name="陈大文")
        drafts += drafts_of(session, row, f"桂城街道南海大道{number}号", "13900000000")
    make_contacts(session, drafts)
    assert run(session)[0] == 0


def test_a_number_of_too_many_ties_nobody_together(session, shell):
    for name in ("陈大文", "李小龙", "王五", "赵六"):
        customer(session, name, "", "13900000000")
    assert run(session)[0] == 6
    shared_numbers.count(session)
    session.execute(update(Customer).values(changed_at=utcnow()))
    assert run(session) == (0, {})


def test_a_cluster_names_everybody_who_hangs_together(session, shell):
    address = "桂城街道南海大道1号1栋1单元101室"
    ids = [customer(session, name, address) for name in ("陈大文", "陳大文", "陈小宝")]
    run(session)
    kinds = {one.customer_id: one.kind for one in duplicates.cluster(session, ids[0])}
    assert kinds == {ids[1]: "duplicate", ids[2]: "family"}


def test_deciding_needs_the_permission_and_a_known_word(session, shell):
    planted(session, 1)
    _number, rows = run(session)
    (pair,) = rows.values()
    for staff, word in ((make_staff(session, "auditor"), "different"), (shell, "twins")):
        with pytest.raises(Refused):
            duplicates.decide(session, pair, word, staff=staff)
    assert session.scalar(select(func.count()).where(DuplicatePair.decision != "")) == 0

"""What the generated customers do with letters and at the door."""

from collections import Counter
from datetime import date

from seed.bureau import make_bureau
from seed.files import lines
from seed.phones import load_blocks
from seed.replies import fate_of_letter, found_at_door, relation, written_on_form

ACCOUNTS = [f"06{number:014d}" for number in range(4000)]


def test_fates_come_at_plausible_rates():
    ends = Counter(fate_of_letter(1, account).end for account in ACCOUNTS)
    assert 0.04 < ends["undelivered"] / 4000 < 0.07
    assert 0.30 < ends["answered"] / 4000 < 0.40


def test_same_seed_gives_the_same_fate():
    assert [fate_of_letter(1, a) for a in ACCOUNTS[:50]] == [fate_of_letter(1, a) for a in ACCOUNTS[:50]]
    assert [fate_of_letter(1, a) for a in ACCOUNTS[:50]] != [fate_of_letter(2, a) for a in ACCOUNTS[:50]]


def test_undelivered_letters_have_a_reason_and_others_none():
    fates = [fate_of_letter(1, account) for account in ACCOUNTS]
    assert all(bool(fate.reason) == (fate.end == "undelivered") for fate in fates)


def test_form_tells_the_truth_about_damaged_values():
    found = lines(make_bureau(7), count=600, seed=7, today=date(2026, 10, 20))
    damaged = [line for line in found if any(d.kind == "digit_lost" for d in line.damages)]
    replies = [written_on_form(7, line, load_blocks())["mobile"] for line in damaged]
    assert replies and all(reply == "new" for reply, _text in replies)
    assert any(text == line.clean["手机"] for line, (_reply, text) in zip(damaged, replies, strict=True))


def test_most_doors_open_by_the_second_time():
    first = Counter(found_at_door(1, account, 1) for account in ACCOUNTS)
    assert 0.5 < first["verified"] / 4000 < 0.75
    assert found_at_door(1, ACCOUNTS[0], 1) in first
    assert Counter(relation(1, account) for account in ACCOUNTS).most_common(1)[0][0] == "self"

"""What becomes of a keyed field, as a table: who keys it again, who decides, when it is settled."""

import pytest

from quality import judge
from services.key_rules import AGAIN, ARBITRATE, ASK_LEADER, Settled, Turn, decide

DOOR = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"


def value(text):
    return ("value", text)


BLANK, UNREADABLE, LEADER = ("blank", ""), ("unreadable", ""), ("leader", "")


@pytest.mark.parametrize(
    ("field", "answers", "expected"),
    [
        ("mobile", [value("13902800241")], None),
        ("mobile", [BLANK], None),
        ("mobile", [value("13902800241"), value("139 0280 0241")], Settled("value", "13902800241")),
        ("mobile", [value("１３９０２８００２４１"), value("13902800241")], Settled("value", "１３９０２８００２４１")),
        ("landline", [value("0757-86331234"), value("075786331234")], Settled("value", "0757-86331234")),
        ("mobile", [value("13902800241"), value("13902800247")], ARBITRATE),
        ("mobile", [value("13902800241"), BLANK], ARBITRATE),
        ("mobile", [value("139"), UNREADABLE], ARBITRATE),
        ("mobile", [BLANK, BLANK], Settled("blank")),
        ("mobile", [UNREADABLE, UNREADABLE], Settled("unreadable")),
        ("mobile", [LEADER], None),
        ("mobile", [LEADER, value("13902800241")], ASK_LEADER),
        ("mobile", [value("13902800241"), BLANK, value("13902800247")], Settled("value", "13902800247")),
        ("mobile", [value("1"), value("2"), UNREADABLE], Settled("unreadable")),
        ("mobile", [value("1"), value("2"), LEADER], ASK_LEADER),
        ("postcode", [value("528000"), value("528001")], ARBITRATE),
        ("person", [value("李四")], Settled("value", "李四")),
        ("person", [BLANK], Settled("blank")),
        ("person", [LEADER], ASK_LEADER),
        ("email", [UNREADABLE], AGAIN),
        ("email", [UNREADABLE, UNREADABLE], Settled("unreadable")),
        ("email", [value("a.b@example.cn"), value("ab@example.cn")], ARBITRATE),
        ("postal_address", [value(DOOR)], Settled("value", DOOR)),
        ("postal_address", [value("广东省佛山市南海区")], AGAIN),
        ("postal_address", [value("南海大道"), value("南海 大道")], Settled("value", "南海大道")),
        ("postal_address", [value("南海大道"), value(DOOR)], ARBITRATE),
    ],
)
def test_keyings_of_a_field_come_to_this(field, answers, expected):
    turns = [Turn(number, *one) for number, one in enumerate(answers, start=1)]
    assert decide(field, turns[::-1], lambda text: judge(field, text)) == expected


def test_the_leaders_word_stands_above_all():
    turns = [Turn(1, "value", "1"), Turn(2, "leader"), Turn(4, "blank")]
    assert decide("mobile", turns, lambda text: judge("mobile", text)) == Settled("blank")

"""What a customer of the demo answers stands on the paper: in the boxes of the form, and nowhere else."""

from random import Random

import pytest

from paper.forms import form_map
from seed.returned_forms import filled_in
from services.form_ticks import Ticks
from services.returns import Form, Line


@pytest.fixture(scope="module")
def boxes():
    return form_map()["pages"][1]["boxes"]


@pytest.mark.parametrize(
    ("place", "text", "written"),
    [
        ("mobile", "13812345678", {"mobile.1": "138", "mobile.2": "1234", "mobile.3": "5678"}),
        ("mobile", "1381234567", {"mobile.1": "138", "mobile.2": "1234", "mobile.3": "567"}),
        ("landline", "0757-85123456", {"landline.1": "0757", "landline.2": "85123456"}),
        ("postcode", "528000", {"postcode": "528000"}),
        ("person", "霍雄家", {"person": "霍雄家"}),
        ("postal_address", "祖庙路1号", {"postal_address.1": "祖庙路1号"}),
        ("postal_address", "佛山市禅城区祖庙街道祖庙路1号祖庙花园2座301房",
         {"postal_address.1": "佛山市禅城区祖庙街道祖庙路1号祖庙花园2", "postal_address.2": "座301房"}),
    ],
)  # fmt: skip
def test_a_new_value_is_shared_out_over_its_boxes(boxes, place, text, written):
    filled = filled_in(Form(lines=(Line(place, "new", text),)), boxes, Random(1), printed_places={place: 1})
    assert filled.texts == written and not filled.ticks


def test_every_tick_has_a_box(boxes):
    ticks = Ticks(channels=(("outage", "sms"), ("billing", "wechat")), consent=True, other=("transferred",))
    lines = (Line("mobile", "same"), Line("outage_person", "same"), Line("email", "none"))
    filled = filled_in(Form(lines=lines, ticks=ticks, relation="self"), boxes, Random(1), printed_places={"mobile": 1})
    assert set(filled.ticks) == {
        "mobile.same", "outage.same", "email.same", "outage.sms", "billing.wechat", "consent", "other.transferred",
        "relation.self",
    }  # fmt: skip
    assert set(filled.ticks) <= {box["id"] for box in boxes if box["kind"] == "tick"}


def test_nothing_is_ticked_beside_a_printed_value_that_is_gone(boxes):
    form = Form(lines=(Line("email", "none"),))
    assert not filled_in(form, boxes, Random(1), printed_places={"email": 7}).ticks


def test_everything_the_same_is_one_tick(boxes):
    assert set(filled_in(Form(all_same=True), boxes, Random(1), printed_places={}).ticks) == {"all.same"}

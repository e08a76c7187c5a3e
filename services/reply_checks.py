"""What proves online that the customer holds the account: a datum that the letter itself does not give away."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

from models import Customer, Letter
from models.contacts import GOOD
from models.words import N_
from paper.codes import CROCKFORD

CHECKS = {
    "phone": N_("登记手机号码被遮住的中间四位"),
    "identity": N_("身份证件号码的后四位"),
    "meter": N_("电能表条码下数字的后八位"),
}
USUAL = "phone"
METER_SIGNS = 8
TOKEN = re.compile(f"[{CROCKFORD}]{{16}}")
MOBILE = re.compile(r"(?:\+86)?(1\d{10})")
ALIKE = str.maketrans("ILO", "110")


def normal_token(text: str) -> str:
    """A reply token as it is stored, however it was typed; empty where it cannot be one."""
    found = text.strip().upper().translate(ALIKE)
    return found if TOKEN.fullmatch(found) else ""


def normal_answer(text: str) -> str:
    """An answer as it is compared: capitals and digits of either width, nothing else."""
    wide = str.maketrans({chr(0xFF01 + at): chr(0x21 + at) for at in range(94)})
    return re.sub(r"[^0-9A-Z]", "", text[:64].translate(wide).upper())


def proof_of(letter: Letter, customer: Customer, wanted: str) -> tuple[str, str]:
    """The check of a letter and its answer: the wanted one, else the next that there is; empty where none is."""
    answers = {
        "phone": _middle(letter.facts["letter"]["recorded"]),
        "identity": normal_answer(customer.id_last4) if customer.id_verdict in GOOD else "",
        "meter": _meter(customer.meter_no),
    }
    order = (wanted, *CHECKS) if wanted in CHECKS else tuple(CHECKS)
    return next(((name, answers[name]) for name in order if answers[name]), ("", ""))


def is_right(given: str, answer: str) -> bool:
    """Whether an answer fits; takes the same time whatever is wrong with it."""
    return hmac.compare_digest(normal_answer(given), answer) and answer != ""


def _middle(recorded: dict[str, str]) -> str:
    """The four digits that stars cover on the letter, of the first mobile that stands on it."""
    texts: Iterable[str] = (recorded.get(name, "") for name in ("mobile", "outage_mobile"))
    found = (MOBILE.fullmatch(text.strip()) for text in texts)
    return next((match[1][3:7] for match in found if match), "")


def _meter(number: str) -> str:
    plain = normal_answer(number)
    return plain[-METER_SIGNS:] if len(plain) >= METER_SIGNS else ""

"""All judges against the generated bureau's file, of which every damaged cell is known."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from quality import judge
from quality.verdicts import Context, Verdict
from seed.bureau import make_bureau
from seed.damage import PROPERTY_MANAGER, Damage
from seed.files import Line, lines
from services.headings import HEADINGS

BUREAU = make_bureau(7)
FOSHAN = Context(
    "0757",
    "广东省佛山市",
    offices=frozenset(f"+86{who.phone}" for who in BUREAU.staff),
    shared=frozenset({f"+86{PROPERTY_MANAGER}"}),
)


@pytest.fixture(scope="module")
def judged() -> list[tuple[str, str, Damage | None, Verdict]]:
    """Every cell with a rule: its field, the text, what befell it, and the verdict."""
    found = lines(BUREAU, count=600, seed=7, today=date(2026, 11, 2))
    return [cell for line in found for cell in _judge(line)]


def _judge(line: Line) -> list[tuple[str, str, Damage | None, Verdict]]:
    damages = {damage.field: damage for damage in line.damages}
    return [
        (name, text, damages.get(name), judge(HEADINGS[name].judged, text, FOSHAN))
        for name, text in line.written.items()
        if HEADINGS[name].judged
    ]


def _is_right(damage: Damage, verdict: Verdict) -> bool:
    return verdict.verdict == damage.verdict and (not damage.reason or damage.reason in verdict.reasons)


def test_damaged_cells_get_the_verdict_and_reason_of_the_truth(judged) -> None:
    damaged = [(text, damage, verdict) for _name, text, damage, verdict in judged if damage]
    wrong = [(text, damage.kind, verdict) for text, damage, verdict in damaged if not _is_right(damage, verdict)]
    assert len(damaged) > 200
    assert len(wrong) <= len(damaged) * 0.01, wrong


def test_honest_cells_are_left_alone(judged) -> None:
    honest = [(name, text, verdict) for name, text, damage, verdict in judged if not damage and text]
    wrong = [cell for cell in honest if cell[2].verdict != "valid"]
    assert len(honest) > 2000
    assert len(wrong) <= len(honest) * 0.005, wrong


def test_repaired_cells_get_their_original_value_back(judged) -> None:
    repaired = Counter(
        verdict.value.removeprefix("+86") == damage.original
        for name, _text, damage, verdict in judged
        if damage and name == "手机" and damage.kind not in ("two_numbers",) and verdict.verdict == "repairable"
    )
    assert repaired[True] > 20
    assert repaired[False] == 0

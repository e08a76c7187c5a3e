"""Every reason has examples, and the judge gives it for each of them."""

from __future__ import annotations

import pytest

from quality.examples import examples
from quality.reasons import REASONS


@pytest.mark.parametrize("code", REASONS)
def test_every_example_is_judged_so(code: str) -> None:
    found = examples(code)
    assert len(found) == 2
    assert [one.text for one in found if code not in one.verdict.reasons] == []

"""The manual explains every verdict and every reason that a judge can give."""

from __future__ import annotations

from models.home import CHECKOUT
from quality.verdicts import REASONS
from services.checks import VERDICTS
from services.headings import HEADINGS

MANUAL = (CHECKOUT / "docs" / "manual.zh.md").read_text("utf-8")


def test_every_reason_and_verdict_is_in_the_manual() -> None:
    assert [code for code in (*REASONS, *VERDICTS) if f"`{code}`" not in MANUAL] == []


def test_reasons_read_the_same_in_the_manual() -> None:
    assert [code for code, text in REASONS.items() if f"`{code}` | {text} |" not in MANUAL] == []


def test_every_heading_is_in_the_manual() -> None:
    assert [heading for heading in HEADINGS if f"**{heading}**" not in MANUAL] == []

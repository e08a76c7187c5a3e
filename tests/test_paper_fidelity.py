"""Stamped pages look like those that the layout engine prints letter by letter, pixel for pixel."""

import os
from dataclasses import replace

import pytest
from fidelity import different, laid_out_singly, random_letter
from paper_samples import HEAD, RECORDED, letter

from paper.address_labels import TEXT_WIDTH, Label, Labels, address_labels, label_sheets, sheet_html
from paper.letters import SAMPLE, window_block
from paper.pdf import Job, lay_out
from paper.print_runs import render_letters

pytestmark = pytest.mark.slow
LETTERS = int(os.environ.get("LAMPLIGHTER_FIDELITY_LETTERS", "25"))


def test_stamped_letters_look_as_if_laid_out_singly(tmp_path):
    letters = [random_letter(number) for number in range(1, LETTERS + 1)]
    render_letters(letters, HEAD, tmp_path / "stamped.pdf")
    assert different(tmp_path / "stamped.pdf", laid_out_singly(letters)) == []


def test_stamped_labels_look_as_if_laid_out_singly(tmp_path):
    random = (random_letter(number) for number in range(1, LETTERS + 1))
    labels = [Label(one.serial, one.token, one.address, one.addressee, one.postcode) for one in random]
    fitting = [
        one
        for one in labels
        if window_block(one.address, one.addressee, one.postcode, letterhead=HEAD, width=TEXT_WIDTH)
    ]
    facts = Labels("HD202611-01-1", SAMPLE.sent_on, tuple(fitting), skip=5)
    (tmp_path / "stamped.pdf").write_bytes(address_labels(facts, HEAD))
    first, *more = (sheet_html(sheet, HEAD) for sheet in label_sheets(facts, HEAD))
    single = lay_out(Job(first, "对照", more=tuple(more))).pdf
    assert different(tmp_path / "stamped.pdf", [single]) == []


def test_one_wrong_digit_is_seen(tmp_path):
    recorded = replace(RECORDED, mobile="+8613812345679")
    render_letters([letter(1), letter(2)], HEAD, tmp_path / "stamped.pdf")
    found = different(tmp_path / "stamped.pdf", laid_out_singly([letter(1), letter(2, recorded=recorded)]))
    assert [one[:6] for one in found] == ["page 4"]

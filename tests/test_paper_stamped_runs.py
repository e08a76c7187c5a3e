"""Files stamped by one process or by several, and what reading them to the end finds wrong."""

import re
from dataclasses import replace

import pikepdf
import pytest
from paper_samples import HEAD, HOSTILE_NAMES, letter

from paper import processes
from paper.finished_files import Damaged, FinishedFile
from paper.pdf import PaperError
from paper.print_runs import render_letters
from paper.proofs import Expected, proof_run

pytestmark = pytest.mark.slow
LETTERS = 250


def letters():
    """More than two blocks of letters, the strange ones in the last, some that do not fit in between."""
    for number in range(1, LETTERS + 1):
        name = HOSTILE_NAMES[number % len(HOSTILE_NAMES)] if number > 220 else "张三"
        yield letter(number, addressee=name, address="路" * 64 if number in (7, 150) else f"建新路{number}号")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    target = tmp_path_factory.mktemp("run") / "letters.pdf"
    return target, render_letters(letters(), HEAD, target, processes=1)


def test_several_processes_write_the_same_bytes(run, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "ALONE", 1)
    result = render_letters(letters(), HEAD, tmp_path / "split.pdf", processes=2)
    assert (tmp_path / "split.pdf").read_bytes() == run[0].read_bytes()
    assert replace(result, seconds=0) == replace(run[1], seconds=0)


def test_other_readers_find_no_fault_and_every_page(run):
    with pikepdf.open(run[0]) as pdf:
        assert len(pdf.pages) == run[1].pages == 2 * (LETTERS - 2)
        assert pdf.check_pdf_syntax() == []


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-40],
        lambda content: content.replace(b"(\x00H\x00D", b"(\x00H", 1),
        lambda content: content.replace(b"/Length ", b"/Lengte ", 1),
        lambda content: re.sub(rb"(\d+) 0 obj\n<</Length", rb"9\g<1> 0 obj\n<</Length", content, count=1),
        lambda content: content[:100_000] + bytes(9000) + content[109_000:],
    ],
)
def test_damage_anywhere_is_found(run, tmp_path, change):
    path = tmp_path / "spoiled.pdf"
    path.write_bytes(change(run[0].read_bytes()))
    with path.open("rb") as file, pytest.raises(Damaged):
        FinishedFile(file).pages()


def test_missing_pages_and_wrong_letters_are_found(run):
    with pytest.raises(PaperError, match=f"应有500页，实际排出{run[1].pages}页"):
        proof_run(run[0], pages=500, expected=[])
    wrong = Expected("函件X", 300, [("函件编号", "HD-2026-11-000001")])
    with pytest.raises(PaperError, match="函件X第301页的“函件编号”没有完整印出"):
        proof_run(run[0], pages=run[1].pages, expected=[wrong])
    right = Expected("函件X", 300, [("函件编号", "HD-2026-11-000153")])
    proof_run(run[0], pages=run[1].pages, expected=[right])

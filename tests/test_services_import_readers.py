"""Judging ahead in children gives the same rows in the same order, and a child that dies is said."""

from __future__ import annotations

import pytest
from importing import write_csv

from quality.verdicts import Context
from services import Refused, import_readers, import_rows, import_spools
from services.import_units import Home, Units
from services.tables import open_table

pytestmark = pytest.mark.slow
UNITS = Units({}, {1: Context("0757", "广东省佛山市")}, 1)


@pytest.fixture
def spool(tmp_path, monkeypatch):
    """Eleven chunks of three rows."""
    monkeypatch.setattr(import_spools, "CHUNK", 3)
    lines = [{"户号": str(number), "手机": f"1382746{number:04}", "邮编": "528000"} for number in range(33)]
    path = tmp_path / "a.spool"
    table = open_table(write_csv(tmp_path / "a.csv", lines))
    layout = import_spools.build(path, table, lambda rows: [Home(1)] * len(rows), lambda row: {})
    return path, layout.spans


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_children_judge_what_one_process_judges(spool, monkeypatch, cores):
    path, spans = spool
    monkeypatch.setattr(import_readers.os, "sched_getaffinity", lambda _pid: set(range(cores)))
    found = list(import_readers.read_chunks(path, spans, UNITS))
    expected = [import_rows.read_rows(import_spools.read(path, *span), UNITS) for span in spans]
    assert found == expected and len(found) == 11


def test_a_child_that_dies_is_said(spool, monkeypatch):
    path, spans = spool
    monkeypatch.setattr(import_readers.os, "sched_getaffinity", lambda _pid: {0, 1})
    chunks = import_readers.read_chunks(path.with_name("gone"), spans, UNITS)
    with pytest.raises(Refused, match="中途结束"):
        next(chunks)


def test_children_end_with_their_reader(spool, monkeypatch):
    path, spans = spool
    started, begin = [], import_readers.subprocess.Popen
    monkeypatch.setattr(import_readers.os, "sched_getaffinity", lambda _pid: {0, 1})

    def starting(*words, **options):
        started.append(begin(*words, **options))
        return started[0]

    monkeypatch.setattr(import_readers.subprocess, "Popen", starting)
    chunks = import_readers.read_chunks(path, spans, UNITS)
    next(chunks)
    chunks.close()
    assert [child.poll() for child in started] == [-9]


@pytest.mark.parametrize("cells", [("a", ""), ("[1", "2"), ("x\x1fy", "z"), ('["\\u0000"]', "\x1f"), ("",), ()])
def test_any_cells_come_out_of_the_spool_as_they_went_in(cells):
    assert import_spools._cells(import_spools._text(cells)) == list(cells)

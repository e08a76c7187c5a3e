"""`places import` as scripts of the bureau's IT call it."""

from __future__ import annotations

import json
import os

import pytest
from factories import make_staff

from screens.commands import main

ROWS = "省,市,区县,乡镇,来源\n广东省,佛山市,云东新区,云水街道,粤府函1号\n"


@pytest.fixture
def call(core, session, capsys, tmp_path):
    """Import a file with this text; the exit code and what was printed as JSON."""

    def run(text, *words):
        path = tmp_path / "places.csv"
        path.write_text(text, "utf-8")
        session.commit()
        before = os.umask(0o022)
        code = main(["places", "import", str(path), "--json", *words], lambda: core)
        os.umask(before)
        return code, json.loads(capsys.readouterr().out)

    return run


def test_places_come_in_once(call):
    assert call(ROWS) == (0, {"created": 1, "updated": 0, "unchanged": 0})
    assert call(ROWS) == (0, {"created": 0, "updated": 0, "unchanged": 1})


def test_wrong_file_and_wrong_person_are_refused(call, session):
    assert call("省,市\n广东省,佛山市\n")[0] == 1
    assert call(ROWS, "--as", make_staff(session, "clerk").username)[0] == 1

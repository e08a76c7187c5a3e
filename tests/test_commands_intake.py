"""`intake` and `form-map` as outsiders call them: fields, exit codes, messages."""

import json

import pytest
from factories import make_customer, make_letter
from PIL import Image
from scanning import MAP, Sheet, batch

import screens.commands as commands
from models import FormVersion
from seed.scanner import Filled

pytestmark = pytest.mark.slow
COUNTS = ("accepted", "review", "to_key", "duplicate", "foreign", "front", "blank", "unidentified")


@pytest.fixture
def play(core, session, capsys):
    """Run a command line against the test database; returns exit code, what `--json` printed, and the messages."""

    def run(*words):
        session.commit()
        code = commands.main([*words, "--json"], lambda: core)
        printed = capsys.readouterr()
        return code, json.loads(printed.out or "{}"), printed.err

    return run


@pytest.fixture
def letter(session):
    found = make_letter(session, make_customer(session))
    session.get_one(FormVersion, found.form_version_id).boxes = MAP
    return found


def test_intake_counts_every_side_and_the_same_files_again_give_the_same(play, session, letter, tmp_path):
    token = letter.token
    first = batch(tmp_path / "a.pdf", Sheet(token), Sheet(token, page=1, filled=Filled()))
    second = batch(tmp_path / "b.png", Image.new("L", (1654, 2339), 250))
    code, counts, _said = play("intake", str(first), str(second))
    assert (code, counts["sheets"], counts["accepted"], counts["front"], counts["blank"]) == (0, 3, 1, 1, 1)
    assert counts["sheets"] == sum(counts[name] for name in COUNTS) and counts["seconds"] > 0
    _code, again, _said = play("intake", str(second), str(first))
    assert again | {"seconds": 0} == counts | {"seconds": 0}


def test_intake_refuses_what_is_missing_or_no_scan(play, tmp_path):
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7 cut")
    assert play("intake", str(tmp_path / "nix.pdf"))[0] == 1
    code, _counts, said = play("intake", str(tmp_path / "x.pdf"))
    assert code == 1 and "x.pdf" in said


def test_form_map_is_the_one_that_was_frozen(play, letter):
    assert play("form-map", "1")[:2] == (0, MAP)
    code, _map, said = play("form-map", "77")
    assert code == 1 and "77" in said

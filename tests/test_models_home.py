"""The home folder and its secrets."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.home import SECRET_NAMES, HomeUnusable, home_path, load_secrets, prepare_home
from models.processes import LONGEST_SOCKET, hold_lock, is_served, queue_socket


def test_secrets_are_generated_for_the_owner_alone(tmp_path: Path) -> None:
    made = load_secrets(tmp_path / "new")
    assert set(made) == set(SECRET_NAMES)
    assert len({*made.values()}) == len(SECRET_NAMES)
    assert all(len(bytes.fromhex(value)) == 32 for value in made.values())
    assert (tmp_path / "new" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_secrets_stay_as_they_are(tmp_path: Path) -> None:
    assert load_secrets(tmp_path) == load_secrets(tmp_path)


def test_processes_starting_together_agree_on_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _number: load_secrets(tmp_path), range(8)))
    assert all(one == found[0] for one in found)


def test_a_missing_secret_is_added_and_others_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"SECRET_KEY": "old"}))
    found = load_secrets(tmp_path)
    assert found["SECRET_KEY"] == "old"
    assert json.loads((tmp_path / "secrets.json").read_text()) == found


def test_damaged_secrets_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(HomeUnusable, match="备份"):
        load_secrets(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == "{"


@pytest.mark.parametrize("place", ["/proc/lamplighter", "/dev/null/home"])
def test_unwritable_home_says_what_to_do(place: str) -> None:
    with pytest.raises(HomeUnusable, match="LAMPLIGHTER_HOME"):
        prepare_home(Path(place))


def test_home_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAMPLIGHTER_HOME", str(tmp_path))
    assert home_path() == tmp_path
    monkeypatch.delenv("LAMPLIGHTER_HOME")
    assert home_path().name == "instance"


@pytest.mark.parametrize("length", [10, 200])
def test_queue_socket_fits_into_a_unix_address(length: int) -> None:
    home = Path("/" + "x" * length)
    assert len(str(queue_socket(home))) <= LONGEST_SOCKET
    assert queue_socket(home) == queue_socket(home)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    assert not is_served(tmp_path)
    handle = hold_lock(tmp_path / ".serve.lock")
    assert handle is not None
    assert hold_lock(tmp_path / ".serve.lock") is None
    assert is_served(tmp_path)

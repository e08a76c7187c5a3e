"""Which faces a machine has, as fontconfig tells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import faces
from models.home import CHECKOUT


def test_a_real_face_wins_over_a_stand_in() -> None:
    families = frozenset({"AR PL KaitiM GB", "Noto Serif CJK SC", "Noto Sans CJK SC"})
    found = {key: faces._found(key, face, families) for key, face in faces.FACES.items()}
    assert (found["kaiti"].family, found["kaiti"].real) == ("AR PL KaitiM GB", True)
    assert (found["fangsong"].family, found["fangsong"].real) == ("Noto Serif CJK SC", False)
    assert found["songti"].real and found["heiti"].real


def test_without_any_chinese_font_no_face_prints() -> None:
    found = [faces._found(key, face, frozenset({"DejaVu Sans"})) for key, face in faces.FACES.items()]
    assert [face.family for face in found] == [""] * 5


def test_a_font_without_the_characters_does_not_count() -> None:
    assert faces.chinese_families(probe="掌\U0010fffd") == frozenset()


def test_an_empty_machine_is_told_the_packages(tmp_path: Path) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text(f"<fontconfig><dir>{tmp_path}</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "models" / "faces.py")],
        env=os.environ | {"FONTCONFIG_FILE": str(config)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-2:] == ["fonts-noto-cjk", "fonts-arphic-gkai00mp"]


def test_missing_libraries_name_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "_load", lambda name: None if "harfbuzz-subset" in name else object())
    assert faces.missing_libraries() == ["libharfbuzz-subset0"]

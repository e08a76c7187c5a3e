"""Which characters can be shown, and how wide a text is."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from models.faces import FACES
from paper import fonts
from paper.fonts import family, fontconfig_file, missing_glyphs, text_width
from paper.pages import printable


def test_rare_characters_of_names_have_glyphs():
    assert missing_glyphs("㛃䶮𠮷暠喆堃燊垚犇赟昇頔玥珺婳〔〕①√×□↑↓—～") == ""


@pytest.mark.parametrize("text", ["\U000f1234", "名\ue000字", "\U0003fffd"])
def test_character_without_glyph_is_named(text):
    assert missing_glyphs(text) == text.strip("名字")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("张\x00三\u202e丰", "张三丰"),
        ("一\t二\r\n三", "一 二 三"),
        ("葛\U000e0100", "葛"),
        ("名\ue000字", "名〓字"),
        ("a\u200bb\ufeff", "ab"),
        ("㛃䶮𠮷暠", "㛃䶮𠮷暠"),
        ("\ud800", "〓"),
    ],
)
def test_values_are_cleaned_for_paper(text, shown):
    assert printable(text) == shown


def test_chinese_is_set_in_full_squares():
    assert text_width("某某某某", 10) == pytest.approx(4 * 10 * 25.4 / 72)
    assert text_width("12", 10) < text_width("某", 10) * 1.2


@pytest.mark.parametrize("face", FACES)
def test_each_face_names_what_this_machine_has_first(face):
    found = family(face)
    assert found.names[0]
    assert "Noto Serif CJK SC" in found.names


def test_own_font_goes_first():
    assert family("fangsong", own="仿宋_GB2312").css.startswith("'仿宋_GB2312'")


def test_stand_in_for_the_title_face_is_bold():
    assert family("xiaobiaosong").bold is True
    assert family("xiaobiaosong", own="方正小标宋简体").bold is False


def test_own_font_folder_is_added_to_the_systems():
    assert "<dir>/home/a &amp; b/fonts</dir>" in fontconfig_file("/home/a & b/fonts")


def test_threads_may_read_a_font_at_the_same_time():
    for cached in (fonts.covered, fonts._advances, fonts._widths):
        cached.cache_clear()
    with ThreadPoolExecutor(2) as threads:
        widths = list(threads.map(lambda _nth: fonts.text_width("走访清单", 10), range(4)))
    assert len(set(widths)) == 1

"""Pages taken out of several files: in the order asked for, and what a file's pages share only once."""

import datetime as dt

import pikepdf

from paper.excerpts import excerpt

DAY = dt.date(2026, 11, 22)


def run_file(path, name, pages=300):
    """A file whose pages share one font, as those of a print run do."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, BaseFont=pikepdf.Name(f"/{name}"))
        )
        for number in range(pages):
            page = pdf.add_blank_page(page_size=(10, 10))
            page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
            page.Number = number
        pdf.save(path)
    return path


def test_pages_of_two_files_in_turn_bring_the_fonts_of_each_once(tmp_path):
    first, second = run_file(tmp_path / "a.pdf", "A"), run_file(tmp_path / "b.pdf", "B")
    sources = [(path, [number]) for number in range(300) for path in (first, second)]
    assert excerpt(sources, tmp_path / "out.pdf", title="t", day=DAY) == 600
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        assert [int(page.Number) for page in pdf.pages] == [number for number in range(300) for _ in "ab"]
        fonts = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/BaseFont" in one]
        assert sorted(str(font.BaseFont) for font in fonts) == ["/A", "/B"]
